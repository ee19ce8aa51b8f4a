"""Turning the columns of a table into numbers that a network learns from easily."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from .._columns import MISSING, learn_columns, read_columns
from .._parameters import check_integer
from .._validation import check_table
from ._base import check_training_data

LARGEST_NORMAL_SCORE = 3.5
"""Normal scores are clipped here, so that the rarest rows do not dominate."""

MAX_SIGNAL_COLUMNS = 32
"""Columns of the teacher's log-odds that choose the edges; more are not worth it."""


class TabularEncoder(TransformerMixin, BaseEstimator):
    r"""Encode numbers and categories for a network, with the teacher's help.

    A numeric column becomes its normal score (the normal quantile of its rank) and a
    piecewise-linear code, a column for each of the intervals between edges
    :math:`e_0 < \dots < e_m`,

    .. math::
        c_i(v) = \min(\max((v - e_i) / (e_{i+1} - e_i), 0), 1),

    with an indicator where values are missing, and the median in their place. The
    edges are where a small tree on this column alone splits the teacher's log-odds,
    so the network need not find the teacher's thresholds by itself. A categorical
    column becomes one column for each frequent level and one for the rare ones
    together; a missing value is a level of its own. Constant columns are dropped, and
    every column has mean 0 over the training rows. Outside the training range the
    code is that of the range's end. If no column is left, there is one of zeros.

    Parameters
    ----------
    n_bins : int, default=32
        Most intervals of a numeric column.
    max_levels : int, default=50
        Most levels of a categorical column with a column of their own.

    Attributes
    ----------
    columns_ : list of Column
        What the columns of the training table are.
    codes_ : list
        The fitted code of each column.
    mean_ : ndarray of shape (n_codes,), float32
        What is subtracted from the columns of the code.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    References
    ----------
    Y. Gorishniy, I. Rubachev, A. Babenko. "On Embeddings for Numerical Features in
    Tabular Deep Learning", NeurIPS 2022. arXiv:2203.05556.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import TabularEncoder
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> TabularEncoder(n_bins=2).fit(X, [0, 0, 0, 1, 1, 1]).transform(X).shape
    (6, 3)
    """

    def __init__(self, n_bins=32, max_levels=50):
        self.n_bins = n_bins
        self.max_levels = max_levels

    def fit(self, X, y, sample_weight=None):
        """Learn the columns of a table and where the teacher changes its mind.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), or SoftTargets
            Class labels, or what a teacher says about each row.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        TypeError
            If a column holds neither numbers nor categories.
        ValueError
            If a number is infinite or a parameter is out of range.
        """
        check_integer("n_bins", self.n_bins, 1)
        check_integer("max_levels", self.max_levels, 1)
        X, targets, weights = check_training_data(self, X, y, sample_weight)
        weights = np.ones(len(targets)) if weights is None else weights
        signal = _signal(targets)
        self.columns_ = learn_columns(X)
        table = read_columns(X, self.columns_)
        self.codes_ = [
            _fit_number_code(values, signal, weights, self.n_bins)
            if column.is_numeric
            else _fit_level_code(values, len(column.levels), weights, self.max_levels)
            for column, values in zip(self.columns_, table, strict=True)
        ]
        encoded = self._encode(table)
        self.mean_ = np.average(encoded, axis=0, weights=weights).astype(np.float32)
        return self

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows with the columns of the training table.

        Returns
        -------
        ndarray of shape (n_samples, n_codes), float32
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        encoded = self._encode(read_columns(X, self.columns_))
        encoded -= self.mean_
        return encoded

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []  # float32 whatever comes in
        return tags

    def _encode(self, table):
        n_samples = len(table[0])
        width = sum(code.width for code in self.codes_)
        if not width:
            # Networks want an input, even if no column tells anything.
            return np.zeros((n_samples, 1), dtype=np.float32)
        encoded = np.empty((n_samples, width), dtype=np.float32)
        start = 0
        for code, values in zip(self.codes_, table, strict=True):
            code.encode(values, encoded[:, start : start + code.width])
            start += code.width
        return encoded


