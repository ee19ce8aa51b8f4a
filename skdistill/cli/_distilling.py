"""The job of ``skdistill distill``, with all that it imports."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from .._columns import take_rows
from .._demo import default_teacher, quality
from .._distilled import DistilledClassifier
from .._fitting import is_frozen
from .._log_odds import classifier_log_odds
from ..inspection import distillation_report
from ..losses._reference import softmax
from ..runtime._file import replaced
from ..students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)
from ._tables import read_labelled
from ._teachers import load_teacher
from ._text import tell

STUDENTS = {
    "mlp": MLPStudentClassifier,
    "tree": TreeStudentClassifier,
    "boosted": BoostedStudentClassifier,
}


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
    dict
        What can be said of the result, for JSON.

    Raises
    ------
    ImportError, OSError, TypeError, ValueError
        If a file, a column or a parameter is not as it should be.
    """
    write_report = report_writer(options.report) if options.report else None
    train = read_labelled(
        options.data, options.target, weights=options.weights, drop=options.drop
    )
    teacher = _teacher(options, train.y)
    train, test = _held_out(train, options)
    train, test = (_in_order(part, teacher, options) for part in (train, test))
    model = _model(options, teacher, progress)
    pool = train.X_unlabeled if len(train.X_unlabeled) else None
    model.fit(train.X, train.y, train.weights, X_unlabeled=pool)
    with progress.stage(f"exporting to {options.out}"):
        certificate = model.export(options.out, train.X)
    if options.save_model:
        with replaced(options.save_model) as temporary:
            joblib.dump(model, temporary)
    if write_report:
        write_report(model, test.X, test.y)
    return {
        "teacher": _name(model.teacher_),
        "student": _name(model.student_),
        "rows_train": len(train.y),
        "rows_unlabeled": len(train.X_unlabeled),
        "rows_test": len(test.y),
        "columns": train.X.shape[1],
        "classes": [str(label) for label in model.classes_],
        "calibration_temperature": model.calibration_temperature_,
        "quality": _judge(model, train, test) if len(test.y) else [],
        "out": str(options.out),
        "bytes": Path(options.out).stat().st_size,
        "certificate": certificate and certificate.as_dict(),
    }


def report_writer(path):
    """Return what writes a report, before there is a model.

    Parameters
    ----------
    path : path-like
        The HTML file.

    Returns
    -------
    callable
        Of a model, rows and labels; returns the report.

    Raises
    ------
    ImportError
        If what pages are made with is not installed.
    """
    for name in ("jinja2", "matplotlib"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"a report needs {name}: pip install 'skdistill[report]'")

    def write(model, X, y):
        report = distillation_report(model, X, y)
        report.write_html(path)
        return report

    return write


def _teacher(options, y):
    if options.teacher is None:
        return default_teacher(random_state=options.seed)
    classes = options.classes.split(",") if options.classes else None
    labels = np.unique(y)
    if classes is not None:
        by_text = {str(label): label for label in labels.tolist()}
        classes = [by_text.get(text, text) for text in classes]
    teacher = load_teacher(
        options.teacher, trust=options.trust, refit=options.refit, classes=classes
    )
    native = is_frozen(teacher) and not isinstance(teacher, FrozenEstimator)
    if native and classes is None and not set(labels) <= set(teacher.classes_):
        if len(labels) != len(teacher.classes_):
            raise ValueError(
                f"Got the labels {labels.tolist()} for a teacher of "
                f"{len(teacher.classes_)} classes, but expected --classes."
            )
        tell(
            f"the teacher's classes are taken to be {labels.tolist()} in this order, "
            "as scikit-learn numbers them: say --classes if they are not."
        )
        return teacher.set_params(classes=labels.tolist()).fit()
    return teacher


def _held_out(table, options):
    """Rows to learn from, and rows to judge by."""
    if options.test:
        how = {"weights": options.weights, "drop": options.drop}
        test = read_labelled(options.test, options.target, **how)
        test.tell_unlabeled("judged")
        return table, test
    rows = np.arange(len(table.y))
    if not options.test_fraction:
        return table, _take(table, rows[:0])
    train, test = train_test_split(
        rows,
        test_size=options.test_fraction,
        random_state=options.seed,
        stratify=table.y,
    )
    return _take(table, train), _take(table, test)


def _take(table, rows):
    weights = None if table.weights is None else table.weights[rows]
    X = take_rows(table.X, rows)
    return replace(table, X=X, y=table.y[rows], weights=weights)


def _in_order(table, teacher, options):
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


def _model(options, teacher, progress):
    chosen = {
        "temperature": options.temperature,
        "alpha": options.alpha,
        "cv": options.cv,
    }
    return DistilledClassifier(
        teacher,
        STUDENTS[options.student](),
        random_state=options.seed,
        verbose=int(progress.verbose),
        **{name: value for name, value in chosen.items() if value is not None},
    )


def _judge(model, train, test):
    """Quality of teacher and student on held-out rows."""
    classes = model.classes_
    teacher_proba = softmax(classifier_log_odds(model.teacher_, test.X, classes))
    weights = np.ones(len(train.y)) if train.weights is None else train.weights
    prior = [np.average(train.y == label, weights=weights) for label in classes]
    parts = [
        (_name(model.teacher_), teacher_proba),
        (_name(model.student_), model.predict_proba(test.X)),
    ]
    return [
        {"model": name}
        | quality(test.y, proba, teacher_proba, classes, prior, test.weights)
        for name, proba in parts
    ]


def _name(model):
    if isinstance(model, FrozenEstimator):
        model = model.estimator
    return type(model).__name__
