"""A fitted model without its framework."""

from dataclasses import dataclass, replace

import numpy as np

from ._network import NetworkSpec
from ._trees import TreeEnsembleSpec

LINKS = ("identity", "log")


@dataclass(frozen=True, eq=False)
class ModelSpec:
    r"""A fitted model: columns of its table, what it computes, and what that means.

    Of a classifier, class probabilities are :math:`\operatorname{softmax}(z)` of its
    log-odds z; of a single log-odds z for two classes,
    :math:`\operatorname{softmax}((0, z))`. A calibration is a part of the weights or
    leaves that make z. A forest averages probabilities instead. A regressor has no
    classes, and predicts :math:`z`, or :math:`e^z` if its link is a logarithm.

    Its methods are the reference for `Scorer`, in float64 with numpy.

    Parameters
    ----------
    predictor : NetworkSpec or TreeEnsembleSpec
        Computes log-odds or probabilities, or what a regressor predicts.
    classes : ndarray of shape (n_classes,), default=None
        Class labels: numbers, booleans or strings. ``None``: the model is a regressor.
    link : {"identity", "log"}, default="identity"
        Of a regressor; ``"log"``: outputs are logarithms of predictions.

    Raises
    ------
    ValueError
        If there are not as many classes as outputs, or two of them are the same, or
        the link is not known or not one of a regressor.

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
    classes: np.ndarray | None = None
    link: str = "identity"

    def __post_init__(self):
        if self.classes is None:
            self._check_regressor()
        else:
            self._check_classifier(self.classes)

    def _check_classifier(self, classes):
        if self.link != "identity":
            raise ValueError(
                f"Got link={self.link!r} of a classifier, but expected 'identity'."
            )
        n_outputs, n_classes = self.predictor.n_outputs, len(classes)
        single = n_outputs == 1 and n_classes == 2 and not self.averages
        if classes.ndim != 1 or not (single or n_outputs == n_classes):
            raise ValueError(
                f"Got classes of shape {classes.shape} for {n_outputs} outputs, "
                "but expected one for each, or two classes for one output of log-odds."
            )
        known, distinct = classes == classes, set(classes.tolist())
        comparable = classes.dtype.kind in "biufUO" and known.all()
        if not comparable or len(distinct) < n_classes:
            raise ValueError(
                f"Got classes {classes}, but expected distinct numbers, booleans "
                "or strings."
            )

    @property
    def columns(self):
        """Columns of the table: a tuple of NumberColumn and CategoryColumn."""
        return self.predictor.columns

    @property
    def is_regressor(self):
        """Whether the model predicts numbers instead of classes."""
        return self.classes is None

    @property
    def n_scores(self):
        """Number of classes, or of the outputs of a regressor."""
        return self.predictor.n_outputs if self.classes is None else len(self.classes)

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

        Raises
        ------
        TypeError
            If the model is a regressor.
        """
        self.check_is("classifier")
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

        Raises
        ------
        TypeError
            If the model is a regressor.
        """
        self.check_is("classifier")
        outputs = self._outputs(values)
        if self.averages:
            return outputs
        outputs -= outputs.max(axis=1, keepdims=True)
        np.exp(outputs, out=outputs)
        return outputs / outputs.sum(axis=1, keepdims=True)

    def predictions(self, values):
        """Compute what a regressor predicts of rows.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            As for `log_odds`.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), float64

        Raises
        ------
        TypeError
            If the model is a classifier.
        """
        self.check_is("regressor")
        return self.from_outputs(self.predictor.outputs_of(values))

    def with_link(self, link):
        """Return the same regressor with another link.

        Parameters
        ----------
        link : {"identity", "log"}
            What its outputs are.

        Returns
        -------
        ModelSpec
        """
        return replace(self, link=link)

    def from_outputs(self, outputs):
        """Return what a regressor predicts, of the outputs of its predictor.

        Parameters
        ----------
        outputs : ndarray
            What is added up; overwritten.

        Returns
        -------
        ndarray of the same shape
        """
        if self.link == "identity":
            return outputs
        with np.errstate(over="ignore"):  # then it is infinite
            return np.exp(outputs, out=outputs)

    def check_is(self, kind):
        """Raise TypeError unless the model is of a kind.

        Parameters
        ----------
        kind : {"classifier", "regressor"}
            What is expected.
        """
        own = "regressor" if self.is_regressor else "classifier"
        if own != kind:
            raise TypeError(f"Got a {own}, but expected a {kind}.")

    def _check_regressor(self):
        if self.link not in LINKS:
            raise ValueError(f"Got link={self.link!r}, but expected one of {LINKS}.")
        if self.averages:
            raise ValueError(
                "Got trees that average probabilities without classes, but expected "
                "the classes, or trees that add up predictions."
            )

    def _outputs(self, values):
        outputs = self.predictor.outputs_of(values)
        if outputs.shape[1] < self.n_scores:
            outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
        return outputs
