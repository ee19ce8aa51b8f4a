"""A fitted model without its framework."""

from dataclasses import dataclass

import numpy as np

from ._network import NetworkSpec
from ._trees import TreeEnsembleSpec


@dataclass(frozen=True, eq=False)
class ModelSpec:
    r"""A fitted classifier: columns of its table, what it computes, and its classes.

    Class probabilities are :math:`\operatorname{softmax}(z)` of its log-odds z; of a
    single log-odds z for two classes, :math:`\operatorname{softmax}((0, z))`. A
    calibration is a part of the weights or leaves that make z. A forest averages
    probabilities instead.

    Its methods are the reference for `Scorer`, in float64 with numpy.

    Parameters
    ----------
    predictor : NetworkSpec or TreeEnsembleSpec
        Computes log-odds, or probabilities.
    classes : ndarray of shape (n_classes,)
        Class labels: numbers, booleans or strings.

    Raises
    ------
    ValueError
        If there are not as many classes as outputs, or two of them are the same.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, y)
    >>> difference = student.to_spec().probabilities(X) - student.predict_proba(X)
    >>> bool(abs(difference).max() < 1e-6)
    True
    """

    predictor: NetworkSpec | TreeEnsembleSpec
    classes: np.ndarray

    def __post_init__(self):
        n_outputs, n_classes = self.predictor.n_outputs, len(self.classes)
        single = n_outputs == 1 and n_classes == 2 and not self.averages
        if self.classes.ndim != 1 or not (single or n_outputs == n_classes):
            raise ValueError(
                f"Got classes of shape {self.classes.shape} for {n_outputs} outputs, "
                "but expected one for each, or two classes for one output of log-odds."
            )
        known, distinct = self.classes == self.classes, set(self.classes.tolist())
        comparable = self.classes.dtype.kind in "biufUO" and known.all()
        if not comparable or len(distinct) < n_classes:
            raise ValueError(
                f"Got classes {self.classes}, but expected distinct numbers, booleans "
                "or strings."
            )

    @property
    def columns(self):
        """Columns of the table: a tuple of NumberColumn and CategoryColumn."""
        return self.predictor.columns

    @property
    def averages(self):
        """Whether the model averages probabilities instead of adding log-odds."""
        return getattr(self.predictor, "probabilities", False)

    def log_odds(self, values):
        """Compute the log-odds of rows.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            Numbers, NaN where they are missing; a category is its position among the
            levels, -1 or NaN if missing and -2 if unseen.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            With two classes that of the first is 0. Minus infinity for a probability
            of 0.
        """
        if self.averages:
            with np.errstate(divide="ignore"):
                return np.log(self.probabilities(values))
        return self._outputs(values)

    def probabilities(self, values):
        """Compute the class probabilities of rows.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            As for `log_odds`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        outputs = self._outputs(values)
        if self.averages:
            return outputs
        outputs -= outputs.max(axis=1, keepdims=True)
        np.exp(outputs, out=outputs)
        return outputs / outputs.sum(axis=1, keepdims=True)

    def _outputs(self, values):
        outputs = self.predictor.outputs_of(values)
        if outputs.shape[1] < len(self.classes):
            outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
        return outputs
