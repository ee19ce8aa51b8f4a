"""What encoded columns cost a network when it scores, beside raw ones.

Networks of random weights on 50 numeric columns, each of which is one input (raw), 32
intervals, the default code (a score between 64 knots and 32 intervals), or that of
`n_bins=16`, half of it. One row and batches, all kinds in turn in a shuffled order in
each round; ratios are medians of the ratios to raw columns within a round. One thread.

    OMP_NUM_THREADS=1 python benchmarks/encoding.py [--rounds N] [--json FILE]
"""

import argparse
import json
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from skdistill.runtime import (
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    Scorer,
)

N_COLUMNS = 50
N_INTERVALS = {"intervals": 32, "default": 32, "half": 16}
NETWORKS = {
    "2x64": (64, 64),
    "3x64": (64, 64, 64),
    "2x128": (128, 128),
    "3x128": (128, 128, 128),
    "3x256": (256, 256, 256),
}
KINDS = ("raw", *N_INTERVALS)
CALLS = {1: 2000, 1000: 20, 10_000: 3}
"""Calls that are timed together, by the rows of each."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, N_COLUMNS)).astype(np.float32)
    results = []
    print("network    rows  us a row, raw  intervals / raw  default / raw  half / raw")
    for name, sizes in NETWORKS.items():
        scorers = {kind: make_scorer(kind, sizes, X) for kind in KINDS}
        for n_rows, n_calls in CALLS.items():
            seconds = measure(scorers, X, n_rows, n_calls, arguments.rounds, rng)
            raw = np.array(seconds["raw"])
            ratios = {
                kind: statistics.median(np.array(seconds[kind]) / raw)
                for kind in KINDS[1:]
            }
            microseconds = statistics.median(raw) * 1e6
            results.append(
                {"network": name, "rows": n_rows, "raw_us": microseconds, **ratios}
            )
            print(
                f"{name:7}{n_rows:8,}{microseconds:15.3f}{ratios['intervals']:17.2f}"
                f"{ratios['default']:15.2f}{ratios['half']:12.2f}",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))
    return 0


def make_scorer(kind, sizes, X):
    """A network of random weights on columns of a kind."""
    rng = np.random.default_rng(1)
    columns = tuple(make_column(kind, j, X[:, j]) for j in range(N_COLUMNS))
    widths = [sum(column.width for column in columns), *sizes, 1]
    weights = tuple(
        rng.normal(scale=N_COLUMNS**-0.5, size=shape).astype(np.float32)
        for shape in pairwise(widths)
    )
    biases = tuple(np.zeros(width, np.float32) for width in widths[1:])
    encoder = EncoderSpec(columns, np.zeros(widths[0], np.float32))
    return Scorer(ModelSpec(NetworkSpec(encoder, weights, biases), np.arange(2)))


def make_column(kind, j, values):
    low, high = float(values.min()), float(values.max())
    ends = np.array([low, high])
    if kind == "raw":
        return NumberColumn(f"x{j}", low, high, 0.0, ends, ends)
    edges = quantiles(values, N_INTERVALS[kind] + 1)
    if kind == "intervals":
        return NumberColumn(f"x{j}", low, high, 0.0, edges=edges)
    knots = quantiles(values, 2 * N_INTERVALS[kind])
    scores = np.linspace(-2, 2, len(knots))
    return NumberColumn(f"x{j}", low, high, 0.0, knots, scores, edges)


def quantiles(values, n):
    return np.quantile(values.astype(np.float64), np.linspace(0, 1, n))


def measure(scorers, X, n_rows, n_calls, rounds, rng):
    """Seconds for a row, by kind, in each round."""
    batches = [
        np.ascontiguousarray(X[start : start + n_rows])
        for start in range(0, min(len(X), 200 * n_rows), n_rows)
    ]
    seconds = {kind: [] for kind in scorers}
    for _ in range(rounds + 1):
        for kind in rng.permutation(list(scorers)):
            score = scorers[kind].predict_proba
            start = time.perf_counter()
            for call in range(n_calls):
                score(batches[call % len(batches)])
            spent = time.perf_counter() - start
            seconds[kind].append(spent / n_calls / n_rows)
    # The first round warms up.
    return {kind: spent[1:] for kind, spent in seconds.items()}


if __name__ == "__main__":
    sys.exit(main())
