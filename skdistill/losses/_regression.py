"""Losses of regression: what a student pays beside a teacher, and beside a label."""

from dataclasses import dataclass, replace

import numpy as np

from .._parameters import check_number

NORMAL_QUARTILE = 0.6744897501960817
"""The median absolute deviation of a standard normal variable."""

LARGEST_EXPONENT = 30.0
"""Beyond it an exponential is continued by its tangent, so that no step of a training
that goes astray makes it infinite."""


class RegressionLoss:
    """Base of the losses: squared error as to everything that they do not redefine.

    ``link`` says what a prediction is of a student's output z: ``"identity"``: z
    itself, ``"log"``: exp(z). ``takes_mixture``: whether a weighted sum of the losses
    beside a teacher and beside a label is the loss beside their mean, up to a constant.
    """

    link = "identity"
    takes_mixture = False

    def label_term(self, y, z):
        """Loss beside a label, and its derivative.

        Parameters
        ----------
        y, z : float or ndarray
            Labels and student outputs.

        Returns
        -------
        loss, derivative : float or ndarray
        """
        residual = z - y
        return residual**2 / 2, residual

    def teacher_term(self, t, z):
        """Loss beside what a teacher predicts, and its derivative.

        Parameters
        ----------
        t, z : float or ndarray
            Predictions of the teacher and student outputs.

        Returns
        -------
        loss, derivative : float or ndarray
        """
        return self.label_term(t, z)

    def output_of(self, predictions):
        """Return the student outputs that make given predictions.

        Parameters
        ----------
        predictions : ndarray
            Numbers in the units of y.

        Returns
        -------
        ndarray of the same shape
        """
        return predictions

    def best_constant(self, values, weights):
        """Return the output that is best for all rows together.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_outputs)
            True values.
        weights : ndarray of shape (n_samples,)
            Non-negative weights.

        Returns
        -------
        ndarray of shape (n_outputs,)
        """
        return weighted_quantile(values, 0.5, weights)

    def standardisation(self, values, weights):
        """Choose units for outputs in which the targets are about -1 to 1.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_outputs)
            Targets.
        weights : ndarray of shape (n_samples,)
            Non-negative weights.

        Returns
        -------
        centre, scale : ndarray of shape (n_outputs,)
            An output z is ``centre + scale * u`` in terms of one in these units.
        """
        centre = self.best_constant(values, weights)
        deviation = weighted_quantile(np.abs(values - centre), 0.5, weights)
        # Where over half of the values are the same, their standard deviation.
        usual = standard_deviation(values, weights)
        return centre, np.where(deviation > 0, deviation / NORMAL_QUARTILE, usual)

    def standardised(self, values, centre, scale):
        """Return targets in these units.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_outputs)
            Targets.
        centre, scale : ndarray of shape (n_outputs,)
            What `standardisation` returns.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
        """
        return (values - centre) / scale

    def scaled(self, scale):
        """Return the loss of targets that are divided by a number.

        Parameters
        ----------
        scale : float or ndarray of shape (n_outputs,)
            The number of each output.

        Returns
        -------
        RegressionLoss
        """
        return self

    def check_targets(self, predictions, y):
        """Raise ValueError if a target is one that the loss cannot have.

        Parameters
        ----------
        predictions : ndarray
            Of the teacher.
        y : ndarray or None
            True values.
        """


@dataclass(frozen=True, eq=False)
class SquaredLoss(RegressionLoss):
    r"""Half the squared error, :math:`\ell(u, z) = (z - u)^2 / 2`.

    What it asks of a prediction is the mean. A weighted sum of the losses beside a
    teacher and beside a label is, up to a constant, the loss beside their mean.

    Examples
    --------
    >>> from skdistill.losses import SquaredLoss
    >>> SquaredLoss().label_term(1.0, 4.0)
    (4.5, 3.0)
    """

    takes_mixture = True

    def best_constant(self, values, weights):
        return np.average(values, axis=0, weights=weights)

    def standardisation(self, values, weights):
        constant = self.best_constant(values, weights)
        return constant, standard_deviation(values, weights)


@dataclass(frozen=True, eq=False)
class HuberLoss(RegressionLoss):
    r"""Squared error up to a distance of :math:`\delta`, absolute error beyond.

    .. math::
        \ell(u, z) = \begin{cases} (z - u)^2 / 2 & |z - u| \le \delta \\
        \delta (|z - u| - \delta / 2) & \text{otherwise} \end{cases}

    Parameters
    ----------
    delta : float or array-like of shape (n_outputs,)
        :math:`\delta > 0`, in the units of y.

    Raises
    ------
    ValueError
        If `delta` is not positive and finite.

    References
    ----------
    P. J. Huber. "Robust Estimation of a Location Parameter", 1964.

    Examples
    --------
    >>> from skdistill.losses import HuberLoss
    >>> loss, derivative = HuberLoss(1.0).label_term(1.0, 4.0)
    >>> float(loss), float(derivative)
    (2.5, 1.0)
    """

    delta: float | np.ndarray

    def __post_init__(self):
        _check_positive("delta", self.delta)

    def label_term(self, y, z):
        residual = z - y
        derivative = np.clip(residual, -self.delta, self.delta)
        return derivative * (residual - derivative / 2), derivative

    def scaled(self, scale):
        return replace(self, delta=np.asarray(self.delta) / scale)


