"""LightGBM's models: `LGBMClassifier`, `LGBMRegressor` and `Booster`.

Everything is read from the model's text, which holds thresholds and leaves with all
their digits, and where all trees of a key are parsed at once.
"""

import json
from dataclasses import dataclass, replace

import numpy as np

from ..runtime import CategoryColumn, ModelSpec, NumberColumn
from ..runtime._levels import level_of
from ._nodes import NO_SETS, Nodes, chain

CATEGORICAL, DEFAULT_LEFT = 1, 2
MISSING_NONE, MISSING_ZERO = 0, 1
"""Bits of a node's decision type, and two of its missing types (bits 2 and 3)."""

ZERO = float(np.float32(1e-35))
"""Numbers no farther from 0 than this are 0 to LightGBM when it predicts."""

BELOW_ZERO = float(np.nextafter(-ZERO, -np.inf))


MOST_CODES = 100_000
"""Categories of a column that have no names: each gets its number as one."""

LINKS = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair"), "identity"),
    **dict.fromkeys(("quantile", "mape"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "log"),
}
"""What scores are of predictions, by the objective of a model for numbers."""


@dataclass(frozen=True)
class Text:
    """A model's text: key and value of its header, of each tree, and its parameters."""

    header: dict
    trees: list
    parameters: dict
    pandas_categorical: list

    @property
    def trees_per_iteration(self):
        """Number of trees of an iteration, one for each output."""
        return int(self.header["num_tree_per_iteration"])

    @property
    def objective(self):
        """Name of the objective and its options."""
        return self.header.get("objective", "none").split()

    def numbers(self, key, dtype):
        """Return the numbers of a key of all trees, one tree after the other."""
        return _numbers(" ".join([tree.get(key, "") for tree in self.trees]), dtype)


def convert_classifier(model):
    """Convert a fitted `lightgbm.LGBMClassifier`."""
    text = _parse(model.booster_.model_to_string())
    trees = _ensemble(text, _log_odds_scale(text.objective))
    return ModelSpec(trees, np.asarray(model.classes_))


def convert_regressor(model):
    """Convert a fitted `lightgbm.LGBMRegressor`."""
    spec = convert_booster(model.booster_)
    if not spec.is_regressor:
        raise TypeError(
            f"Got a LGBMRegressor of the objective {model.objective_!r}, whose scores "
            f"are log-odds, but expected one for numbers of {list(LINKS)}."
        )
    return spec


def convert_booster(booster):
    """Convert a `lightgbm.Booster` of an objective for classes or numbers."""
    text = _parse(booster.model_to_string())
    if text.objective[0] in LINKS and "sqrt" not in text.objective:
        return ModelSpec(_ensemble(text, 1.0), link=LINKS[text.objective[0]])
    trees = _ensemble(text, _log_odds_scale(text.objective))
    return ModelSpec(trees, np.arange(max(trees.n_outputs, 2)))


def to_ensemble(booster, scale):
    """Return a booster's trees with leaves multiplied by `scale`."""
    return _ensemble(_parse(booster.model_to_string()), scale)


