"""More rows for a teacher to label."""

from .._columns import concatenate_rows
from ..augmentation import MarginalSwap, Munge

EXPLAINED = 0.5
"""Of a table that is explained less than this, near rows say little."""

POOL_FACTOR = 5
"""New rows for each training row."""

SMALLEST_POOL = 30_000
"""Few rows need more new ones: this many at least."""

LARGEST_POOL = 500_000
"""Many rows need no more than this, or than there are."""


LARGEST_POOL_CELLS = 50_000_000
"""Many columns need no more cells than this, or than there are."""


def suited_augmenter(explained):
    """Return the augmenter for a table that is explained so far.

    Where a teacher knows much, it depends on where rows really are, and new ones near
    them tell most. Where it knows little, most of what it says near them is chance,
    and rows of all combinations of cells show what remains of it on the whole.

    Parameters
    ----------
    explained : float
        Share of the log-loss of the class frequencies that the calibrated teacher
        takes away on held-out rows.

    Returns
    -------
    sampler of `skdistill.augmentation`
    """
    return Munge() if explained >= EXPLAINED else MarginalSwap()


def pool_size(n_samples, n_columns):
    """Return how many rows an augmenter makes of a table."""
    most = max(min(LARGEST_POOL, LARGEST_POOL_CELLS // n_columns), n_samples)
    return min(max(POOL_FACTOR * n_samples, SMALLEST_POOL), most)


def make_pool(X, augmenter, X_unlabeled, teacher, seed):
    """Return real and new rows without labels as one table, or None without any.

    Parameters
    ----------
    X : array or frame of shape (n_samples, n_features)
        Training rows.
    augmenter : sampler or None
        Makes new rows of the training rows and the real ones without labels.
    X_unlabeled : array or frame of shape (n_unlabeled, n_features) or None
        Real rows without labels.
    teacher : fitted estimator
        Who will label the rows.
    seed : int or None
        Seeds the augmenter.
    """
    if augmenter is None:
        return X_unlabeled
    real = X if X_unlabeled is None else concatenate_rows(X, X_unlabeled)
    n_new = pool_size(*X.shape)
    new = augmenter.sample(real, n_new, teacher=teacher, random_state=seed)
    return new if X_unlabeled is None else concatenate_rows(X_unlabeled, new)