@dataclass(frozen=True, eq=False)
class QuantileLoss(RegressionLoss):
    r"""The pinball loss, which asks for a quantile.

    With the level :math:`\tau`,

    .. math::
        \ell(u, z) = \max(\tau (u - z),\; (\tau - 1) (u - z)).

    Beside a teacher it is the same. A student that cannot follow the teacher
    everywhere so ends at a quantile of the teacher's quantiles, above them more often
    than not if :math:`\tau` is large. Half the squared error beside the teacher has no
    such shift, but holds the student less where y pulls it away.

    Parameters
    ----------
    quantile : float, default=0.5
        :math:`\tau`, in (0, 1).

    Raises
    ------
    ValueError
        If `quantile` is outside its range.

    References
    ----------
    R. Koenker, G. Bassett. "Regression Quantiles", 1978.

    Examples
    --------
    >>> from skdistill.losses import QuantileLoss
    >>> loss, derivative = QuantileLoss(0.9).label_term(1.0, 4.0)
    >>> round(float(loss), 2), round(float(derivative), 2)
    (0.3, 0.1)
    """

    quantile: float = 0.5

    def __post_init__(self):
        check_quantile(self.quantile)

    def label_term(self, y, z):
        residual = z - y
        derivative = np.where(residual > 0, 1 - self.quantile, -self.quantile)
        return derivative * residual, derivative

    def best_constant(self, values, weights):
        return weighted_quantile(values, self.quantile, weights)


@dataclass(frozen=True, eq=False)
class PoissonLoss(RegressionLoss):
    r"""Half the Poisson deviance of targets that are not negative, with a log link.

    The student's output z is the logarithm of its prediction,

    .. math::
        \ell(u, z) = e^z - u z,

    so that predictions are positive, and errors are counted relative to them. As with
    squared error, what is asked of a prediction is the mean, and a weighted sum of the
    losses beside a teacher and beside a label is the loss beside their mean.

    Examples
    --------
    >>> from skdistill.losses import PoissonLoss
    >>> loss, derivative = PoissonLoss().label_term(1.0, 0.0)
    >>> float(loss), float(derivative)
    (1.0, 0.0)
    """

    link = "log"
    takes_mixture = True

    def label_term(self, y, z):
        limited = np.minimum(z, LARGEST_EXPONENT)
        mean = np.exp(limited)
        return mean * (1 + z - limited) - y * z, mean - y

    def output_of(self, predictions):
        return np.log(np.maximum(predictions, np.finfo(float).tiny))

    def best_constant(self, values, weights):
        return np.log(_positive(np.average(values, axis=0, weights=weights)))

    def standardisation(self, values, weights):
        return self.best_constant(values, weights), np.ones(values.shape[1])

    def standardised(self, values, centre, scale):
        return values / np.exp(centre)

    def check_targets(self, predictions, y):
        for name, values in (("y", y), ("teacher predictions", predictions)):
            if values is not None and (values < 0).any():
                raise ValueError(
                    f"Got {name} down to {np.nanmin(values):.6g} with the Poisson "
                    "loss, but expected none below 0."
                )


def check_quantile(quantile):
    """Raise ValueError unless `quantile` is a number between 0 and 1."""
    check_number("quantile", quantile, 0, 1, above=True)
    if quantile == 1:
        raise ValueError("Got quantile=1, but expected a number in (0, 1).")


def weighted_quantile(values, quantile, weights):
    """Return a quantile of each column of `values`, the lower of two.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
    quantile : float
        In (0, 1).
    weights : ndarray of shape (n_samples,)
        Non-negative weights.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ends = np.cumsum(weights[order], axis=0)
    first = (ends < quantile * ends[-1]).sum(axis=0).clip(max=len(values) - 1)
    columns = np.arange(values.shape[1])
    return values[order[first, columns], columns]


def standard_deviation(values, weights):
    """Return the standard deviation of each column of `values`, 1 where it is 0."""
    centre = np.average(values, axis=0, weights=weights)
    variance = np.average((values - centre) ** 2, axis=0, weights=weights)
    return _positive(np.sqrt(variance))


def _positive(numbers):
    return np.where(numbers > 0, numbers, 1.0)


def _check_positive(name, numbers):
    numbers = np.asarray(numbers)
    if not (
        numbers.dtype.kind in "fiu"
        and numbers.ndim <= 1
        and numbers.size
        and np.isfinite(numbers).all()
        and (numbers > 0).all()
    ):
        raise ValueError(
            f"Got {name}={numbers.tolist()!r}, but expected positive finite numbers."
        )
