"""New rows labelled by the teachers of several folds together."""

import numpy as np

from ..losses._reference import log_softmax

MOST_ROWS = 2_000
"""A teacher of few rows says much that another draw of the rows would not make it say,
which the mean of several teachers leaves out. One of more rows says less of that, and
labelling each new row several times is no longer a small matter."""

MOST_NEW_ROWS = 100_000
"""Nor is it where there are very many new rows."""

SMALLEST_SHARE = 0.6
"""The teacher of a fold knows too little of the table if it was fitted on less."""

MOST_FOLDS = 5
"""Folds whose teachers label the new rows: more leave out little more."""


def labels_pool(n_fitted, n_samples, pool):
    """For each fold, whether its teacher labels the new rows as well.

    Parameters
    ----------
    n_fitted : list of int
        Rows that the teacher of each fold is fitted on.
    n_samples : int
        Rows that the new ones were made of.
    pool : array or frame of shape (n_pool, n_features), or None
        New rows.

    Returns
    -------
    list of bool
        True for the first five that know enough of the table, if it is small.
    """
    small = pool is not None and n_samples <= MOST_ROWS
    small = small and pool.shape[0] <= MOST_NEW_ROWS
    enough = np.array(n_fitted) >= SMALLEST_SHARE * n_samples
    return (small & enough & (np.cumsum(enough) <= MOST_FOLDS)).tolist()


def bagged_log_odds(logits):
    r"""Mean log-odds of several teachers, as large as those of a single one should be.

    What a teacher's log-odds :math:`t`, centred in each row, tell of the true ones
    :math:`z` is the slope :math:`\overline{z t} / \overline{t^2}`, one over its
    calibration temperature. A mean :math:`\bar t` of teachers that differ by chance has
    the same :math:`\overline{z t}` and smaller squares. It is therefore multiplied by

    .. math::
        \overline{t^2} \big/ \overline{\bar t^2},

    which is 1 for teachers that agree and their number for independent ones (and never
    more): the temperature that calibrates a single teacher then calibrates the mean.

    Parameters
    ----------
    logits : list of ndarray of shape (n_samples, n_classes)
        Log-odds of the same rows by each teacher.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), dtype of the first
        Of a single teacher its own, to the bit.
    """
    if len(logits) == 1:
        return logits[0]
    total, size = np.zeros(logits[0].shape), 0.0
    for part in logits:
        deviation = part - part.mean(axis=1, keepdims=True, dtype=np.float64)
        total += deviation
        size += float(np.vdot(deviation, deviation))
    mean = total / len(logits)
    smallest = size / len(logits) ** 2
    mean_size = max(float(np.vdot(mean, mean)), smallest)
    if mean_size > 0:
        mean *= size / len(logits) / mean_size
    return log_softmax(mean).astype(logits[0].dtype)
