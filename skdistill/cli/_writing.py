"""Tables that are written in batches, and appear under their names when complete."""

import sys
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..runtime._file import replaced
from ._reading import STANDARD

GROUP_BYTES = 2**24
"""Bytes of a Parquet row group before compression."""


@contextmanager
def open_sink(path, format, schema):
    """Open a table for writing in batches.

    Parameters
    ----------
    path : str
        The file, or "-" for standard output. What is there under this name stays as
        it is until the new one is complete.
    format : {"csv", "parquet"}
        Its format.
    schema : pyarrow.Schema
        Its columns.

    Yields
    ------
    callable
        Takes a list of arrays, one for each column.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if path == STANDARD:
        # Closing it leaves standard output as it is.
        with (
            open(sys.stdout.fileno(), "wb", closefd=False) as file,
            _writer(file, format, schema) as write,
        ):
            yield write
        return
    with (
        replaced(path) as temporary,
        pa.OSFile(temporary, "wb") as file,
        _writer(file, format, schema) as write,
    ):
        yield write


@contextmanager
def _writer(file, format, schema):
    if format == "csv":
        with pyarrow.csv.CSVWriter(file, schema) as writer:
            yield lambda columns: writer.write_batch(
                pa.RecordBatch.from_arrays(columns, schema=schema)
            )
        return
    # Numbers hardly repeat: to look for that takes longer than scoring them.
    texts = [field.name for field in schema if not _is_number(field.type)]
    options = {"use_dictionary": texts} if texts else {"use_dictionary": False}
    with pyarrow.parquet.ParquetWriter(file, schema, **options) as writer:
        group = _RowGroup(writer, schema)
        yield group.write
        group.flush()


def _is_number(kind):
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


class _RowGroup:
    """Collects batches until there is enough for a group of rows."""

    def __init__(self, writer, schema):
        self._writer, self._schema = writer, schema
        self._batches, self._size = [], 0

    def write(self, columns):
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._batches.append(batch)
        self._size += batch.nbytes
        if self._size >= GROUP_BYTES:
            self.flush()

    def flush(self):
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches))
            self._batches, self._size = [], 0
