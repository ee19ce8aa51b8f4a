"""What is special about distilling class labels, for ``skdistill distill``."""

from dataclasses import replace

import numpy as np

from .._default_teacher import default_classifier
from .._demo import quality
from .._distilled import DistilledClassifier
from .._fitting import is_frozen
from ..inspection._classifier_pair import ClassifierPair
from ..students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)
from ._commands import UsageError
from ._tables import read_labels
from ._teachers import load_booster
from ._text import tell

STUDENTS = {
    "mlp": MLPStudentClassifier,
    "tree": TreeStudentClassifier,
    "boosted": BoostedStudentClassifier,
}

MANY_CLASSES = 50
"""More whole numbers than that may be meant as numbers. An ensemble fits trees for each
of them, which takes hours without a word."""

QUALITY = {
    "accuracy": ("accuracy", "{:.4f}"),
    "log_loss": ("log-loss", "{:.4f}"),
    "auc": ("AUC", "{:.4f}"),
    "agreement": ("agreement", "{:.4f}"),
    "skill_retention": ("skill kept", "{:.1%}"),
}
"""What `judge` finds, with headings and formats."""


def check(options, teacher):
    """Raise UsageError if an option is not for such a teacher.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    teacher : estimator or None
        The unpickled one.
    """
    if options.classes and teacher is not None:
        raise UsageError(
            "Got --classes with a pickled teacher, which knows its own, but expected a "
            "native model."
        )


def read_target(name, values):
    """Return a column as class labels.

    Parameters
    ----------
    name : str
        Its name.
    values : pandas.Series
        Without missing ones.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If it holds numbers that are no integers.
    """
    labels = read_labels(name, values)
    if labels.dtype.kind == "f":
        odd = ~np.isfinite(labels) | (labels != np.floor(labels))
        raise ValueError(
            f"Got the target {name!r} of numbers that are no integers, such as "
            f"{labels[np.argmax(odd)]:g}, but expected class "
            "labels: add --regression to distil a teacher that predicts numbers."
        )
    return labels


def check_held_out(path, held_out, labels, teacher):
    """Raise ValueError if a table to judge by has a label that no model will know.

    Parameters
    ----------
    path : str
        Its file.
    held_out, labels : ndarray of shape (n_samples,)
        Class labels of its rows, and of those to learn from.
    teacher : estimator
        Used as it is, or to be fitted.
    """
    known = teacher.classes_ if is_frozen(teacher) else np.unique(labels)
    unknown = sorted(set(held_out.tolist()) - set(known.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"Got the labels {unknown} in {path}, but expected those that are known, "
            f"{known.tolist()}."
        )


def tell_doubts(name, labels):
    """Tell of labels that may not be meant as classes, before a model is fitted.

    Parameters
    ----------
    name : str
        Name of the target.
    labels : ndarray of shape (n_samples,)
        Class labels.
    """
    n_classes = len(np.unique(labels))
    if labels.dtype.kind in "iu" and n_classes > MANY_CLASSES:
        tell(
            f"the target {name!r} has {n_classes} different whole numbers, each of "
            "which is a class: say --regression if it is a number to predict."
        )


def strata(name, labels):
    """Return what is to be spread evenly over the parts of a table.

    Parameters
    ----------
    name : str
        Name of the target.
    labels : ndarray of shape (n_samples,)
        Class labels.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If a class has too few rows for that.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() > 1:
        return labels
    hint = ""
    if labels.dtype.kind in "iu":
        hint = ", or add --regression if the target is a number to predict"
    raise ValueError(
        f"Got the class {classes[counts.argmin()]} of the target {name!r}, which has "
        f"only 1 row, but expected at least 2 of each of the {len(classes)} "
        f"classes{hint}."
    )


def bring_teacher(options, table):
    """Return the teacher where it has not been unpickled.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    table : LabelledTable
        Rows and class labels.

    Returns
    -------
    estimator
        A native model, used as it is, or an ensemble to be fitted.
    """
    if options.teacher is None:
        return default_classifier(table.X, random_state=options.seed)
    known = np.unique(table.y)
    if options.classes:
        return load_booster(options.teacher, _named_classes(options.classes, known))
    teacher = load_booster(options.teacher)
    if set(known) <= set(teacher.classes_):
        return teacher
    if len(known) != len(teacher.classes_):
        raise ValueError(
            f"Got the labels {known.tolist()} for a teacher of "
            f"{len(teacher.classes_)} classes, but expected --classes."
        )
    tell(
        f"the teacher's classes are taken to be {known.tolist()} in this order, "
        "as scikit-learn numbers them: say --classes if they are not."
    )
    return teacher.set_params(classes=known.tolist()).fit()


def make_model(options, teacher, **settings):
    """Return the model to be fitted.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    teacher : estimator
        Its teacher.
    **settings : dict
        Parameters that models of numbers have as well.

    Returns
    -------
    DistilledClassifier
    """
    if options.temperature is not None:
        settings["temperature"] = options.temperature
    return DistilledClassifier(teacher, STUDENTS[options.student](), **settings)


def summarise(model, labels):
    """Return what can be said of a fitted model and its target, for JSON.

    Parameters
    ----------
    model : DistilledClassifier
        Fitted.
    labels : ndarray of shape (n_samples,)
        Of the training rows.

    Returns
    -------
    dict
    """
    return {
        "task": "classification",
        "classes": [str(label) for label in model.classes_],
        "calibration_temperature": model.calibration_temperature_,
    }


def describe(summary):
    """Return what the target is, in a few words, from what `summarise` returned."""
    return f"{len(summary['classes'])} classes"


def judge(model, test):
    """Return the quality of teacher and student on held-out rows.

    Parameters
    ----------
    model : DistilledClassifier
        Fitted.
    test : LabelledTable
        Rows that it was not fitted on.

    Returns
    -------
    list of dict
        Two: of the teacher, of the student.
    """
    pair, _ = ClassifierPair.of(model, test.X, test.y, test.weights, None)
    return [quality(replace(pair, student=pair.teacher)), quality(pair)]


def _named_classes(text, known):
    """Return classes of the command line, as the target has them or would have them."""
    by_text = {str(label): label for label in known.tolist()}
    names = text.split(",")
    if known.dtype.kind in "iu":
        # Also those of which this table has no row.
        by_text |= {name: int(name) for name in names if name.strip("-").isdecimal()}
    return [by_text.get(name, name) for name in names]
