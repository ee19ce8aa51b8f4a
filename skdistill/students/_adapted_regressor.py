"""A regressor of any library as a student."""

import re

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.linear_model import RANSACRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._columns import concatenate_rows, take_rows
from .._fitting import clone_seeded, fit_outputs
from ..conversion import to_spec
from ..conversion._students import with_names
from ..losses._regression import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss
from ._base import copy_input_tags, counted_rows, objective_weights
from ._regressor import StudentRegressor

SPOKEN = ("loss", "loss_function", "objective", "criterion")
"""Parameters by which regressors say what they minimise."""

KINDS = {
    "huber": "huber",
    "quantile": "quantile",
    "pinball": "quantile",
    "poisson": "poisson",
    "gamma": "another loss",
    "tweedie": "another loss",
    "absolute": "absolute error",
    "mae": "absolute error",
    "l1": "absolute error",
}
"""What their values or the name of the class hold, and what that means."""

EXPECTED = {
    SquaredLoss: "squared error",
    HuberLoss: "huber",
    PoissonLoss: "poisson",
    QuantileLoss: "quantile",
}
"""What a regressor should minimise beside a teacher, by the loss of the targets."""


def as_student_regressor(estimator):
    """Return an estimator that learns from `RegressionTargets`, made of the given one.

    Looks at the last step of a pipeline; the steps before it see the targets as the
    mixture of the teacher's predictions and true values (``np.asarray(targets)``).

    Parameters
    ----------
    estimator : estimator
        A student of this package that predicts numbers, any regressor, or a pipeline
        that ends in one of them.

    Returns
    -------
    estimator
        Unfitted. A student of this package is returned as it is, another regressor
        becomes an `AdaptedStudentRegressor`.

    Raises
    ------
    TypeError
        If the estimator is no regressor.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill.students import as_student_regressor
    >>> as_student_regressor(make_pipeline(StandardScaler(), Ridge()))[-1]
    AdaptedStudentRegressor(regressor=Ridge())
    """
    if isinstance(estimator, Pipeline):
        *steps, (name, last) = estimator.steps
        steps = [*steps, (name, as_student_regressor(last))]
        return clone(estimator).set_params(steps=steps)
    if isinstance(estimator, StudentRegressor):
        return estimator
    if not hasattr(estimator, "get_params") or not is_regressor(estimator):
        raise TypeError(
            f"Got the student {estimator!r}, but expected a student of skdistill that "
            "predicts numbers, a regressor, or a pipeline that ends in one of them."
        )
    return AdaptedStudentRegressor(estimator)


