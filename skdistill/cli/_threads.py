"""Reading ahead of the work and writing behind it, each in a thread."""

from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread

DEPTH = 3
"""Items that are taken ahead, and calls that wait: a thread that has to wait for a core
keeps the others busy."""

PATIENCE = 1.0
"""Seconds to wait for a thread that is not needed any more. It may be reading from a
pipe that nobody writes to, after the user has pressed Ctrl-C."""


abandoned: list["Worker"] = []
"""Those whose threads have been waited for in vain. A process that has one must leave
by `os._exit`: Arrow would wait for it."""


class Worker:
    """A thread that makes one call after the other, as a context."""

    def __init__(self):
        self._calls: SimpleQueue = SimpleQueue()
        self._results: SimpleQueue = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with suppress(Empty):  # after an error nothing more is begun
            while True:
                self._calls.get_nowait()
        self._calls.put(None)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            abandoned.append(self)

    def begin(self, function, *arguments):
        """Let the thread call a function, after those that it has been told before."""
        self._calls.put((function, arguments))

    def result(self):
        """Wait for the oldest call, and return or raise what it has."""
        value, error = self._results.get()
        if error is not None:
            raise error
        return value

    def _work(self):
        while (call := self._calls.get()) is not None:
            function, arguments = call
            try:
                self._results.put((function(*arguments), None))
            except BaseException as error:
                self._results.put((None, error))


def ahead(items):
    """Yield what an iterator gives, taking the next ones in a thread meanwhile.

    While an item is used, up to `DEPTH` later ones are there.

    Parameters
    ----------
    items : iterator
        Gives no ``None``.

    Yields
    ------
    object
        The items, in order.
    """
    with Worker() as worker:
        for _ in range(DEPTH):
            worker.begin(next, items, None)
        while (item := worker.result()) is not None:
            worker.begin(next, items, None)
            yield item


@contextmanager
def behind(function):
    """Yield what calls a function in a thread, while the caller goes on.

    At most `DEPTH` calls are waiting or under way: the next one waits for the oldest,
    and the end of the context for all. What a call raises is raised there.

    Parameters
    ----------
    function : callable
        What is called.

    Yields
    ------
    callable
        Takes the arguments of the function, and returns nothing.
    """
    with Worker() as worker:
        for _ in range(DEPTH):
            worker.begin(bool)

        def call(*arguments):
            worker.result()
            worker.begin(function, *arguments)

        yield call
        for _ in range(DEPTH):
            worker.result()
