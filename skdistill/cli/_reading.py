"""Tables that are read in batches, however large: CSV, Parquet, standard input."""

import csv
import io
import math
import os
import re
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ._arrow import MISSING_TEXTS, arrow_numbers
from ._commands import UsageError

FORMATS = ("csv", "parquet")
STANDARD = "-"
"""Name of standard input and output."""

HEAD = 2**16
"""Bytes of a CSV file in which its header and first rows are looked for, at first."""

COLUMN_BUFFER = 2**16
"""Bytes that are read at once of each column of a Parquet file."""

BLOCK = 2**20
"""Bytes that are read at once of a CSV file."""

FIRST_ROWS = 100


def format_of(path, given):
    """Return the format of a file: what its suffix says, else what was given.

    Parameters
    ----------
    path : str
        The file, or "-".
    given : str or None
        One of `FORMATS`; ``None`` means csv for standard input and output.

    Returns
    -------
    str
        One of `FORMATS`.

    Raises
    ------
    UsageError
        If nothing says what it is.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix in FORMATS:
        return suffix
    if given is not None:
        return given
    if path == STANDARD:
        return "csv"
    raise UsageError(
        f"Got the file {path!r}, but expected one that ends in .csv or .parquet, or "
        "--format."
    )


@contextmanager
def open_source(path, format):
    """Open a table for reading in batches.

    Parameters
    ----------
    path : str
        The file, or "-" for standard input.
    format : {"csv", "parquet"}
        Its format.

    Yields
    ------
    CsvSource or ParquetSource

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no such table.
    """
    shown = "standard input" if path == STANDARD else path
    with ExitStack() as stack:
        if os.path.isfile(path):
            file = stack.enter_context(pa.OSFile(path, "rb"))
        else:
            # A pipe, perhaps; else this tells what is wrong. Without a buffer nothing
            # is locked if the program ends while it is read.
            name = 0 if path == STANDARD else path
            file = stack.enter_context(open(name, "rb", buffering=0, closefd=name != 0))
        if format == "csv":
            yield CsvSource(file, shown)
            return
        if not file.seekable():
            # Parquet is read from its end.
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, copy)
            file = copy
        yield ParquetSource(file, shown)


@contextmanager
def _naming(path, columns=()):
    """Say of which file, and of which column, an error of Arrow is."""

    def name_of(match):
        return f"column {columns[int(match[1])]!r}: "

    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        text = re.sub(r"In CSV column #(\d+): ", name_of, str(error))
        raise ValueError(f"{path} cannot be read: {text}") from error


class ParquetSource:
    """A Parquet file.

    Parameters
    ----------
    file : binary file
        What it is read from.
    path : str
        What it is called in errors.
    """

    from_text = False

    def __init__(self, file, path):
        self._file, self._path = file, path
        with _naming(path):
            footer = pyarrow.parquet.ParquetFile(file)
        self._metadata = footer.metadata
        self._schema = footer.schema_arrow
        self.names = self._schema.names
        self.n_rows = self._metadata.num_rows

    def type_of(self, name):
        """Return Arrow's type of the cells of a column."""
        kind = self._schema.field(name).type
        return kind.value_type if pa.types.is_dictionary(kind) else kind

    def batches(self, kinds, size):
        """Read columns in batches.

        Parameters
        ----------
        kinds : dict of str to {"number", "category", "text"}
            What the columns are; cells of the last kind are handed on as they are.
        size : int
            Largest number of rows of a batch.

        Yields
        ------
        pyarrow.RecordBatch
        """
        file = pyarrow.parquet.ParquetFile(
            self._file,
            metadata=self._metadata,
            read_dictionary=[n for n, kind in kinds.items() if kind == "category"],
            # Else whole row groups would be in memory.
            buffer_size=COLUMN_BUFFER,
            pre_buffer=False,
        )
        with _naming(self._path):
            yield from file.iter_batches(size, columns=list(kinds), use_threads=False)


