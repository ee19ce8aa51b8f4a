"""The arrays of a model, one behind the other in one sequence of bytes."""

import numpy as np

DTYPES = {name: np.dtype(name) for name in ("<f4", "<f8", "<i4", "<i8", "<u4", "|b1")}
"""Types of numbers in a file: little-endian."""

ALIGNMENT = 8
"""Bytes of which every array's position is a multiple."""

LARGEST_LENGTH = 2**31 - 1
"""Length of an array along one axis; also of one without elements."""


class ArrayWriter:
    """Collects arrays; they are referred to by their position."""

    def __init__(self):
        self.descriptions = []
        self._parts = []

    def add(self, name, array, dtype):
        """Add an array and return its position.

        Parameters
        ----------
        name : str
            What it is, for the error.
        array : ndarray
            Its values.
        dtype : str
            One of `DTYPES`.

        Raises
        ------
        ValueError
            If the type cannot hold the values.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            stored = np.ascontiguousarray(array, dtype=DTYPES[dtype])
        if not np.array_equal(stored, array, equal_nan=stored.dtype.kind == "f"):
            raise ValueError(
                f"Got {name} of type {array.dtype}, but expected numbers that "
                f"{stored.dtype} holds."
            )
        self.descriptions.append([dtype, list(array.shape)])
        self._parts.append(stored.tobytes() + bytes(-stored.nbytes % ALIGNMENT))
        return len(self._parts) - 1

    def content(self):
        """Return the bytes of all arrays."""
        return b"".join(self._parts)


class ArrayReader:
    """Arrays as `ArrayWriter` has written them; each is taken once.

    Parameters
    ----------
    descriptions : list
        Type and shape of each.
    content : bytes
        Their bytes. The arrays are read-only views of them.

    Raises
    ------
    ValueError
        If the descriptions are not those of arrays that fill the bytes.
    """

    def __init__(self, descriptions, content):
        if type(descriptions) is not list:
            raise ValueError("Got arrays that are no list in the header.")
        self._content = content
        self._places: list[tuple | None] = []
        start = 0
        for description in descriptions:
            dtype, shape, n_bytes = _parse(description)
            self._places.append((dtype, shape, start))
            start += n_bytes + -n_bytes % ALIGNMENT
            if start > len(content):
                break
        if start != len(content):
            raise ValueError(
                f"Got {len(content)} bytes of arrays, but expected {start} or more."
            )

    def take(self, name, position, dtype, n_axes):
        """Return the array at a position of the list.

        Parameters
        ----------
        name : str
            What it is, for the error.
        position : int
            What the header says.
        dtype : str
            Type that it must have.
        n_axes : int
            Number of axes that it must have.

        Raises
        ------
        ValueError
            If there is no such array or it was taken before.
        """
        places = self._places
        known = type(position) is int and 0 <= position < len(places)
        place = places[position] if known else None
        if place is None:
            raise ValueError(
                f"Got array {position!r} as {name}, but expected the position of one "
                f"of {len(places)} that is nothing else."
            )
        found, shape, start = place
        if found != dtype or len(shape) != n_axes:
            raise ValueError(
                f"Got {name} of type {found} and shape {shape}, but expected {dtype} "
                f"and {n_axes} axes."
            )
        places[position] = None
        array = np.ndarray(shape, DTYPES[dtype], self._content, start)
        if dtype == "|b1" and (array.view(np.uint8) > 1).any():
            raise ValueError(f"Got {name} with bytes other than 0 and 1.")
        return array.astype(array.dtype.newbyteorder("="), copy=False)

    def check_all_taken(self):
        """Raise a ValueError if an array was not taken."""
        left = [i for i, place in enumerate(self._places) if place is not None]
        if left:
            raise ValueError(f"Got arrays {left} that nothing refers to.")


def _parse(description):
    """Return type, shape and number of bytes of a description."""
    valid = (
        type(description) is list
        and len(description) == 2
        and type(description[0]) is str
        and description[0] in DTYPES
        and type(description[1]) is list
        and 1 <= len(description[1]) <= 2
        and all(type(n) is int and 0 <= n <= LARGEST_LENGTH for n in description[1])
    )
    if not valid:
        raise ValueError(
            f"Got {str(description)[:100]} as type and shape of an array, but expected "
            f"one of {list(DTYPES)} and a list of one or two lengths up to "
            f"{LARGEST_LENGTH}."
        )
    dtype, shape = description
    n_bytes = DTYPES[dtype].itemsize
    for length in shape:
        n_bytes *= length
    return dtype, tuple(shape), n_bytes
