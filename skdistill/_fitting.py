"""Fitting estimators of any origin: weights and seeds reach them, or it is said."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import has_fit_parameter


def is_frozen(estimator):
    """Whether an estimator is used as it is: one that is frozen or needs no fit."""
    return isinstance(estimator, FrozenEstimator) or (
        not get_tags(estimator).requires_fit
    )


def fit_with_weights(estimator, X, y, sample_weight):
    """Fit an estimator, handing weights to it or to the last step of a pipeline.

    Raises
    ------
    ValueError
        If there are weights and the estimator cannot take them.
    """
    if sample_weight is None or isinstance(estimator, FrozenEstimator):
        return estimator.fit(X, y)
    prefix, step = "", estimator
    while isinstance(step, Pipeline):
        name, step = step.steps[-1]
        prefix += f"{name}__"
    if not has_fit_parameter(step, "sample_weight"):
        raise ValueError(
            f"Got sample_weight (or a pool, whose rows have weights), but "
            f"{type(step).__name__} cannot take it in fit: use another estimator, or "
            "leave it out."
        )
    return estimator.fit(X, y, **{f"{prefix}sample_weight": sample_weight})


def takes_weights(estimator):
    """Whether the end of an estimator, or the regressor in it, can take weights."""
    step = last_step(estimator)
    return has_fit_parameter(getattr(step, "regressor", step), "sample_weight")


def last_step(estimator):
    """Return what a pipeline ends in, or any other estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


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
