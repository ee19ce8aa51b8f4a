"""The log-odds of any fitted classifier, in the order of given classes."""

import math
from functools import partial

import numpy as np

from ._columns import column_names, is_frame, take_rows
from ._compiled import compile_classifier
from ._frequencies import smoothed_proba
from ._kinds import as_given, known, unwrap
from .losses._reference import log_softmax
from .targets import log_proba

N_COMPARED_ROWS = 256
"""Rows on which a classifier's margins are compared with its probabilities."""

ABSOLUTE_TOLERANCE = 1e-6
RELATIVE_TOLERANCE = 1e-4
"""Largest difference of softmax(margins) to a probability of the same classifier: their
sum, the second times the probability.

Wide enough for libraries that compute in float32, narrow enough to tell apart margins
that are no log-odds, such as one-versus-rest scores."""

SMALLEST_CHUNK = 4096
LARGEST_CHUNK = 65_536
CHUNK_CELLS = 1 << 17
"""Rows that are read together, so many log-odds within these bounds: what is needed in
between stays small."""


def classifier_log_odds(
    classifier,
    X,
    classes,
    *,
    unseen_log_odds=None,
    smooths=True,
    dtype=np.float64,
    advance=None,
):
    r"""Log-odds of a fitted classifier on `X`, a column for each of `classes`.

    Raw margins are used where their softmax is the classifier's own distribution (or
    where it has no other output), since probabilities have lost the digits of
    confident rows: those that `skdistill._kinds` knows of, also of the model inside
    pipelines and searches, or else those of `decision_function`. Otherwise they are
    logarithms of probabilities, where one below 1e-7 counts as 1e-7; those of trees
    and nearest neighbours are smoothed, see `skdistill._frequencies.smoothed_proba`.

    Margins and probabilities are compared on 256 rows from all over `X`. Many rows get
    the margins of LightGBM from its trees through `skdistill.runtime`, which is faster,
    and all are read in chunks, so that little memory is needed beside the result.

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
    dtype : dtype, default=float64
        Of the result.
    advance : callable, default=None
        Is told of the number of rows in each chunk that is done.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
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
    X = X if hasattr(X, "shape") else np.asarray(X)
    positions = _match(own_classes, classes, unseen_log_odds)
    known_to_it = positions >= 0
    floor = 0.0 if unseen_log_odds is None else unseen_log_odds
    log_odds = np.full((X.shape[0], len(classes)), floor, dtype)
    for rows, own in _chunks(compile_classifier(classifier, X), X, smooths):
        if own.shape[1] != len(own_classes):
            raise ValueError(
                f"Got {own.shape[1]} columns from {_name(classifier)}, but "
                f"expected one for each of its {len(own_classes)} classes."
            )
        log_odds[rows, known_to_it] = log_softmax(own)[:, positions[known_to_it]]
        if advance is not None:
            advance(len(own))
    return log_odds


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
    names = [str(name) for name in column_names(X)]
    # LightGBM stores names with their spaces replaced.
    if expected not in (names, [name.replace(" ", "_") for name in names]):
        raise ValueError(
            f"Got the columns {names}, but {_name(classifier)} was fitted on "
            f"{expected}, in that order."
        )


def _name(classifier):
    return type(as_given(classifier)).__name__


def _chunks(classifier, X, smooths):
    """Yield slices of rows with the log-odds of the classifier's own classes."""
    n_samples = X.shape[0]
    read, values = _choose(classifier, X, smooths)
    if values is not None:
        yield slice(0, n_samples), values
        return
    n_rows = _rows_at_once(classifier)
    if n_samples <= n_rows:
        yield slice(0, n_samples), read(X)
        return
    for start in range(0, n_samples, n_rows):
        rows = slice(start, min(start + n_rows, n_samples))
        try:
            values = read(take_rows(X, rows))
        except Exception as error:
            error.add_note(
                f"Raised for the rows {rows.start} to {rows.stop - 1} of {n_samples}, "
                "whose first one is row 0 in the message."
            )
            raise
        yield rows, values


