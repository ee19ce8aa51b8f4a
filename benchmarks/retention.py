"""How much of the teacher's skill each student keeps, on held-out rows.

For every table, size and split a quarter of the rows is held out. A teacher is fitted
and labels the rest once; then come the students, distilled with the defaults of
`DistilledClassifier`, and the honest baselines on plain labels: the same networks and
trees, and LightGBM with 30 trees of 31 leaves. A network on labels gets learning rate
and weight decay, LightGBM its learning rate, from an inner validation part.

Skill retention is (LL_prior - LL_student) / (LL_prior - LL_teacher) on the held-out
rows, LL_teacher being the lower of the teacher's and the calibrated teacher's.

Runs are appended to the file of results as they end, and those that it holds are not
repeated, so that a benchmark of hours can be stopped and resumed at any time.

    python benchmarks/retention.py --data FOLDER [--results FILE] [--plot FILE]

Without `--data` the three data sets of the package are used. `--inner` holds the test
part out for good and scores on a part of the training rows: whoever chooses settings
does so there. `--train-rows` fits to so many of the training rows alone, as if the
table were small, and scores on as many rows as before.
`--set "alpha=0.5|1" "augmenter=Munge|MarginalSwap"` runs all combinations of other
settings of the model instead of the defaults.
"""

import argparse
import ast
import itertools
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from retention_models import BASELINES, STUDENTS, TEACHERS, make_teacher
from retention_summary import plot, print_summary
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, augmentation, datasets
from skdistill._columns import take_rows
from skdistill._log_odds import classifier_log_odds
from skdistill.inspection import agreement
from skdistill.losses._reference import log_softmax
from skdistill.students import TreeStudentClassifier

TEST_SHARE = 0.25
SHIPPED = {
    "adult": datasets.load_adult,
    "letter": datasets.load_letter,
    "magic": datasets.load_magic,
}
N_CALIBRATION_BINS = 15


def main():
    arguments = parse()
    results = Results(arguments.results)
    for table, loader in find_tables(arguments):
        X, y = loader()
        for n_rows in sizes(len(y), arguments.rows):
            for split in range(arguments.splits):
                parts = split_rows(
                    X, y, n_rows, split, arguments.inner, arguments.train_rows
                )
                for teacher in arguments.teachers:
                    key = {"table": table, "rows": n_rows, "split": split}
                    key |= {"teacher": teacher, "inner": arguments.inner}
                    key["train_rows"] = arguments.train_rows
                    run_teacher(key, parts, arguments, results)
    print_summary(results.runs)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results.runs, indent=1))
    if arguments.plot:
        plot(results.runs, arguments.plot)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of Parquet files with a target column")
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--rows", nargs="+", type=int, default=[20_000, 60_000])
    parser.add_argument("--train-rows", type=int, help="fit to so many of them alone")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--teachers", nargs="+", default=list(TEACHERS))
    parser.add_argument("--students", nargs="+", default=list(STUDENTS))
    parser.add_argument("--baselines", nargs="*", default=list(BASELINES))
    parser.add_argument("--results", help="JSON lines, read and appended to")
    parser.add_argument("--inner", action="store_true", help="leave the test part")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE|VALUE")
    parser.add_argument("--json", help="where to write all results")
    parser.add_argument("--plot", help="where to draw them")
    return parser.parse_args()


class Results:
    """Runs done so far, in memory and in a file of JSON lines."""

    KEY = (
        *("table", "rows", "split", "teacher", "inner", "train_rows"),
        *("model", "labels", "seed", "settings"),
    )

    def __init__(self, path):
        self.path = path
        self.runs = []
        if path and Path(path).exists():
            lines = Path(path).read_text().splitlines()
            self.runs = [json.loads(line) for line in lines]
        self.done = {self._key(run) for run in self.runs}

    def _key(self, run):
        # Files of results from before `--train-rows` are read too.
        return tuple(run.get(name) for name in self.KEY)

    def __contains__(self, run):
        return self._key(run) in self.done

    def add(self, run):
        self.runs.append(run)
        self.done.add(self._key(run))
        if self.path:
            with open(self.path, "a") as file:
                file.write(json.dumps(run) + "\n")
        print(
            f"{run['table']:16}{run['rows']:>7}{run['split']:>2} {run['teacher']:12}"
            f"{run['model']:14}{run['labels']:5}{run['seed']:>2} "
            f"retention {run['retention']:.4f} log-loss {run['log_loss']:.4f} "
            f"agreement {run['agreement']:.4f} {run['student_seconds']:.1f} s "
            f"{run['settings']}",
            flush=True,
        )