class CsvSource:
    """A CSV file with a header, in UTF-8.

    Parameters
    ----------
    file : binary file
        What it is read from.
    path : str
        What it is called in errors.
    """

    from_text = True
    n_rows = None

    def __init__(self, file, path):
        self._path = path
        with _naming(path):
            head, rows = _read_first_rows(file)
        if file.seekable():
            file.seek(0)
            self._file = file
        else:
            self._file = io.BufferedReader(_Resumed(head, file), BLOCK)
        if not rows:
            raise ValueError(
                f"Got the empty file {path}, but expected a line of column names."
            )
        self.names, self._first_rows = rows[0], rows[1:]

    def type_of(self, name):
        """Return Arrow's type of the cells of a column that is handed on: text."""
        return pa.string()

    def batches(self, kinds, size):
        """Read columns in batches.

        Parameters
        ----------
        kinds : dict of str to {"number", "category", "text"}
            What the columns are; cells of the last kind are handed on as they are.
        size : int
            Largest number of rows of a batch.

        Yields
        ------
        pyarrow.RecordBatch
        """
        undecided = {
            name: _UndecidedNumbers(name)
            for name, kind in kinds.items()
            if kind == "number" and not self._first_cells(name)
        }
        with _naming(self._path, self.names):
            for block in self._blocks(kinds, undecided):
                for start in range(0, block.num_rows, size):
                    part = block.slice(start, size)
                    yield _replaced(part, undecided) if undecided else part

    def _blocks(self, kinds, undecided):
        text = pa.dictionary(pa.int32(), pa.string())
        arrow_types = {"number": pa.float64(), "category": text, "text": pa.string()}
        chosen = {name: arrow_types[kind] for name, kind in kinds.items()}
        chosen |= dict.fromkeys(undecided, text)
        chosen |= {
            name: pa.bool_()
            for name, kind in kinds.items()
            if kind == "number" and _are_booleans(self._first_cells(name))
        }
        return pyarrow.csv.open_csv(
            self._file,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=chosen,
                include_columns=list(kinds),
                null_values=sorted(MISSING_TEXTS),
                strings_can_be_null=False,
            ),
        )

    def _first_cells(self, name):
        """Different cells of the first rows, without missing ones."""
        position = self.names.index(name)
        cells = {row[position] for row in self._first_rows if len(row) > position}
        return cells - MISSING_TEXTS


def _are_booleans(cells):
    """Whether cells say true or false, which are numbers to a model."""
    return bool(cells) and {cell.lower() for cell in cells} <= {"true", "false"}


class _UndecidedNumbers:
    """Reads texts as numbers, or as booleans if that is what the first ones are.

    Parameters
    ----------
    name : str
        Name of the column.
    """

    def __init__(self, name):
        self._name = name
        self._kind = None

    def __call__(self, values):
        cells = values.dictionary.to_pylist()
        known = [j for j, cell in enumerate(cells) if cell not in MISSING_TEXTS]
        numbers = np.full(len(cells), math.nan)
        if known:
            numbers[known] = self._convert(values.dictionary, known)
        return arrow_numbers(numbers[np.from_dlpack(values.indices)])

    def _convert(self, texts, known):
        from pyarrow.compute import utf8_trim_whitespace

        texts = texts.take(arrow_numbers(np.array(known)))
        texts = utf8_trim_whitespace(texts)
        if self._kind is None:
            is_boolean = _are_booleans(set(texts.to_pylist()))
            self._kind = pa.bool_() if is_boolean else pa.float64()
        try:
            return np.from_dlpack(texts.cast(self._kind).cast(pa.float64()))
        except pa.ArrowInvalid as error:
            raise ValueError(f"column {self._name!r}: {error}") from error


def _replaced(batch, readers):
    """Return a batch of which some columns have been read."""
    columns = [
        readers[name](column) if name in readers else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _read_first_rows(file):
    """Return the beginning of a CSV file, and whole rows of cells in it.

    The last row of a beginning may be cut off, and does not count unless it is the
    last of the file. So much is read that there is one beside the header; no row can
    be read later that is longer than a block.
    """
    head, size = b"", HEAD
    while True:
        while len(head) < size and (part := file.read(size - len(head))):
            head += part
        is_whole = len(head) < size
        text = head.decode("utf-8-sig", errors="replace")
        # Lines of nothing are no rows, to Arrow and pandas neither.
        cells = filter(None, csv.reader(io.StringIO(text, newline="")))
        try:
            rows = list(islice(cells, FIRST_ROWS + 1))
        except csv.Error as error:
            raise ValueError(f"Got a file that is no CSV: {error}.") from error
        if is_whole or len(rows) > FIRST_ROWS:
            return head, rows[:FIRST_ROWS]
        if len(rows) > 2 or size >= BLOCK:
            return head, rows[:-1] or rows
        size *= 2


class _Resumed(io.RawIOBase):
    """A stream whose beginning has been read already."""

    def __init__(self, head, file):
        self._head, self._file = head, file

    def readable(self):
        return True

    def readinto(self, buffer):
        part = self._head or self._file.read(len(buffer))
        self._head = part[len(buffer) :]
        part = part[: len(buffer)]
        buffer[: len(part)] = part
        return len(part)
