"""Turning the columns of a table into numbers that a network learns from easily."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._columns import iterate_columns, take_rows
from .._parameters import check_integer
from .._regression_targets import RegressionTargets
from .._validation import check_categories, check_table
from ..runtime import EncoderSpec
from ._base import any_targets, check_training_data, counted_rows
from ._column_codes import fit_category, fit_number, keep_best_intervals

MAX_SIGNAL_COLUMNS = 32
"""Columns of the teacher's log-odds that choose the edges; more are not worth it."""

LARGEST_SAMPLE = 50_000
"""Rows that choose the edges: with more, students of 75,000 rows of Covertype and
220,000 of Adult were no better."""


class TabularEncoder(TransformerMixin, BaseEstimator):
    r"""Encode numbers and categories for a network, with the teacher's help.

    A numeric column becomes its normal score (the normal quantile of its rank) and a
    piecewise-linear code, a column for each of the intervals between edges
    :math:`e_0 < \dots < e_m`,

    .. math::
        c_i(v) = \min(\max((v - e_i) / (e_{i+1} - e_i), 0), 1),

    with an indicator where values are missing, and the median in their place. The
    edges are where a small tree on this column alone splits the teacher's log-odds,
    so the network need not find the teacher's thresholds by itself. A column of two
    values becomes one of 0 and 1.

    A categorical column becomes one column for each frequent level and one for the
    rare ones together; a missing value is a level of its own. If it has more than
    `max_levels`, the mean of the teacher's log-odds over the rows of the level comes
    beside them: one column for two classes, otherwise one for each, smoothed as by 10
    rows with the overall mean, standardised, and clipped at 4. Unseen levels and those
    of fewer than 5 rows get the overall mean. Plain labels are not averaged: the mean
    would tell the network a part of each row's own label, which a teacher's held-out
    log-odds are made without.

    Constant columns are dropped, and every column has mean 0 over the training rows.
    Outside the training range the code is that of the range's end. If no column is
    left, there is one of zeros. Of more than 50,000 rows, so many are drawn (by their
    weights) for scores, edges and the mean that is subtracted. The code of a sparse
    matrix is dense.

    Parameters
    ----------
    n_bins : int, default=32
        Most intervals of a numeric column. All columns together have 4096 at most:
        where a table of more than 128 numeric columns wants more, those remain whose
        thresholds lower the squared error on the teacher's log-odds most. Every column
        keeps its normal score.
    max_levels : int, default=50
        Most levels of a categorical column with a column of their own.

    Attributes
    ----------
    columns_ : list of NumberColumn and CategoryColumn
        The fitted code of each column, see `skdistill.runtime`.
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
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), SoftTargets or RegressionTargets
            Class labels, numbers with decimals, or what a teacher says about each
            row. Whole numbers that are no classes: `RegressionTargets.from_values`.
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
            If a number is infinite, a parameter is out of range, or the values of a
            categorical column are nearly all different (over 90 % of at least 100), as
            texts and identifiers are: drop them, or turn them into numbers.
        """
        check_integer("n_bins", self.n_bins, 1)
        check_integer("max_levels", self.max_levels, 1)
        X, targets, weights = check_training_data(
            self, X, y, sample_weight, read_targets=any_targets, accept_sparse=True
        )
        X, targets, weights = counted_rows(X, targets, weights)
        weights = np.ones(len(targets)) if weights is None else weights
        sample = _sample(weights)
        columns, gains = self._fit_columns(X, targets, weights, sample)
        self.columns_ = keep_best_intervals(columns, gains)
        rows, row_weights = sample
        if len(rows) < len(weights):
            X = take_rows(X, rows)
        table = iterate_columns(X, self.columns_)
        means = [_mean_code(column, values, row_weights) for column, values in table]
        self.mean_ = np.concatenate(means).astype(np.float32)
        if not len(self.mean_):
            # Networks want an input, even if no column tells anything.
            self.mean_ = np.zeros(1, dtype=np.float32)
        return self

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows with the columns of the training table.

        Returns
        -------
        ndarray of shape (n_samples, n_codes), float32
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False, accept_sparse=True)
        table = (values for _, values in iterate_columns(X, self.columns_))
        return self.to_spec().encode(table, X.shape[0])

    def to_spec(self):
        """Return what the fitted encoder computes, as plain arrays.

        Returns
        -------
        EncoderSpec
        """
        check_is_fitted(self)
        return EncoderSpec(tuple(self.columns_), self.mean_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []  # float32 whatever comes in
        return tags

    def _fit_columns(self, X, targets, weights, sample):
        """Fitted columns, and the gains of the thresholds of each."""
        signal = _signal(targets)
        # In a label's mean over the rows of a level is each row's own label, which the
        # network would read there; a teacher's log-odds were made without it.
        averaged = signal if targets.alpha > 0 else None
        columns, gains = [], []
        for column, values in iterate_columns(X):
            if column.is_numeric:
                fitted, gain = fit_number(
                    column.name, values, signal, weights, sample, self.n_bins
                )
            else:
                check_categories(column, values, targets.is_labelled)
                gain = np.empty(0)
                fitted = fit_category(
                    column.name,
                    column.levels,
                    values,
                    averaged,
                    weights,
                    self.max_levels,
                )
            columns.append(fitted)
            gains.append(gain)
        return columns, gains


def _sample(weights):
    """Rows that stand for all, and the weight of each.

    Systematic sampling: marks at equal distances along the summed weights, in random
    order, so that a row comes up its expected number of times, rounded down or up.
    """
    n_samples = len(weights)
    if n_samples <= LARGEST_SAMPLE:
        return np.arange(n_samples), weights
    generator = np.random.default_rng(0)
    order = generator.permutation(n_samples)
    ends = np.cumsum(weights[order])
    marks = (np.arange(LARGEST_SAMPLE) + generator.random()) / LARGEST_SAMPLE
    drawn = np.searchsorted(ends, marks * ends[-1], side="right")
    rows = np.sort(order[drawn.clip(max=n_samples - 1)])
    rows, counts = np.unique(rows, return_counts=True)
    return rows, counts.astype(np.float64)


def _mean_code(column, values, weights):
    code = np.empty((len(values), column.width), dtype=np.float32)
    column.encode(values, code)
    return weights @ code / weights.sum()


def _signal(targets):
    """What the edges should separate: what the teacher says, or plain labels."""
    if isinstance(targets, RegressionTargets):
        return _standardised(targets)[:, :MAX_SIGNAL_COLUMNS]
    if targets.alpha == 0:
        return targets.one_hot()[:, :MAX_SIGNAL_COLUMNS]
    logits = targets.logits - targets.logits.mean(axis=1, keepdims=True)
    if logits.shape[1] == 2:
        return logits[:, 1:]
    return logits[:, :MAX_SIGNAL_COLUMNS]


def _standardised(targets):
    """Predictions of the teacher, or true values, on the scale of their loss."""
    values = targets.mixture() if targets.alpha == 0 else targets.predictions
    values = values.reshape(len(targets), -1)
    centre, scale = targets.loss.standardisation(values, np.ones(len(values)))
    return targets.loss.standardised(values, centre, scale)
