import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.cli._threads import DEPTH, ahead, behind


def failing(items, error):
    yield from items
    raise error


@given(st.lists(st.integers()))
def test_items_come_in_order(items):
    assert list(ahead(iter(items))) == items
    written = []
    with behind(written.append) as write:
        for item in items:
            write(item)
    assert written == items


@given(st.integers(0, 3))
def test_errors_of_the_source_arrive(n_before):
    seen = []
    with pytest.raises(OSError, match="gone"):
        seen.extend(ahead(failing(range(n_before), OSError("gone"))))
    items = ahead(failing(range(n_before), OSError("gone")))
    assert [next(items) for _ in range(n_before)] == list(range(n_before))


def test_few_items_are_taken_ahead():
    taken = []

    def source():
        for item in range(50):
            taken.append(item)
            yield item

    items = ahead(source())
    assert next(items) == 0
    items.close()
    assert taken[0] == 0
    assert len(taken) <= DEPTH + 1


def write_all(function, items):
    with behind(function) as write:
        for item in items:
            write(item)


@pytest.mark.parametrize("n_calls", [1, 2, 9])
def test_errors_of_the_sink_arrive(n_calls):
    written = []

    def fail(item):
        written.append(item)
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_all(fail, range(n_calls))
    assert written[0] == 0
    assert len(written) <= min(n_calls, 1 + DEPTH)


def test_an_error_of_the_caller_waits_for_the_thread():
    begun, done = threading.Event(), threading.Event()

    def slow(item):
        begun.set()
        done.wait(0.05)
        done.set()

    def items():
        yield 0
        begun.wait()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_all(slow, items())
    assert done.is_set()
