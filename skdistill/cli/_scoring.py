"""The job of ``skdistill score``: read, score and write in batches, with pyarrow."""

import itertools
import reprlib
import sys
import time

import numpy as np
import pyarrow as pa

from .._progress import Progress
from ..runtime import TableReader, load
from ._arrow import ArrowReader, arrow_labels, arrow_numbers, cells_of
from ._commands import UsageError, check_student
from ._reading import STANDARD, format_of, open_source
from ._threads import DEPTH, ahead, behind
from ._writing import open_sink

CELLS = 2**20
"""Most cells of the table that are scored together, by default."""


def score_table(options, most_rows):
    """Score the rows of a table.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    most_rows : int
        Rows that are scored together, if there is no option for it.

    Returns
    -------
    dict
        ``rows``, ``seconds`` from opening the table to having the scores, and ``out``.

    Raises
    ------
    OSError, TypeError, ValueError
        If a file or a column is not as it should be. Nothing is written then, but to
        standard output.
    """
    formats = [format_of(path, options.format) for path in (options.data, options.out)]
    if options.json and options.out == STANDARD:
        raise UsageError("--json and --out - both write to standard output.")
    check_student(options.student)
    scorer = load(options.student, n_threads=options.threads)
    start = time.perf_counter()
    with open_source(options.data, formats[0]) as source:
        n_rows = _score(source, scorer, formats[1], options, most_rows)
    seconds = time.perf_counter() - start
    return {"rows": n_rows, "seconds": seconds, "out": options.out}


def _score(source, scorer, format, options, most_rows):
    """Score all rows of a source, and return how many there are."""
    columns = scorer.spec.columns
    names = _find(columns, source.names, options.id)
    kinds = dict.fromkeys(options.id, "text") | {
        name: "number" if column.is_numeric else "category"
        for name, column in zip(names, columns, strict=True)
    }
    reader = ArrowReader(columns, names, from_text=source.from_text)
    outputs = _Outputs(scorer, options, source)
    size = options.batch_size or max(1, min(most_rows, CELLS // max(1, len(columns))))
    batches = _read(source.batches(kinds, size), reader, (size, len(columns)))
    shown = sys.stderr.isatty() if options.progress is None else options.progress
    n_rows = 0
    with (
        open_sink(options.out, format, outputs.schema) as write_now,
        behind(write_now) as write,
        Progress(shown).stage("scoring", source.n_rows, "row") as advance,
    ):
        for batch, rows in ahead(batches):
            write(outputs.columns(batch, rows))
            n_rows += len(rows)
            advance(len(rows))
    return n_rows


def _find(columns, names, ids):
    """What each column of the model is called in the table."""
    unknown = [name for name in ids if name not in names]
    if unknown:
        raise ValueError(
            f"Got the id columns {unknown}, but the table has the columns {names}."
        )
    own = {column.name for column in columns}
    # Of a model without names all columns but these are taken in order.
    names = [name for name in names if name in own or name not in ids]
    try:
        return [names[j] for j in TableReader(columns).positions(names)]
    except ValueError as error:
        has = reprlib.repr(names)
        raise ValueError(f"{error} The table has the columns {has}.") from error


def _read(batches, reader, shape):
    """Yield batches and their rows, in a few arrays by turns: one is used, others wait.

    Fresh memory for every batch would cost more than reading it.
    """
    arrays = itertools.cycle([np.empty(shape) for _ in range(DEPTH + 1)])
    for batch in batches:
        if batch.num_rows:
            yield batch, reader.read(batch, next(arrays))


class _Outputs:
    """The columns that are written: ids, and what the student says."""

    def __init__(self, scorer, options, source):
        self._ids = options.id
        says = _Numbers if scorer.spec.is_regressor else _Classes
        self._student = says(scorer, options)
        fields = [(name, source.type_of(name)) for name in options.id]
        fields += self._student.fields
        names = [name for name, _ in fields]
        if len(set(names)) < len(names):
            raise ValueError(
                f"Got the columns {names} to write, but expected different names."
            )
        self.schema = pa.schema(fields)

    def columns(self, batch, rows):
        """Return what is written of a batch."""
        columns = [
            cells_of(batch.column(name), self.schema.field(name).type)
            for name in self._ids
        ]
        return columns + self._student.columns(rows)


class _Classes:
    """Probabilities, the most probable label, or both."""

    def __init__(self, scorer, options):
        self._scorer = scorer
        self._label = options.label
        self._proba = options.proba or not options.label
        self._labels = arrow_labels(scorer.classes_)
        self.fields = []
        if self._proba:
            labels = scorer.classes_.tolist()
            self.fields += [(f"proba_{label}", pa.float64()) for label in labels]
        if self._label:
            self.fields.append(("label", self._labels.type))

    def columns(self, rows):
        columns: list[pa.Array] = []
        if self._proba:
            proba = self._scorer.predict_proba(rows)
            columns += map(arrow_numbers, np.ascontiguousarray(proba.T))
        if self._label:
            chosen = self._scorer.predict_log_odds(rows).argmax(axis=1)
            columns.append(self._labels.take(arrow_numbers(chosen)))
        return columns


class _Numbers:
    """What a regressor predicts."""

    def __init__(self, scorer, options):
        for option in ("label", "proba"):
            if getattr(options, option):
                raise UsageError(
                    f"Got --{option} with {options.student}, which predicts numbers, "
                    "but expected it with a student of classes."
                )
        self._scorer = scorer
        self._n_outputs = scorer.spec.n_scores
        names = [f"prediction_{k}" for k in range(self._n_outputs)]
        names = ["prediction"] if self._n_outputs == 1 else names
        self.fields = [(name, pa.float64()) for name in names]

    def columns(self, rows):
        predictions = self._scorer.predict(rows).reshape(-1, self._n_outputs)
        return [*map(arrow_numbers, np.ascontiguousarray(predictions.T))]
