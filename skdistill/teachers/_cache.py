"""Results of long computations on disk, where nothing damaged is trusted."""

import hashlib
import pickle
import sys
import warnings
from contextlib import contextmanager
from inspect import signature
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_memory

from ._fingerprint import PROTOCOL, fingerprint

if sys.platform != "win32":
    import fcntl


def cached(function, memory, ignore=()):
    """Return a function that looks for its results in a cache first.

    A result is found again by the content of the arguments, see `fingerprint`, from
    other processes too. It is stored with a digest: one that was damaged, or whose
    writing was interrupted, is computed anew. Of several processes that want the same
    result at the same time one computes it and the others wait (except on Windows,
    where each computes it).

    Parameters
    ----------
    function : callable
        A function of a module.
    memory : None, str or joblib.Memory
        Where results are kept; ``None``: nowhere.
    ignore : sequence of str, default=()
        Names of arguments that do not change the result.

    Returns
    -------
    callable
        Takes the arguments of `function`.

    Raises
    ------
    ValueError
        If `memory` is none of these.
    """
    memory = check_memory(memory)
    folder = getattr(memory, "location", "")
    if folder is None:
        return function
    return CachedFunction(function, memory, folder, ignore)


class CachedFunction:
    """A function that looks for its results in a cache first, see `cached`.

    Parameters
    ----------
    function : callable
        A function of a module.
    memory : joblib.Memory
        Where results are kept.
    folder : str or path-like
        Where locks are kept; empty for none.
    ignore : sequence of str
        Names of arguments that do not change the result.
    """

    def __init__(self, function, memory, folder, ignore):
        self.function = function
        self.memory = memory
        self.folder = folder
        self.ignore = ignore

    def __call__(self, *args, **kwargs):
        bound = signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        known = {
            name: value
            for name, value in bound.arguments.items()
            if name not in self.ignore
        }
        name = f"{self.function.__module__}.{self.function.__qualname__}"
        key = fingerprint(name, known)
        call = _Call(self.function, bound)
        entry = self.memory.cache(_sealed_result, ignore=["call"])
        try:
            if entry.check_call_in_cache(key, call):
                return self._take(entry, key, call)
            with _lock(self.folder, key):
                return self._take(entry, key, call)
        except _Unsealable as error:
            warnings.warn(
                f"The result of {name} cannot be pickled, so it is not cached "
                f"({error}).",
                UserWarning,
                stacklevel=3,
            )
            return call.result

    def _take(self, entry, key, call):
        """Return the stored result if it is whole, a new one otherwise."""
        sealed = entry(key, call)
        if call.is_done:
            return call.result
        try:
            return _unseal(sealed, key)
        except _Damaged:
            warnings.warn(
                f"An entry of the cache in {self.folder} is damaged, and is computed "
                "anew. Is the disk failing?",
                UserWarning,
                stacklevel=4,
            )
        entry.call(key, call)
        return call.result


class _Call:
    """A call that remembers its result, so that storing it need not be undone."""

    def __init__(self, function, bound):
        self.function = function
        self.bound = bound
        self.is_done = False
        self.result = None

    def __repr__(self):
        return f"{self.function.__name__}(...)"

    def make(self):
        self.result = self.function(*self.bound.args, **self.bound.kwargs)
        self.is_done = True
        return self.result


class _Unsealable(Exception):
    """A result that cannot be pickled."""


class _Damaged(Exception):
    """A stored result that is not what was stored."""


def _sealed_result(key, call):
    """Return the result of a call and what tells that it is whole."""
    buffers: list[pickle.PickleBuffer] = []
    result = call.make()
    try:
        # Arrays apart: they are neither copied now nor when they are read.
        pickled = pickle.dumps(result, PROTOCOL, buffer_callback=buffers.append)
    except Exception as error:
        raise _Unsealable(repr(error)) from error
    parts = [np.frombuffer(pickled, np.uint8)]
    parts += [np.asarray(buffer.raw(), np.uint8) for buffer in buffers]
    return _digest(parts, key), parts


def _unseal(sealed, key):
    """Return a stored result; nothing is unpickled unless its digest is right."""
    try:
        digest, parts = sealed
        whole = digest == _digest(parts, key)
    except Exception as error:
        raise _Damaged from error
    if not whole:
        raise _Damaged
    pickled, *buffers = parts
    return pickle.loads(pickled, buffers=buffers)


def _digest(parts, key):
    digest = hashlib.sha256(key.encode())
    for part in parts:
        digest.update(f"{part.size}:".encode())
        digest.update(part)
    return digest.hexdigest()


@contextmanager
def _lock(folder, key):
    """Let one process at a time compute what belongs to a key."""
    if not folder or sys.platform == "win32":
        yield
        return
    path = Path(folder).expanduser() / "joblib" / "skdistill_locks" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        # Given back by the system if the process dies.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
