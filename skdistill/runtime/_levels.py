"""What a cell of a table means: a number, a level, or a missing value."""

import math
from numbers import Integral, Number

import numpy as np

from ._spec import MISSING, UNSEEN

COMPLEX = complex | np.complexfloating

PLAIN = frozenset({str, int, float, type(None)})
"""Types of cells that are looked up as they are. Not bool: True is 1 to a dict."""


def is_missing(value):
    """Whether a cell is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    equal = value == value
    if isinstance(equal, bool | np.bool_):
        return not equal
    # pandas' NA answers a comparison with NA, and no other value stands for missing.
    return type(value).__name__ == "NAType"


def level_of(value):
    """Return the level of a category as text, the same for 1, 1.0 and "1"."""
    if _has_decimals(value):
        whole = math.isfinite(value) and value == int(value)
        # Decimals, fractions and floats of numpy as the floats that arrays hold.
        value = int(value) if whole else float(value)
    return str(value)


def _has_decimals(value):
    return isinstance(value, Number) and not isinstance(value, Integral | COMPLEX)


def refusal(name, what):
    """Return the error for a column that holds something else than cells of a table."""
    return TypeError(
        f"Column {name!r} holds {what}, but expected numbers, booleans, strings or "
        "categories (an argument must be a string or a number): turn it into such "
        "columns first, for example a date into a number of days."
    )


def is_cell(value):
    """Whether a value is a string, a real number, a boolean or missing."""
    if isinstance(value, COMPLEX):
        return False
    return isinstance(value, str | Number | np.bool_) or is_missing(value)


def read_number(name, value):
    """Return a cell of a numeric column as a float, NaN if it is missing.

    Raises
    ------
    TypeError
        If the cell is no number.
    ValueError
        If the number is beyond the range of floats.
    """
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        raise TypeError(
            f"Column {name!r} held numbers when the model was fitted, but holds "
            f"strings or categories now: {value!r}."
        )
    if not is_cell(value):
        raise refusal(name, f"a {type(value).__name__}")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(
            f"Got an integer of {value.bit_length()} bits in column {name!r}, but "
            "expected numbers in the range of float64."
        ) from error


class Levels:
    """The levels of a categorical column, ready to be looked up.

    Parameters
    ----------
    name : str
        Name of the column.
    levels : tuple of str
        Its levels; the code of a category is its position.
    """

    def __init__(self, name, levels):
        self.name = name
        self.by_text = {level: code for code, level in enumerate(levels)}
        self.plain = {None: MISSING, **self.by_text}
        for level, code in self.by_text.items():
            number = _number_of(level)
            if number is not None:
                self.plain[number] = code

    def code(self, value):
        """Return the code of a cell: a position, `MISSING` or `UNSEEN`.

        Raises
        ------
        TypeError
            If the cell is no category.
        """
        if type(value) is str:
            return self.by_text.get(value, UNSEEN)
        if is_missing(value):
            return MISSING
        if not is_cell(value):
            raise refusal(self.name, f"a {type(value).__name__}")
        return self.by_text.get(level_of(value), UNSEEN)

    def codes(self, cells):
        """Return the codes of cells as an array of int64.

        Parameters
        ----------
        cells : list
            Strings, numbers, booleans and missing values.
        """
        if PLAIN.issuperset(map(type, cells)):
            find = self.plain.get
            found = [find(cell, UNSEEN) if cell == cell else MISSING for cell in cells]
        else:
            found = [self.code(cell) for cell in cells]
        return np.array(found, dtype=np.int64)


def _number_of(level):
    """Return the int or float whose level this is, None if there is none."""
    for make in (int, float):
        try:
            number = make(level)
        except ValueError:
            continue
        if number == number and level_of(number) == level:
            return number
    return None
