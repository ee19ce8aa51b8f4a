"""Teachers from files."""

import subprocess
import sys
from pathlib import Path

from ._commands import UsageError

BOOSTERS = (".txt", ".json", ".ubj")
"""Suffixes of models that LightGBM and XGBoost have written: data, not code."""

PICKLES = (".joblib", ".pkl", ".pickle")


def load_pickle(path, trust):
    """Unpickle an object, if the user trusts the file.

    Parameters
    ----------
    path : path-like
        A file that joblib or pickle has written.
    trust : bool
        Whether the user says so.

    Returns
    -------
    object

    Raises
    ------
    OSError
        If the file cannot be read.
    UsageError
        If the user does not trust it.
    ValueError
        If it cannot be unpickled.
    """
    path = Path(path)
    if not trust:
        raise UsageError(
            f"Got {path.name}, a pickle: to load it is to run whatever code whoever "
            "wrote it has put there. Add --trust if you know where it comes from."
        )
    import joblib

    with path.open("rb") as file:
        try:
            return joblib.load(file)
        # A pickle can raise anything: the code of the missing class, of its state.
        except Exception as error:
            raise ValueError(
                f"Got {path.name}, which cannot be unpickled: "
                f"{type(error).__name__}: {error}"
            ) from error


def is_native(path):
    """Whether a file is a native model of LightGBM or XGBoost, by its suffix."""
    return Path(path).suffix.lower() in BOOSTERS


def load_teacher(path, *, trust, refit):
    """Unpickle a teacher that is used as it is, or one to be fitted.

    Parameters
    ----------
    path : path-like
        A pickled estimator.
    trust : bool
        Whether the user trusts it.
    refit : bool
        Whether the teacher is only a recipe: cloned and fitted anew.

    Returns
    -------
    estimator

    Raises
    ------
    OSError
        If the file cannot be read.
    TypeError
        If there is no teacher in the file.
    UsageError
        If it is no pickle, or not trusted.
    ValueError
        If it cannot be unpickled, or is not fitted and should be.
    """
    path = Path(path)
    if path.suffix.lower() not in PICKLES:
        raise UsageError(
            f"Got the teacher {path.name}, but expected a file that ends in one of "
            f"{', '.join(PICKLES + BOOSTERS)}."
        )
    teacher = load_pickle(path, trust)
    if not hasattr(teacher, "fit") or isinstance(teacher, type):
        raise TypeError(
            f"Got {path.name} with a {type(teacher).__name__}, but expected a "
            "classifier or a regressor."
        )
    teacher = _thawed(teacher)
    return teacher if refit else _frozen(teacher, path)


def name_of(model):
    """Return the name of an estimator's class: of what is frozen or ends a pipeline."""
    from .._fitting import last_step
    from .._kinds import as_given

    return type(last_step(as_given(_thawed(model)))).__name__


PROBE = """
import sys, lightgbm, numpy
booster = lightgbm.Booster(model_file=sys.argv[1])
booster.predict(numpy.zeros((1, booster.num_feature())))
"""
"""Loads a model and scores a row: a damaged file can end the process of LightGBM."""


def load_booster(path, classes=None):
    """Return a native model as a teacher that is used as it is.

    Parameters
    ----------
    path : path-like
        What LightGBM or XGBoost has written.
    classes : array-like of shape (n_classes,), default=None
        Labels of the classes that it knows as 0, 1, ...

    Returns
    -------
    estimator

    Raises
    ------
    ImportError
        If its library is not installed.
    OSError
        If the file cannot be read.
    TypeError
        If it does not predict classes.
    ValueError
        If the file cannot be understood.
    """
    from ..teachers import from_booster

    path = Path(path)
    if path.suffix.lower() == ".txt" and _is_damaged(path):
        raise ValueError(
            f"Got {path.name}, which is damaged, but expected the whole model."
        )
    try:
        return from_booster(path, classes)
    except TypeError as error:
        raise TypeError(
            f"{error} A model of anything else can be a teacher as a pickled estimator."
        ) from error
    except (OSError, ImportError, ValueError):
        raise
    # Both libraries have errors of their own.
    except Exception as error:
        raise ValueError(f"Got {path.name}, which cannot be read: {error}") from error


def _is_damaged(path):
    """Whether a model of LightGBM is cut off, or ends the process that reads it."""
    text = path.read_bytes()
    if not text.startswith(b"tree"):
        return False  # nothing of LightGBM's, as it will be told
    if b"\nend of trees" not in text:
        return True  # LightGBM would take the trees that there are
    probe = subprocess.run([sys.executable, "-c", PROBE, path], capture_output=True)
    return probe.returncode < 0


def _thawed(teacher):
    from sklearn.frozen import FrozenEstimator

    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    return teacher


def _frozen(teacher, path):
    from sklearn.exceptions import NotFittedError
    from sklearn.frozen import FrozenEstimator
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(teacher)
    except NotFittedError as error:
        raise ValueError(
            f"Got {path.name} with a {type(teacher).__name__} that is not fitted: add "
            "--refit to fit it."
        ) from error
    return FrozenEstimator(teacher)
