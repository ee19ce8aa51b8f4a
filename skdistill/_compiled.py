"""Classifiers of many trees that label many rows, through the compiled trees."""

import os

import numpy as np
from joblib import effective_n_jobs
from sklearn.frozen import FrozenEstimator

from ._columns import take_rows
from ._kinds import known
from .conversion import to_spec
from .losses._reference import log_softmax
from .runtime import ModelSpec

try:
    from .runtime._tree_kernel import TreeKernel
except ImportError:  # installed without a compiler
    TreeKernel = None

VARIABLE = "SKDISTILL_RUNTIME"
"""Environment variable that forces an instruction set, or numpy: as if not compiled."""

FEWEST_ROWS = 10_000
"""With fewer rows it is not worth converting a model."""

N_COMPARED_ROWS = 256
TOLERANCE = 1e-6
"""Rows on which log-odds are compared with the classifier's own, and their largest
difference: there are options that change what it predicts, and are not in its trees."""


def compile_classifier(classifier, X):
    """Return what has the same log-odds as a classifier, compiled if that is worth it.

    That is so for `LGBMClassifier`, frozen or not, and at least 10,000 rows, where its
    trees can be converted and the kernel is there.

    Parameters
    ----------
    classifier : fitted classifier
        Any one.
    X : array-like or frame of shape (n_samples, n_features)
        Rows to label, or some of those that there are.

    Returns
    -------
    fitted classifier
        `classifier` itself, or a `CompiledClassifier`.
    """
    model = classifier
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    name = os.environ.get(VARIABLE) or None
    if (
        type(model).__name__ != "LGBMClassifier"
        or not type(model).__module__.startswith("lightgbm.")
        or TreeKernel is None
        or name == "numpy"
        or getattr(X, "shape", (0,))[0] < FEWEST_ROWS
    ):
        return classifier
    try:
        spec = to_spec(model)
    except TypeError:  # what trees cannot express is predicted as before
        return classifier
    compiled = CompiledClassifier(model, spec, name)
    sample = take_rows(X, np.linspace(0, X.shape[0] - 1, N_COMPARED_ROWS, dtype=int))
    table = compiled.read(sample)
    if table is None:
        return classifier
    difference = log_softmax(compiled.kernel.log_odds(table)) - _raw(model, sample)
    return compiled if np.abs(difference).max() <= TOLERANCE else classifier


class CompiledClassifier:
    """A fitted `LGBMClassifier` whose log-odds come from the compiled trees.

    Parameters
    ----------
    model : lightgbm.LGBMClassifier
        Predicts where rows are of a kind that only it understands.
    spec : ModelSpec
        The same model.
    instruction_set : str, default=None
        Of the kernel; ``None``: the fastest.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    """

    gives_log_odds = True
    """They have been compared."""

    def __init__(self, model, spec: ModelSpec, instruction_set=None):
        self.model = model
        self.columns = spec.columns
        self.kernel = TreeKernel(spec, instruction_set)
        self.classes_ = model.classes_
        if hasattr(model, "feature_names_in_"):
            self.feature_names_in_ = model.feature_names_in_

    def decision_function(self, X):
        """Natural log-odds, those of the model.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to label.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Logarithms of probabilities.
        """
        table = self.read(X)
        if table is None:
            return _raw(self.model, X)
        n_jobs = effective_n_jobs(self.model.n_jobs or -1)
        return log_softmax(self.kernel.log_odds(table, n_jobs))

    def read(self, X):
        """Return rows as numbers and codes as LightGBM reads them.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32 or float64, or None
            ``None`` for what is neither an array of numbers nor a pandas frame of
            numbers and categories, and where LightGBM would raise an error.
        """
        if getattr(X, "shape", ())[1:] != (len(self.columns),):
            return None
        if isinstance(X, np.ndarray):
            if X.dtype.kind not in "biuf":
                return None
            # LightGBM makes float32 of all others, integers too.
            wanted = X.dtype if X.dtype in (np.float32, np.float64) else np.float32
            return np.ascontiguousarray(X, wanted)
        if type(X).__name__ != "DataFrame" or not hasattr(X, "iloc"):
            return None
        return self._read_pandas(X)

    def _read_pandas(self, X):
        categories = list(self.model.booster_.pandas_categorical or [])
        kinds = [
            "category" if str(dtype) == "category" else getattr(dtype, "kind", "O")
            for dtype in X.dtypes
        ]
        if kinds.count("category") != len(categories):
            return None
        table = np.empty(X.shape, order="F")
        for j, kind in enumerate(kinds):
            values = X.iloc[:, j]
            if kind == "category":
                table[:, j] = _codes(values.cat, categories.pop(0))
            elif kind in "biuf":
                table[:, j] = values.to_numpy(np.float64, na_value=np.nan)
            else:
                return None
        return np.ascontiguousarray(table)


def _codes(values, categories):
    """Position of each value among the categories of the training rows, or NaN."""
    position = {category: code for code, category in enumerate(categories)}
    found = [position.get(category, np.nan) for category in values.categories]
    # A missing value has the code -1, which is the last entry here.
    return np.array([*found, np.nan])[values.codes]


def _raw(model, X):
    """Logarithms of probabilities, from the raw scores of the model itself."""
    raw = known("MARGINS", model)(model, X)
    return log_softmax(raw if raw.ndim == 2 else np.stack([0 * raw, raw], axis=1))
