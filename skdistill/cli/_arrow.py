"""Columns of Arrow and the arrays that a scorer takes and gives, back and forth.

The same cells mean the same as in `skdistill.runtime.TableReader`, but no Python object
is made of a row: a dictionary of strings is looked up level by level. ``pa.array`` and
``pa.scalar``, which import pandas, are not called; what needs ``pyarrow.compute`` loads
it when it is met.
"""

import math

import numpy as np
import pyarrow as pa
from pyarrow import types

from ..runtime._levels import Levels, read_number, refusal
from ..runtime._spec import MISSING

MISSING_TEXTS = frozenset(
    {"", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A", "NULL", "null", "None"}
    | {"NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"}
)
"""What pandas takes for missing in a CSV file; a level of that name is a level."""


class ArrowReader:
    """Reads record batches with the columns of a model.

    Parameters
    ----------
    columns : sequence of NumberColumn and CategoryColumn
        Columns of the model.
    names : list of str
        What each of them is called in the batches.
    from_text : bool, default=False
        Whether the cells were text, of which some means that a value is missing.
    """

    def __init__(self, columns, names, *, from_text=False):
        self.names = names
        self._read = [
            _NumberReader(column.name)
            if column.is_numeric
            else _CategoryReader(column, from_text)
            for column in columns
        ]

    def read(self, batch, out):
        """Write the rows of a batch.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Has the columns, in any order.
        out : ndarray of shape (n_most, n_columns), float64
            Where they are written; it has at least as many rows.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The rows of `out` that were written.

        Raises
        ------
        TypeError
            If a column holds something else than the model's.
        """
        out = out[: batch.num_rows]
        for j, (name, read) in enumerate(zip(self.names, self._read, strict=True)):
            out[:, j] = read(batch.column(name))
        return out


class _NumberReader:
    def __init__(self, name):
        self._name = name

    def __call__(self, values):
        if types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if values.null_count == len(values):
            return math.nan
        kind = values.type
        if types.is_boolean(kind) or types.is_decimal(kind):
            values = values.cast(pa.float64())
        elif not (types.is_integer(kind) or types.is_floating(kind)):
            # Raises the error for what is no number.
            read_number(self._name, values.drop_null()[0].as_py())
            raise refusal(self._name, kind)
        if values.null_count:
            values = values.cast(pa.float64(), safe=False).fill_null(_scalar(math.nan))
        return np.from_dlpack(values)


BOOLEANS = {text: text.capitalize() for text in ("true", "TRUE", "false", "FALSE")}
"""What pandas takes for booleans in a CSV file, beside their levels themselves."""


class _CategoryReader:
    def __init__(self, column, from_text):
        self._levels = Levels(column.name, column.levels)
        # Beside missing values pandas makes categories of booleans, not numbers.
        is_boolean = set(column.levels) <= {"True", "False"}
        self._booleans = BOOLEANS if from_text and is_boolean else {}
        known = self._levels.by_text
        self._missing = MISSING_TEXTS.difference(known) if from_text else frozenset()

    def __call__(self, values):
        kind = getattr(values.type, "value_type", values.type)
        if types.is_nested(values.type) or types.is_temporal(kind):
            raise refusal(self._levels.name, values.type)
        if not types.is_dictionary(values.type):
            values = values.dictionary_encode()
        elif len(values.dictionary) > len(values):
            values = values.dictionary_decode().dictionary_encode()
        cells = values.dictionary.to_pylist()
        if self._missing:
            cells = [None if cell in self._missing else cell for cell in cells]
        if self._booleans:
            cells = [self._booleans.get(cell, cell) for cell in cells]
        codes = np.append(self._levels.codes(cells), MISSING)
        indices = values.indices.cast(pa.int64())
        if indices.null_count:
            indices = indices.fill_null(_scalar(len(cells)))
        return codes[np.from_dlpack(indices)]


def arrow_numbers(values):
    """Return numbers as a column of Arrow, without a copy.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), integers or floats
        Contiguous numbers.

    Returns
    -------
    pyarrow.Array
    """
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def arrow_labels(classes):
    """Return class labels as a column of Arrow.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Integers, floats, booleans or strings.

    Returns
    -------
    pyarrow.Array
    """
    labels = classes.tolist()
    if isinstance(labels[0], bool):
        return arrow_numbers(np.array(labels, dtype=np.int64)).cast(pa.bool_())
    if not isinstance(labels[0], str):
        return arrow_numbers(np.array(labels))
    texts = [label.encode() for label in labels]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def cells_of(column, kind):
    """Return a column with cells of a type, without a dictionary."""
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column if column.type == kind else column.cast(kind)


def _scalar(number):
    return arrow_numbers(np.array([number]))[0]
