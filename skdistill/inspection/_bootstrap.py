"""How far estimates would move if other rows had been drawn."""

from dataclasses import dataclass

import numpy as np

N_DRAWS = 400
MOST_CELLS = 8_000_000
"""Rows times draws times classes; of more rows some are drawn, see `intervals`."""

FEWEST_ROWS = 2000
LEVEL = 0.95
CHUNK = 1_000_000
"""Cells that are drawn at once."""


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    Parameters
    ----------
    value : float
        The estimate.
    low, high : float
        Ends of the 95 % interval; NaN where there are too few rows for one.

    Examples
    --------
    >>> from skdistill.inspection import Estimate
    >>> Estimate(0.9, 0.88, 0.92).excludes(0)
    True
    """

    value: float
    low: float
    high: float

    def excludes(self, number):
        """Whether a number lies outside the interval.

        Parameters
        ----------
        number : float
            Such as 0, for a difference.

        Returns
        -------
        bool
        """
        return bool(number < self.low or number > self.high)


def intervals(pair, rng):
    r"""Estimates of all statistics of a pair of models, by the bootstrap over rows.

    The interval reaches from :math:`\hat\theta + q_{2.5 \%} - q_{50 \%}` to
    :math:`\hat\theta + q_{97.5 \%} - q_{50 \%}` with the quantiles of what is found on
    rows drawn with replacement: shifted by the bias of the bootstrap, which a
    calibration error has. Of many rows some are drawn, and the interval is narrowed by
    the root of their share. There is none where the statistic is not defined on one
    draw in twenty.

    Parameters
    ----------
    pair : ClassifierPair or RegressorPair
        With `weights`, `n_outputs`, `statistics(weights)`, `limits` and `take(rows)`.
    rng : numpy.random.Generator
        Draws the rows.

    Returns
    -------
    dict of str to Estimate

    References
    ----------
    B. Efron, R. Tibshirani. "An Introduction to the Bootstrap", 1993.
    """
    n_rows = len(pair.weights)
    values = pair.statistics(pair.weights[None])
    n_used = max(FEWEST_ROWS, MOST_CELLS // (N_DRAWS * pair.n_outputs))
    narrowing = 1.0
    if n_rows > n_used:
        pair = pair.take(np.sort(rng.choice(n_rows, n_used, replace=False)))
        narrowing = np.sqrt(n_used / n_rows)
    draws = [
        pair.statistics(counts * pair.weights)
        for counts in _draw_counts(len(pair.weights), rng)
    ]
    found = {}
    for name, (value,) in values.items():
        drawn = np.concatenate([draw[name] for draw in draws])
        drawn = drawn[np.isfinite(drawn)]
        found[name] = Estimate(float(value), np.nan, np.nan)
        if len(drawn) >= LEVEL * N_DRAWS:
            tail = (1 - LEVEL) / 2
            low, middle, high = np.quantile(drawn, [tail, 0.5, 1 - tail])
            reach = np.array([low - middle, high - middle]) * narrowing
            ends = np.clip(value + reach, *pair.limits.get(name, (None, None)))
            found[name] = Estimate(float(value), *map(float, ends))
    return found


def _draw_counts(n_rows, rng):
    """Yield how often each row is drawn, several draws at once."""
    chunk = max(1, CHUNK // n_rows)
    for start in range(0, N_DRAWS, chunk):
        n_draws = min(chunk, N_DRAWS - start)
        cells = rng.integers(n_rows, size=(n_draws, n_rows))
        cells += np.arange(n_draws)[:, None] * n_rows
        counts = np.bincount(cells.ravel(), minlength=n_draws * n_rows)
        yield counts.reshape(n_draws, n_rows).astype(np.float64)
