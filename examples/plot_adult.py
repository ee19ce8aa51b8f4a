"""
Compressing a LightGBM ensemble
===============================

A boosted ensemble is fitted to the census table Adult and distilled into a network of
three layers of 64 units and into a tree of 64 leaves. Beside each student stands the
same student on plain labels, and beside all of them a small ensemble on plain labels,
which is the first thing to try.
"""

# %%
# The data
# --------
#
# Adult ships with the package: numbers, categories and missing values in one frame. A
# quarter of it keeps this page quick. A quarter of that is held out, and no figure
# below is measured on anything else.
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.conversion import to_spec
from skdistill.datasets import load_adult
from skdistill.inspection import agreement, skill_retention
from skdistill.runtime import Scorer, load, save
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier

X, y = load_adult(return_X_y=True)
X, _, y, _ = train_test_split(X, y, train_size=12_000, stratify=y, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
X.head()

# %%
# Distil
# ------
#
# ``fit`` fits the teacher six times: once on all rows, and five times on four fifths of
# them, to hear what it says about rows that it has not seen. ``memory`` keeps these
# answers, so that the second student costs no further teacher.
teacher = LGBMClassifier(
    n_estimators=200, learning_rate=0.05, n_jobs=1, random_state=0, verbose=-1
)
network = MLPStudentClassifier(random_state=0)
tree = TreeStudentClassifier(random_state=0)

with tempfile.TemporaryDirectory() as cache:
    distilled = {
        name: DistilledClassifier(teacher, student, memory=cache, random_state=0)
        for name, student in {
            "network 3x64": network,
            "tree of 64 leaves": tree,
        }.items()
    }
    for model in distilled.values():
        model.fit(X, y)
fitted_teacher = distilled["network 3x64"].teacher_

# %%
# The baselines: the same students, and an ensemble of 30 trees, on plain labels.
small = LGBMClassifier(
    n_estimators=30, learning_rate=0.2, n_jobs=1, random_state=0, verbose=-1
).fit(X, y)
plain = {"network 3x64": network.fit(X, y), "tree of 64 leaves": tree.fit(X, y)}

# %%
# How good, how small, how fast
# -----------------------------
#
# Every student is written to a file and read back: what is measured is what would be
# deployed, a scorer that needs numpy alone. It gets one row at a time, as a dictionary.
# LightGBM's ensembles are timed twice, through their scikit-learn interface and
# compiled by the same runtime, because comparing a fast student to a slow wrapper would
# flatter it. Times depend on the machine; on a busy one they are too long for all
# alike.
rows = X_test.head(200).to_dict("records")
single_rows = [X_test.iloc[[i]] for i in range(30)]


def microseconds(score, rows):
    """Return the median time of scoring one row."""
    times = []
    for row in rows:
        start = time.perf_counter()
        score(row)
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times))


def figures(model, scorer, kilobytes, score_row=None, rows=rows):
    """Return a line of the table."""
    proba = model.predict_proba(X_test)
    labels = model.classes_[proba.argmax(axis=1)]
    teacher_proba = fitted_teacher.predict_proba(X_test)
    classes = model.classes_
    return {
        "accuracy": accuracy_score(y_test, labels),
        "log-loss": log_loss(y_test, proba, labels=classes),
        "skill kept": skill_retention(y_test, teacher_proba, proba, classes=classes),
        "agreement": agreement(fitted_teacher.predict(X_test), labels),
        "size, kB": kilobytes,
        "one row, us": microseconds(score_row or scorer.predict_proba, rows),
    }


def deployed(model, spec):
    """Write a model to a file, and return its line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skd"
        save(spec, path)
        return figures(model, load(path), path.stat().st_size / 1000)


table = {
    ("teacher", "labels, its own interface"): figures(
        fitted_teacher,
        None,
        len(fitted_teacher.booster_.model_to_string()) / 1000,
        fitted_teacher.predict_proba,
        single_rows,
    ),
    ("teacher", "labels, compiled"): deployed(fitted_teacher, to_spec(fitted_teacher)),
    ("boosted, 30 trees", "labels, compiled"): deployed(small, to_spec(small)),
}
for name, model in distilled.items():
    table[name, "teacher and labels"] = deployed(model, model.student_.to_spec())
    table[name, "labels"] = deployed(plain[name], plain[name].to_spec())
table = pd.DataFrame(table).T
table.round({"size, kB": 0, "one row, us": 1}).round(4)

# %%
# One picture of it
# -----------------
#
# Left is faster, down is better.
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
colors = {name: f"C{i}" for i, name in enumerate(table.index.unique(level=0))}
for (name, trained_on), line in table.iterrows():
    ax.scatter(
        line["one row, us"],
        line["log-loss"],
        s=70,
        color=colors[name] if "teacher" in trained_on else "white",
        edgecolor=colors[name],
        linewidth=2,
        marker="s" if "interface" in trained_on else "o",
        label=f"{name}: {trained_on}",
        zorder=2,
    )
ax.set(xscale="log", xlabel="microseconds for one row", ylabel="log-loss on new rows")
ax.grid(alpha=0.3)
_ = figure.legend(loc="outside right upper", fontsize="small")

# %%
# What a deployed student is asked
# --------------------------------
#
# A row is a dictionary. What is missing may be missing, and a category that was never
# seen is no error: the student was trained to make something of both.
scorer = Scorer(distilled["network 3x64"].student_.to_spec())
row = {**rows[0], "occupation": "Lighthouse keeper", "age": None}
dict(zip(scorer.classes_, scorer.predict_proba(row)[0].round(3).tolist(), strict=True))
