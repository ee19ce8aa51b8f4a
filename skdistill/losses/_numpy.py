"""The objective on numpy arrays, with its input checked."""

import math

import numpy as np

from .._parameters import check_number
from ._kernel import loss_gradient
from ._reference import SUM_TOLERANCE

_INT64 = np.dtype(np.int64)

LARGEST_TEMPERATURE = 1e100
"""The loss holds the square of the temperature, which is to be finite."""


def soft_target_loss(
    logits,
    soft_targets,
    labels=None,
    *,
    temperature=1.0,
    alpha=1.0,
    sample_weight=None,
    from_log_odds=False,
    reduction="mean",
    out=None,
    n_threads=1,
):
    r"""Distillation loss of student log-odds, and its gradient, in one pass.

    With the student's log-odds :math:`z`, the teacher's softened distribution
    :math:`q`, the label :math:`y` and the weight :math:`w` of a row,

    .. math::
        \ell_i = w_i \bigl[\alpha T^2\, \mathrm{KL}(q_i \,\|\,
        \operatorname{softmax}(z_i / T)) - (1 - \alpha)
        \log \operatorname{softmax}(z_i)_{y_i}\bigr],

    .. math::
        \partial \ell_i / \partial z_i = w_i \bigl[\alpha T
        (\operatorname{softmax}(z_i / T) - q_i) + (1 - \alpha)
        (\operatorname{softmax}(z_i) - \operatorname{onehot}(y_i))\bigr].

    The factor :math:`T^2` keeps the balance of both terms independent of the
    temperature [1]_. A binary problem has two columns, log-odds :math:`(0, z)`.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes), float32 or float64
        Student scores :math:`z`, natural log-odds. C-contiguous.
    soft_targets : ndarray of shape (n_samples, n_classes), dtype of `logits`
        The teacher's distribution :math:`q`, **already softened** by
        `temperature`: non-negative rows that sum to 1 within 1e-3. Or the
        teacher's log-odds, see `from_log_odds`. C-contiguous.
    labels : ndarray of int of shape (n_samples,), default=None
        Column of the true class, or -1 where it is unknown: such a row has no
        hard term. ``None``: no row has a label.
    temperature : float, default=1.0
        :math:`T > 0`.
    alpha : float, default=1.0
        Share of the soft term, in [0, 1].
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights :math:`w`. ``None`` means 1.
    from_log_odds : bool, default=False
        Whether `soft_targets` are the teacher's log-odds :math:`t`. They are then
        softened here, :math:`q = \operatorname{softmax}(t / T)`.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``"mean"`` divides loss and gradient by the sum of the weights, ``"sum"``
        adds the rows up, ``"none"`` keeps the loss of each row.
    out : ndarray of shape (n_samples, n_classes), dtype of `logits`, default=None
        Where the gradient is written. `logits` itself is allowed; its content is
        undefined if an error is raised. It may not overlap another argument.
    n_threads : int, default=1
        Number of threads that share the rows. The result does not depend on it.

    Returns
    -------
    loss : float, or ndarray of shape (n_samples,) for ``reduction="none"``
        In nats.
    gradient : ndarray of shape (n_samples, n_classes), dtype of `logits`
        Gradient of `loss` (of its sum for ``reduction="none"``).

    Raises
    ------
    ValueError
        If a shape, a dtype, the memory layout or a value is not as described.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean. "Distilling the Knowledge in a Neural
       Network", 2015. arXiv:1503.02531.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.losses import soft_target_loss
    >>> loss, gradient = soft_target_loss(np.zeros((1, 2)), np.array([[0.9, 0.1]]))
    >>> round(loss, 4)
    0.3681
    >>> gradient
    array([[-0.4,  0.4]])
    """
    # The usual types first: for a small batch these checks are half of the time.
    if type(temperature) is not float or not 0.0 < temperature <= LARGEST_TEMPERATURE:
        check_temperature(temperature)
    if type(alpha) is not float or not 0.0 <= alpha <= 1.0:
        check_alpha(alpha)
    if not _are_alike(logits, soft_targets, out):
        logits = _check_matrix(logits, "logits")
        soft_targets = _check_like(soft_targets, "soft_targets", logits)
        out = None if out is None else _check_out(out, logits)
    n_samples = len(logits)
    if labels is not None:
        labels = _check_labels(labels, n_samples)
    weights = None if sample_weight is None else _check_weights(sample_weight, logits)
    gradient = np.empty_like(logits) if out is None else out
    if reduction != "mean":
        check_reduction(reduction)
    if n_threads != 1:
        _check_threads(n_threads)
    total_weight = 1.0
    if reduction == "mean":
        total_weight = _total_weight(weights, n_samples)
    losses = np.empty(n_samples, logits.dtype) if reduction == "none" else None
    total, invalid_row = loss_gradient(
        logits,
        soft_targets,
        labels,
        weights,
        temperature,
        alpha,
        from_log_odds,
        1.0 / total_weight,
        losses,
        gradient,
        n_threads,
    )
    if invalid_row >= 0:
        arguments = (logits, soft_targets, labels, weights, from_log_odds)
        raise ValueError(_describe_row(invalid_row, *arguments))
    return (total / total_weight if losses is None else losses), gradient


