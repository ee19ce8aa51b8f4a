"""The objective for boosting libraries: gradient and hessian of every row."""

import numpy as np

from ._numpy import check_alpha, check_temperature, soft_target_loss
from ._reference import softmax


class SoftTargetObjective:
    r"""Distillation objective for ``lightgbm.train`` and ``xgboost.train``.

    Called with raw predictions :math:`z`, it returns the gradient of the objective of
    `soft_target_loss`, summed over rows, and the diagonal of its hessian,

    .. math::
        h_{ik} = w_i c \bigl[\alpha\, p^T_{ik} (1 - p^T_{ik})
        + (1 - \alpha)\, p_{ik} (1 - p_{ik})\bigr],

    with :math:`p^T = \operatorname{softmax}(z / T)`, :math:`p =
    \operatorname{softmax}(z)` and, for more than two classes, :math:`c = K / (K - 1)`:
    a step along one class at a time would otherwise be too long [1]_. Two classes have
    one prediction, the log-odds of the second.

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
        gradient, hessian : ndarray of the shape of `predictions`, float64
        """
        logits = self._as_log_odds(np.asarray(predictions, dtype=np.float64))
        _, gradient = soft_target_loss(
            logits, self.teacher_logits, reduction="sum", **self._options()
        )
        hessian = self._hessian(logits)
        if np.ndim(predictions) == 1:
            return gradient[:, 1].copy(), hessian[:, 1].copy()
        return gradient, hessian

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

    def _hessian(self, logits):
        n_classes = logits.shape[1]
        p_soft = softmax(logits, self.temperature)
        hessian = self.alpha * p_soft * (1 - p_soft)
        if self.labels is not None and self.alpha < 1:
            p_hard = softmax(logits)
            labelled = (self.labels >= 0)[:, None]
            hessian += (1 - self.alpha) * labelled * p_hard * (1 - p_hard)
        if n_classes > 2:
            hessian *= n_classes / (n_classes - 1)
        if self.sample_weight is not None:
            hessian *= self.sample_weight[:, None]
        return hessian

    def _options(self):
        return {
            "labels": self.labels,
            "temperature": self.temperature,
            "alpha": self.alpha,
            "sample_weight": self.sample_weight,
            "from_log_odds": True,
        }
