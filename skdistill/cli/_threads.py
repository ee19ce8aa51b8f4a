"""Reading ahead of the work and writing behind it, each in a thread."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


def ahead(items):
    """Yield what an iterator gives, taking the next one in a thread meanwhile.

    Parameters
    ----------
    items : iterator
        Gives no ``None``.

    Yields
    ------
    object
        The items, in order.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


@contextmanager
def behind(function):
    """Yield what calls a function in a thread, while the caller goes on.

    At most one call is under way: the next one waits for it, and so does the end of the
    context. What a call raises is raised there.

    Parameters
    ----------
    function : callable
        What is called.

    Yields
    ------
    callable
        Takes the arguments of the function, and returns nothing.
    """
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(bool)

        def call(*arguments):
            nonlocal running
            running.result()
            running = thread.submit(function, *arguments)

        yield call
        running.result()
