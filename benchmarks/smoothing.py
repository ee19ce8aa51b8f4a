"""What smoothing the frequencies of forests and nearest neighbours is worth.

On every table teachers are fitted to some rows, and their log-loss on as many others is
measured: of probabilities with a floor of 1e-7, and with so many more votes spread over
the classes, alike or by their frequencies. Each is calibrated on one half of the
held-out rows and scored on the other, in turn. With `--students` also that of trees of
64 leaves that are distilled with and without smoothing.

Prints the log-loss as a ratio to that of one vote spread alike, which is what the
package does.

    python benchmarks/smoothing.py --data FOLDER [--students] [--json FILE]

Without `--data` the three data sets of the package are used.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from retention import find_tables
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, _log_odds
from skdistill._frequencies import count_votes
from skdistill.losses._reference import log_softmax
from skdistill.students import TabularEncoder, TreeStudentClassifier
from skdistill.targets import encode_labels, log_proba
from skdistill.teachers import calibration_temperature

N_ROWS = 5000
VOTES = (0.5, 1, 2)
DEFAULT = "1 alike"

TEACHERS = {
    "forest of 100": RandomForestClassifier(100, random_state=0),
    "forest of 20": RandomForestClassifier(20, random_state=0),
    "leaves of 5": RandomForestClassifier(100, min_samples_leaf=5, random_state=0),
    "depth 6": RandomForestClassifier(100, max_depth=6, random_state=0),
    "extra trees": ExtraTreesClassifier(100, random_state=0),
    "5 neighbours": KNeighborsClassifier(5),
    "25 neighbours": KNeighborsClassifier(25),
    "25 by distance": KNeighborsClassifier(25, weights="distance"),
    "one tree": DecisionTreeClassifier(random_state=0),
    "one tree, leaves of 5": DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
    "one tree of depth 6": DecisionTreeClassifier(max_depth=6, random_state=0),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--students", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    runs = []
    for table, read in find_tables(arguments):
        parts = split(*read())
        for name, teacher in TEACHERS.items():
            model = make_pipeline(TabularEncoder(), teacher)
            run = {"table": table, "teacher": name}
            run["teacher losses"] = teacher_losses(model, *parts)
            if arguments.students:
                run["student losses"] = student_losses(model, *parts)
            runs.append(run)
            print(json.dumps(run), flush=True)
    summarise(runs)
    if arguments.json:
        arguments.json.write_text(json.dumps(runs, indent=1))


def split(X, y):
    y = np.asarray(y)
    size = min(N_ROWS, len(y) // 2)
    return train_test_split(
        X, y, train_size=size, test_size=size, stratify=y, random_state=0
    )


def teacher_losses(model, X, X_test, y, y_test):
    proba = model.fit(X, y).predict_proba(X_test)
    n_votes = np.reshape(count_votes(model, X_test), (-1, 1))
    labels = encode_labels(y_test, model.classes_)
    n_classes = proba.shape[1]
    priors = {
        "alike": np.full(n_classes, 1 / n_classes),
        "by frequency": np.bincount(encode_labels(y, model.classes_)) / len(y),
    }
    losses = {"floor": calibrated_loss(log_proba(proba), labels)}
    for votes in VOTES:
        for name, prior in priors.items():
            smoothed = (n_votes * proba + votes * prior) / (n_votes + votes)
            loss = calibrated_loss(np.log(smoothed), labels)
            losses[f"{votes} {name}"] = loss
    return losses


def calibrated_loss(log_odds, labels):
    halves = np.array_split(np.arange(len(labels)), 2)
    losses = []
    for fitted, scored in (halves, halves[::-1]):
        temperature = calibration_temperature(log_odds[fitted], labels[fitted])
        log_p = log_softmax(log_odds[scored], temperature)
        losses.append(-log_p[np.arange(len(scored)), labels[scored]].mean())
    return float(np.mean(losses))


def student_losses(model, X, X_test, y, y_test):
    losses = {}
    smooth = _log_odds.smoothed_proba
    for name, function in ((DEFAULT, smooth), ("floor", lambda model, X, proba: proba)):
        _log_odds.smoothed_proba = function
        student = DistilledClassifier(
            model,
            TreeStudentClassifier(max_leaf_nodes=64),
            alpha=0.95,
            cv=3,
            augmenter=None,
            random_state=0,
        ).fit(X, y)
        proba = student.predict_proba(X_test)
        losses[name] = float(log_loss(y_test, proba, labels=student.classes_))
    _log_odds.smoothed_proba = smooth
    return losses


def summarise(runs):
    for kind in ("teacher losses", "student losses"):
        found = [run for run in runs if kind in run]
        for name in [*TEACHERS, "all"] if found else []:
            rows = [r[kind] for r in found if name in (r["teacher"], "all")]
            ratios = {
                key: np.array([row[key] / row[DEFAULT] for row in rows])
                for key in rows[0]
            }
            cells = [
                f"{key} {ratio.mean():.4f} [{ratio.min():.3f}, {ratio.max():.3f}]"
                for key, ratio in ratios.items()
                if key != DEFAULT
            ]
            print(f"{kind:15} {name:15}", "  ".join(cells))


if __name__ == "__main__":
    # Rare classes may be absent from a fold, which the package handles.
    warnings.filterwarnings("ignore", message="The least populated class")
    main()
