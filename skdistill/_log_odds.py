"""The log-odds of any fitted classifier, in the order of given classes."""

import math

import numpy as np

from ._columns import is_frame
from ._compiled import compile_classifier
from ._frequencies import smoothed_proba
from .losses._reference import log_softmax
from .targets import log_proba

N_COMPARED_ROWS = 256
"""Rows on which a classifier's margins are compared with its probabilities."""

MARGIN_TOLERANCE = 1e-4
"""Largest difference of softmax(margins) to the probabilities of the same classifier.

Wide enough for libraries that compute in float32, narrow enough to tell apart margins
that are no log-odds, such as one-versus-rest scores."""


def classifier_log_odds(classifier, X, classes, *, unseen_log_odds=None, smooths=True):
    r"""Log-odds of a fitted classifier on `X`, a column for each of `classes`.

    Raw margins are used where their softmax is the classifier's own distribution (or
    where it has no other output), since probabilities have lost the digits of
    confident rows. Otherwise they are logarithms of probabilities, where one below
    1e-7 counts as 1e-7; those of forests and nearest neighbours are smoothed, see
    `skdistill._frequencies.smoothed_proba`. Many rows get the probabilities of
    LightGBM from its trees through `skdistill.runtime`, which is faster.

    Parameters
    ----------
    classifier : fitted estimator
        With `classes_` and `predict_proba` or `decision_function`.
    X : array-like or frame of shape (n_samples, n_features)
        Rows to score; columns in the order the classifier was fitted on.
    classes : ndarray of shape (n_classes,)
        Wanted classes; columns are matched by label, never by position.
    unseen_log_odds : float, default=None
        Logarithm of the probability given to a class that the classifier does not
        know. ``None``: such a class is an error.
    smooths : bool, default=True
        Whether frequencies of votes are smoothed.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        Each row is normalised: the exponentials sum to 1, or to slightly more where
        classes unknown to the classifier were added.

    Raises
    ------
    TypeError
        If the classifier has neither method.
    ValueError
        If its classes are not `classes`, its columns are not those of `X`, or its
        probabilities do not sum to 1.
    """
    own_classes = check_is_classifier(classifier)
    check_column_names(classifier, X)
    classifier = compile_classifier(classifier, X)
    positions = _match(own_classes, classes, unseen_log_odds)
    own = log_softmax(_own_log_odds(classifier, X, smooths))
    if own.shape[1] != len(own_classes):
        raise ValueError(
            f"Got {own.shape[1]} columns from {type(classifier).__name__}, but "
            f"expected one for each of its {len(own_classes)} classes."
        )
    if unseen_log_odds is None:
        return np.ascontiguousarray(own[:, positions])
    aligned = np.full((len(own), len(classes)), float(unseen_log_odds))
    aligned[:, positions >= 0] = own[:, positions[positions >= 0]]
    return aligned


def check_is_classifier(classifier):
    """Return the classes of a fitted classifier that has an output to distil."""
    name = type(classifier).__name__
    if not any(hasattr(classifier, m) for m in ("predict_proba", "decision_function")):
        raise TypeError(
            f"Got {name}, which has neither predict_proba nor decision_function, but "
            "expected a classifier that says how sure it is."
        )
    classes = getattr(classifier, "classes_", None)
    if classes is None:
        raise TypeError(
            f"Got {name} without classes_, but expected a fitted classifier."
        )
    return np.asarray(classes)


def check_column_names(classifier, X):
    """Raise if the frame `X` has other columns than the classifier was fitted on.

    scikit-learn's own estimators check this; LightGBM takes columns in any order and
    answers something else.
    """
    fitted = getattr(classifier, "feature_names_in_", None)
    if fitted is None or not is_frame(X):
        return
    expected = [str(name) for name in fitted]
    names = [str(name) for name in X.columns]
    # LightGBM stores names with their spaces replaced.
    if expected not in (names, [name.replace(" ", "_") for name in names]):
        raise ValueError(
            f"Got the columns {names}, but {type(classifier).__name__} was fitted on "
            f"{expected}, in that order."
        )


def _own_log_odds(classifier, X, smooths):
    if not hasattr(classifier, "decision_function"):
        return _log_proba(classifier, X, smooths)
    margins = _margins(classifier, X)
    # The teachers of this library say so themselves: calls of a service may cost money.
    known = getattr(classifier, "gives_log_odds", False)
    if known or not hasattr(classifier, "predict_proba"):
        return margins
    sample = X[:N_COMPARED_ROWS]
    own = _proba(classifier, sample)
    if own.shape == margins[: len(own)].shape:
        difference = np.abs(np.exp(log_softmax(margins[: len(own)])) - own).max()
        if difference <= MARGIN_TOLERANCE:
            return margins
    return _log_proba(classifier, X, smooths)


def _log_proba(classifier, X, smooths):
    proba = _proba(classifier, X)
    return log_proba(smoothed_proba(classifier, proba) if smooths else proba)


def _margins(classifier, X):
    margins = np.asarray(classifier.decision_function(X), dtype=np.float64)
    if margins.ndim == 1:
        # Binary: log-odds (0, z). (-z, z) would double them.
        margins = np.stack([np.zeros_like(margins), margins], axis=1)
    if not np.isfinite(margins).all():
        raise ValueError(
            f"Got NaN or infinity from {type(classifier).__name__}.decision_function."
        )
    return margins


def _proba(classifier, X):
    proba = classifier.predict_proba(X)
    if isinstance(proba, list):
        raise ValueError(
            f"Got several outputs from {type(classifier).__name__}.predict_proba, but "
            "expected a single-label classifier."
        )
    return np.asarray(proba, dtype=np.float64)


def _match(own_classes, classes, unseen_log_odds):
    """Positions in `own_classes` of `classes`, -1 for those that are not there."""
    position = {label: column for column, label in enumerate(own_classes.tolist())}
    positions = np.array([position.get(label, -1) for label in classes.tolist()])
    surplus = set(position) - set(classes.tolist())
    if surplus or (unseen_log_odds is None and (positions < 0).any()):
        raise ValueError(
            f"Got a classifier with the classes {own_classes.tolist()}, but expected "
            f"{classes.tolist()}."
        )
    return positions


def floor_log_odds(n_samples):
    """Logarithm of the probability of a class not met among `n_samples` rows.

    Half a row, the usual continuity correction of a frequency of zero.
    """
    return math.log(0.5 / (n_samples + 1))
