"""What out-of-fold labels and their correction are worth to a single tree.

The setting of Dao et al. (arXiv:2104.09732): a random forest teaches one tree on Adult
and Magic, of which some rows are drawn for training and others for testing. The forest
is grown out, or to depth 3, where it underfits. Its labels are in-sample, out-of-fold,
blended with in-sample ones (what the package does without being asked), or corrected by
the true labels, for several squared errors that are assumed of the teacher; "residual"
draws the correction back by the squared residual, as Dao et al. do. Beside them stand
trees of plain labels, and of out-of-fold ones with plain ones mixed in by `alpha`,
which is the simpler way to use both.

Prints the means over the draws of log-loss, AUC and accuracy on the test rows, and in
how many draws the log-loss was smaller than that of in-sample labels.

    python benchmarks/correction.py [--draws 5] [--json FILE]
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import SoftTargets
from skdistill.datasets import load_adult, load_magic
from skdistill.losses._reference import softmax
from skdistill.students import OrderingEncoder, TreeStudentClassifier
from skdistill.targets import encode_labels, log_proba
from skdistill.teachers import (
    blended_log_odds,
    calibration_temperature,
    corrected_log_odds,
    label_rows,
)

TABLES = {"adult": load_adult, "magic": load_magic}
N_TRAIN, N_TEST = 6000, 8000
TEACHER_DEPTHS = (None, 3)
LEAVES = (8, 64, 512, None)
SQUARED_ERRORS = (0.01, 0.03, 0.1)
ALPHAS = (0.95, 0.7)
BASELINE = "in-sample"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    runs = []
    for table, load in TABLES.items():
        X, y = load(return_X_y=True)
        for draw in range(arguments.draws):
            parts = train_test_split(
                X,
                encode_labels(y, np.unique(y)),
                train_size=N_TRAIN,
                test_size=N_TEST,
                random_state=draw,
                stratify=y,
            )
            for depth in TEACHER_DEPTHS:
                run = {"table": table, "draw": draw, "teacher depth": depth}
                print(json.dumps(run), flush=True)
                runs += [{**run, **scores} for scores in measure(depth, draw, *parts)]
    for table in TABLES:
        for depth in TEACHER_DEPTHS:
            for leaves in LEAVES:
                summarise(runs, table, depth, leaves)
    if arguments.json:
        arguments.json.write_text(json.dumps(runs, indent=1))


def measure(depth, seed, X, X_test, y, y_test):
    forest = RandomForestClassifier(100, max_depth=depth, random_state=seed)
    teacher = make_pipeline(OrderingEncoder(), forest)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    labelling = label_rows(teacher, X, y, np.arange(2), folds)
    for name, targets in all_targets(labelling, y).items():
        for leaves in LEAVES:
            student = TreeStudentClassifier(leaves, random_state=0)
            student.fit(X, targets)
            yield {
                "labels": name,
                "leaves": leaves,
                **quality(y_test, student.predict_proba(X_test)[:, 1]),
            }
    teacher_proba = labelling.teacher.predict_proba(X_test)[:, 1]
    yield {"labels": "teacher", "leaves": None, **quality(y_test, teacher_proba)}


def all_targets(labelling, y):
    """Targets of every kind by name."""
    temperature = calibration_temperature(labelling.logits, y)
    held_out = labelling.logits / temperature
    blended = blended_log_odds(labelling, y, np.ones(len(y)), temperature)
    log_odds = {
        BASELINE: labelling.own_logits,
        "out-of-fold": held_out,
        "blended": blended,
        **{f"c = {c}": corrected_log_odds(held_out, y, c) for c in SQUARED_ERRORS},
        **{f"residual {c}": by_residual(held_out, y, c) for c in SQUARED_ERRORS[::2]},
    }
    targets = {name: SoftTargets(logits, y) for name, logits in log_odds.items()}
    for alpha in ALPHAS:
        targets[f"alpha {alpha}"] = SoftTargets(held_out, y, alpha=alpha)
    return {"labels": SoftTargets.from_labels(y), **targets}


def by_residual(logits, y, squared_error):
    proba, label = softmax(logits), np.eye(logits.shape[1])[y]
    gamma = squared_error / (squared_error + (label - proba) ** 2)
    return log_proba(proba + gamma * (label - proba))


def quality(y, proba):
    return {
        "log-loss": float(log_loss(y, proba)),
        "AUC": float(roc_auc_score(y, proba)),
        "accuracy": float(np.mean((proba > 0.5) == y)),
    }


def summarise(runs, table, depth, leaves):
    wanted = {"table": table, "teacher depth": depth, "leaves": leaves}
    found = [run for run in runs if all(run[key] == wanted[key] for key in wanted)]
    grown = "grown out" if depth is None else f"of depth {depth}"
    print(f"\n{table}, teacher {grown}, student of {leaves or 'any number of'} leaves")
    losses = {
        name: np.array([run["log-loss"] for run in found if run["labels"] == name])
        for name in dict.fromkeys(run["labels"] for run in found)
    }
    for name, loss in losses.items():
        auc, accuracy = (
            np.mean([run[key] for run in found if run["labels"] == name])
            for key in ("AUC", "accuracy")
        )
        better = int((loss < losses[BASELINE]).sum())
        print(
            f"{name:14s} log-loss {loss.mean():.4f}  AUC {auc:.4f}  "
            f"accuracy {accuracy:.4f}  better {better}/{len(loss)}"
        )


if __name__ == "__main__":
    main()
