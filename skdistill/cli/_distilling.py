"""The job of ``skdistill distill``, with all that it imports."""

import importlib.util
import math
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import is_regressor
from sklearn.model_selection import train_test_split

from .._columns import take_rows
from .._fitting import is_frozen
from ..inspection import distillation_report
from ..runtime._file import replaced
from . import _classes, _numbers
from ._column_kinds import kinds_of_table
from ._tables import read_labelled, text_labels
from ._teachers import is_native, load_teacher, name_of


def distil(options, progress):
    """Distil, judge and export.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    progress : Progress
        Is told of the stages.

    Returns
    -------
    task : module
        What is special about the target: `_classes` or `_numbers`.
    result : dict
        What can be said of the result, for JSON.

    Raises
    ------
    ImportError, OSError, TypeError, ValueError
        If a file, a column or a parameter is not as it should be.
    """
    if options.report:
        check_pages()
    teacher = _pickled_teacher(options)
    is_number = options.regression or (teacher is not None and is_regressor(teacher))
    task = _numbers if is_number else _classes
    task.check(options, teacher)
    table = _read(options.data, task, options)
    if teacher is None:
        teacher = task.bring_teacher(options, table)
    parts = _held_out(table, task, options, teacher)
    task.tell_doubts(options.target, table.y)
    train, test = (_in_order(part, teacher) for part in parts)
    model = _model(task, teacher, options, progress)
    pool = train.X_unlabeled if len(train.X_unlabeled) else None
    model.fit(train.X, train.y, train.weights, X_unlabeled=pool)
    quality = _judge(task, model, test) if len(test.y) else []
    certificate = _write(model, train, test, options, progress)
    return task, {
        "teacher": name_of(model.teacher_),
        "student": name_of(model.student_),
        "rows_train": len(train.y),
        "rows_unlabeled": len(train.X_unlabeled),
        "rows_test": len(test.y),
        "columns": train.X.shape[1],
        **task.summarise(model, train.y),
        "quality": quality,
        "out": str(options.out),
        "bytes": Path(options.out).stat().st_size,
        "certificate": certificate and certificate.as_dict(),
    }


def check_pages():
    """Raise ImportError if what pages of HTML are made with is not installed."""
    for name in ("jinja2", "matplotlib"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"a report needs {name}: pip install 'skdistill[report]'")


def _write(model, train, test, options, progress):
    """Write all files, or none; return the certificate of the student."""
    with ExitStack() as stack:
        if options.report:
            report = distillation_report(
                model, test.X, test.y, sample_weight=test.weights
            )
            page = report.to_html().encode()
            Path(stack.enter_context(replaced(options.report))).write_bytes(page)
        if options.save_model:
            joblib.dump(model, stack.enter_context(replaced(options.save_model)))
        with progress.stage(f"exporting to {options.out}"):
            return model.export(options.out, train.X)


def _pickled_teacher(options):
    """The teacher that tells by itself what it predicts, if that is how it came."""
    if options.teacher is None or is_native(options.teacher):
        return None
    return load_teacher(options.teacher, trust=options.trust, refit=options.refit)


def _read(path, task, options, **known):
    return read_labelled(
        path,
        options.target,
        read_target=task.read_target,
        weights=options.weights,
        drop=options.drop,
        **known,
    )


def _read_test(table, task, options, teacher):
    """Rows of another file, which are what those of the table are."""
    kinds = kinds_of_table(table.X)
    text = text_labels(options.target, table.y)
    test = _read(options.test, task, options, kinds=kinds, text=text)
    lacking = [name for name in table.X.columns if name not in test.X]
    if lacking:
        raise ValueError(
            f"Got {options.test} without the columns {lacking} of {options.data}."
        )
    task.check_held_out(options.test, test.y, table.y, teacher)
    test.tell_unlabeled("judged")
    return replace(test, X=test.X[list(table.X.columns)])


def _held_out(table, task, options, teacher):
    """Rows to learn from, and rows to judge by."""
    if options.test:
        return table, _read_test(table, task, options, teacher)
    rows = np.arange(len(table.y))
    if not options.test_fraction:
        return table, _take(table, rows[:0])
    strata = task.strata(options.target, table.y)
    n_test = math.ceil(options.test_fraction * len(rows))
    n_least = min(n_test, len(rows) - n_test)
    if strata is not None and n_least < (n_classes := len(np.unique(strata))):
        raise ValueError(
            f"Got a table of {len(rows)} rows and {n_classes} classes, which "
            f"--test-fraction {options.test_fraction} splits into {n_test} to judge by "
            f"and {len(rows) - n_test} to learn from, but expected a row of each class "
            "in both: bring more rows, a file of them to --test, or take another "
            "fraction (0: none)."
        )
    train, test = train_test_split(
        rows, test_size=n_test, random_state=options.seed, stratify=strata
    )
    return _take(table, train), _take(table, test)


def _take(table, rows):
    weights = None if table.weights is None else table.weights[rows]
    X = take_rows(table.X, rows)
    return replace(table, X=X, y=table.y[rows], weights=weights)


def _in_order(table, teacher):
    """The table with the columns in the order in which the teacher knows them."""
    if not is_frozen(teacher) or not hasattr(teacher, "feature_names_in_"):
        return table
    names = [str(name) for name in teacher.feature_names_in_]
    lacking = sorted(set(names) - set(table.X.columns))
    others = sorted(set(table.X.columns) - set(names))
    if lacking:
        raise ValueError(f"Got a table without the teacher's columns {lacking}.")
    if others:
        drop = " ".join(f"--drop {name!r}" for name in others)
        raise ValueError(
            f"Got the columns {others}, which the teacher does not know: {drop}"
        )
    return replace(table, X=table.X[names], X_unlabeled=table.X_unlabeled[names])


def _model(task, teacher, options, progress):
    chosen = {"alpha": options.alpha, "cv": options.cv}
    return task.make_model(
        options,
        teacher,
        random_state=options.seed,
        verbose=int(progress.verbose),
        **{name: value for name, value in chosen.items() if value is not None},
    )


def _judge(task, model, test):
    """Quality of teacher and student on held-out rows, with their names."""
    names = name_of(model.teacher_), name_of(model.student_)
    qualities = task.judge(model, test)
    return [
        {"model": name} | quality
        for name, quality in zip(names, qualities, strict=True)
    ]
