"""Tables that are read in batches, however large: CSV, Parquet, standard input."""

import csv
import io
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ._arrow import MISSING_TEXTS
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
    with ExitStack() as stack:
        if os.path.isfile(path):
            file = stack.enter_context(pa.OSFile(path, "rb"))
        else:
            # A pipe, perhaps; else this tells what is wrong. Without a buffer nothing
            # is locked if the program ends while it is read.
            name = 0 if path == STANDARD else path
            file = stack.enter_context(open(name, "rb", buffering=0, closefd=name != 0))
        if format == "csv":
            yield CsvSource(file)
            return
        if not file.seekable():
            # Parquet is read from its end.
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, copy)
            file = copy
        yield ParquetSource(file)


class ParquetSource:
    """A Parquet file.

    Parameters
    ----------
    file : binary file
        What it is read from.
    """

    from_text = False

    def __init__(self, file):
        self._file = file
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
        yield from file.iter_batches(size, columns=list(kinds), use_threads=False)


class CsvSource:
    """A CSV file with a header, in UTF-8.

    Parameters
    ----------
    file : binary file
        What it is read from.
    """

    from_text = True
    n_rows = None

    def __init__(self, file):
        head, rows = _read_first_rows(file)
        if file.seekable():
            file.seek(0)
            self._file = file
        else:
            self._file = io.BufferedReader(_Resumed(head, file), BLOCK)
        if not rows:
            raise ValueError("Got an empty file, but expected a line of column names.")
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
        arrow_types = {
            "number": pa.float64(),
            "category": pa.dictionary(pa.int32(), pa.string()),
            "text": pa.string(),
        }
        chosen = {name: arrow_types[kind] for name, kind in kinds.items()}
        chosen |= {
            name: pa.bool_()
            for name, kind in kinds.items()
            if kind == "number" and self._is_boolean(name)
        }
        blocks = pyarrow.csv.open_csv(
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
        for block in blocks:
            for start in range(0, block.num_rows, size):
                yield block.slice(start, size)

    def _is_boolean(self, name):
        """Whether the first rows say true or false, which are numbers to a model."""
        position = self.names.index(name)
        cells = {row[position] for row in self._first_rows if len(row) > position}
        cells -= MISSING_TEXTS
        return bool(cells) and {cell.lower() for cell in cells} <= {"true", "false"}


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
        cells = csv.reader(io.StringIO(text, newline=""))
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
