"""Seconds that the samplers of `skdistill.augmentation` take, on one thread.

A table of mixed columns (four fifths numbers, one fifth levels, 5 % of some columns
missing), as many new rows as it has; and the neighbour search of `Munge` against
scikit-learn's `NearestNeighbors` on the same number of vectors (extrapolated from a
tenth of the queries).

    OMP_NUM_THREADS=1 python benchmarks/augmentation.py [--json FILE] [--rows N]
"""

import argparse
import json
import time

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from skdistill.augmentation import MarginalSwap, Munge, SplitMidpoints
from skdistill.augmentation._nearest_rows import _Search

N_REFERENCE = 15_000


def main():
    options = parse()
    rng = np.random.default_rng(0)
    results = {}
    with threadpool_limits(1):
        for name, X in {
            "numbers": rng.normal(size=(options.rows, options.columns)),
            "mixed frame": mixed_frame(rng, options.rows, options.columns),
        }.items():
            for sampler in (Munge(), MarginalSwap(), SplitMidpoints()):
                key = f"{type(sampler).__name__}, {name}"
                results[key] = seconds(sampler.sample, X, len(X), random_state=0)
        results |= searches(rng, options.rows, options.columns)
    for name, value in results.items():
        print(f"{name:40} {value:8.1f} s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(
                {
                    "rows": options.rows,
                    "columns": options.columns,
                    "seconds": results,
                },
                file,
                indent=2,
            )


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--columns", type=int, default=50)
    return parser.parse_args()


def mixed_frame(rng, n_rows, n_columns):
    X = pd.DataFrame(rng.normal(size=(n_rows, n_columns)))
    for j in range(n_columns):
        if j % 5 == 0:
            X[j] = pd.Categorical(rng.integers(0, 12, n_rows).astype(str))
        elif j % 5 == 1:
            X.loc[rng.random(n_rows) < 0.05, j] = np.nan
    return X


def searches(rng, n_rows, n_columns):
    queries = rng.normal(size=(n_rows // 10, n_columns)).astype(np.float32)
    reference = rng.normal(size=(N_REFERENCE, n_columns)).astype(np.float32)
    own = np.full(len(queries), -1)
    brute = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(reference)
    return {
        "search alone": 10 * seconds(_Search(reference, 5).nearest, queries, own),
        "search alone, NearestNeighbors": 10 * seconds(brute.kneighbors, queries),
    }


def seconds(function, *arguments, **options):
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
