"""What a search over temperature and alpha costs, with and without a cache.

A grid of 5 temperatures x 4 alphas x 5 folds on 50,000 rows like those of Adult: 40,842
of its own, and 9,158 of them again with noise of a tenth of a standard deviation in the
numeric columns. The other 8,000 are the test part. Teacher: LightGBM with 100 trees;
student: a network of two layers of 32 units, or a tree of 64 leaves with
`--student tree`; no new rows; one core.

1. `GridSearchCV` of a `DistilledClassifier` with `memory`. Every fit of a teacher,
   every labelling (teachers and what they say) and every fit of a student is counted
   and timed as it happens; the rest of the wall time is what the cache and the search
   cost, scores included.
2. The same without `memory`, for 2 of the 20 candidates: each does the same work, so
   that seconds and fits are multiplied by 10; `--full` runs all.
3. `DistilledClassifierCV` with the same outer folds and candidates.

Seconds are those of the wall clock; in brackets those of the processor, which say the
same where nobody else uses it. Of the cache the parts are timed as well: knowing a call
by its content, checking and unpickling what is stored.

    python benchmarks/search.py [--quick] [--full] [--student tree] [--json FILE]

`--quick`: 5,000 rows, to see that it runs.
"""

import argparse
import functools
import json
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold

import skdistill._distilled
import skdistill._distilled_base
import skdistill._distilled_cv
from skdistill import DistilledClassifier, DistilledClassifierCV
from skdistill.datasets import load_adult
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier
from skdistill.teachers import _cache

TEMPERATURES = [1.0, 1.5, 2.0, 3.0, 5.0]
ALPHAS = [0.25, 0.5, 0.9, 1.0]
N_TEST = 8_000
MEASURED = 2
"""Candidates of the search without a cache."""

STUDENTS = {
    "tree": TreeStudentClassifier(max_leaf_nodes=64, random_state=0),
    "mlp": MLPStudentClassifier((32, 32), n_steps=500, random_state=0),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--student", choices=STUDENTS, default="mlp")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    X, y, *test = make_table(5_000 if arguments.quick else 50_000)
    clock = Clock()
    clock.watch(lightgbm.LGBMClassifier, "fit", "teacher fits")
    clock.watch(skdistill._distilled, "label_rows", "labelling")
    clock.watch(skdistill._distilled_cv, "label_folds", "labelling")
    clock.watch(skdistill._distilled_base, "fit_with_weights", "student fits")
    clock.watch(skdistill._distilled_cv, "fit_with_weights", "student fits")
    clock.watch(_cache, "fingerprint", "knowing calls")
    clock.watch(_cache, "_sealed_result", "storing, with the labelling")
    clock.watch(_cache, "_unseal", "checking and unpickling")
    student = STUDENTS[arguments.student]
    report = {"rows": len(y), "student": arguments.student}
    with tempfile.TemporaryDirectory() as grid, tempfile.TemporaryDirectory() as own:
        for name, search in (
            ("grid, cached", grid_search(student, grid)),
            ("DistilledClassifierCV", own_search(student, own)),
        ):
            report[name] = measure(search, X, y, test, clock)
    measured = ALPHAS if arguments.full else ALPHAS[:MEASURED]
    temperatures = TEMPERATURES if arguments.full else TEMPERATURES[:1]
    search = grid_search(student, None, temperatures, measured, refit=False)
    plain = measure(search, X, y, test, clock)
    plain["candidates"] = len(measured) * len(temperatures)
    report["grid, no cache"] = plain
    summarise(report)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


def make_table(n_rows):
    """Training rows and labels, test rows and labels."""
    X, y = load_adult(return_X_y=True)
    y = y.to_numpy()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    test, rows = order[:N_TEST], order[N_TEST:]
    again = rng.choice(rows, max(n_rows - len(rows), 0))
    rows = np.concatenate([rows, again])[:n_rows]
    table = X.iloc[rows].reset_index(drop=True)
    is_new = np.arange(len(rows)) >= len(order) - N_TEST
    for name in table.select_dtypes("number"):
        noise = rng.normal(0, 0.1 * table[name].std(), is_new.sum())
        table[name] = table[name].astype(float)
        table.loc[is_new, name] += noise
    return table, y[rows], X.iloc[test], y[test]


class Clock:
    """Counts and times the calls of functions, until they are read."""

    def __init__(self):
        self.seconds = {}

    def watch(self, owner, name, what):
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args, **kwargs):
            start = now()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds.setdefault(what, []).append(now() - start)

        setattr(owner, name, timed)

    def read(self):
        read = {
            what: {
                "calls": len(spent),
                "seconds": np.sum(spent, axis=0).round(3).tolist(),
            }
            for what, spent in self.seconds.items()
        }
        self.seconds = {}
        return read


