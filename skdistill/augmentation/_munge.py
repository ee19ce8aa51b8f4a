"""New rows with some cells of a near row."""

import numpy as np

from .._parameters import check_integer, check_number
from ._base import CellSampler, choose_one, chunks, empty_rows
from ._nearest_rows import nearest_rows


class Munge(CellSampler):
    r"""Replace cells by those of a near row.

    A new row starts as a copy of its source :math:`x`. One of the source's nearest
    neighbours :math:`x^*` is chosen at random, and with probability :math:`p`,
    independently in each column :math:`j`, the cell becomes the neighbour's,

    .. math::
        x'_j = x^*_j \text{ with probability } p, \quad x_j \text{ otherwise}.

    So new rows lie between real ones, and what holds between columns is mostly kept:
    they show a student the details of a teacher that knows much about the table.
    This is MUNGE [1]_ without its noise on numbers, which would leave the values that
    a column can have.

    Every new row differs from its source. It also differs from the neighbour, unless
    each of the neighbours differs from the source in one cell only. To that end one
    differing cell is taken where chance takes none, and one is left where chance takes
    all. A new row may still equal a third row of the table or another new row, which
    is common only in tables with few distinct rows.

    Parameters
    ----------
    n_neighbors : int, default=5
        Nearest neighbours among which one is chosen; all other rows if there are not
        as many.
    swap_probability : float, default=0.5
        Probability :math:`p`, in (0, 1], that a cell is replaced.
    max_reference : int, default=15_000
        Neighbours are searched among this many random rows. The search costs the
        product of this and the number of rows.

    See Also
    --------
    MarginalSwap : Takes cells from any rows instead.

    Notes
    -----
    Near is meant in the Euclidean sense, of standardised numbers (clipped at 4
    standard deviations; a missing one counts as the mean and sets an indicator) and of
    indicators, times :math:`\sqrt{1/2}`, of the 30 most frequent levels of each
    categorical column. Vectors of more than 256 components are projected onto 256
    random directions. Rows that are equal to the source are no neighbours.

    References
    ----------
    .. [1] C. Bucila, R. Caruana, A. Niculescu-Mizil. "Model Compression", KDD 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.augmentation import Munge
    >>> X = np.array([[1, 10], [2, 20], [3, 30], [101, 1010], [102, 1020]])
    >>> new = Munge(n_neighbors=1).sample(X, 100, random_state=0)
    >>> new.shape, new.dtype == X.dtype
    ((100, 2), True)
    >>> bool(((new[:, 0] > 50) == (new[:, 1] > 500)).all())
    True
    """

    def __init__(self, n_neighbors=5, swap_probability=0.5, max_reference=15_000):
        self.n_neighbors = n_neighbors
        self.swap_probability = swap_probability
        self.max_reference = max_reference

    def _check_parameters(self):
        check_integer("n_neighbors", self.n_neighbors, 1)
        check_number("swap_probability", self.swap_probability, 0, 1, above=True)
        check_integer("max_reference", self.max_reference, 2)

    def _draw(self, X, table, sources, teacher, generator):
        # Each source once, however many new rows start from it.
        distinct, position = np.unique(sources, return_inverse=True)
        neighbors = nearest_rows(
            table, distinct, self.n_neighbors, self.max_reference, generator
        )
        rows = empty_rows(table, len(sources))
        for chunk in chunks(*rows.shape):
            rows[chunk] = self._mix(
                table, sources[chunk], neighbors[position[chunk]], generator
            )
        return rows, None

    def _mix(self, table, source, neighbors, generator):
        partner, different = _choose_partner(table, source, neighbors, generator)
        taken = generator.random(different.shape, dtype=np.float32)
        taken = different & (taken < self.swap_probability)
        column = choose_one(different, generator)
        (none,) = np.nonzero(~taken.any(axis=1))
        taken[none, column[none]] = True
        (all_of_several,) = np.nonzero(
            (taken == different).all(axis=1) & (different.sum(axis=1) > 1)
        )
        taken[all_of_several, column[all_of_several]] = False
        return np.where(taken, partner[:, None], source[:, None])


def _choose_partner(table, source, neighbors, generator):
    """Return a random neighbour, and the cells in which it differs from the source.

    One that differs in a single cell would make the new row its own copy, so the next
    neighbour has its turn then.
    """
    n_samples, n_neighbors = neighbors.shape
    every = np.arange(n_samples)
    turn = generator.integers(n_neighbors, size=n_samples)
    partner = neighbors[every, turn]
    different = table.differing(partner, source)
    for step in range(1, n_neighbors):
        single = np.flatnonzero(different.sum(axis=1) < 2)
        if not len(single):
            break
        other = neighbors[single, (turn[single] + step) % n_neighbors]
        partner[single] = other
        different[single] = table.differing(other, source[single])
    return partner, different
