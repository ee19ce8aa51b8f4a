"""New rows with numbers from between the thresholds of the teacher."""

import numpy as np

from .._columns import number_dtypes
from .._parameters import check_number
from ._base import CellSampler, Table, swap_cells
from ._thresholds import read_thresholds

N_QUANTILES = 255
"""Steps between quantiles: as many bins as histogram-based boosting has."""

LARGEST_EXACT_INTEGER = 2.0**53
"""Beyond it whole numbers are not what they are as floats."""


class SplitMidpoints(CellSampler):
    r"""Replace numbers by those in the middle between the teacher's thresholds.

    A tree ensemble is constant between the thresholds at which it splits a column.
    With the thresholds :math:`t_1 < \dots < t_m` of column :math:`j` inside the range
    :math:`[t_0, t_{m+1}]` of the data, a cell becomes, with probability :math:`p`, one
    of

    .. math::
        (t_i + t_{i+1}) / 2, \qquad i = 0, \dots, m,

    each as likely as any other [1]_. So every step of the teacher is seen, however few
    rows lie on it. As with `MarginalSwap`, what holds between columns is lost where
    cells were replaced.

    A cell that was to be replaced is missing as often as the column is. In a column of
    whole numbers the one nearest to the middle is taken, and intervals without a whole
    number are left out. Categories and booleans (and decimals, Python objects and
    integers beyond 2**53) are replaced by the value of a random row.

    Every new row differs from its source: if no cell does so by chance, one that
    differs is drawn again. It may equal another row of the table, or another new row,
    the more likely the fewer values the columns have.

    Parameters
    ----------
    swap_probability : float, default=0.3
        Probability :math:`p`, in (0, 1], that a cell is replaced.

    See Also
    --------
    MarginalSwap : Takes values of random rows instead.
    Munge : Stays near the real rows.

    Notes
    -----
    Thresholds are read from LightGBM and XGBoost, and from scikit-learn's trees,
    forests and gradient boosting, where these are the whole teacher (also in a
    `FrozenEstimator` or an `EarlyStoppingTeacher`, or found by a search). Without a
    teacher, with any other one, and in columns that the teacher does not split, what
    is midway between 256 neighbouring quantiles of the column stands for thresholds:
    histogram-based boosting, such as `HistGradientBoostingClassifier`, chooses its own
    among these.

    References
    ----------
    .. [1] D. Cohen, J. Foley, H. Zamani, J. Allan, W. B. Croft. "Universal
       Approximation Functions for Fast Learning to Rank: Replacing Expensive
       Regression Forests with Simple Feed-Forward Networks", SIGIR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.augmentation import SplitMidpoints
    >>> X = np.array([[0.0], [1.0], [3.0], [4.0]])
    >>> teacher = DecisionTreeClassifier().fit(X, [0, 0, 1, 1])
    >>> new = SplitMidpoints().sample(X, 100, teacher=teacher, random_state=0)
    >>> np.unique(new)
    array([1., 3.])
    """

    def __init__(self, swap_probability=0.3):
        self.swap_probability = swap_probability

    def _check_parameters(self):
        check_number("swap_probability", self.swap_probability, 0, 1, above=True)

    def _draw(self, X, table, sources, teacher, generator):
        numbers = _numbers_to_draw(X, table, teacher)
        # The midpoints stand below the column, as rows of their own.
        extended = Table(
            table.columns,
            [
                np.concatenate([values, numbers[j]]) if j in numbers else values
                for j, values in enumerate(table.values)
            ],
        )
        n_rows = len(table)

        def draw_donors(n_samples):
            shape = (n_samples, len(table.columns))
            donors = generator.integers(n_rows, size=shape)
            for j, midpoints in numbers.items():
                present = ~np.isnan(table.values[j][donors[:, j]])
                drawn = generator.integers(len(midpoints), size=present.sum())
                donors[present, j] = n_rows + drawn
            return donors

        rows = swap_cells(
            extended, sources, draw_donors, self.swap_probability, generator
        )
        return rows, numbers


def _numbers_to_draw(X, table, teacher):
    """Return the midpoints of each column that has some, in the column's own type."""
    thresholds = read_thresholds(teacher, len(table.columns))
    numbers = {}
    for j, dtype in enumerate(number_dtypes(X)):
        values = table.values[j]
        values = values[~np.isnan(values)]
        if dtype is None or not len(values):
            continue
        if dtype.kind != "f" and np.abs(values).max() > LARGEST_EXACT_INTEGER:
            continue
        own = thresholds[j] if thresholds else np.empty(0)
        whole = dtype.kind != "f" or bool((values == np.floor(values)).all())
        midpoints = _midpoints(values, own, whole).astype(dtype)
        if len(midpoints):
            numbers[j] = midpoints
    return numbers


def _midpoints(values, thresholds, whole):
    lowest, highest = values.min(), values.max()
    inside = thresholds[(thresholds > lowest) & (thresholds < highest)]
    if not len(inside):
        inside = _quantile_thresholds(values)
    edges = np.unique(np.concatenate([[lowest], inside, [highest]]))
    low, high = edges[:-1], edges[1:]
    if not whole:
        return _middle(low, high)
    # An interval holds what is above its low end, and the first one that end too.
    first = np.floor(low) + 1
    first[:1] = lowest
    last = np.floor(high)
    return np.clip(np.round(_middle(low, high)), first, last)[first <= last]


def _quantile_thresholds(values):
    """Return what is midway between neighbouring quantiles."""
    levels = np.linspace(0, 1, N_QUANTILES + 1)
    # Values of the data: interpolation between huge ones would overflow.
    quantiles = np.unique(np.quantile(values, levels, method="inverted_cdf"))
    return _middle(quantiles[:-1], quantiles[1:])


def _middle(low, high):
    # Not (low + high) / 2, which overflows, nor outside by a rounding error.
    return np.clip(low / 2 + high / 2, low, high)
