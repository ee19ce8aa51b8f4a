"""Arrays, names and texts as C source."""

import json
import re

import numpy as np

LONGEST_NAME = 63
"""Characters of a name that every C99 compiler tells apart."""

_INTEGERS = ["int8", "int16", "int32"]


def literal(number):
    """Return a float32 number as a C constant that stands for exactly it.

    Parameters
    ----------
    number : numpy.float32

    Returns
    -------
    str
    """
    if np.isinf(number):
        return "HUGE_VALF" if number > 0 else "-HUGE_VALF"
    # Not by formatting, which writes the digits of a double.
    return str(number) + "f"


def array(name, values):
    """Return the definition of a constant array.

    Parameters
    ----------
    name : str
        Name of the array.
    values : ndarray
        Its elements, in C order: floats, which become float32, unsigned integers,
        which become 32 bits wide, or integers and booleans, of the smallest type that
        holds all.

    Returns
    -------
    str
        An array of a single 0 if there are no values: C has none of length 0.
    """
    values = np.asarray(values).ravel()
    if not len(values):
        values = np.zeros(1, values.dtype)
    if values.dtype.kind == "f":
        kind, cells = "float", [literal(v) for v in values.astype(np.float32)]
    elif values.dtype.kind == "u":
        kind, cells = "uint32_t", [f"{v}u" for v in values.tolist()]
    else:
        kind = _integer_type(values)
        cells = [str(v) for v in values.astype(np.int64).tolist()]
    lines = [", ".join(cells[i : i + 8]) for i in range(0, len(cells), 8)]
    body = ",\n    ".join(lines)
    return f"static const {kind} {name}[{len(cells)}] = {{\n    {body}\n}};\n"


def comment(value):
    """Return a value as JSON that may stand within a C comment.

    Parameters
    ----------
    value : object
        What JSON can hold.

    Returns
    -------
    str
        ASCII without asterisks and trigraphs.
    """
    text = json.dumps(value)
    return text.replace("*", "\\u002a").replace("??", "?\\u003f")


def unique_name(parts, taken):
    """Return a C name in capitals made of texts, other than those taken.

    Parameters
    ----------
    parts : iterable of str
        Texts that are joined; what no name may hold becomes an underscore.
    taken : dict of str to int
        Names that are taken already, and how many were made of each; the new one is
        added.

    Returns
    -------
    str
    """
    text = "_".join(re.sub(r"[^A-Z0-9]", "_", part.upper()) for part in parts)
    stem = name = text[:LONGEST_NAME]
    n = taken.get(stem, 0)
    while name in taken:
        n += 1
        name = f"{text[: LONGEST_NAME - len(str(n)) - 1]}_{n}"
    taken[stem] = max(n, 1)
    taken.setdefault(name, 1)
    return name


def _integer_type(values):
    low, high = int(values.min()), int(values.max())
    for kind in _INTEGERS:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return f"{kind}_t"
    raise ValueError(
        f"Got integers from {low} to {high}, but expected 32 bits to hold them."
    )