def now():
    """Seconds of the wall clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def folds():
    return StratifiedKFold(5, shuffle=True, random_state=0)


def teacher():
    return lightgbm.LGBMClassifier(n_jobs=1, verbose=-1, random_state=0)


def grid_search(
    student, memory, temperatures=TEMPERATURES, alphas=ALPHAS, *, refit=True
):
    model = DistilledClassifier(
        teacher(), student, augmenter=None, memory=memory, random_state=0
    )
    return GridSearchCV(
        model,
        {"temperature": temperatures, "alpha": alphas},
        cv=folds(),
        scoring="neg_log_loss",
        error_score="raise",
        refit=refit,
    )


def own_search(student, memory):
    return DistilledClassifierCV(
        teacher(),
        student,
        temperatures=TEMPERATURES,
        alphas=ALPHAS,
        cv=folds(),
        augmenter=None,
        memory=memory,
        random_state=0,
    )


def measure(search, X, y, test, clock):
    clock.read()
    start = now()
    search.fit(X, y)
    run = {"all": (now() - start).round(3).tolist(), **clock.read()}
    run["scores"] = float(np.sum(search.cv_results_["mean_score_time"]) * 5)
    run["chosen"] = {name: float(v) for name, v in search.best_params_.items()}
    run["score"] = float(search.best_score_)
    if search.refit:
        X_test, y_test = test
        loss = log_loss(y_test, search.predict_proba(X_test), labels=search.classes_)
        run["test log-loss"] = float(loss)
    print(json.dumps(run), flush=True)
    return run


def summarise(report):
    runs = [
        report[name]
        for name in ("grid, cached", "grid, no cache", "DistilledClassifierCV")
    ]
    cached, plain, own = runs
    factor = len(TEMPERATURES) * len(ALPHAS) / plain["candidates"]
    labelling = [np.array(run["labelling"]["seconds"]) for run in runs]
    # One more labelling for the refit, which is left out of that search.
    labelling[1] *= factor + 1 / (5 * plain["candidates"])
    fits = [run["teacher fits"]["calls"] for run in runs]
    fits[1] = round(factor * fits[1]) + 6
    least = labelling[0] + cached["student fits"]["seconds"]
    everything = np.array(cached["all"])
    summary = {
        "cached grid / (labelling + student fits)": everything / least,
        "the same, with scores of students": everything[:1]
        / (least[0] + cached["scores"]),
        "teacher fits, cached": [fits[0]],
        "teacher fits, no cache": [fits[1]],
        "teacher fits, DistilledClassifierCV": [fits[2]],
        "teacher seconds, cached": labelling[0],
        "teacher seconds, no cache": labelling[1],
        "teacher seconds, DistilledClassifierCV": labelling[2],
        "teacher time, no cache / cached": labelling[1] / labelling[0],
        "all, cached grid": everything,
        "all, DistilledClassifierCV": np.array(own["all"]),
        "cached grid / DistilledClassifierCV": everything / own["all"],
        "test log-loss, cached grid": [cached["test log-loss"]],
        "test log-loss, DistilledClassifierCV": [own["test log-loss"]],
    }
    report["summary"] = {name: np.asarray(v).tolist() for name, v in summary.items()}
    for name, (first, *rest) in report["summary"].items():
        print(f"{name:42}{first:10.4g}", *(f"[{v:.4g}]" for v in rest))


if __name__ == "__main__":
    main()
