"""What the columns of a table are to a model, for tables that are read later.

A CSV file says of no column what it holds: one of booleans is another to pandas where
cells are blank, and so is a category of which a file has nothing but digits.
"""

import math
from decimal import Decimal
from numbers import Real

from ..runtime._levels import level_of

BOOLEANS = {"true": 1.0, "false": 0.0}


def kinds_of_table(X):
    """Return what the columns of training rows are.

    Parameters
    ----------
    X : pandas.DataFrame
        Rows; strings are categories.

    Returns
    -------
    dict of str to (dict or None)
        The categories of a column by their texts, ``None`` for numbers. What is
        neither is left out.
    """
    kinds: dict[str, dict | None] = {}
    for name, dtype in X.dtypes.items():
        if hasattr(dtype, "categories"):
            kinds[name] = {level_of(level): level for level in dtype.categories}
        elif dtype.kind in "biuf":
            kinds[name] = None
    return kinds


def kinds_of_model(model):
    """Return what the columns of its training table were to a fitted model.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Fitted.

    Returns
    -------
    dict of str to (dict or None)
        As of `kinds_of_table`, as far as the student tells. Categories that may have
        been numbers, which it does not, are left out.
    """
    from ..conversion import to_spec

    if not hasattr(model, "feature_names_in_"):
        return {}
    try:
        columns = to_spec(model.student_).columns
    except TypeError:
        return {}
    kinds: dict[str, dict | None] = {}
    for column in columns:
        if column.is_numeric:
            kinds[column.name] = None
        elif _are_booleans(column.levels):
            kinds[column.name] = {}  # strings or booleans: as they come
        elif not all(map(_is_number, column.levels)):
            kinds[column.name] = {level: level for level in column.levels}
    return kinds


def columns_of_text(kinds):
    """Return the names of columns of which every cell of a CSV file is a text."""
    return [
        name
        for name, levels in kinds.items()
        if levels
        and all(isinstance(level, str) for level in levels.values())
        and not _are_booleans(levels)
    ]


def with_kinds(table, kinds, path):
    """Return a table with the kinds of columns that a model knows.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows that were read from a file.
    kinds : dict of str to (dict or None)
        As of `kinds_of_table`.
    path : path-like
        What the table is called in errors.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError
        If a column of numbers holds something else.
    """
    casts = {}
    for name in table.columns.intersection(list(kinds)):
        try:
            casts[name] = _cast(table[name], kinds[name])
        except ValueError as error:
            raise ValueError(
                f"Got {path}, whose column {name!r} holds {error}, but expected "
                "numbers, as in training."
            ) from error
    return table.assign(**casts)


def _cast(values, levels):
    if levels is None:
        if values.dtype.kind in "biuf":
            return values
        cells = values.dropna().unique()
        if odd := [cell for cell in cells if not _is_cell_of_numbers(cell)]:
            # One that would be a number elsewhere is a text because of the others.
            raise ValueError(repr(min(odd, key=_is_number)))
        numbers = {cell: _number(cell) for cell in cells}
        return values.astype(object).map(numbers).astype("float64")
    if values.dtype.kind in "mM":
        return values  # for the model to refuse
    cells = values.dropna().unique()
    known = {cell: levels.get(level_of(cell), cell) for cell in cells}
    return values.astype(object).map(known).astype("category")


def _is_cell_of_numbers(cell):
    if isinstance(cell, str):
        return cell.lower() in BOOLEANS
    return isinstance(cell, Real | Decimal)


def _number(cell):
    return BOOLEANS[cell.lower()] if isinstance(cell, str) else float(cell)


def _are_booleans(levels):
    return set(levels) <= {"True", "False"}


def _is_number(level):
    try:
        return not math.isnan(float(level))
    except (TypeError, ValueError):
        return False