@dataclass(frozen=True, eq=False)
class _NumberCode:
    """Code of a numeric column: [normal score, intervals..., missing]."""

    knots: np.ndarray  # values at which the normal score is known; empty: no score
    scores: np.ndarray
    edges: np.ndarray  # of the piecewise-linear code; fewer than 2: none
    fill: float  # what stands for a missing value
    marks_missing: bool

    @property
    def width(self):
        return bool(len(self.knots)) + max(len(self.edges) - 1, 0) + self.marks_missing

    def encode(self, values, out):
        missing = np.isnan(values)
        values = np.where(missing, self.fill, values)
        start = 0
        if len(self.knots):
            out[:, 0] = np.interp(values, self.knots, self.scores)
            start = 1
        if len(self.edges) > 1:
            codes = (values[:, None] - self.edges[:-1]) / np.diff(self.edges)
            out[:, start : start + codes.shape[1]] = np.clip(codes, 0, 1)
        if self.marks_missing:
            out[:, -1] = missing


@dataclass(frozen=True, eq=False)
class _LevelCode:
    """Code of a categorical column: one column for each slot."""

    slots: np.ndarray  # level, then UNSEEN, then MISSING -> slot, or -1 for none
    width: int

    def encode(self, values, out):
        # The codes -1 and -2 of missing and unseen values count from the end.
        slots = self.slots[values]
        out[...] = slots[:, None] == np.arange(self.width)


def _signal(targets):
    """What the edges should separate: the teacher's log-odds, or plain labels."""
    if targets.alpha == 0:
        return targets.one_hot()[:, :MAX_SIGNAL_COLUMNS]
    logits = targets.logits - targets.logits.mean(axis=1, keepdims=True)
    if logits.shape[1] == 2:
        return logits[:, 1:]
    return logits[:, :MAX_SIGNAL_COLUMNS]


def _fit_number_code(values, signal, weights, n_bins):
    present = ~np.isnan(values)
    marks_missing = bool(present.any() and not present.all())
    values, signal, weights = values[present], signal[present], weights[present]
    distinct, group = np.unique(values, return_inverse=True)
    none = np.empty(0)
    if len(distinct) < 2:
        fill = float(distinct[0]) if len(distinct) else 0.0
        return _NumberCode(none, none, none, fill, marks_missing)
    mass = np.bincount(group, weights=weights)
    rank = (np.cumsum(mass) - mass / 2) / mass.sum()
    fill = float(distinct[np.searchsorted(rank, 0.5).clip(max=len(rank) - 1)])
    if len(distinct) == 2:
        return _NumberCode(none, none, distinct, fill, marks_missing)
    knots, scores = _normal_scores(distinct, rank, n_bins)
    edges = _tree_edges(values, signal, weights, n_bins)
    return _NumberCode(knots, scores, edges, fill, marks_missing)


def _normal_scores(distinct, rank, n_bins):
    """Normal quantiles of the ranks at about 2 n_bins knots."""
    wanted = np.linspace(rank[0], rank[-1], 2 * n_bins + 1)
    chosen = np.unique(np.searchsorted(rank, wanted).clip(max=len(rank) - 1))
    limit = LARGEST_NORMAL_SCORE
    return distinct[chosen], ndtri(rank[chosen]).clip(-limit, limit)


def _tree_edges(values, signal, weights, n_bins):
    """Ends of the range and the thresholds of a tree on this column alone."""
    n_samples = weights.sum()
    smallest_leaf = np.clip(n_samples / 200, 5, 50)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=max(n_bins, 2),
        min_weight_fraction_leaf=min(smallest_leaf / n_samples, 0.5),
        random_state=0,
    )
    tree.fit(values[:, None], signal, sample_weight=weights)
    thresholds = tree.tree_.threshold[tree.tree_.children_left >= 0]
    inside = thresholds[(thresholds > values.min()) & (thresholds < values.max())]
    return np.unique(np.concatenate([[values.min()], inside, [values.max()]]))


def _fit_level_code(codes, n_levels, weights, max_levels):
    """Slots of the frequent levels, and one for the rare ones if there are any."""
    # Behind the levels, unseen (-2, none here) and missing (-1) values.
    count = np.bincount(
        np.where(codes == MISSING, n_levels + 1, codes),
        weights=weights,
        minlength=n_levels + 2,
    )
    smallest = np.clip(weights.sum() / 500, 5, 20)
    order = np.argsort(-count, kind="stable")[:max_levels]
    frequent = np.sort(order[count[order] >= smallest])
    slots = np.full(n_levels + 2, -1)
    slots[frequent] = np.arange(len(frequent))
    rare = (slots < 0) & (count > 0)
    width = len(frequent)
    if rare.any():
        slots[slots < 0] = width
        width += 1
    if width < 2:
        return _LevelCode(np.full(n_levels + 2, -1), 0)
    return _LevelCode(slots, width)
