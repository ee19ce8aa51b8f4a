"""Fitting estimators of any origin: weights and seeds reach them, or it is said."""

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from ._columns import is_frame, take_rows
from ._kinds import known

ENSEMBLES = (StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor)
"""They hand the weights that they are given on to each of their members."""

INNER = ("estimator", "classifier", "regressor", "estimators", "teachers")
"""Parameters of wrappers and ensembles that are what is inside."""

SEARCH = GridSearchCV.__base__
"""What all searches over parameters derive from; they hand on what ``fit`` is given."""


def is_frozen(estimator):
    """Whether an estimator is used as it is: one that is frozen or needs no fit."""
    return isinstance(estimator, FrozenEstimator) or (
        not get_tags(estimator).requires_fit
    )


def fit_with_weights(estimator, X, y, sample_weight, fit_params=None):
    """Fit an estimator, handing weights to it or to what is fitted inside it.

    Parameters
    ----------
    estimator : estimator
        A clone: with metadata routing, what it has not said about weights is set.
    X, y
        Rows and targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.
    fit_params : dict, default=None
        What else is handed to ``fit``.

    Raises
    ------
    ValueError
        If there are weights and the estimator cannot take them.
    """
    fit_params = fit_params or {}
    if sample_weight is None:
        return estimator.fit(X, y, **fit_params)
    keyword = weight_keyword(estimator)
    if routing_is_enabled():
        _request_weights(estimator)
        keyword = "sample_weight"
    return estimator.fit(X, y, **{keyword: sample_weight}, **fit_params)


def fit_outputs(regressor, X, values, sample_weight):
    """Fit a regressor, and one that takes a single target once for each column.

    `MultiOutputRegressor` itself fits nothing whose ``fit`` does not name weights, such
    as searches and pipelines.

    Parameters
    ----------
    regressor : estimator
        A clone.
    X : array-like or frame of shape (n_samples, n_features)
        Rows.
    values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets; a single column is a 1-D target.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.

    Returns
    -------
    fitted estimator
        The regressor, or a `MultiOutputRegressor` of its clones.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1 or get_tags(regressor).target_tags.multi_output:
        return fit_with_weights(regressor, X, values, sample_weight)
    together = MultiOutputRegressor(regressor)
    together.estimators_ = [
        fit_with_weights(clone(regressor), X, column, sample_weight)
        for column in values.T
    ]
    return together


def weight_keyword(estimator):
    """Return the name by which ``fit`` of an estimator takes weights.

    scikit-learn's containers take any parameter and find out late, or only warn, that
    what is inside them cannot take weights.

    Raises
    ------
    ValueError
        Names the estimator that cannot take them.
    """
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return f"{name}__{weight_keyword(last)}"
    if isinstance(estimator, (SEARCH, MultiOutputRegressor)):
        return weight_keyword(estimator.estimator)
    if isinstance(estimator, TransformedTargetRegressor):
        regressor = estimator.regressor
        return "sample_weight" if regressor is None else weight_keyword(regressor)
    for member in _members(estimator):
        keyword = weight_keyword(member)
        if keyword != "sample_weight" and not routing_is_enabled():
            raise ValueError(
                f"Got sample_weight for {type(estimator).__name__}, which cannot hand "
                f"it on to a {type(member).__name__} as {keyword}: enable "
                "scikit-learn's metadata routing, or leave it out."
            )
    if isinstance(estimator, (*ENSEMBLES, FrozenEstimator)):
        return "sample_weight"
    if not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(
            f"Got sample_weight (or a pool, whose rows have weights), but "
            f"{type(estimator).__name__} cannot take it in fit: use another estimator, "
            "or leave it out."
        )
    return "sample_weight"


def takes_weights(estimator):
    """Whether the end of an estimator, or the regressor in it, can take weights."""
    step = last_step(estimator)
    regressor = getattr(step, "regressor", None)
    try:
        weight_keyword(step if regressor is None else regressor)
    except ValueError:
        return False
    return True


def routing_is_enabled():
    """Whether scikit-learn's metadata routing is switched on."""
    return get_config()["enable_metadata_routing"]