class AdaptedStudentRegressor(StudentRegressor):
    r"""Any regressor, fitted to what a teacher predicts.

    What it is fitted to depends on the loss of the `RegressionTargets`:

    - `SquaredLoss`: the mean of the teacher's prediction and the true value, weighted
      by :math:`\alpha`. This is exact: the two squared errors differ from that to
      their mean by a constant.
    - `PoissonLoss`: that mean as well, for a regressor that minimises the Poisson
      deviance itself, which is exact again. Others are fitted to its logarithm, and
      their predictions are exponentials: what is best for a row is the same, but
      errors are counted in logarithms.
    - `HuberLoss`, `QuantileLoss`: every row occurs twice, with the teacher's prediction
      and weight :math:`\alpha` and with the true value and weight :math:`1 - \alpha`.
      Exact for a regressor with a Huber loss of its own, whose threshold is used, or
      with a pinball loss of the same quantile. With :math:`\alpha = 1` a regressor by
      squared error may imitate a teacher's quantile; others are refused.

    Rows weigh what their terms do: without a true value :math:`\alpha`. With
    `SquaredLoss` and :math:`\alpha = 0` the regressor is fitted to the true values,
    whatever it minimises.

    Parameters
    ----------
    regressor : estimator
        Cloned; one that takes a single target is fitted once for each output.
    random_state : int, RandomState or None, default=None
        Fixes the seeds of the regressor that are ``None``.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor.
    link_ : {"identity", "log"}
        ``"log"``: it predicts logarithms.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Notes
    -----
    What a regressor minimises is read from its parameters ``loss``, ``loss_function``,
    ``objective`` and ``criterion`` and from the name of its class; if they say nothing
    of another loss, it is taken for squared error.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill import RegressionTargets
    >>> from skdistill.students import AdaptedStudentRegressor
    >>> targets = RegressionTargets([1.0, 3.0], y=[2.0, 4.0], alpha=0.5)
    >>> student = AdaptedStudentRegressor(LinearRegression())
    >>> student.fit([[0.0], [1.0]], targets).predict([[2.0]]).round(2)
    array([5.5])
    """

    def __init__(self, regressor, random_state=None):
        self.regressor = regressor
        self.random_state = random_state

    def check_objective(self, loss, alpha):
        """Raise an error if the regressor cannot learn by the loss at this alpha.

        Parameters
        ----------
        loss : loss of `skdistill.losses`
            What is to be minimised.
        alpha : float
            Share of the teacher.

        Raises
        ------
        TypeError
            If the regressor minimises something else.
        ValueError
            If `alpha` is one for which there is no way.
        """
        if alpha == 0 and isinstance(loss, SquaredLoss):
            return
        name, own = type(self.regressor).__name__, own_loss(self.regressor)
        expected = EXPECTED[type(loss)]
        # What is fitted to logarithms gives positive predictions, and a quantile is a
        # number to imitate like any other.
        also = {"poisson": "squared error", "quantile": "squared error"}
        suits = (expected, also.get(expected))
        if own not in suits:
            raise TypeError(
                f"Got the student {name}, which minimises {own}, beside a teacher and "
                f"{type(loss).__name__}, but expected one that minimises {expected}, "
                "or MLPStudentRegressor."
            )
        if expected == "quantile" and own == "squared error" and alpha < 1:
            raise ValueError(
                f"Got alpha={alpha} with a quantile and the student {name}, but "
                "expected alpha=1, since it is fitted to the teacher's quantiles by "
                "squared error; students by pinball loss take true values as well."
            )
        if own == expected == "quantile":
            level = own_level(self.regressor)
            if level != loss.quantile:
                raise ValueError(
                    f"Got the student {name} of the quantile {level}, but expected "
                    f"{loss.quantile}."
                )

    def to_spec(self):
        """Return what the fitted regressor is, as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec

        Raises
        ------
        TypeError
            If the regressor is of a kind that cannot be converted, see
            `skdistill.conversion.to_spec`.
        """
        spec = to_spec(self.regressor_)
        if hasattr(self, "feature_names_in_"):
            # LightGBM has changed those with blanks.
            spec = with_names(spec, self.feature_names_in_)
        if self.link_ == "log":
            return spec.with_link("log")
        return spec

    def __sklearn_tags__(self):
        tags = copy_input_tags(super().__sklearn_tags__(), self.regressor)
        own = get_tags(self.regressor).target_tags
        tags.target_tags.positive_only = own.positive_only
        tags.target_tags.multi_output = True
        return tags

    def _fit(self, X, targets, sample_weight):
        self.link_ = "identity"
        is_doubled = isinstance(targets.loss, HuberLoss | QuantileLoss)
        if is_doubled and 0 < targets.alpha < 1:
            X, values, weights = _twice(X, targets, sample_weight)
        else:
            X, values, weights = _once(X, targets, sample_weight)
        counts = isinstance(targets.loss, PoissonLoss)
        if counts and own_loss(self.regressor) != "poisson":
            self.link_, values = "log", _logarithms(values)
        regressor = clone_seeded(self.regressor, self.random_state)
        self.regressor_ = fit_outputs(regressor, X, values, weights)

    def _predict(self, X):
        predictions = np.asarray(self.regressor_.predict(X), dtype=np.float64)
        return np.exp(predictions) if self.link_ == "log" else predictions


def own_loss(regressor):
    """Return what a regressor minimises, "squared error" if it does not say."""
    parameters = regressor.get_params(deep=False)
    if isinstance(regressor, RANSACRegressor):
        # Its loss only tells what is an outlier.
        return "squared error"
    said = [type(regressor).__name__]
    said += [str(parameters[name]) for name in SPOKEN if name in parameters]
    for text in said:
        for word, kind in KINDS.items():
            if word in text.lower():
                return kind
    return "squared error"


def own_level(regressor):
    """Return the quantile that a regressor predicts, None if it does not say."""
    parameters = regressor.get_params(deep=False)
    for name in ("quantile", "alpha", "quantile_alpha"):
        if parameters.get(name) is not None:
            return parameters[name]
    # CatBoost says both in one: Quantile:alpha=0.9.
    said = re.search(r"alpha=([0-9.e-]+)", str(parameters.get("loss_function")))
    return float(said[1]) if said else None


def _once(X, targets, sample_weight):
    """Rows with any weight, their mixtures, and weights if they differ."""
    X, targets, weights = counted_rows(X, targets, sample_weight)
    return X, targets.mixture(), objective_weights(targets, weights)


def _twice(X, targets, sample_weight):
    """Rows with the teacher's predictions, and again with their true values."""
    rows = np.flatnonzero(targets.is_labelled)
    if not len(rows):
        return X, targets.predictions, sample_weight
    teacher, true = targets.term_weights()
    weights = np.concatenate([teacher, true[rows]])
    if sample_weight is not None:
        weights *= np.concatenate([sample_weight, sample_weight[rows]])
    values = np.concatenate([targets.predictions, targets.y[rows]])
    return concatenate_rows(X, take_rows(X, rows)), values, weights


def _logarithms(values):
    if not (values > 0).all():
        raise ValueError(
            f"Got targets down to {values.min():.6g} for a regressor that is fitted to "
            "their logarithms, but expected positive ones, or a student that minimises "
            "the Poisson deviance itself."
        )
    return np.log(values)
