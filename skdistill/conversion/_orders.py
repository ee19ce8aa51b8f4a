"""Trees that split ranks of levels, as trees that split sets of levels."""

from dataclasses import replace

import numpy as np

from ..runtime import CategoryColumn, NumberColumn
from ._nodes import pack_sets


def split_levels(ensemble, columns, orders):
    """Turn thresholds on ranks of levels into sets of levels.

    Parameters
    ----------
    ensemble : TreeEnsembleSpec
        Numeric nodes only: a categorical column holds the rank of each level there,
        NaN where it is missing or unseen.
    columns : list of Column
        Names and levels of the columns.
    orders : list of ndarray or None
        Rank of each level of a categorical column.

    Returns
    -------
    TreeEnsembleSpec
    """
    ranked = np.array([order is not None for order in orders], bool)
    most = max([len(order) for order in orders if order is not None], default=0)
    (nodes,) = np.nonzero(ranked[ensemble.features])
    members = np.zeros((len(nodes), most + 2), bool)
    for i, node in enumerate(nodes):
        order = orders[ensemble.features[node]]
        members[i] = ensemble.missing_left[node]
        members[i, : len(order)] = order <= ensemble.thresholds[node]
    sets = np.full(len(ensemble.features), -1, np.int32)
    sets[nodes] = np.arange(len(nodes))
    return replace(
        ensemble,
        columns=tuple(
            NumberColumn(column.name, -np.inf, np.inf)
            if column.is_numeric
            else CategoryColumn(column.name, column.levels)
            for column in columns
        ),
        sets=sets,
        level_sets=pack_sets(members),
    )
