"""Quality against the time of one row: the picture of the README.

A LightGBM ensemble on Adult, the same trees compiled, its students, and the same
students trained on plain labels. Log-loss is that of held-out rows; a row is what the
model takes, see `skdistill.inspection.measure_cost`.

    python benchmarks/pareto.py [--plot FILE] [--json FILE]
"""

import argparse
import json
import sys

import matplotlib
from lightgbm import LGBMClassifier
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.conversion import to_spec
from skdistill.datasets import load_adult
from skdistill.inspection import ParetoDisplay
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)

STUDENTS = {
    "network 3x64": MLPStudentClassifier(),
    "30 trees": BoostedStudentClassifier(),
    "tree of 64 leaves": TreeStudentClassifier(max_leaf_nodes=64),
}
SIZE = 7.2, 4.6
LEFT_OF_ITS_POINT = {"network 3x64", "teacher, 500 trees"}
"""Where there is no room at its right."""


def fit_models(seed):
    X, y = load_adult(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    teacher = LGBMClassifier(
        n_estimators=500, learning_rate=0.05, reg_lambda=1.0, n_jobs=1, verbose=-1
    )
    models = {}
    for name, student in STUDENTS.items():
        model = DistilledClassifier(teacher, student, random_state=seed).fit(X, y)
        models[name] = model
        student.set_params(random_state=seed)
        models[f"{name}, on labels"] = student.fit(X, y)
        print(f"fitted {name}", file=sys.stderr)
    fitted = model.teacher_
    return {
        "teacher, 500 trees": fitted,
        "the teacher compiled": to_spec(fitted),
        **models,
    }, (X_test, y_test)


def draw(display, path):
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "skdistill"
    display.plot()
    for text in display.ax_.texts:
        if text.get_text() in LEFT_OF_ITS_POINT:
            text.set(position=(-6, -4), horizontalalignment="right")
    display.figure_.set_size_inches(*SIZE)
    display.ax_.set_xlim(left=0.35)
    display.figure_.tight_layout()
    display.figure_.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", metavar="FILE", help="where to draw")
    parser.add_argument("--json", metavar="FILE", help="where to write all figures")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    models, rows = fit_models(arguments.seed)
    display = ParetoDisplay.from_estimators(models, *rows)
    figures = [
        {"model": name, "one_row_us": float(cost), "log_loss": float(quality)}
        for name, cost, quality in zip(
            display.names, display.costs, display.qualities, strict=True
        )
    ]
    for figure in figures:
        print(
            "{model:30} {one_row_us:10.1f} us  log-loss {log_loss:.4f}".format(**figure)
        )
    if arguments.plot:
        draw(display, arguments.plot)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
