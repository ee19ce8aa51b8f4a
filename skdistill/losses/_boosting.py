"""The objective for boosting libraries: gradient and curvature of every row."""

import numpy as np

from ._numpy import check_alpha, check_temperature, soft_target_loss
from ._reference import softmax


class SoftTargetObjective:
    r"""Distillation objective for ``lightgbm.train`` and ``xgboost.train``.

    Called with raw predictions :math:`z`, it returns the gradient of the objective of
    `soft_target_loss`, summed over rows, and a curvature in place of the diagonal of
    its hessian,

    .. math::
        h_{ik} = w_i c \Bigl[\alpha \max\Bigl(p^T_{ik} (1 - p^T_{ik}),
        \frac{p^T_{ik} - q_{ik}}{\ell(p^T_{ik}) - \ell(q_{ik})}\Bigr)
        + (1 - \alpha)\, p_{ik} (1 - p_{ik})\Bigr],

    with :math:`p^T = \operatorname{softmax}(z / T)`, :math:`p =
    \operatorname{softmax}(z)`, :math:`q` the teacher's softened distribution,
    :math:`\ell(p) = \log(p / (1 - p))` and, for more than two classes, :math:`c = K /
    (K - 1)`: a step along one class at a time would otherwise be too long [1]_. Two
    classes have one prediction, the log-odds of the second.

    The first term of the maximum is the hessian. Where the student is surer than the
    teacher it is almost 0, and a step would go far beyond the teacher's log-odds; the
    second term is the slope from here to there, with which a step ends at them.

    Both libraries take soft labels through a custom objective only: LightGBM's own
    ``binary`` objective accepts them and silently thresholds them at zero.

    Parameters
    ----------
    teacher_logits : ndarray of shape (n_samples, n_classes)
        The teacher's log-odds on the rows of the training set, in their order.
    labels : ndarray of int of shape (n_samples,), default=None
        Column of the true class, -1 where it is unknown. ``None``: no row has a label.
    temperature : float, default=1.0
        :math:`T > 0`.
    alpha : float, default=1.0
        Share of the soft term, in [0, 1].
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights. Give them here and not to the training set, which does
        not apply them to a custom objective.

    Raises
    ------
    ValueError
        By the constructor or a call, if a shape or a value is not as described.

    References
    ----------
    .. [1] J. Friedman, T. Hastie, R. Tibshirani. "Additive logistic regression",
       Annals of Statistics 28 (2000), algorithm 6.

    Examples
    --------
    >>> import lightgbm, numpy as np
    >>> from skdistill.losses import SoftTargetObjective
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> teacher_logits = np.stack([np.zeros(200), 3 * X[:, 0]], axis=1)
    >>> objective = SoftTargetObjective(teacher_logits)
    >>> parameters = {"objective": objective, "verbose": -1, "num_threads": 1}
    >>> booster = lightgbm.train(parameters, lightgbm.Dataset(X), 50)
    >>> bool(np.corrcoef(booster.predict(X), 3 * X[:, 0])[0, 1] > 0.95)
    True
    """

    def __init__(
        self,
        teacher_logits,
        labels=None,
        *,
        temperature=1.0,
        alpha=1.0,
        sample_weight=None,
    ):
        check_temperature(temperature)
        check_alpha(alpha)
        self.teacher_logits = np.ascontiguousarray(teacher_logits, dtype=np.float64)
        self.labels = None if labels is None else np.asarray(labels)
        self.temperature = temperature
        self.alpha = alpha
        self.sample_weight = (
            None if sample_weight is None else np.asarray(sample_weight, np.float64)
        )
        # Whatever is wrong with the targets is said now and not after the first tree.
        soft_target_loss(self.teacher_logits, self.teacher_logits, **self._options())
        self._teacher_log_odds = _class_log_odds(self.teacher_logits, temperature)

    def __call__(self, predictions, dataset=None):
        """Gradient and hessian at raw predictions.

        Parameters
        ----------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds; one-dimensional for two classes.
        dataset : object, default=None
            The training set, which both libraries pass; not used.

        Returns
        -------
        gradient, curvature : ndarray of the shape of `predictions`, float64
        """
        logits = self._as_log_odds(np.asarray(predictions, dtype=np.float64))
        _, gradient = soft_target_loss(
            logits, self.teacher_logits, reduction="sum", **self._options()
        )
        curvature = self._curvature(logits)
        if np.ndim(predictions) == 1:
            return gradient[:, 1].copy(), curvature[:, 1].copy()
        return gradient, curvature

    def _as_log_odds(self, predictions):
        n_samples, n_classes = self.teacher_logits.shape
        if n_classes == 2 and predictions.shape == (n_samples,):
            return np.stack([np.zeros(n_samples), predictions], axis=1)
        if n_classes > 2 and predictions.shape == (n_samples, n_classes):
            return np.ascontiguousarray(predictions)
        expected = (n_samples,) if n_classes == 2 else (n_samples, n_classes)
        raise ValueError(
            f"Got predictions of shape {predictions.shape}, but expected {expected}: "
            "the rows of the training set must be those of the objective."
        )

    def _curvature(self, logits):
        n_classes = logits.shape[1]
        curvature = self.alpha * self._soft_curvature(logits)
        if self.labels is not None and self.alpha < 1:
            p_hard = softmax(logits)
            labelled = (self.labels >= 0)[:, None]
            curvature += (1 - self.alpha) * labelled * p_hard * (1 - p_hard)
        if n_classes > 2:
            curvature *= n_classes / (n_classes - 1)
        if self.sample_weight is not None:
            curvature *= self.sample_weight[:, None]
        return curvature

    def _soft_curvature(self, logits):
        p = softmax(logits, self.temperature)
        q = softmax(self.teacher_logits, self.temperature)
        hessian = p * (1 - p)
        way = _class_log_odds(logits, self.temperature) - self._teacher_log_odds
        # Over a way as short as this the hessian does not change.
        long = np.abs(way) > 1e-3
        return np.maximum(
            hessian, np.divide(p - q, way, out=hessian.copy(), where=long)
        )

    def _options(self):
        return {
            "labels": self.labels,
            "temperature": self.temperature,
            "alpha": self.alpha,
            "sample_weight": self.sample_weight,
            "from_log_odds": True,
        }


def _class_log_odds(logits, temperature):
    """Log-odds of each class against all others together."""
    shifted = (logits - logits.max(axis=1, keepdims=True)) / temperature
    exponentials = np.exp(shifted)
    others = exponentials.sum(axis=1, keepdims=True) - exponentials
    # The largest would leave rounding errors only: it is not subtracted but left out.
    rows, largest = np.arange(len(logits)), logits.argmax(axis=1)
    exponentials[rows, largest] = 0
    others[rows, largest] = exponentials.sum(axis=1)
    return shifted - np.log(np.maximum(others, np.finfo(np.float64).tiny))
