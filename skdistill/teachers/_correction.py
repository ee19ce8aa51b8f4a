"""Moving a teacher's held-out word towards the labels where they can tell more."""

from .._parameters import check_number
from ..targets import SoftTargets, log_proba

SQUARED_ERROR = 0.03
"""Squared error of a teacher's probabilities that is assumed where none is given."""


def corrected_log_odds(logits, labels, squared_error=SQUARED_ERROR):
    r"""Move held-out log-odds towards the labels.

    With the teacher's probabilities :math:`\hat p` and the label :math:`y` as a
    distribution the corrected ones are

    .. math::
        \hat p + \gamma (y - \hat p), \qquad
        \gamma = \frac{c}{c + v}, \qquad
        v = \tfrac12 \bigl(1 - \textstyle\sum_k \hat p_k^2\bigr).

    A teacher that is wrong by :math:`\sqrt c` gives a target with the squared error
    :math:`(1 - \gamma)^2 c + \gamma^2 v`, where :math:`v` is the variance of the label
    as the teacher sees it, :math:`\hat p (1 - \hat p)` for two classes: this
    :math:`\gamma` makes it smallest. Since :math:`\gamma` does not depend on the label,
    targets of a teacher that is right stay right on average.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Log-odds of teachers that were not fitted on the row: otherwise labels would be
        counted twice.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes, -1 where none is known: such a row keeps the
        teacher's word.
    squared_error : float, default=0.03
        :math:`c > 0`, how far the teacher's probability of a class is from the true
        one, squared. Larger values move the targets of doubtful rows further.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        Natural logarithms of the corrected probabilities; one below 1e-7 counts as
        1e-7.

    Raises
    ------
    ValueError
        If log-odds are not finite, a label is no column, or `squared_error` is not
        positive.

    Notes
    -----
    Dao et al. correct the loss to first order in the error of the teacher, with
    :math:`\gamma = 1` in the form above, and then draw :math:`\gamma` back against the
    variance, by the squared residual :math:`(y - \hat p)^2` in place of :math:`v` and a
    :math:`c` from cross-validation. That residual is smaller where the label agrees
    with the teacher, and so makes the targets too sure: ``benchmarks/correction.py``
    compares both.

    References
    ----------
    T. Dao, G. M. Kamath, V. Syrgkanis, L. Mackey. "Knowledge Distillation as
    Semiparametric Inference", ICLR 2021. arXiv:2104.09732.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers import corrected_log_odds
    >>> logits = np.log([[0.5, 0.5], [0.99, 0.01]])
    >>> np.exp(corrected_log_odds(logits, np.array([1, 1]), 0.03)).round(2)
    array([[0.45, 0.55],
           [0.25, 0.75]])
    """
    check_number("squared_error", squared_error, 0, above=True)
    targets = SoftTargets(logits, labels)
    proba, label = targets.proba(), targets.one_hot()
    variance = (1.0 - (proba**2).sum(axis=1)) / 2
    gamma = squared_error / (squared_error + variance)
    gamma *= label.sum(axis=1)
    return log_proba(proba + gamma[:, None] * (label - proba))
