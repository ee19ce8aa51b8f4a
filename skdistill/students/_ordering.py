"""Turning categories into numbers that a tree can split."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._columns import iterate_columns, read_columns
from .._validation import check_categories, check_table
from ._base import any_targets, check_training_data, counted_rows


class OrderingEncoder(TransformerMixin, BaseEstimator):
    """Number the levels of categories in the order of what the teacher says of them.

    A level's number is its rank by the mean target of its rows: with two classes the
    probability of the second, with more the first principal component of the class
    probabilities, of `RegressionTargets` the prediction. Splitting at a threshold then
    separates levels as well as any partition could, for two classes and for a single
    prediction exactly [1]_. Missing and unseen levels become NaN, numeric columns stay
    as they are.

    Attributes
    ----------
    columns_ : list of Column
        What the columns of the training table are.
    orders_ : list of ndarray or None
        Rank of each level of a categorical column.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone. "Classification and
       Regression Trees", 1984, theorem 4.5.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import OrderingEncoder
    >>> X = np.array([["a"], ["b"], ["b"], ["c"]], dtype=object)
    >>> OrderingEncoder().fit_transform(X, [1, 0, 1, 0]).ravel()
    array([2., 1., 1., 0.])
    """

    def fit(self, X, y, sample_weight=None):
        """Learn the columns of a table and the order of their levels.

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
            If a number is infinite, or the values of a categorical column are nearly
            all different, as texts and identifiers are.
        """
        X, targets, weights = check_training_data(
            self, X, y, sample_weight, read_targets=any_targets, accept_sparse=True
        )
        X, targets, weights = counted_rows(X, targets, weights)
        weights = np.ones(len(targets)) if weights is None else weights
        target = targets.mixture().reshape(len(targets), -1)
        self.columns_, self.orders_ = [], []
        for column, codes in iterate_columns(X):
            order = None
            if not column.is_numeric:
                check_categories(column, codes, targets.is_labelled)
                order = _order_levels(codes, len(column.levels), target, weights)
            self.columns_.append(column)
            self.orders_.append(order)
        return self

    def transform(self, X):
        """Number the levels of rows.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Rows with the columns of the training table.

        Returns
        -------
        ndarray or sparse matrix of shape (n_samples, n_features), float64
            Sparse if `X` is.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False, accept_sparse=True)
        if issparse(X) and all(column.is_numeric for column in self.columns_):
            numbers = X.copy()
            numbers.sum_duplicates()
            return numbers.astype(np.float64)
        table = read_columns(X, self.columns_)
        numbers = [
            values if order is None else _rank(values, order)
            for values, order in zip(table, self.orders_, strict=True)
        ]
        return np.stack(numbers, axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags


def _rank(codes, order):
    ranks = np.append(order, np.nan)
    return ranks[np.where(codes < 0, len(order), codes)]


def _order_levels(codes, n_levels, target, weights):
    known = codes >= 0
    codes, weights, target = codes[known], weights[known], target[known]
    if not n_levels:
        return np.empty(0)
    mass = np.bincount(codes, weights=weights, minlength=n_levels)
    mass = np.where(mass > 0, mass, 1.0)
    sums = [np.bincount(codes, weights * t, minlength=n_levels) for t in target.T]
    means = np.stack(sums, axis=1) / mass[:, None]
    centred = means - np.average(means, axis=0, weights=mass)
    # The first principal component; its sign is fixed by the last class, so that two
    # classes are ordered by the probability of the second.
    _, _, components = np.linalg.svd(
        np.sqrt(mass)[:, None] * centred, full_matrices=False
    )
    direction = components[0] * (1.0 if components[0][-1] >= 0 else -1.0)
    order = np.empty(n_levels)
    order[np.argsort(centred @ direction, kind="stable")] = np.arange(n_levels)
    return order