def find_tables(arguments):
    """Pairs of a name and a function that returns rows and labels."""
    if arguments.data:
        paths = sorted(Path(arguments.data).glob("*.parquet"))
        tables = {path.stem: lambda path=path: read_table(path) for path in paths}
        tables = {name: load for name, load in tables.items() if is_classes(load()[1])}
    else:
        tables = {
            name: lambda load=load: load(return_X_y=True)
            for name, load in SHIPPED.items()
        }
    wanted = arguments.tables or list(tables)
    return [(name, tables[name]) for name in wanted]


def read_table(path):
    import pandas as pd

    X = pd.read_parquet(path)
    return X, X.pop("target")


def is_classes(y):
    return y.dtype.kind != "f"


def sizes(n_rows, wanted):
    """Sizes without repetition: a table smaller than wanted is taken whole."""
    return sorted({min(n_rows, size) for size in wanted})


def split_rows(X, y, n_rows, split, inner, train_rows=None):
    """Training and held-out rows and labels of a random draw of the table."""
    y = np.asarray(y).astype(str)
    rows = np.arange(len(y))
    if n_rows < len(y):
        rows, _ = train_test_split(
            rows, train_size=n_rows, random_state=split, stratify=y
        )
    for _ in range(1 + inner):
        train, test = train_test_split(
            rows, test_size=TEST_SHARE, random_state=split, stratify=y[rows]
        )
        rows = train
    if train_rows is not None:
        train, _ = train_test_split(
            train, train_size=train_rows, random_state=split, stratify=y[train]
        )
    return take_rows(X, train), y[train], take_rows(X, test), y[test]


def run_teacher(key, parts, arguments, results):
    """All students of one teacher on one split."""
    missing = missing_runs(key, arguments, results)
    if not missing:
        return
    X, y, X_test, y_test = parts
    teacher = make_teacher(key["teacher"], len(np.unique(y)))
    start = time.perf_counter()
    fitted = teacher.fit(X, y)
    key = key | {"teacher_seconds": time.perf_counter() - start}
    classes = np.unique(y)
    logits = classifier_log_odds(fitted, X_test, classes)
    with tempfile.TemporaryDirectory() as cache:
        model = DistilledClassifier(
            teacher, TreeStudentClassifier(), memory=cache, random_state=key["split"]
        )
        start = time.perf_counter()
        model.fit(X, y)
        key["labelling_seconds"] = time.perf_counter() - start
        key["calibration_temperature"] = model.calibration_temperature_
        judge = Judge(y, y_test, classes, logits, model.calibration_temperature_)
        key |= judge.teacher_scores()
        for run in missing:
            make = STUDENTS if run["labels"] == "soft" else BASELINES
            student = make[run["model"]](run["seed"])
            start = time.perf_counter()
            if run["labels"] == "soft":
                options = parse_settings(run["settings"])
                changed = clone(model).set_params(student=student, **options)
                predictor = changed.fit(X, y).student_
            else:
                predictor = student.fit(X, y)
            seconds = time.perf_counter() - start
            log_p = np.log(np.maximum(predictor.predict_proba(X_test), 1e-15))
            scores = judge.scores(log_p)
            size = n_numbers(predictor)
            timing = {"student_seconds": seconds, "numbers": size}
            results.add(run | key | timing | scores)


