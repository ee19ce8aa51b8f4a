"""Students that score rows through the runtime."""

from abc import abstractmethod

import numpy as np

from .._columns import iterate_columns, take_rows
from ..runtime import Scorer
from ._base import StudentClassifier

ROWS_AT_ONCE = 16_384
"""Rows of a frame or sparse matrix that are in memory as numbers at the same time."""


class ScoredStudent:
    """Mixin of the students that are a `ModelSpec` once they are fitted.

    What trained them is not needed to score: `scorer_` is made of the spec alone. A
    student defines ``_fit(X, targets, sample_weight)`` and ``to_spec()``.
    """

    @abstractmethod
    def to_spec(self):
        """Return what the fitted student is, as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        return tags

    def _make_ready(self):
        self.scorer_ = Scorer(self.to_spec())

    def _score(self, X, score):
        columns = self.scorer_.spec.columns
        numeric = all(column.is_numeric for column in columns)
        # What is infinite goes the long way, to an error that names the column.
        if numeric and _is_floating(X) and not np.isinf(X).any():
            return score(X)
        n_samples = X.shape[0]
        parts = []
        for start in range(0, max(n_samples, 1), ROWS_AT_ONCE):
            rows = X
            if n_samples > ROWS_AT_ONCE:
                rows = take_rows(X, slice(start, start + ROWS_AT_ONCE))
            parts.append(score(_as_numbers(rows, columns)))
        return np.concatenate(parts)


class ScoredStudentClassifier(ScoredStudent, StudentClassifier):
    """Base of the classifiers among them."""

    def _log_odds(self, X):
        return self._score(X, self.scorer_.predict_log_odds)

    def _proba(self, X):
        return self._score(X, self.scorer_.predict_proba)


def _is_floating(X):
    return isinstance(X, np.ndarray) and X.dtype in (np.float32, np.float64)


def _as_numbers(X, columns):
    """Return rows as the runtime takes them."""
    numbers = np.empty((X.shape[0], len(columns)))
    for j, (_, values) in enumerate(iterate_columns(X, columns)):
        numbers[:, j] = values
    return numbers
