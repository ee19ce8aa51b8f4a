"""How far the student's distributions are from the teacher's, row by row."""

import numpy as np
from scipy.special import rel_entr

from ..targets import log_proba
from ._pairs import check_distributions


def kl_divergence(teacher_proba, student_proba, *, sample_weight=None):
    r"""Mean Kullback-Leibler divergence of the student from the teacher.

    .. math::
        \frac{\sum_i w_i \sum_k q_{ik} \log (q_{ik} / p_{ik})}{\sum_i w_i}

    with the teacher's distributions :math:`q` and the student's :math:`p`: what is
    lost, in nats a row, by taking the student's word for what the teacher says.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Probabilities, columns in the same order. Rows sum to 1 within 1e-3, and are
        divided by their sum.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        Non-negative, 0 if and only if the distributions are equal; infinite if the
        student rules out a class that the teacher does not.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or a row is no distribution.

    References
    ----------
    S. Kullback, R. Leibler. "On Information and Sufficiency". Annals of Mathematical
    Statistics 22, 1951.

    Examples
    --------
    >>> from skdistill.inspection import kl_divergence
    >>> round(kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]), 4)
    0.1438
    """
    teacher, student, weights = check_distributions(
        teacher_proba, student_proba, sample_weight
    )
    return _mean_divergence(teacher, student, weights)


def jensen_shannon_divergence(teacher_proba, student_proba, *, sample_weight=None):
    r"""Mean Jensen-Shannon divergence between student and teacher.

    .. math::
        \frac{\sum_i w_i \left(\mathrm{KL}(q_i \| m_i) + \mathrm{KL}(p_i \| m_i)\right)}
             {2 \sum_i w_i}, \qquad m_i = (q_i + p_i) / 2

    Unlike `kl_divergence` it is symmetric and bounded, so that a few rows about which
    the student is sure and wrong do not decide it.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Probabilities, columns in the same order. Rows sum to 1 within 1e-3, and are
        divided by their sum.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In nats, from 0 (equal) to :math:`\log 2` (no class in common).

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or a row is no distribution.

    References
    ----------
    J. Lin. "Divergence Measures Based on the Shannon Entropy". IEEE Transactions on
    Information Theory 37, 1991.

    Examples
    --------
    >>> from skdistill.inspection import jensen_shannon_divergence
    >>> round(jensen_shannon_divergence([[1.0, 0.0]], [[0.0, 1.0]]), 4)
    0.6931
    """
    teacher, student, weights = check_distributions(
        teacher_proba, student_proba, sample_weight
    )
    middle = (teacher + student) / 2
    return 0.5 * (
        _mean_divergence(teacher, middle, weights)
        + _mean_divergence(student, middle, weights)
    )


def log_odds_r2(teacher_proba, student_proba, *, sample_weight=None):
    r"""Share of the variance of the teacher's log-odds that the student reproduces.

    With log-odds :math:`t_{ik}`, :math:`z_{ik}`, centred in each row, of teacher and
    student, and the weighted means :math:`\bar t_k` over rows,

    .. math::
        1 - \frac{\sum_{ik} w_i (t_{ik} - z_{ik})^2}
                 {\sum_{ik} w_i (t_{ik} - \bar t_k)^2}.

    Where probabilities agree to a few digits, log-odds still tell how rare the rare
    class is.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Probabilities, columns in the same order. Those below 1e-7 count as 1e-7.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        1 if the log-odds are equal, 0 if they are as far off as their means.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, a row is no distribution, or the
        teacher says the same about every row.

    Examples
    --------
    >>> from skdistill.inspection import log_odds_r2
    >>> teacher = [[0.9, 0.1], [0.2, 0.8]]
    >>> student = [[0.8, 0.2], [0.3, 0.7]]
    >>> round(log_odds_r2(teacher, student), 2)
    0.85
    """
    teacher, student, weights = check_distributions(
        teacher_proba, student_proba, sample_weight
    )
    t, z = (_centred_log_odds(proba) for proba in (teacher, student))
    spread = (weights @ (t - np.average(t, axis=0, weights=weights)) ** 2).sum()
    if np.ptp(t, axis=0).max() == 0:
        raise ValueError(
            "Got a teacher that says the same about every row, but expected log-odds "
            "that vary."
        )
    return float(1 - (weights @ (t - z) ** 2).sum() / spread)


def _mean_divergence(first, second, weights):
    divergence = rel_entr(first, second).sum(axis=1)
    # Rounding can leave a divergence of almost equal rows just below zero.
    return float(np.average(np.maximum(divergence, 0), weights=weights))


def _centred_log_odds(proba):
    logits = log_proba(proba)
    return logits - logits.mean(axis=1, keepdims=True)