def missing_runs(key, arguments, results):
    """What is to be run and is not among the results, without scores."""
    alternatives = [setting.split("|") for setting in arguments.set]
    names = [first.split("=")[0] for first, *_ in alternatives]
    settings = [
        " ".join(f"{n}={v.split('=')[-1]}" for n, v in zip(names, values, strict=True))
        for values in itertools.product(*alternatives)
    ]
    wanted = [(model, "soft", s) for s in settings for model in arguments.students]
    wanted += [(model, "hard", "") for model in arguments.baselines]
    runs = [
        key | {"model": model, "labels": labels, "seed": seed, "settings": settings}
        for model, labels, settings in wanted
        for seed in range(arguments.seeds)
    ]
    return [run for run in runs if run not in results]


def parse_settings(settings):
    """Parameters of the model from "NAME=VALUE ...".

    Values are Python literals or names of samplers.
    """

    def parse_value(value):
        if value in augmentation.__all__:
            return getattr(augmentation, value)()
        return ast.literal_eval(value)

    pairs = (setting.split("=", 1) for setting in settings.split())
    return {name: parse_value(value) for name, value in pairs}


def n_numbers(predictor):
    """Numbers in the model that scoring needs."""
    if hasattr(predictor, "coefs_"):
        return sum(a.size for a in [*predictor.coefs_, *predictor.intercepts_])
    if hasattr(predictor, "tree_"):
        return 3 * predictor.tree_.tree_.node_count + predictor.leaf_log_odds_.size
    booster = predictor.booster_
    leaves = sum(t["num_leaves"] for t in booster.dump_model()["tree_info"])
    return 5 * leaves


class Judge:
    """Scores of students on held-out rows, beside those of the teacher."""

    def __init__(self, y, y_test, classes, logits, temperature):
        self.codes = np.searchsorted(classes, y_test)
        prior = np.bincount(np.searchsorted(classes, y)) / len(y)
        self.prior_loss = -np.log(prior)[self.codes].mean()
        self.raw = log_softmax(logits)
        self.calibrated = log_softmax(logits, temperature)

    def teacher_scores(self):
        return {
            "prior_log_loss": self.prior_loss,
            "teacher_log_loss": self.loss(self.raw),
            "calibrated_log_loss": self.loss(self.calibrated),
            "teacher_accuracy": self.accuracy(self.raw),
            "teacher_auc": self.auc(self.raw),
            "teacher_calibration_error": self.calibration_error(self.raw),
        }

    def scores(self, log_p):
        loss = self.loss(log_p)
        teacher = min(self.loss(self.raw), self.loss(self.calibrated))
        q = np.exp(self.calibrated)
        return {
            "retention": (self.prior_loss - loss) / (self.prior_loss - teacher),
            "log_loss": loss,
            "accuracy": self.accuracy(log_p),
            "auc": self.auc(log_p),
            "agreement": agreement(self.raw.argmax(axis=1), log_p.argmax(axis=1)),
            "kl": float((q * (self.calibrated - log_p)).sum(axis=1).mean()),
            "calibration_error": self.calibration_error(log_p),
        }

    def loss(self, log_p):
        return float(-log_p[np.arange(len(self.codes)), self.codes].mean())

    def accuracy(self, log_p):
        return float((log_p.argmax(axis=1) == self.codes).mean())

    def auc(self, log_p):
        """Area under the ROC curve, each class against the rest, unweighted mean."""
        from sklearn.metrics import roc_auc_score

        columns = [1] if log_p.shape[1] == 2 else range(log_p.shape[1])
        areas = [roc_auc_score(self.codes == k, log_p[:, k]) for k in columns]
        return float(np.mean(areas))

    def calibration_error(self, log_p):
        """Expected calibration error of the most probable class, in equal bins."""
        confidence = np.exp(log_p.max(axis=1))
        right = log_p.argmax(axis=1) == self.codes
        bins = np.minimum(confidence * N_CALIBRATION_BINS, N_CALIBRATION_BINS - 1)
        gaps = np.bincount(bins.astype(int), weights=confidence - right)
        return float(np.abs(gaps).sum() / len(right))


if __name__ == "__main__":
    # Teachers say much about their input, and small classes about their number.
    warnings.simplefilter("ignore")
    sys.exit(main())
