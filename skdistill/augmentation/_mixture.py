"""New rows of several samplers."""

import math

import numpy as np

from .._columns import concatenate_rows
from .._parameters import check_number
from ._base import Sampler


class Mixture(Sampler):
    r"""Draw from several samplers, a share of the new rows from each.

    Sampler :math:`k` with share :math:`s_k` makes :math:`n s_k / \sum_i s_i` of
    :math:`n` new rows, rounded such that the numbers sum to :math:`n` (by largest
    remainder). The rows of the first sampler come first.

    Parameters
    ----------
    samplers : list of (sampler, float)
        Samplers, or objects with the same method `sample`, and their shares: positive
        numbers, which need not sum to 1.

    See Also
    --------
    Munge : Near the real rows.
    MarginalSwap : Everywhere in their range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.augmentation import MarginalSwap, Mixture, Munge
    >>> X = np.arange(20).reshape(10, 2)
    >>> mixture = Mixture([(Munge(), 0.7), (MarginalSwap(), 0.3)])
    >>> mixture.sample(X, 100, random_state=0).shape
    (100, 2)
    """

    def __init__(self, samplers):
        self.samplers = samplers

    def _check_parameters(self):
        expected = "a non-empty list of (sampler, share) pairs"
        if not isinstance(self.samplers, list | tuple) or not len(self.samplers):
            raise ValueError(
                f"Got samplers={self.samplers!r}, but expected {expected}."
            )
        for pair in self.samplers:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise ValueError(f"Got {pair!r} in samplers, but expected {expected}.")
            sampler, share = pair
            if isinstance(sampler, type) or not hasattr(sampler, "sample"):
                raise ValueError(
                    f"Got {sampler!r} in samplers, but expected an object with a "
                    "method sample, such as Munge()."
                )
            check_number("share", share, 0, above=True)

    def _sample(self, X, n_samples, teacher, generator):
        counts = _apportion([share for _, share in self.samplers], n_samples)
        seeds = generator.integers(2**31, size=len(counts)).tolist()
        parts = [
            sampler.sample(X, count, teacher=teacher, random_state=seed)
            for (sampler, _), count, seed in zip(
                self.samplers, counts, seeds, strict=True
            )
            if count
        ]
        return concatenate_rows(*parts)


def _apportion(shares, n_samples):
    """Return whole numbers in proportion to the shares that sum to `n_samples`."""
    largest = max(shares)
    scaled = [share / largest for share in shares]
    exact = n_samples * np.array(scaled) / math.fsum(scaled)
    counts = np.floor(exact).astype(int)
    by_remainder = np.argsort(counts - exact, kind="stable")
    counts[by_remainder[: n_samples - counts.sum()]] += 1
    return counts.tolist()
