"""What is special about distilling numbers, for ``skdistill distill --regression``."""

from dataclasses import replace

from sklearn.base import is_regressor

from .._default_teacher import default_regressor
from .._distilled_regressor import DistilledRegressor
from ..inspection._pairs import check_scores
from ..inspection._regressor_pair import RegressorPair
from ..students import (
    BoostedStudentRegressor,
    MLPStudentRegressor,
    TreeStudentRegressor,
)
from ..teachers._predictions import regressor_predictions
from ._commands import UsageError
from ._tables import read_numbers
from ._teachers import name_of

STUDENTS = {
    "mlp": MLPStudentRegressor,
    "tree": TreeStudentRegressor,
    "boosted": BoostedStudentRegressor,
}

QUALITY = {
    "r2": ("R2", "{:.4f}"),
    "mae": ("MAE", "{:,.5g}"),
    "rmse": ("RMSE", "{:,.5g}"),
    "prediction_r2": ("R2 to teacher", "{:.4f}"),
    "mean_absolute_difference": ("MAE to teacher", "{:,.5g}"),
    "skill_retention": ("skill kept", "{:.1%}"),
}
"""What `judge` finds, with headings and formats."""


def check(options, teacher):
    """Raise UsageError if an option is not for numbers, or the teacher predicts none.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    teacher : estimator or None
        The unpickled one.
    """
    for option in ("temperature", "classes"):
        if getattr(options, option) is not None:
            raise UsageError(
                f"Got --{option} for a target of numbers, but expected it with class "
                "labels alone."
            )
    if teacher is None and options.teacher is not None:
        raise UsageError(
            f"Got --regression with {options.teacher}, but expected a pickled "
            "regressor (.joblib, .pkl): native models are read as classifiers alone."
        )
    if teacher is not None and not is_regressor(teacher):
        raise UsageError(
            f"Got --regression with {options.teacher}, which holds a "
            f"{name_of(teacher)}, but expected a regressor."
        )


read_target = read_numbers


def strata(name, numbers):
    """Return None: rows are drawn whatever their numbers are."""


def check_held_out(path, held_out, numbers, teacher):
    """Raise nothing: any numbers can be judged by."""


def tell_doubts(name, numbers):
    """Tell nothing: any numbers may be meant as such."""


def bring_teacher(options, table):
    """Return the ensemble that is fitted if there is no other teacher.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    table : LabelledTable
        Rows and true values.

    Returns
    -------
    estimator
    """
    return default_regressor(table.X, random_state=options.seed)


def make_model(options, teacher, **settings):
    """Return the model to be fitted.

    Parameters
    ----------
    options : argparse.Namespace
        Those of the command.
    teacher : estimator
        Its teacher.
    **settings : dict
        Parameters that models of classes have as well.

    Returns
    -------
    DistilledRegressor
    """
    return DistilledRegressor(teacher, STUDENTS[options.student](), **settings)


def summarise(model, numbers):
    """Return what can be said of a fitted model and its target, for JSON.

    Parameters
    ----------
    model : DistilledRegressor
        Fitted.
    numbers : ndarray of shape (n_samples,)
        True values of the training rows.

    Returns
    -------
    dict
    """
    target = {"smallest": float(numbers.min()), "largest": float(numbers.max())}
    return {"task": "regression", "classes": None, "target": target}


def describe(summary):
    """Return what the target is, in a few words, from what `summarise` returned."""
    target = summary["target"]
    return f"target from {target['smallest']:g} to {target['largest']:g}"


def judge(model, test):
    """Return the quality of teacher and student on held-out rows.

    Parameters
    ----------
    model : DistilledRegressor
        Fitted.
    test : LabelledTable
        Rows that it was not fitted on.

    Returns
    -------
    list of dict
        Two: of the teacher, of the student.
    """
    of_teacher = regressor_predictions(model.teacher_, test.X, ())
    of_student = model.predict(test.X)
    teacher, student, weights, y = check_scores(
        of_teacher, of_student, test.weights, test.y
    )
    pair = RegressorPair(y, teacher, student, weights)
    return [_quality(replace(pair, student=pair.teacher)), _quality(pair)]


def _quality(pair):
    """How good the student of a pair is, and how close to its teacher."""
    found = pair.statistics(pair.weights[None])
    quality = {name: float(found[f"{name}_student"][0]) for name in pair.metrics}
    fidelity = pair.fidelity(None)
    for name in ("prediction_r2", "mean_absolute_difference"):
        quality[name] = fidelity[name]
    return quality | {"skill_retention": float(found["retention"][0])}
