"""
Twenty-six letters
==================

What a teacher knows of a class is more than its name: a smudged "F" is no "O", but it
may well be a "P". An ensemble of extremely randomised trees says so in its
probabilities, and a small network learns it from them.
"""

# %%
# The data
# --------
#
# Letter ships with the package: 20,000 images of letters, of which 16 figures are known
# each. 3,000 rows are used to learn from, and 5,000 others to measure on.
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.datasets import load_letter
from skdistill.inspection import agreement, skill_retention
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier

X, y = load_letter(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X, y, train_size=3_000, test_size=5_000, stratify=y, random_state=0
)

# %%
# Distil
# ------
#
# The frequencies of a forest are neither calibrated nor free of zeros. They are
# smoothed, and divided by the temperature that makes them right on held-out rows: below
# 1, since the votes of a forest are too timid.
teacher = ExtraTreesClassifier(200, random_state=0)
students = {
    "network 2x64": MLPStudentClassifier((64, 64), random_state=0),
    "tree of 64 leaves": TreeStudentClassifier(random_state=0),
}
with tempfile.TemporaryDirectory() as cache:
    distilled = {
        name: DistilledClassifier(teacher, student, memory=cache, random_state=0)
        for name, student in students.items()
    }
    for model in distilled.values():
        model.fit(X, y)
fitted_teacher = distilled["network 2x64"].teacher_
temperature = distilled["network 2x64"].calibration_temperature_
print(f"calibration temperature: {temperature:.2f}")

# %%
# The teacher that students are measured against is the one that they have heard: its
# votes smoothed by one that is spread over all letters, and calibrated. Any student
# would look well beside the raw votes, whose zeros make its log-loss infinite.
classes = fitted_teacher.classes_
votes = len(fitted_teacher.estimators_) * fitted_teacher.predict_proba(X_test)
smoothed = (votes + 1 / len(classes)) / (len(fitted_teacher.estimators_) + 1)


def soften(proba, temperature):
    """Return the distributions at a temperature, as in the objective."""
    return softmax(np.log(proba) / temperature, axis=1)


teacher_proba = soften(smoothed, temperature)

# %%
# The same students on plain labels stand beside them. "Skill" is how far the log-loss
# is below that of always predicting the frequencies of the classes. The tree is too
# small for 26 letters, whoever teaches it.


def figures(proba):
    labels = classes[proba.argmax(axis=1)]
    return {
        "accuracy": accuracy_score(y_test, labels),
        "log-loss": log_loss(y_test, proba, labels=classes),
        "skill kept": skill_retention(y_test, teacher_proba, proba, classes=classes),
        "agreement": agreement(classes[teacher_proba.argmax(axis=1)], labels),
    }


table = {("teacher, calibrated", "labels"): figures(teacher_proba)}
for name, student in students.items():
    table[name, "teacher and labels"] = figures(distilled[name].predict_proba(X_test))
    table[name, "labels"] = figures(student.fit(X, y).predict_proba(X_test))
pd.DataFrame(table).T.round(4)

# %%
# What the teacher says beside the name
# -------------------------------------
#
# The mean probabilities that it gives to other letters, for four of them; of new rows,
# at temperature 1 and, softer, at 2. The letters that it mixes up look alike.
letters = ["F", "I", "O", "V"]
figure, axes = plt.subplots(2, 2, figsize=(8, 5), layout="constrained", sharey=True)
positions = np.arange(len(classes))
for letter, ax in zip(letters, axes.flat, strict=True):
    for softness, color in ((1, "tab:blue"), (2, "tab:orange")):
        softened = soften(teacher_proba[y_test == letter], softness).mean(axis=0)
        softened[classes == letter] = np.nan
        shift = 0.4 * (softness - 1.5)
        ax.bar(positions + shift, softened, 0.4, color=color, label=f"T = {softness}")
    ax.set_title(f"the letter {letter}", fontsize="medium")
    ax.set_xticks(positions, classes, fontsize="x-small")
axes[0, 0].legend()
_ = figure.supylabel("mean probability")