def _ensemble(text, scale):
    if any(tree.get("is_linear", "0") != "0" for tree in text.trees):
        raise TypeError(
            "Got a LightGBM model with linear_tree=True, but expected leaves that are "
            "constants."
        )
    n_outputs = text.trees_per_iteration
    n_leaves = np.array([int(tree["num_leaves"]) for tree in text.trees], np.int64)
    if "average_output" in text.header:
        scale = scale / max(len(n_leaves) // n_outputs, 1)
    columns = _columns(text)
    nodes, positions, level_sets = _nodes(text, columns, n_leaves)
    n_nodes, first_leaf = n_leaves - 1, np.cumsum(n_leaves) - n_leaves
    first_node = np.append(positions, 0)[np.cumsum(n_nodes) - n_nodes]
    return nodes.to_spec(
        columns,
        np.zeros(n_outputs),
        np.where(n_nodes > 0, first_node, -1 - first_leaf),
        np.arange(len(n_leaves)) % n_outputs,
        text.numbers("leaf_value", np.float64) * scale,
        level_sets,
    )


def _parse(text):
    head, *trees = text.split("\nTree=")
    tail = "\n"
    if trees:
        trees[-1], _, tail = trees[-1].partition("\nend of trees")
    else:
        head, _, tail = head.partition("\nend of trees")
    parameters = {}
    for line in tail.split("\n"):
        if line.startswith("["):
            key, _, value = line[1:-1].partition(": ")
            parameters[key] = value.strip()
    _, _, categories = tail.partition("\npandas_categorical:")
    return Text(
        _pairs(head),
        [_pairs(tree) for tree in trees],
        parameters,
        json.loads(categories or "null") or [],
    )


def _numbers(text, dtype):
    return np.fromstring(text, dtype, sep=" ") if text.strip() else np.empty(0, dtype)


def _pairs(block):
    pairs = {}
    for line in block.split("\n"):
        key, _, value = line.partition("=")
        pairs[key] = value
    return pairs


def _log_odds_scale(objective):
    """What raw scores are multiplied by to be log-odds."""
    options = dict(part.partition(":")[::2] for part in objective[1:])
    if objective[0] == "binary":
        return float(options.get("sigmoid", 1))
    if objective[0] in ("multiclass", "cross_entropy"):
        return 1.0
    name = "regression sqrt" if "sqrt" in objective else objective[0]
    raise TypeError(
        f"Got a LightGBM model of the objective {name!r}, but expected "
        "binary, multiclass or cross_entropy, whose scores are log-odds, or one for "
        f"numbers of {list(LINKS)}."
    )


def _columns(text):
    names = text.header["feature_names"].split(" ")
    infos = text.header["feature_infos"].split(" ")
    levels = _pandas_levels(text)
    columns: list[NumberColumn | CategoryColumn] = []
    for j, (name, info) in enumerate(zip(names, infos, strict=True)):
        is_number = info.startswith("[")
        codes = [] if is_number or info == "none" else map(int, info.split(":"))
        largest = max(codes, default=-1)
        if j in levels:
            if is_number or largest >= len(levels[j]):
                raise _unclear_categories()
            columns.append(CategoryColumn(name, levels[j]))
        elif largest < 0:
            columns.append(NumberColumn(name, -np.inf, np.inf))
        elif largest < MOST_CODES:
            numbered = tuple(str(code) for code in range(largest + 1))
            columns.append(CategoryColumn(name, numbered))
        else:
            raise TypeError(
                f"Got categories up to {largest} in column {name!r}, but expected "
                f"numbers below {MOST_CODES}: number them from 0 on."
            )
    return columns


def _pandas_levels(text):
    """Levels of the columns that were pandas categories, by position."""
    if not text.pandas_categorical:
        return {}
    listed = text.parameters.get("categorical_feature", "")
    positions = sorted(int(j) for j in listed.split(",") if j)
    if len(positions) != len(text.pandas_categorical):
        raise _unclear_categories()
    levels = {}
    for j, categories in zip(positions, text.pandas_categorical, strict=True):
        levels[j] = tuple(level_of(category) for category in categories)
        if len(set(levels[j])) < len(levels[j]):
            raise TypeError(
                f"Got categories {categories} of feature {j}, of which several have "
                "the same text, but expected different ones."
            )
    return levels


def _unclear_categories():
    return TypeError(
        "Got a LightGBM model whose pandas categories are not its categorical "
        "features, so that it cannot be told which is which: expected every "
        "categorical feature to be an unordered pandas category, or all to be numbers."
    )


def _nodes(text, columns, n_leaves):
    """Nodes, where those of the model are among them, and sets of levels."""
    n_nodes = n_leaves - 1
    kinds = text.numbers("decision_type", np.int64)
    children = np.stack(
        [text.numbers(f"{side}_child", np.int64) for side in ("left", "right")], axis=1
    )
    first_node = np.repeat(np.cumsum(n_nodes) - n_nodes, n_nodes)[:, None]
    first_leaf = np.repeat(np.cumsum(n_leaves) - n_leaves, n_nodes)[:, None]
    thresholds = text.numbers("threshold", np.float64)
    categorical = (kinds & CATEGORICAL) > 0
    missing = (kinds >> 2) & 3
    left = (kinds & DEFAULT_LEFT) > 0
    features = text.numbers("split_feature", np.int64)
    sets, level_sets = _sets(text, columns, features, categorical, thresholds, n_nodes)
    nodes = Nodes(
        features=features,
        thresholds=np.where(categorical, 0.0, thresholds),
        # Without missing values in training, one is taken for 0.
        missing_left=np.where(missing == MISSING_NONE, thresholds >= 0, left)
        & ~categorical,
        sets=sets,
        children=np.where(children >= 0, children + first_node, children - first_leaf),
    )
    zero = (missing == MISSING_ZERO) & ~categorical
    return (*_route_zeros(nodes, zero), level_sets)


def _sets(text, columns, features, categorical, thresholds, n_nodes):
    sets = np.full(len(features), -1)
    if not categorical.any():
        return sets, NO_SETS
    # The threshold of a categorical node is the number of its set in its tree.
    n_sets = np.array([int(tree["num_cat"]) for tree in text.trees], np.int64)
    first_set = np.repeat(np.cumsum(n_sets) - n_sets, n_nodes)
    numbers = first_set[categorical] + thresholds[categorical].astype(np.int64)
    sets[categorical] = np.arange(len(numbers))
    boundaries = [
        np.diff(_numbers(tree["cat_boundaries"], np.int64))
        for tree in text.trees
        if "cat_boundaries" in tree
    ]
    lengths = np.concatenate(boundaries)
    starts = np.cumsum(lengths) - lengths
    words = text.numbers("cat_threshold", np.uint32)
    most = max(len(column.levels or ()) for column in columns) + 2
    level_sets = np.zeros((len(numbers), -(-most // 32)), np.uint32)
    # Levels not in the set go right, and so do unseen and missing ones.
    for word in range(min(level_sets.shape[1], int(lengths.max()))):
        has = lengths[numbers] > word
        level_sets[has, word] = words[starts[numbers[has]] + word]
    return sets, level_sets


def _route_zeros(nodes, zero):
    """Route numbers near 0 as 0 itself, or as missing at the nodes `zero`."""
    t, left = nodes.thresholds, nodes.missing_left
    (chained,) = np.nonzero(zero & np.where(left, t < -ZERO, t > ZERO))
    near = np.abs(t) <= ZERO
    goes_left = np.where(zero, left, t >= 0)
    thresholds = np.where(near, np.where(goes_left, ZERO, BELOW_ZERO), t)
    nodes = replace(nodes, thresholds=thresholds)
    left, t = left[chained], t[chained]
    below, zeros = np.full_like(t, BELOW_ZERO), np.full_like(t, ZERO)
    # Left by default are numbers up to t, then from -ZERO to ZERO. Right by default
    # the same range is left out of those up to t.
    return chain(
        nodes,
        chained,
        np.where(
            left[:, None],
            np.stack([t, below, zeros], axis=1),
            np.stack([below, zeros, t], axis=1),
        ),
        # What is missing goes to the second node to turn right.
        np.stack([left, ~left, left], axis=1),
    )


CONVERTERS = {
    "lightgbm.LGBMClassifier": convert_classifier,
    "lightgbm.LGBMRegressor": convert_regressor,
    "lightgbm.Booster": convert_booster,
}