def check_temperature(temperature):
    """Raise ValueError unless `temperature` is a positive number with a square."""
    check_number("temperature", temperature, 0, LARGEST_TEMPERATURE, above=True)


def check_alpha(alpha):
    """Raise ValueError unless `alpha` is a number in [0, 1]."""
    check_number("alpha", alpha, 0, 1)


def check_reduction(reduction):
    """Raise ValueError unless `reduction` is "mean", "sum" or "none"."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"Got reduction={reduction!r}, but expected 'mean', 'sum' or 'none'."
        )


def _are_alike(logits, soft_targets, out):
    """Whether all are what nearly all calls pass, so that no check need explain."""
    if not type(logits) is type(soft_targets) is np.ndarray:
        return False
    shape, dtype = logits.shape, logits.dtype
    return (
        soft_targets.dtype is dtype
        and dtype.char in "fd"
        and soft_targets.shape == shape
        and len(shape) == 2
        and shape[1] > 1
        and logits.flags.c_contiguous
        and soft_targets.flags.c_contiguous
        and (
            out is None
            or (
                type(out) is np.ndarray
                and out.dtype is dtype
                and out.shape == shape
                and out.flags.carray
            )
        )
    )


def _check_matrix(values, name):
    values = np.asarray(values)
    if values.dtype.char not in "fd":
        raise ValueError(
            f"Got {name} of dtype {values.dtype}, but expected float32 or float64."
        )
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(
            f"Got {name} of shape {values.shape}, but expected "
            "(n_samples, n_classes) with at least 2 classes."
        )
    if not values.flags.c_contiguous:
        raise ValueError(
            f"Got {name} that are not C-contiguous: pass np.ascontiguousarray({name})."
        )
    return values


def _check_like(values, name, logits):
    values = _check_matrix(values, name)
    if (values.shape, values.dtype) == (logits.shape, logits.dtype):
        return values
    raise ValueError(
        f"Got {name} of shape {values.shape} and dtype {values.dtype}, but "
        f"expected those of logits, {logits.shape} and {logits.dtype}."
    )


def _check_labels(labels, n_samples):
    if type(labels) is not np.ndarray:
        labels = np.asarray(labels)
    if labels.dtype is _INT64 and labels.shape == (n_samples,):
        return labels if labels.flags.c_contiguous else labels.copy()
    if labels.shape != (n_samples,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"Got labels of shape {labels.shape} and dtype {labels.dtype}, but "
            f"expected integers of shape ({n_samples},)."
        )
    if labels.dtype == np.uint64:
        # A cast alone would turn the largest into -1, "no label".
        labels = np.minimum(labels, np.uint64(np.iinfo(np.int64).max))
    return np.ascontiguousarray(labels, dtype=np.int64)


def _check_weights(sample_weight, logits):
    weights = np.ascontiguousarray(sample_weight, dtype=logits.dtype)
    if weights.shape != (len(logits),):
        raise ValueError(
            f"Got sample_weight of shape {weights.shape}, but expected "
            f"({len(logits)},)."
        )
    return weights


def _check_out(out, logits):
    out = _check_like(out, "out", logits)
    if not out.flags.writeable:
        raise ValueError("Got an out that is read-only, but expected a writable array.")
    return out


def _check_threads(n_threads):
    if not isinstance(n_threads, int | np.integer) or not 1 <= n_threads <= 1024:
        raise ValueError(
            f"Got n_threads={n_threads!r}, but expected an integer in [1, 1024]."
        )


def _total_weight(weights, n_samples):
    # An empty batch has no mean; 1 keeps its loss and gradient at zero rows.
    if weights is None:
        return n_samples or 1
    total = float(weights.sum(dtype=np.float64))
    if len(weights) and not 0 < total < math.inf:
        raise ValueError(
            f"Got sample_weight that adds up to {total}, but expected a positive "
            "finite number."
        )
    return total or 1.0


def _describe_row(row, logits, soft_targets, labels, weights, from_log_odds):
    n_classes = logits.shape[1]
    if not np.isfinite(logits[row]).all():
        return f"Got logits[{row}]={logits[row]}, but expected finite numbers."
    if not np.isfinite(soft_targets[row]).all():
        return (
            f"Got soft_targets[{row}]={soft_targets[row]}, but expected finite numbers."
        )
    if labels is not None and not -1 <= labels[row] < n_classes:
        return (
            f"Got labels[{row}]={labels[row]}, but expected a column of the "
            f"{n_classes} classes, or -1 where no label is known."
        )
    if weights is not None and not 0 <= weights[row] < math.inf:
        return (
            f"Got sample_weight[{row}]={weights[row]}, but expected a non-negative "
            "finite number."
        )
    hint = "" if from_log_odds else " (pass from_log_odds=True if they are log-odds)"
    return (
        f"Got soft_targets[{row}]={soft_targets[row]}, but expected non-negative "
        f"numbers that sum to 1 within {SUM_TOLERANCE}{hint}."
    )
