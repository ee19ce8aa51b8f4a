"""Scores of tree ensembles by the compiled kernel."""

import numpy as np

from ._input import as_table, check_width
from ._table import TableReader

try:
    from ._tree_kernel import INSTRUCTION_SETS, TreeKernel
except ImportError:  # installed without a compiler
    INSTRUCTION_SETS, TreeKernel = (), None


class TreeScores:
    """An ensemble of trees that scores rows; see `kernel_for`.

    Parameters
    ----------
    instruction_set : str
        One of `INSTRUCTION_SETS`.
    spec : ModelSpec
        The model.
    extrapolate : bool
        Not used: beyond the training range lie no thresholds.
    n_threads : int
        Threads that share the rows of a call.
    dtype : {"float64", "float32"}
        Type of the probabilities.
    """

    def __init__(self, instruction_set, spec, extrapolate, n_threads, dtype):
        kernel = TreeKernel(spec, instruction_set)
        self._reader = TableReader(spec.columns)
        self._n_threads = n_threads
        self._dtype = np.dtype(dtype)
        # Bound once: looking a method up costs a part of a row.
        self._probabilities = kernel.probabilities
        self._log_odds = kernel.log_odds

    def probabilities(self, X):
        """Compute the class probabilities of rows."""
        try:
            found = self._probabilities(X, self._n_threads)
        except (TypeError, ValueError):
            found = self._probabilities(self._table(X), self._n_threads)
        return found if found.dtype == self._dtype else found.astype(self._dtype)

    def log_odds(self, X):
        """Compute the log-odds of rows, or of a regressor the outputs."""
        try:
            return self._log_odds(X, self._n_threads)
        except (TypeError, ValueError):
            return self._log_odds(self._table(X), self._n_threads)

    def _table(self, X):
        X = as_table(self._reader, X)
        check_width(self._reader, X)
        return X
