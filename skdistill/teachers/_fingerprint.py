"""What a computation depends on, in a few bytes: its arguments and the code it runs."""

import hashlib
import pickle
import platform
import sys
from types import CodeType, FunctionType
from typing import Any

import joblib
import numpy as np
import sklearn
from scipy.sparse import issparse

from .._columns import is_frame
from .._version import __version__

PROTOCOL = 5

CONSTANTS = (bool, int, float, complex, str, bytes, type(None))
"""Types of constants that read the same in every process."""

FIXED = (*CONSTANTS, tuple, frozenset)
"""Types of attributes of classes that are code. Lists and dictionaries may be logs or
registries, which grow while a program runs."""

WRAPPED = ("__func__", "fget", "fn", "func", "__wrapped__")
"""Attributes by which methods that are no plain functions hold one: those of classes,
properties, those that are available sometimes, cached and partial ones."""

MOST_WRAPPERS = 10
"""What answers to any attribute, such as a mock, would hold one without end."""


def fingerprint(name, arguments):
    """Return what tells a call from all others, the same in every process.

    Parameters
    ----------
    name : str
        Of the function.
    arguments : dict of str to object
        Its arguments. Of tables and arrays the content counts, of estimators the
        parameters and what they have learnt, and the code that they are made of:
        the version of its library, or the code of a class or function itself where
        it belongs to no library that has a version.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If an argument cannot be pickled.
    """
    digest = hashlib.sha256(repr((name, *_platform())).encode())
    code = set()
    for key, value in arguments.items():
        content = _describe_table(value) if _is_table(value) else value
        parts = content if isinstance(content, list) else [content]
        try:
            for part in parts:
                digest.update(f"{key}:{_content(part)};".encode())
            if not _is_table(value):
                code |= _code_of(value)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise TypeError(
                f"Got a {type(value).__name__} as {key} that cannot be pickled, but "
                "the cache knows things by their pickles: use functions and classes "
                f"of a module, no lambdas, or leave memory out ({error})."
            ) from error
    digest.update("\n".join(sorted(code)).encode())
    return digest.hexdigest()


def _platform():
    versions = __version__, sklearn.__version__, np.__version__
    return (*versions, *platform.python_version_tuple()[:2])


def _is_table(value):
    return isinstance(value, np.ndarray) or issparse(value) or is_frame(value)


def _describe_table(value):
    """Parts of a table without what only says how it came about."""
    if issparse(value):
        value = value.tocsr()
        arrays = value.data, value.indices, value.indptr
        return ["csr", value.shape, value.dtype.str, *arrays]
    if isinstance(value, np.ndarray):
        return [value.dtype.str, value.shape, np.ascontiguousarray(value)]
    return [value]


def _content(value):
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        cells = value.reshape(-1).view(np.uint8)
        return hashlib.sha256(cells.data).hexdigest()
    if isinstance(value, np.ndarray) or is_frame(value):
        return _pickle_digest(value)
    return joblib.hash(value)


def _pickle_digest(value):
    """Digest of a pickle; of cells that are objects, far faster than `joblib.hash`."""
    stream = _Digest()
    pickler = pickle.Pickler(stream, PROTOCOL)
    # Equal cells give equal pickles, whether or not they are the same object.
    pickler.fast = True
    pickler.dump(value)
    return stream.digest.hexdigest()


class _Digest:
    def __init__(self):
        self.digest = hashlib.sha256()

    def write(self, data):
        self.digest.update(data)


class _CodeCollector(pickle.Pickler):
    """Finds out of what classes and functions an object is made."""

    def __init__(self):
        super().__init__(_Nowhere(), PROTOCOL)
        self.found: dict[int, Any] = {}

    def reducer_override(self, value):
        is_code = isinstance(value, type | FunctionType)
        kind = value if is_code else type(value)
        self.found[id(kind)] = kind
        return NotImplemented


class _Nowhere:
    def write(self, data):
        pass


def _code_of(value):
    """Libraries with their versions, and digests of code that has none."""
    collector = _CodeCollector()
    collector.dump(value)
    return {_identity(kind) for kind in collector.found.values()}


def _identity(kind):
    library = kind.__module__.partition(".")[0]
    if library in sys.stdlib_module_names and library != "__main__":
        return "standard library"
    version = getattr(sys.modules.get(library), "__version__", None)
    if version is not None:
        return f"{library} {version}"
    read = _class_code if isinstance(kind, type) else _function_code
    text = repr(read(kind)).encode()
    return f"{kind.__qualname__} {hashlib.sha256(text).hexdigest()}"


def _class_code(kind):
    parts = []
    for name, member in sorted(vars(kind).items()):
        member = _unwrapped(member)
        if isinstance(member, FunctionType):
            parts.append((name, _function_code(member)))
        elif isinstance(member, FIXED) and not name.startswith("__"):
            parts.append((name, _constant(member)))
    bases = [_identity(base) for base in kind.__bases__]
    return parts, bases


def _unwrapped(member):
    """Return the function in a static method, a property or the like, or the member."""
    inner = member
    for _ in range(MOST_WRAPPERS):
        if isinstance(inner, FunctionType):
            return inner
        parts = [getattr(inner, name, None) for name in WRAPPED]
        inner = next((part for part in parts if callable(part)), None)
    return member


def _function_code(function, met=()):
    """Code of a function, and of those that it closes over, as decorators do."""
    values = [
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ]
    closed = [_cell(cell) for cell in function.__closure__ or ()]
    values += [value for value in closed if isinstance(value, FIXED)]
    met = (*met, function)
    inner = [
        _function_code(value, met)
        for value in closed
        if isinstance(value, FunctionType) and value not in met
    ]
    return _code(function.__code__), [_constant(value) for value in values], inner


def _cell(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None  # empty: of a name that has not been bound yet


def _code(code):
    constants = [_constant(value) for value in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, constants


def _constant(value):
    if isinstance(value, CodeType):
        return _code(value)
    if isinstance(value, tuple):
        return [_constant(entry) for entry in value]
    if isinstance(value, list):
        return ["list", *map(_constant, value)]
    if isinstance(value, dict):
        return [(_constant(key), _constant(entry)) for key, entry in value.items()]
    if isinstance(value, set | frozenset):
        return sorted(str(_constant(entry)) for entry in value)
    # Of other objects the text may tell the address.
    return repr(value) if isinstance(value, CONSTANTS) else type(value).__name__
