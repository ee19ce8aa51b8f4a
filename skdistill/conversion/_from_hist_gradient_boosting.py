"""scikit-learn's gradient boosting on histograms."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..runtime import CategoryColumn, ModelSpec
from ..runtime._levels import is_missing, level_of
from ._compat import hist_baseline, hist_categories, hist_predictors
from ._from_sklearn import number_columns
from ._nodes import NO_SETS, Nodes, pack_sets

MOST_NUMBERED = 4096
"""Integer categories below this are their own codes."""


def convert_hist_gradient_boosting(model):
    """Convert a `HistGradientBoostingClassifier`."""
    check_is_fitted(model)
    return ModelSpec(_ensemble(model), model.classes_)


def convert_hist_gradient_boosting_regressor(model):
    """Convert a `HistGradientBoostingRegressor`."""
    check_is_fitted(model)
    link = "log" if model.loss in ("poisson", "gamma") else "identity"
    return ModelSpec(_ensemble(model), link=link)


def _ensemble(model):
    columns, places, codes = _columns(model)
    predictors = hist_predictors(model)
    nodes = np.concatenate([tree for tree, _ in predictors])
    sizes = np.array([len(tree) for tree, _ in predictors])
    starts = np.cumsum(sizes) - sizes
    is_leaf = nodes["is_leaf"] > 0
    splits = ~is_leaf
    reference = np.where(
        splits, np.cumsum(splits) - 1, -np.cumsum(is_leaf, dtype=np.int64)
    )
    first = np.repeat(starts, sizes)[splits]
    children = np.stack(
        [nodes[side][splits].astype(np.int64) + first for side in ("left", "right")],
        axis=1,
    )
    parents = nodes[splits]
    features = places[parents["feature_idx"]]
    categorical = parents["is_categorical"] > 0
    left = parents["missing_go_to_left"] > 0
    level_sets = _level_sets(
        [bits for _, bits in predictors],
        np.repeat(np.arange(len(sizes)), sizes)[splits][categorical],
        parents["bitset_idx"][categorical],
        [codes.get(j) for j in features[categorical]],
        left[categorical],
    )
    baseline = hist_baseline(model)
    return Nodes(
        features=features,
        thresholds=np.where(categorical, 0.0, parents["num_threshold"]),
        missing_left=left & ~categorical,
        sets=np.where(categorical, np.cumsum(categorical) - 1, -1),
        children=reference[children],
    ).to_spec(
        columns,
        baseline,
        reference[starts],
        np.arange(len(sizes)) % len(baseline),
        nodes["value"][is_leaf],
        level_sets,
    )


def _columns(model):
    """Columns of the table; where the model's own are among them; their codes.

    The model puts categorical columns first. Codes are, of each categorical column,
    the model's number of each level, -1 for levels that it does not know.
    """
    columns = list(number_columns(model))
    is_categorical = model.is_categorical_
    if is_categorical is None:
        is_categorical = np.zeros(len(columns), bool)
    places = np.concatenate(
        [np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)]
    )
    codes = {}
    of_frame = hasattr(model, "feature_names_in_")
    for j, categories in zip(places, hist_categories(model), strict=False):
        known = [c for c in categories if not is_missing(c)]
        levels, codes[j] = _levels(known)
        if not of_frame and len(codes[j]) and not _are_codes(levels):
            raise TypeError(
                f"Got the categories {list(levels)} of column {j} of an array, but "
                f"expected whole numbers from 0 to {MOST_NUMBERED - 1}, which a scorer "
                "finds in arrays: number them, or fit the model on a frame."
            )
        if of_frame and _may_be_booleans(known):
            of_numbers = np.append(codes[j], [-1])[:2]
            levels, codes[j] = ("0", "1", "False", "True"), np.tile(of_numbers, 2)
        columns[j] = CategoryColumn(columns[j].name, levels)
    return columns, places, codes


def _are_codes(levels):
    """Whether a level's number is its position."""
    return levels[-1] == str(len(levels) - 1)


def _may_be_booleans(categories):
    """Whether categories are what scikit-learn makes of a frame's booleans: floats."""
    floats = all(isinstance(c, float | np.floating) for c in categories)
    return floats and bool(categories) and set(categories) <= {0.0, 1.0}


def _levels(categories):
    numbers = np.arange(len(categories))
    try:
        values = np.array(categories, np.float64)
        natural = bool(
            (values >= 0).all()
            and (values < MOST_NUMBERED).all()
            and (values == np.floor(values)).all()
        )
    except (TypeError, ValueError):
        natural = False
    # Booleans are levels by their names, as in `level_of`.
    named = any(isinstance(c, str | bool | np.bool_) for c in categories)
    if named or not natural:
        return tuple(level_of(c) for c in categories), numbers
    values = values.astype(np.int64)
    codes = np.full(int(values.max(initial=-1)) + 1, -1)
    codes[values] = numbers
    return tuple(str(value) for value in range(len(codes))), codes


def _level_sets(bitsets, trees, indices, codes, left):
    """Sets of levels, where unknown levels go the way of missing values."""
    if not len(trees):
        return NO_SETS
    members = np.zeros((len(trees), max(len(c) for c in codes) + 2), bool)
    for i, (tree, index, own) in enumerate(zip(trees, indices, codes, strict=True)):
        words = np.ascontiguousarray(bitsets[tree][index], "<u4")
        goes_left = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
        members[i] = left[i]
        members[i, : len(own)] = np.where(own >= 0, goes_left[own], left[i])
    return pack_sets(members)


CONVERTERS = {
    "sklearn.HistGradientBoostingClassifier": convert_hist_gradient_boosting,
    "sklearn.HistGradientBoostingRegressor": convert_hist_gradient_boosting_regressor,
}
