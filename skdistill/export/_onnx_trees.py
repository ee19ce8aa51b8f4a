"""An ensemble of trees as a graph of ONNX."""

import numpy as np

from ._float32 import check_thresholds, round_down
from ._onnx_graph import ML_DOMAIN, join, look_up

IN_SET = 0.5
"""Threshold of a categorical node: its input is 0 if the level is in its set, else 1.
A node of the trees of ONNX compares numbers, or a number with one level only."""

MAX_NODES = 5_000_000
"""More take up more than the 2 GB that an ONNX file may have."""


def add_trees(graph, inputs, trees, first_output):
    """Add what computes the outputs of trees.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    inputs : Inputs
        The columns of the table.
    trees : skdistill.runtime.TreeEnsembleSpec
        The trees.
    first_output : int
        How many outputs of 0 come before their own.

    Returns
    -------
    str
        Name of the outputs.

    Raises
    ------
    ValueError
        If the threshold of a numeric column is NaN or overflows float32, or the trees
        have too many nodes once nodes are not shared.
    """
    _check_size(trees)
    check_thresholds(trees)
    code, features = _add_code(graph, inputs, trees)
    categorical = trees.sets >= 0
    thresholds = round_down(np.where(categorical, IN_SET, trees.thresholds))
    base = np.concatenate([np.zeros(first_output), trees.base])
    nodes = _Nodes(trees, features, thresholds, first_output)
    for root, output in zip(trees.roots.tolist(), trees.outputs.tolist(), strict=True):
        if root < 0:  # The same for every row.
            output += first_output
            base[output : output + trees.leaves.shape[1]] += trees.leaves[-1 - root]
        else:
            nodes.add_tree(root, output)
    return graph.add(
        "TreeEnsembleRegressor",
        code,
        domain=ML_DOMAIN,
        n_targets=len(base),
        **nodes.attributes(base),
    )


def _check_size(trees):
    """Raise an error if the trees have too many nodes where each has its own."""
    # Children come after their parents; behind all nodes, -1 finds a leaf's size.
    sizes = [1] * (len(trees.children) + 1)
    for node in range(len(trees.children) - 1, -1, -1):
        left, right = trees.children[node].tolist()
        sizes[node] = 1 + sizes[max(left, -1)] + sizes[max(right, -1)]
    total = sum(sizes[max(root, -1)] for root in trees.roots.tolist())
    if total > MAX_NODES:
        raise ValueError(
            f"Got trees of {total} nodes in all, but expected at most {MAX_NODES}: "
            "trees of ONNX cannot share nodes."
        )


def _add_code(graph, inputs, trees):
    """Name of the matrix that the trees read, and each node's column of it."""
    numbers = [inputs.numbers] if inputs.numbers is not None else []
    features = np.zeros(len(trees.features), dtype=np.int64)
    for j, position in inputs.positions.items():
        features[trees.features == j] = position
    width, outside = len(inputs.positions), []
    # Without any node some column must still say how many rows there are.
    wanted = set(trees.features[trees.sets >= 0].tolist())
    if not (numbers or wanted):
        wanted = {next(iter(inputs.texts))}
    for j in sorted(wanted):
        nodes = np.flatnonzero(trees.features == j)
        sets, positions = np.unique(trees.sets[nodes], return_inverse=True)
        features[nodes] = positions + width
        n_levels = len(trees.columns[j].levels)
        table = _outside(trees.level_sets[sets], n_levels + 2)
        width += table.shape[1]
        # Levels that no set tells apart share a row.
        table, rows = np.unique(table, axis=0, return_inverse=True)
        levels = trees.columns[j].levels
        row = look_up(graph, inputs.texts[j], levels, rows.ravel())
        row = graph.add("Squeeze", row, np.array([1]))
        outside.append(graph.add("Gather", table, row))
    if outside:
        numbers.append(graph.add("Cast", join(graph, outside), to="FLOAT"))
    return join(graph, numbers), features


def _outside(level_sets, n_codes):
    """Whether each code is outside each set: uint8 of shape (n_codes, n_sets)."""
    if not len(level_sets):
        return np.ones((n_codes, 1), dtype=np.uint8)
    codes = np.arange(n_codes)
    words = level_sets[:, codes // 32]
    inside = (words >> (codes % 32).astype(np.uint32)) & 1
    return np.ascontiguousarray(1 - inside.T.astype(np.uint8))


class _Nodes:
    """The nodes of trees as the lists that ONNX wants.

    Parameters
    ----------
    trees : TreeEnsembleSpec
        The trees.
    features : ndarray of shape (n_nodes,)
        Column of the matrix that each node reads.
    thresholds : ndarray of shape (n_nodes,), float32
        What it compares with.
    first_output : int
        What is added to the outputs of the trees.
    """

    def __init__(self, trees, features, thresholds, first_output):
        self.children = trees.children.tolist()
        self.leaves = trees.leaves.astype(np.float32).tolist()
        self.features = features.tolist()
        self.thresholds = thresholds.tolist()
        self.missing_left = trees.missing_left.astype(int).tolist()
        self.first_output = first_output
        self.n_trees = 0
        self.rows = []  # tree, node, column, mode, threshold, missing, true, false
        self.targets = []  # tree, node, output, weight

    def add_tree(self, root, output):
        """Add the nodes and leaves of a tree."""
        waiting, count = [(root, 0)], 1
        while waiting:
            node, number = waiting.pop()
            if node < 0:
                self._add_leaf(number, self.leaves[-1 - node], output)
                continue
            compared = (self.features[node], "BRANCH_LEQ", self.thresholds[node])
            ends = (self.missing_left[node], count, count + 1)
            self.rows.append((self.n_trees, number, *compared, *ends))
            left, right = self.children[node]
            waiting += [(right, count + 1), (left, count)]
            count += 2
        self.n_trees += 1

    def _add_leaf(self, number, values, output):
        self.rows.append((self.n_trees, number, 0, "LEAF", 0.0, 0, 0, 0))
        for k, value in enumerate(values, start=output + self.first_output):
            self.targets.append((self.n_trees, number, k, value))

    def attributes(self, base):
        """Return the attributes of the operator; `base` is what all rows start from."""
        # As a tree of one leaf: ONNX Runtime leaves `base_values` out of those targets
        # that no leaf of a row has.
        self._add_leaf(0, base.astype(np.float32).tolist(), -self.first_output)
        nodes, targets = zip(*self.rows, strict=True), zip(*self.targets, strict=True)
        names = ["treeids", "nodeids", "featureids", "modes", "values"]
        names += ["missing_value_tracks_true", "truenodeids", "falsenodeids"]
        lists = {f"nodes_{n}": list(v) for n, v in zip(names, nodes, strict=True)}
        names = ["treeids", "nodeids", "ids", "weights"]
        lists |= {f"target_{n}": list(v) for n, v in zip(names, targets, strict=True)}
        return lists
