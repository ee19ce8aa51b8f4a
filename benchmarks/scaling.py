"""How time and memory of distilling grow with the number of rows.

A LightGBM teacher, the defaults of `DistilledClassifier`, and each size in a process
of its own, so that its peak memory is its own. The table is synthetic, of numbers and
categories; `--data` takes a Parquet file with a target column instead. Making and
labelling new rows is timed by itself, beside the one fit of the teacher on all rows.

    python benchmarks/scaling.py [--rows 10000 100000 1000000] [--json FILE]
    python benchmarks/scaling.py --data covertype_100k.parquet --rows 45000 \
        --teacher-trees 300 --hidden 128 128
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
from skdistill._log_odds import classifier_log_odds
from skdistill.augmentation import Munge
from skdistill.students import MLPStudentClassifier
from skdistill.teachers._pool import make_pool

N_NUMBERS, N_CATEGORIES, N_LEVELS = 16, 4, 12
SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
COLUMNS = ("teacher", "new_rows", "labels_of_new_rows", "labelling", "student")


def main():
    arguments = parse()
    if arguments.one:
        print(json.dumps(measure(arguments)))
        return 0
    figures = []
    names = [f"{name.replace('_', ' ')} s" for name in COLUMNS]
    print_row("rows", *names, "peak MB", "of it the student's", "encoded table MB")
    print_row(*["---"] * 9)
    for n_rows in arguments.rows:
        figure = measure_in_a_process(n_rows)
        figures.append(figure)
        megabytes = [
            f"{figure[name] / 1e6:.0f}"
            for name in ("peak_bytes", "student_bytes", "encoded_bytes")
        ]
        seconds = [f"{figure[name]:.1f}" for name in COLUMNS]
        print_row(n_rows, *seconds, *megabytes)
    print_exponents(figures)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(figures, file, indent=1)
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=SIZES)
    parser.add_argument("--data", help="Parquet file with a target column")
    parser.add_argument("--teacher-trees", type=int, default=100)
    parser.add_argument("--hidden", nargs="+", type=int, help="sizes of the layers")
    parser.add_argument("--json", help="where to write all figures")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure_in_a_process(n_rows):
    command = [sys.executable, __file__, *sys.argv[1:], "--one", str(n_rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_exponents(figures):
    """Print slopes of log(value) over log(rows) between neighbours; 1 is linear."""
    rows = np.log([figure["rows"] for figure in figures])
    for name in (*COLUMNS, "peak_bytes") if len(figures) > 1 else ():
        values = np.log([figure[name] for figure in figures])
        slopes = np.diff(values) / np.diff(rows)
        print(f"{name}: exponents", *(f"{slope:.2f}" for slope in slopes))


class TimedStudent(MLPStudentClassifier):
    """The default student, with the seconds and the memory of its fit."""

    def fit(self, X, y, sample_weight=None):
        before, start = peak_bytes(), time.perf_counter()
        super().fit(X, y, sample_weight)
        self.fit_seconds_ = time.perf_counter() - start
        self.fit_bytes_ = peak_bytes() - before
        return self


def measure(arguments):
    """Seconds of each stage and the peak memory of this process."""
    from lightgbm import LGBMClassifier

    X, y = read_table(arguments) if arguments.data else make_table(arguments.one)
    teacher = LGBMClassifier(
        n_estimators=arguments.teacher_trees, n_jobs=1, verbose=-1, random_state=0
    )
    seconds = {}
    with Timer(seconds, "teacher"):
        teacher.fit(X, y)
    with Timer(seconds, "new_rows"):
        pool = make_pool(X, Munge(), None, teacher, 0)
    with Timer(seconds, "labels_of_new_rows"):
        classifier_log_odds(teacher, pool, np.unique(y), dtype=np.float32)
    del pool
    student = TimedStudent(random_state=0)
    if arguments.hidden:
        student.set_params(hidden_layer_sizes=tuple(arguments.hidden))
    with Timer(seconds, "everything"):
        model = DistilledClassifier(teacher, student, random_state=0).fit(X, y)
    fitted = model.student_
    return seconds | {
        "rows": len(X),
        "student": fitted.fit_seconds_,
        "labelling": seconds["everything"] - fitted.fit_seconds_,
        "peak_bytes": peak_bytes(),
        "student_bytes": fitted.fit_bytes_,
        "encoded_bytes": 4 * len(X) * len(fitted.encoder_.mean_),
        "steps": fitted.n_iter_,
    }


class Timer:
    """Writes the seconds of its block into a dictionary."""

    def __init__(self, seconds, name):
        self.seconds, self.name = seconds, name

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, *error):
        self.seconds[self.name] = time.perf_counter() - self.start


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_table(arguments):
    import pandas as pd

    X = pd.read_parquet(arguments.data).sample(arguments.one, random_state=0)
    return X, X.pop("target").astype(str).to_numpy()


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
    levels = [f"level {k}" for k in range(N_LEVELS)]
    for j in range(N_CATEGORIES):
        X[f"category_{j}"] = pd.Categorical.from_codes(codes[:, j], levels)
    return X, y


if __name__ == "__main__":
    sys.exit(main())
