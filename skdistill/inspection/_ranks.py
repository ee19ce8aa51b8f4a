"""Where values stand among all values, with weights and with ties."""

import numpy as np


def middle_ranks(values, weights):
    r"""Share of the weight below each value, plus half of that at the value itself.

    .. math::
        F_i = \frac{\sum_j w_j ([v_j < v_i] + [v_j = v_i] / 2)}{\sum_j w_j}
    """
    distinct, position = np.unique(values, return_inverse=True)
    mass = np.bincount(position, weights, len(distinct))
    return ((mass.cumsum() - mass / 2) / mass.sum())[position]


def equal_parts(values, weights, n_parts):
    """Number the values by which of so many equally heavy parts they stand in.

    Equal values stand together, so parts may be heavier than others, or empty.
    """
    part = (n_parts * middle_ranks(values, weights)).astype(np.int64)
    return np.minimum(part, n_parts - 1)
