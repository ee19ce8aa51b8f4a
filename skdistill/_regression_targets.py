"""What a teacher tells a student that predicts numbers."""

from dataclasses import dataclass, field, replace

import numpy as np

from .losses._numpy import check_alpha
from .losses._regression import RegressionLoss, SquaredLoss
from .runtime._levels import is_missing


@dataclass(frozen=True, eq=False)
class RegressionTargets:
    r"""The teacher's predictions and the true values, handed to a student as its `y`.

    With the teacher's prediction t and the true value y of a row, a student's output z
    minimises the weighted mean over rows of

    .. math::
        \alpha\, \ell(t, z) + (1 - \alpha)\, \ell(y, z),

    of several outputs the mean of all. The loss says what :math:`\ell` is; beside a
    teacher's quantile it is another one than beside y, see
    `skdistill.losses.QuantileLoss`. A student's prediction is z, or :math:`e^z` with
    `skdistill.losses.PoissonLoss`.

    Supports ``len`` and row indexing, so that scikit-learn's splitters can cut it.
    ``np.asarray(targets)`` gives the mixture of both.

    Parameters
    ----------
    predictions : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The teacher's predictions t.
    y : array-like of the same shape, default=None
        True values; NaN, ``None`` or pandas' NA in rows where they are not known.
        ``None``: none is.
    alpha : float, default=1.0
        Share of the teacher's term, in [0, 1]. Rows without y have no other.
    loss : SquaredLoss, HuberLoss, QuantileLoss or PoissonLoss, default=SquaredLoss()
        Of `skdistill.losses`.

    Raises
    ------
    TypeError
        If `loss` is none of these objects.
    ValueError
        If shapes differ, a prediction is not finite, a row of y is NaN in part or
        infinite, `alpha` is outside its range, or the loss cannot have such targets.

    See Also
    --------
    SoftTargets : The same for classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import RegressionTargets
    >>> targets = RegressionTargets([1.0, 2.0], y=[3.0, np.nan], alpha=0.75)
    >>> np.asarray(targets)
    array([1.5, 2. ])
    >>> len(targets[1:])
    1
    """

    predictions: np.ndarray
    y: np.ndarray | None = None
    alpha: float = 1.0
    loss: RegressionLoss = field(default_factory=SquaredLoss)

    def __post_init__(self):
        check_alpha(self.alpha)
        if not isinstance(self.loss, RegressionLoss):
            raise TypeError(
                f"Got loss={self.loss!r}, but expected SquaredLoss(), HuberLoss(...), "
                "QuantileLoss(...) or PoissonLoss()."
            )
        predictions = _check_values("predictions", self.predictions)
        if not np.isfinite(predictions).all():
            raise ValueError(
                "Got teacher predictions that are NaN or infinite, but expected "
                "finite numbers."
            )
        object.__setattr__(self, "predictions", predictions)
        if self.y is not None:
            object.__setattr__(self, "y", _check_y(self.y, predictions))
        self.loss.check_targets(predictions, self.y)

    @classmethod
    def from_values(cls, y, loss=None):
        """Plain true values in the form of targets: alpha is 0.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values, all of them known.
        loss : loss of `skdistill.losses`, default=None
            ``None`` means ``SquaredLoss()``.

        Returns
        -------
        RegressionTargets

        Raises
        ------
        ValueError
            If a value is not finite, or none that the loss can have.
        """
        y = _check_values("y", y)
        if not np.isfinite(y).all():
            raise ValueError("Got y that is NaN or infinite, but expected numbers.")
        return cls(y, y, 0.0, SquaredLoss() if loss is None else loss)

    def __len__(self):
        return len(self.predictions)

    def __getitem__(self, rows):
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # scikit-learn's way of taking rows: targets[rows, ...]
        if np.ndim(rows) == 0 and not isinstance(rows, slice):
            raise TypeError(
                f"Got the single index {rows!r}, but expected a slice, a mask or an "
                "array of row numbers."
            )
        y = None if self.y is None else self.y[rows]
        return replace(self, predictions=self.predictions[rows], y=y)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.mixture(), dtype=dtype)

    @property
    def shape(self):
        """The shape of the predictions."""
        return self.predictions.shape

    @property
    def ndim(self):
        """Number of dimensions of the predictions."""
        return self.predictions.ndim

    @property
    def dtype(self):
        """The dtype of the predictions, float64."""
        return self.predictions.dtype

    @property
    def is_labelled(self):
        """Rows whose true values are known; ndarray of bool of shape (n_samples,)."""
        if self.y is None:
            return np.zeros(len(self), dtype=bool)
        return ~np.isnan(self.y.reshape(len(self), -1)[:, 0])

    def term_weights(self):
        """Return the weights of the teacher's and the other term in each row.

        Returns
        -------
        teacher : ndarray of shape (n_samples,), float64
            ``alpha``.
        true : ndarray of shape (n_samples,), float64
            ``1 - alpha``, or 0 in rows without y.
        """
        teacher = np.full(len(self), float(self.alpha))
        return teacher, (1.0 - self.alpha) * self.is_labelled

    def mixture(self):
        """Return the mean of the teacher's predictions and y, weighted by alpha.

        What minimises the objective of a row with squared error or the Poisson loss;
        rows without y have the teacher's prediction.

        Returns
        -------
        ndarray of the shape of `predictions`, float64
        """
        if self.y is None:
            return self.predictions.copy()
        known = self.is_labelled
        mixed = self.predictions.copy()
        mixed[known] = self.alpha * mixed[known] + (1 - self.alpha) * self.y[known]
        return mixed


def _check_values(name, values):
    cells = np.asarray(values)
    if cells.dtype.kind == "O":
        numbers = [np.nan if is_missing(cell) else cell for cell in cells.ravel()]
        values = np.reshape(numbers, cells.shape)
    values = np.array(values, dtype=np.float64)
    if values.ndim not in (1, 2) or 0 in values.shape[1:]:
        raise ValueError(
            f"Got {name} of shape {values.shape}, but expected (n_samples,) or "
            "(n_samples, n_outputs)."
        )
    return values


def _check_y(y, predictions):
    y = _check_values("y", y)
    if y.shape != predictions.shape:
        raise ValueError(
            f"Got y of shape {y.shape}, but expected that of the predictions, "
            f"{predictions.shape}."
        )
    if np.isinf(y).any():
        raise ValueError("Got y that is infinite, but expected numbers or NaN.")
    missing = np.isnan(y.reshape(len(y), -1))
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        raise ValueError(
            "Got rows of y that are NaN in part, but expected all outputs of a row or "
            "none."
        )
    return y
