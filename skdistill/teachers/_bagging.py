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


def parts_to_ask(parts, n_samples, n_pool):
    """Parts of the rows whose teachers label the new ones as well.

    Parameters
    ----------
    parts : list of FoldLabels
        What the teacher of each fold says.
    n_samples : int
        Rows that the new ones were made of.
    n_pool : int
        New rows.

    Returns
    -------
    list of FoldLabels
        The first five whose teachers know enough of the table, if it is small.
    """
    if n_samples > MOST_ROWS or n_pool > MOST_NEW_ROWS:
        return []
    enough = [part for part in parts if part.n_fitted >= SMALLEST_SHARE * n_samples]
    return [part for part in enough if part.ask is not None][:MOST_FOLDS]


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
