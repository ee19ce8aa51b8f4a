"""A fitted ensemble of trees as plain arrays, and what it computes."""

from dataclasses import dataclass

import numpy as np

ROWS_AT_ONCE = 4096

ARRAYS = {
    "base": ("f8", ("n_outputs",)),
    "roots": ("i4", ("n_trees",)),
    "outputs": ("i4", ("n_trees",)),
    "features": ("i4", ("n_nodes",)),
    "thresholds": ("f8", ("n_nodes",)),
    "missing_left": ("?", ("n_nodes",)),
    "sets": ("i4", ("n_nodes",)),
    "children": ("i4", ("n_nodes", 2)),
    "leaves": ("f8", ("n_leaves", "leaf_width")),
    "level_sets": ("u4", ("n_sets", "n_words")),
}
"""Types and axes of the arrays of an ensemble."""


@dataclass(frozen=True, eq=False)
class TreeEnsembleSpec:
    r"""Sum over trees of the leaf that a row ends in.

    A row goes left at a node of a numeric column if :math:`x \le t`, compared in
    float64, or if x is missing and the node says so; at a node of a categorical column
    if the node's set holds its level. Child i is a node if :math:`i \ge 0` and leaf
    -1 - i otherwise; nodes may be shared, and come after their parents.

    Parameters
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        Columns of the table; only their names and levels matter here.
    base : ndarray of shape (n_outputs,), float64
        What the leaves are added to.
    roots : ndarray of shape (n_trees,), int32
        First node of each tree, or its only leaf.
    outputs : ndarray of shape (n_trees,), int32
        Output to which the first value of the tree's leaves is added, the second to
        the next one, and so on.
    features : ndarray of shape (n_nodes,), int32
        Column of each node.
    thresholds : ndarray of shape (n_nodes,), float64
        Threshold of a numeric node; not looked at in a categorical one.
    missing_left : ndarray of shape (n_nodes,), bool
        Whether a missing number goes left.
    sets : ndarray of shape (n_nodes,), int32
        Row of `level_sets` of a categorical node, -1 of a numeric one.
    children : ndarray of shape (n_nodes, 2), int32
        Left and right child.
    leaves : ndarray of shape (n_leaves, leaf_width), float64
        Values of the leaves.
    level_sets : ndarray of shape (n_sets, n_words), uint32
        Bit ``c % 32`` of word ``c // 32``: whether the set holds level c; for n levels
        of the column, c = n stands for unseen levels and c = n + 1 for missing ones.
    probabilities : bool
        Whether the sums are class probabilities instead of log-odds.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or a node comes before its parent.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.runtime import NumberColumn, TreeEnsembleSpec
    >>> stump = TreeEnsembleSpec(
    ...     columns=(NumberColumn("x", 0.0, 1.0),),
    ...     base=np.zeros(1),
    ...     roots=np.array([0], np.int32),
    ...     outputs=np.array([0], np.int32),
    ...     features=np.array([0], np.int32),
    ...     thresholds=np.array([0.5]),
    ...     missing_left=np.array([False]),
    ...     sets=np.array([-1], np.int32),
    ...     children=np.array([[-1, -2]], np.int32),
    ...     leaves=np.array([[-1.0], [2.0]]),
    ...     level_sets=np.empty((0, 0), np.uint32),
    ...     probabilities=False,
    ... )
    >>> stump.outputs_of(np.array([[0.5], [0.6], [np.nan]]))
    array([[-1.],
           [ 2.],
           [ 2.]])
    """

    columns: tuple
    base: np.ndarray
    roots: np.ndarray
    outputs: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    missing_left: np.ndarray
    sets: np.ndarray
    children: np.ndarray
    leaves: np.ndarray
    level_sets: np.ndarray
    probabilities: bool

    def __post_init__(self):
        self._check_arrays()
        self._check_indices()
        self._check_ends()

    @property
    def n_outputs(self):
        """Number of log-odds or probabilities of a row."""
        return len(self.base)

    def outputs_of(self, values):
        """Compute log-odds or probabilities of rows, with numpy.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            Numbers, NaN where they are missing, and codes of categories.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), float64
        """
        sums = np.tile(self.base, (len(values), 1))
        for start in range(0, len(values), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            table = np.empty((len(values[rows]), len(self.columns)))
            for j, column in enumerate(self.columns):
                table[:, j] = column.read(values[rows, j])
            for root, output in zip(self.roots, self.outputs, strict=True):
                leaves = self._descend(table, root)
                part = sums[rows, output : output + self.leaves.shape[1]]
                part += self.leaves[leaves]
        return sums

    def _descend(self, table, root):
        nodes = np.full(len(table), root)
        rows = np.flatnonzero(nodes >= 0)
        while len(rows):
            at = nodes[rows]
            left = self._goes_left(at, table[rows, self.features[at]])
            nodes[rows] = self.children[at, np.where(left, 0, 1)]
            rows = rows[nodes[rows] >= 0]
        return -1 - nodes

    def _goes_left(self, nodes, values):
        left = np.where(
            np.isnan(values), self.missing_left[nodes], values <= self.thresholds[nodes]
        )
        (categorical,) = np.nonzero(self.sets[nodes] >= 0)
        if len(categorical):
            nodes, codes = nodes[categorical], values[categorical].astype(np.int64)
            n_levels = self._n_levels()[self.features[nodes]]
            codes = np.where(codes < 0, n_levels + 2 + codes, codes)
            words = self.level_sets[self.sets[nodes], codes // 32]
            left[categorical] = (words >> (codes % 32).astype(np.uint32)) & 1
        return left

    def _n_levels(self):
        return np.array([len(column.levels or ()) for column in self.columns])

    def _check_arrays(self):
        sizes: dict = {}
        for name, (dtype, axes) in ARRAYS.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray):
                raise ValueError(
                    f"Got {name} of type {type(array).__name__}, but expected an array."
                )
            expected = axes
            if array.ndim == len(axes):
                # The first array with an axis says how long it is in the others.
                expected = tuple(
                    axis if axis == 2 else sizes.setdefault(axis, length)
                    for axis, length in zip(axes, array.shape, strict=True)
                )
            if array.dtype != dtype or array.shape != expected:
                raise ValueError(
                    f"Got {name} of type {array.dtype} and shape {array.shape}, but "
                    f"expected {np.dtype(dtype)} and ({', '.join(map(str, expected))})."
                )
        for name in ("n_outputs", "leaf_width"):
            if not sizes[name]:
                raise ValueError(f"Got {name}=0, but expected at least 1.")
        for name in ("base", "leaves"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"Got {name} with a number that is not finite.")
        # An infinite threshold parts missing numbers from all others.
        if np.isnan(self.thresholds[self.sets < 0]).any():
            raise ValueError("Got a numeric node without a threshold.")
        if not (self.n_outputs and self.leaves.shape[1]):
            raise ValueError(
                f"Got {self.n_outputs} outputs and leaves of {self.leaves.shape[1]} "
                "values, but expected at least 1 of both."
            )
        if len(self.level_sets) and not self.level_sets.shape[1]:
            raise ValueError("Got level_sets of no words, but expected at least 1.")

    def _check_indices(self):
        n_nodes, n_leaves = len(self.features), len(self.leaves)
        last_output = self.n_outputs - self.leaves.shape[1]
        _check_range("outputs", self.outputs, 0, last_output)
        _check_range("features", self.features, 0, len(self.columns) - 1)
        _check_range("roots", self.roots, -n_leaves, n_nodes - 1)
        _check_range("children", self.children, -n_leaves, n_nodes - 1)
        _check_range("sets", self.sets, -1, len(self.level_sets) - 1)
        categorical = np.array([not column.is_numeric for column in self.columns])
        if n_nodes and (categorical[self.features] != (self.sets >= 0)).any():
            raise ValueError(
                "Got a set of levels for a numeric column or none for a categorical "
                "one."
            )
        n_words = self.level_sets.shape[1]
        wanted = self._n_levels()[self.features[self.sets >= 0]] + 2
        if (wanted > 32 * n_words).any():
            raise ValueError(
                f"Got level_sets of {n_words} words, but expected a bit for each of "
                f"{wanted.max()} levels."
            )

    def _check_ends(self):
        nodes = np.arange(len(self.features))[:, None]
        if ((self.children >= 0) & (self.children <= nodes)).any():
            raise ValueError(
                "Got a node before its parent, but expected every child that is a node "
                "to come after it."
            )


def _check_range(name, numbers, low, high):
    if numbers.size and (numbers.min() < low or numbers.max() > high):
        raise ValueError(
            f"Got {name} from {numbers.min()} to {numbers.max()}, but expected {low} "
            f"to {high}."
        )
