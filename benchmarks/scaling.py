"""How time and memory of distilling grow with the number of rows.

A synthetic table of numbers and categories, a LightGBM teacher of 100 trees, and the
defaults of `DistilledClassifier`; each size in a process of its own, so that its peak
memory is its own. The exponent is the slope of log(seconds) over log(rows): 1 is
linear.

    python benchmarks/scaling.py [--rows 10000 100000 1000000] [--json FILE]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from skdistill import DistilledClassifier
from skdistill.students import MLPStudentClassifier

N_NUMBERS, N_CATEGORIES, N_LEVELS = 16, 4, 12
STAGES = ("teacher", "labelling", "student")


def main():
    arguments = parse()
    if arguments.one:
        print(json.dumps(measure(arguments.one)))
        return 0
    figures = []
    print("| rows | teacher s | labelling s | student s | peak MB | table MB |")
    print("|" + " --- |" * 6)
    for n_rows in arguments.rows:
        figures.append(measure_in_a_process(n_rows))
        seconds = " | ".join(f"{figures[-1][stage]:.1f}" for stage in STAGES)
        megabytes = [figures[-1][k] / 1e6 for k in ("peak_bytes", "table_bytes")]
        print(f"| {n_rows} | {seconds} | {megabytes[0]:.0f} | {megabytes[1]:.0f} |")
    if len(figures) > 1:
        print_exponents(figures)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(figures, file, indent=1)
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [10_000, 30_000, 100_000, 300_000, 1_000_000]
    parser.add_argument("--rows", nargs="+", type=int, default=sizes)
    parser.add_argument("--json", help="where to write all figures")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure_in_a_process(n_rows):
    command = [sys.executable, __file__, "--one", str(n_rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_exponents(figures):
    rows = np.log([figure["rows"] for figure in figures])
    print()
    for name in (*STAGES, "peak_bytes"):
        values = np.log([figure[name] for figure in figures])
        steps = np.diff(values) / np.diff(rows)
        print(f"{name}: exponent between neighbours", *(f"{s:.2f}" for s in steps))


class TimedStudent(MLPStudentClassifier):
    """The default student, with the seconds of its fit."""

    def fit(self, X, y, sample_weight=None):
        start = time.perf_counter()
        super().fit(X, y, sample_weight)
        self.fit_seconds_ = time.perf_counter() - start
        return self


def measure(n_rows):
    """Seconds of each stage and the peak memory of this process."""
    from lightgbm import LGBMClassifier

    X, y = make_table(n_rows)
    teacher = LGBMClassifier(100, n_jobs=1, verbose=-1, random_state=0)
    start = time.perf_counter()
    teacher.fit(X, y)
    figures = {"rows": n_rows, "teacher": time.perf_counter() - start}
    before = peak_bytes()
    start = time.perf_counter()
    model = DistilledClassifier(teacher, TimedStudent(), random_state=0).fit(X, y)
    figures["student"] = model.student_.fit_seconds_
    figures["labelling"] = time.perf_counter() - start - figures["student"]
    figures["peak_bytes"] = peak_bytes()
    figures["peak_bytes_of_teacher"] = before
    figures["table_bytes"] = int(X.memory_usage(deep=True).sum())
    return figures


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def make_table(n_rows):
    import pandas as pd

    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(n_rows, N_NUMBERS)).astype(np.float32)
    codes = rng.integers(0, N_LEVELS, size=(n_rows, N_CATEGORIES))
    effect = rng.normal(size=(N_CATEGORIES, N_LEVELS))
    score = (
        np.sin(2 * numbers[:, 0])
        + numbers[:, 1] * (numbers[:, 2] > 0)
        + np.abs(numbers[:, 3])
        + effect[np.arange(N_CATEGORIES), codes].sum(axis=1)
    )
    y = rng.random(n_rows) < 1 / (1 + np.exp(-2 * (score - np.median(score))))
    X = pd.DataFrame(numbers, columns=[f"number_{j}" for j in range(N_NUMBERS)])
    for j in range(N_CATEGORIES):
        levels = [f"level {k}" for k in range(N_LEVELS)]
        X[f"category_{j}"] = pd.Categorical.from_codes(codes[:, j], levels)
    return X, y


if __name__ == "__main__":
    sys.exit(main())