def _rows_at_once(classifier):
    n_rows = max(CHUNK_CELLS // len(classifier.classes_), SMALLEST_CHUNK)
    n_rows = min(n_rows, LARGEST_CHUNK)
    batch = getattr(classifier, "batch_size", None)
    if getattr(classifier, "gives_log_odds", False) and isinstance(batch, int):
        # A service is called no more often than without chunks.
        n_rows = max(n_rows // max(batch, 1), 1) * max(batch, 1)
    return n_rows


def _choose(classifier, X, smooths):
    """Return how log-odds are read, and those of all rows if these have been read."""
    margins = partial(_margins, classifier)
    decision = partial(_decision, classifier)
    log_probabilities = partial(_log_proba, classifier, smooths=smooths)
    model, _ = unwrap(classifier)
    has_margins = known("MARGINS", model) is not None
    has_decision = hasattr(classifier, "decision_function") and not _scores_pairs(model)
    without_proba = known("WITHOUT_PROBA", model)
    if has_margins and without_proba is not None and without_proba(model):
        return margins, None
    # The teachers of this library say so themselves: calls of a service may cost money.
    trusted = getattr(classifier, "gives_log_odds", False)
    if has_decision and (trusted or not hasattr(classifier, "predict_proba")):
        return decision, None
    if not (has_margins or has_decision):
        if not hasattr(classifier, "predict_proba"):
            raise TypeError(
                f"Got {type(model).__name__} with decision_function_shape='ovo', whose "
                "scores are those of pairs of classes, but expected 'ovr'."
            )
        return log_probabilities, None
    sample = _sample(X)
    proba = _proba(classifier, sample)
    if has_margins:
        values = margins(sample)
        # One-versus-rest probabilities need not sum to 1, where that is known.
        sums = np.maximum(proba.sum(axis=-1, keepdims=True), np.finfo(float).tiny)
        if values is not None and _agree(values, proba / sums):
            return margins, values if sample is X else None
    if has_decision:
        values = decision(sample)
        if _agree(values, proba):
            return decision, values if sample is X else None
    return log_probabilities, None


def _scores_pairs(model):
    """Whether a support vector machine hands out a score for each pair of classes."""
    pairs = getattr(model, "decision_function_shape", None) == "ovo"
    return pairs and len(model.classes_) > 2


def _margins(classifier, X):
    model, X = unwrap(classifier, X)
    margins = known("MARGINS", model)(model, X)
    return None if margins is None else _widen(margins, model)


def _decision(classifier, X):
    return _widen(classifier.decision_function(X), classifier)


def _log_proba(classifier, X, smooths):
    proba = _proba(classifier, X)
    return log_proba(smoothed_proba(classifier, X, proba) if smooths else proba)


def _sample(X):
    """Return a few rows from all over a table."""
    n_samples = X.shape[0]
    if n_samples <= N_COMPARED_ROWS:
        return X
    return take_rows(X, np.linspace(0, n_samples - 1, N_COMPARED_ROWS, dtype=int))


def _agree(log_odds, proba):
    if log_odds.shape != proba.shape:
        return False
    difference = np.abs(np.exp(log_softmax(log_odds)) - proba)
    return (difference <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * proba).all()


def _widen(margins, classifier):
    margins = np.asarray(margins, dtype=np.float64)
    if margins.ndim == 1:
        # Binary: log-odds (0, z). (-z, z) would double them.
        margins = np.stack([np.zeros_like(margins), margins], axis=1)
    if not np.isfinite(margins).all():
        raise ValueError(f"Got NaN or infinity as margins of {_name(classifier)}.")
    return margins


def _proba(classifier, X):
    proba = classifier.predict_proba(X)
    if isinstance(proba, list):
        raise ValueError(
            f"Got several outputs from {_name(classifier)}.predict_proba, but "
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


def single_class_log_odds(label, classes, n_rows, floor):
    """Log-odds of rows by a teacher that has met one class, and could not be fitted.

    Few classifiers can be fitted on one class; all would say the same.
    """
    logits = np.full((n_rows, len(classes)), floor)
    logits[:, classes == label] = np.log1p(-np.exp(floor))
    return logits


def floor_log_odds(n_samples):
    """Logarithm of the probability of a class not met among `n_samples` rows.

    Half a row, the usual continuity correction of a frequency of zero.
    """
    return math.log(0.5 / (n_samples + 1))
