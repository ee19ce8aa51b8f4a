"""A network's first layer, taken apart by the columns of the table."""

from dataclasses import dataclass

import numpy as np

from ..runtime import CategoryColumn, NumberColumn


@dataclass(frozen=True, eq=False)
class NumberWeights:
    """What a number's code contributes to the first layer.

    Parameters
    ----------
    position : int
        Which column of the table it is.
    column : NumberColumn
        Its code.
    weights : ndarray of shape (width, n_units), float64
        Weights of its code.
    """

    position: int
    column: NumberColumn
    weights: np.ndarray

    @property
    def score(self):
        """Weights of the score, an array of one row or none."""
        return self.weights[: min(len(self.column.knots), 1)]

    @property
    def intervals(self):
        """Weights of the intervals, an array with a row for each."""
        start = len(self.score)
        return self.weights[start : start + self.column.n_intervals]

    @property
    def mark(self):
        """Weights of the missing indicator, an array of one row or none."""
        return self.weights[len(self.score) + self.column.n_intervals :]


@dataclass(frozen=True, eq=False)
class CategoryWeights:
    """What a category's code contributes to the first layer.

    Parameters
    ----------
    position : int
        Which column of the table it is.
    column : CategoryColumn
        Its code.
    weights : ndarray of shape (width, n_units), float64
        Weights of its code.
    """

    position: int
    column: CategoryColumn
    weights: np.ndarray

    @property
    def levels(self):
        """What each level contributes, then unseen and missing ones.

        An array of shape (n_levels + 2, n_units).
        """
        return self.column.products(self.weights)


def take_apart(network):
    """Return what each column of a table contributes to the first layer.

    Parameters
    ----------
    network : skdistill.runtime.NetworkSpec

    Returns
    -------
    numbers : list of NumberWeights
        The numeric columns that have a code, or all of them if no column has one.
    categories : list of CategoryWeights
        The categorical ones.
    biases : ndarray of shape (n_units,), float64
        Biases of the layer, less what the mean of the code contributes.
    """
    first = network.weights[0].astype(np.float64)
    numbers, categories = [], []
    start, has_code = 0, any(column.width for column in network.columns)
    for position, column in enumerate(network.columns):
        end = start + column.width
        if column.width or not has_code:
            part = (position, column, first[start:end])
            if column.is_numeric:
                numbers.append(NumberWeights(*part))
            else:
                categories.append(CategoryWeights(*part))
        start = end
    # Where no column has a code, the one input is 0 and its mean means nothing.
    mean = network.encoder.mean[:start].astype(np.float64)
    return numbers, categories, network.biases[0] - mean @ first[:start]
