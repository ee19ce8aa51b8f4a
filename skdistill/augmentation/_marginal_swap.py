"""New rows with some cells of random rows."""

from .._parameters import check_number
from ._base import CellSampler, swap_cells


class MarginalSwap(CellSampler):
    r"""Replace cells by the values of the same column in random rows.

    A new row starts as a copy of its source :math:`x`, and with probability
    :math:`p`, independently in each column :math:`j`, its cell becomes that of a row
    :math:`r_j` drawn from the whole table,

    .. math::
        x'_j = x_{r_j j} \text{ with probability } p, \quad x_j \text{ otherwise}.

    So the columns keep their own distributions, but what holds between columns is
    lost where cells were replaced: new rows may lie far from all real ones. They show
    a student what the teacher makes of a cell whatever stands beside it. Where labels
    are noisy that is most of what it knows; where they are clean it is not, and such
    rows cost accuracy.

    If no cell differs from the source's by chance, one that does is taken from another
    random row: every new row differs from its source. It may equal another row of the
    table, or another new row, the more likely the fewer distinct rows there are.

    Parameters
    ----------
    swap_probability : float, default=0.3
        Probability :math:`p`, in (0, 1], that a cell is replaced.

    See Also
    --------
    Munge : Takes cells from near rows instead.
    SplitMidpoints : Draws numbers between the teacher's thresholds instead.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.augmentation import MarginalSwap
    >>> X = np.array([[1, 10], [2, 20], [3, 30]])
    >>> new = MarginalSwap().sample(X, 5, random_state=0)
    >>> new.shape, new.dtype == X.dtype
    ((5, 2), True)
    >>> bool(np.isin(new[:, 1], [10, 20, 30]).all())
    True
    """

    def __init__(self, swap_probability=0.3):
        self.swap_probability = swap_probability

    def _check_parameters(self):
        check_number("swap_probability", self.swap_probability, 0, 1, above=True)

    def _draw(self, X, table, sources, teacher, generator):
        def draw_donors(n_samples):
            return generator.integers(len(table), size=(n_samples, len(table.columns)))

        rows = swap_cells(table, sources, draw_donors, self.swap_probability, generator)
        return rows, None