def _members(estimator):
    """What an ensemble or a calibrator fits with the weights that it is given."""
    if isinstance(estimator, ENSEMBLES):
        members = [member for _, member in estimator.estimators]
        members.append(getattr(estimator, "final_estimator", None))
    elif isinstance(estimator, CalibratedClassifierCV):
        members = [estimator.estimator]
    else:
        members = []
    return [m for m in members if m is not None and not isinstance(m, str)]


def _request_weights(estimator):
    """Let what predicts inside an estimator request weights, and nothing else.

    What has been said stays: the parts of a pipeline that the user gave requests.
    """
    parameters = estimator.get_params(deep=True)
    # What is frozen is no clone, and is not fitted either.
    frozen = tuple(
        f"{name}__" for name, v in parameters.items() if isinstance(v, FrozenEstimator)
    )
    parts = [v for name, v in parameters.items() if not name.startswith(frozen)]
    for part in [estimator, *parts]:
        if not (hasattr(part, "set_fit_request") and not isinstance(part, type)):
            continue
        requests = getattr(get_routing_for_object(part), "fit", None)
        said = None if requests is None else requests.requests.get("sample_weight")
        if said is None and has_fit_parameter(part, "sample_weight"):
            part.set_fit_request(
                sample_weight=is_classifier(part) or is_regressor(part)
            )


def take_params(params, rows, n_samples):
    """Return parameters of a method, those with a value per row cut to some rows."""
    return {name: _take(value, rows, n_samples) for name, value in params.items()}


def _take(value, rows, n_samples):
    if isinstance(value, str) or not (
        hasattr(value, "__len__") or hasattr(value, "shape")
    ):
        return value
    table = is_frame(value) or issparse(value)
    if (value.shape[0] if table else len(value)) != n_samples:
        return value
    return take_rows(value if table else np.asarray(value), rows)


def positions(rows):
    """Return row numbers of what a splitter gave, which may be a mask."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def last_step(estimator):
    """Return what a pipeline ends in, or any other estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def table_readers(estimator):
    """Yield the estimators inside an estimator that read the table itself.

    Of a pipeline its first step, of ensembles and wrappers what they hold; what ends a
    stack reads predictions.
    """
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if hasattr(step, "fit")]
        inner = steps[:1]
    else:
        yield estimator
        inner = []
        for name in INNER:
            parts = getattr(estimator, name, None)
            inner += parts if isinstance(parts, list | tuple) else [parts]
    for part in inner:
        # Ensembles hold pairs of a name and a member.
        member = part[-1] if isinstance(part, tuple) else part
        if hasattr(member, "fit"):
            yield from table_readers(member)


def needs_codes(classifier):
    """Whether a classifier, or what is fitted in it, takes 0 to n_classes - 1 only."""
    while (answer := known("NEEDS_CODES", classifier)) is None:
        inner = last_step(getattr(classifier, "estimator", classifier))
        if inner is classifier:
            return False
        classifier = inner
    return answer


def are_codes(classes):
    """Whether distinct labels in order are the integers from 0."""
    return classes.dtype.kind in "iu" and np.array_equal(classes, range(len(classes)))


def clone_seeded(estimator, random_state):
    """Clone an estimator and fix those of its seeds that are None.

    Parameters
    ----------
    estimator : estimator
        Left as it is. One that is frozen is returned itself.
    random_state : int, RandomState or None
        Where the seeds come from; ``None`` leaves all as they are.
    """
    copy = clone(estimator)
    if random_state is None or isinstance(estimator, FrozenEstimator):
        return copy
    random_state = check_random_state(random_state)
    seeds = {
        name: int(random_state.randint(np.iinfo(np.int32).max))
        for name, value in sorted(copy.get_params(deep=True).items())
        if value is None and name.split("__")[-1] == "random_state"
    }
    return copy.set_params(**seeds)
