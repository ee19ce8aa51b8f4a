"""Cost of a prediction: students by skdistill's runtime, teachers by what there is.

All contestants score the same rows in one process, in a shuffled order in each round.
Medians are printed, and the median over rounds of every contestant's time as a multiple
of the reference's in the same round. Libraries that are not installed are left out:
lleaves wants ``llvmlite==0.44.*``.

    OMP_NUM_THREADS=1 python benchmarks/scoring.py [--rounds N] [--json FILE]
"""

import argparse
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np
from scoring_models import ENSEMBLES, STUDENTS, make_rows
from scoring_peers import ensemble_peers, network_peers

from skdistill.conversion import to_spec
from skdistill.runtime import Scorer, save

SIZES = (1, 1000, 10_000, 100_000)
SHORTEST = 0.002
"""Seconds that a measurement takes at least: calls are repeated."""

LONGEST = 2.0
"""Seconds for a batch beyond which a contestant is left out of larger ones."""

N_SINGLE_ROWS = 1000

WITH_PEERS = ("2x64", "2x128", "3x256", "2x128, 7 classes")


def main():
    arguments = parse()
    contestants, sizes = make_contestants()
    rows = make_rows(max(*arguments.sizes, N_SINGLE_ROWS))[0].astype(np.float32)
    results = {"bytes": sizes, "seconds": {}}
    slow = set()
    for n_rows in arguments.sizes:
        timed = {k: v for k, v in contestants.items() if k not in slow}
        if n_rows > 1:
            timed |= threads_and_products(n_rows)
        times = measure(timed, rows, n_rows, arguments.rounds)
        results["seconds"][n_rows] = {" | ".join(k): v for k, v in times.items()}
        print_table(n_rows, times)
        slow |= {k for k, v in times.items() if statistics.median(v) > LONGEST / 10}
    print("\nbytes of the model:", json.dumps(sizes, indent=2))
    if arguments.plot:
        plot(results["seconds"], arguments.plot)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", help="write all times to this file")
    parser.add_argument("--plot", help="draw the times of one row to this file")
    return parser.parse_args()


def make_contestants():
    """Functions of rows by (model, scorer), and bytes of files by model."""
    contestants, sizes = {}, {}
    for name, make in STUDENTS.items():
        spec = make()
        sizes[name] = file_size(spec)
        contestants[name, "skdistill"] = Scorer(spec).predict_proba
        if name in WITH_PEERS:
            for peer, score in network_peers(spec):
                contestants[name, peer] = score
    for name, make in ENSEMBLES.items():
        model = make()
        spec = to_spec(model)
        sizes[name] = file_size(spec)
        contestants[name, "skdistill"] = Scorer(spec).predict_proba
        for peer, score in ensemble_peers(model, spec):
            contestants[name, peer] = score
    return contestants, sizes


def threads_and_products(n_rows):
    """Two threads, and the matrix products of 2x128 alone."""
    two = {
        (name, "skdistill, 2 threads"): Scorer(make(), n_threads=2).predict_proba
        for name, make in STUDENTS.items()
        if name in WITH_PEERS
    }
    first = np.zeros((50, 128), np.float32)
    second = np.zeros((128, 128), np.float32)
    hidden, out = np.zeros((2, n_rows, 128), np.float32)

    def products(X):
        np.matmul(X, first, out=hidden)
        np.matmul(hidden, second, out=out)

    return two | {("2x128", "its sgemm alone"): products}


def file_size(spec):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skd"
        save(spec, path)
        return path.stat().st_size


def measure(contestants, rows, n_rows, rounds):
    """Seconds of a call of each contestant, by round."""
    calls = {name: prepared(score, rows, n_rows) for name, score in contestants.items()}
    counts = {name: repetitions(call) for name, call in calls.items()}
    times = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            call, count = calls[name], counts[name]
            start = time.perf_counter()
            for _ in range(count):
                call()
            times[name].append((time.perf_counter() - start) / count)
    return times


def prepared(score, rows, n_rows):
    """Call of a contestant: of a batch, or of a new row each time.

    The same row again and again would take the same branches of every tree, which the
    processor then knows beforehand.
    """
    if n_rows > 1:
        return partial(score, np.ascontiguousarray(rows[:n_rows]))
    single = itertools.cycle([rows[i : i + 1].copy() for i in range(N_SINGLE_ROWS)])
    return lambda: score(next(single))


def repetitions(call):
    call()
    start = time.perf_counter()
    call()
    return max(1, round(SHORTEST / max(time.perf_counter() - start, 1e-9)))


def print_table(n_rows, times):
    unit, scale = ("us per row", 1e6) if n_rows == 1 else ("million rows/s", None)
    print(f"\n{n_rows} rows: {unit}, and time as a multiple of skdistill's")
    references = [k for k in times if k[1] == "skdistill" and k[0] in STUDENTS][:2]
    for (model, scorer), seconds in times.items():
        median = statistics.median(seconds)
        figure = median * scale if scale else n_rows / median / 1e6
        ratios = [ratio(seconds, times[model, "skdistill"])]
        ratios += [ratio(seconds, times[name]) for name in references]
        text = "".join(f"{value:10.2f}" for value in ratios)
        print(f"{model:20}{scorer:22}{figure:12.3f}{text}")
    print(f"columns of multiples: same model, {', '.join(k[0] for k in references)}")


def plot(seconds, path):
    """Draw the median times of the smallest batch, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    n_rows = min(seconds)
    micros = {k: 1e6 * statistics.median(v) for k, v in seconds[n_rows].items()}
    names = sorted(micros, key=micros.get, reverse=True)
    colors = ["tab:blue" if "skdistill" in name else "tab:gray" for name in names]
    figure, ax = pyplot.subplots(figsize=(7, 0.22 * len(names) + 1))
    ax.barh(names, [micros[name] for name in names], color=colors)
    ax.set(xscale="log", xlabel=f"microseconds, rows: {n_rows}")
    ax.margins(y=0.01)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.endswith("svg") else None)


def ratio(seconds, reference):
    return statistics.median(a / b for a, b in zip(seconds, reference, strict=True))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
