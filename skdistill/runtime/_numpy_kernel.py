"""Scores with numpy, where nothing is compiled, by the reference in the spec."""

import numpy as np

from ._extrapolation import extrapolated
from ._input import as_table, check_finite, check_width
from ._network import NetworkSpec
from ._table import TableReader

ROWS_AT_ONCE = 4096
"""Rows whose code is in memory at the same time."""


class NumpyKernel:
    """A model of any kind that scores rows; see `kernel_for`.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    extrapolate : bool
        Whether scores of numbers continue beyond the training range.
    n_threads : int
        Not used: numpy has its own threads.
    dtype : {"float64", "float32"}
        Type of the probabilities.
    """

    def __init__(self, spec, extrapolate, n_threads, dtype):
        self._columns = spec.columns
        self._reader = TableReader(spec.columns)
        self._n_scores = spec.n_scores
        self._spec = extrapolated(spec) if extrapolate else spec
        # Trees have a side of every threshold for it.
        self._refuses_infinite = extrapolate and isinstance(spec.predictor, NetworkSpec)
        self._dtype = dtype

    def probabilities(self, X):
        """Compute the class probabilities of rows."""
        return self._score(X, self._spec.probabilities, self._dtype)

    def log_odds(self, X):
        """Compute the log-odds of rows, or of a regressor the outputs."""
        score = self._spec.log_odds
        if self._spec.is_regressor:
            score = self._spec.predictor.outputs_of
        return self._score(X, score, "float64")

    def _score(self, X, score, dtype):
        X = as_table(self._reader, X)
        check_width(self._reader, X)
        if self._refuses_infinite:
            check_finite(self._columns, X)
        out = np.empty((len(X), self._n_scores), dtype=dtype)
        for start in range(0, len(X), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            out[rows] = score(X[rows])
        return out
