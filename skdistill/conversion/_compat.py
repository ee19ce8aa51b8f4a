"""What is read of scikit-learn by names that it may change, in this file alone."""

import numpy as np


def hist_predictors(model):
    """Return the trees of a `HistGradientBoostingClassifier`.

    Returns
    -------
    list of (nodes, left_sets)
        Of each tree, iteration by iteration: its nodes as a structured array, and for
        its categorical nodes the bits of the encoded categories that go left, an
        ndarray of shape (n_sets, 8), uint32.
    """
    return [
        (predictor.nodes, predictor.raw_left_cat_bitsets)
        for iteration in model._predictors
        for predictor in iteration
    ]


def hist_baseline(model):
    """Return the log-odds that the trees of such a model are added to."""
    return np.ravel(model._baseline_prediction)


def hist_categories(model):
    """Return the categories of each categorical column of such a model, in order."""
    if model.is_categorical_ is None or not model.is_categorical_.any():
        return []
    return model._preprocessor.named_transformers_["encoder"].categories_
