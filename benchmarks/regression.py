"""How much of a teacher's accuracy each student of numbers keeps, on held-out rows.

For every table and split a quarter of the rows is held out. Two teachers, LightGBM and
a random forest that knows its rows by heart, are distilled by `DistilledRegressor` with
its defaults; the honest baselines are the same students on the true values. Retention
is the share of the teacher's reduction of squared error that a student keeps,

    (MSE of the mean - MSE of the student) / (MSE of the mean - MSE of the teacher).

    python benchmarks/regression.py [--data FOLDER] [--json FILE]

Without `--data` the tables are scikit-learn's. `--inner` leaves the test part out for
good and scores on a part of the training rows: whoever chooses settings does so there.
`--alphas 0.5 1` runs other values than the default.
"""

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor, RegressionTargets
from skdistill._columns import take_rows
from skdistill.students import (
    MLPStudentRegressor,
    OrderingEncoder,
    as_student_regressor,
)

TEST_SHARE = 0.25

TEACHERS = {
    "lightgbm": LGBMRegressor(
        n_estimators=300, learning_rate=0.05, n_jobs=1, verbose=-1
    ),
    "forest": make_pipeline(
        make_column_transformer(
            (
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                make_column_selector(dtype_exclude="number"),
            ),
            remainder="passthrough",
        ),
        RandomForestRegressor(n_jobs=1),
    ),
}

STUDENTS = {
    "mlp 3x64": MLPStudentRegressor(),
    "tree 64": make_pipeline(
        OrderingEncoder(), DecisionTreeRegressor(max_leaf_nodes=64)
    ),
    "lightgbm 30x31": LGBMRegressor(
        n_estimators=30, learning_rate=0.2, n_jobs=1, verbose=-1
    ),
}


def main():
    arguments = parse()
    runs = []
    with tempfile.TemporaryDirectory() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table, (X, y) in find_tables(arguments.data):
            if arguments.tables and table not in arguments.tables:
                continue
            for split in range(arguments.splits):
                parts = split_rows(X, y, arguments.rows, split, arguments.inner)
                for run in run_split(parts, split, arguments, memory):
                    runs.append({"table": table, "split": split, **run})
                    print(runs[-1], flush=True)
    print_summary(runs)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(runs, indent=1))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of Parquet files with a target column")
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--teachers", nargs="+", default=list(TEACHERS))
    parser.add_argument("--students", nargs="+", default=list(STUDENTS))
    default = DistilledRegressor(None).alpha
    parser.add_argument("--alphas", nargs="+", type=float, default=[default])
    parser.add_argument("--inner", action="store_true", help="leave the test part")
    parser.add_argument("--json", help="where to write all results")
    return parser.parse_args()


def find_tables(folder):
    """Pairs of a name and a table with its true values."""
    yield "diabetes", load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X, y = make_friedman1(6000, noise=2.0, random_state=0)
    yield "friedman", (pd.DataFrame(X).rename(columns=str), y)
    if folder is None:
        return
    for path in sorted(Path(folder).glob("*.parquet")):
        frame = pd.read_parquet(path)
        if frame["target"].dtype == np.float64:
            yield path.stem, (frame.drop(columns="target"), frame["target"].to_numpy())


def split_rows(X, y, n_rows, split, inner):
    """Training and test rows; with `inner` both from the training rows."""
    y = np.asarray(y, dtype=np.float64)
    rows = np.random.default_rng(split).permutation(len(y))[:n_rows]
    train, test = train_test_split(rows, test_size=TEST_SHARE, random_state=split)
    if inner:
        train, test = train_test_split(train, test_size=TEST_SHARE, random_state=split)
    return [(take_rows(X, part), y[part]) for part in (train, test)]


def run_split(parts, seed, arguments, memory):
    (X, y), (X_test, y_test) = parts
    of_mean = np.mean((y_test - y.mean()) ** 2)

    def result(model, targets=y, **run):
        started = time.perf_counter()
        model.fit(X, targets)
        seconds = time.perf_counter() - started
        error = np.mean((y_test - model.predict(X_test)) ** 2)
        return {
            **run,
            "r2": float(1 - error / of_mean),
            "rmse": float(error**0.5),
            "seconds": seconds,
        }

    for name in arguments.students:
        model = seeded(as_student_regressor(STUDENTS[name]), seed)
        targets = RegressionTargets.from_values(y)
        yield result(model, targets, student=name, teacher="labels", alpha=0.0)
    for teacher in arguments.teachers:
        taught = [
            result(
                DistilledRegressor(
                    TEACHERS[teacher],
                    STUDENTS[name],
                    alpha=alpha,
                    memory=memory,
                    random_state=seed,
                ),
                student=name,
                teacher=teacher,
                alpha=alpha,
            )
            for alpha in arguments.alphas
            for name in arguments.students
        ]
        yield result(
            seeded(TEACHERS[teacher], seed),
            student="teacher",
            teacher=teacher,
            alpha=0.0,
        )
        yield from taught


def seeded(model, seed):
    names = [n for n in model.get_params() if n.split("__")[-1] == "random_state"]
    return clone(model).set_params(**dict.fromkeys(names, seed))


def print_summary(runs):
    """Mean retention over splits, tables as columns."""
    tables = list(dict.fromkeys(run["table"] for run in runs))
    teachers = list(
        dict.fromkeys(r["teacher"] for r in runs if r["teacher"] != "labels")
    )

    def mean_r2(**key):
        chosen = [r for r in runs if all(r[k] == v for k, v in key.items())]
        return np.array([run["r2"] for run in chosen])

    for teacher in teachers:
        print(f"\n| {teacher} | {' | '.join(tables)} | mean |")
        print("| --- " * (len(tables) + 2) + "|")
        reference = {
            t: mean_r2(table=t, teacher=teacher, student="teacher") for t in tables
        }
        row("R2 of the teacher", [reference[t].mean() for t in tables])
        keys = [(r["student"], r["teacher"], r["alpha"]) for r in runs]
        for student, source, alpha in dict.fromkeys(keys):
            if source not in (teacher, "labels") or student == "teacher":
                continue
            kept = [
                np.mean(
                    mean_r2(table=t, student=student, teacher=source, alpha=alpha)
                    / reference[t]
                )
                for t in tables
            ]
            how = ", labels" if source == "labels" else f", alpha={alpha:g}"
            row(student + how, kept)


def row(name, figures):
    cells = [f"{figure:.3f}" for figure in [*figures, np.mean(figures)]]
    print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
