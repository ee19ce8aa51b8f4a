"""
Text: an ensemble as one linear model
=====================================

What does a function do: statistics, linear algebra, or images? An ensemble that reads
descriptions is distilled into a logistic regression on 400 words, which can be read,
printed and run anywhere. A few descriptions are labelled, many are not, as it is with
text: the teacher labels the rest.
"""

# %%
# The texts
# ---------
#
# They are on every computer that can run this: the descriptions of scipy's functions.
# The label is the part of scipy that a function comes from. Whatever names that part or
# any other is cut out.
import importlib
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier

PARTS = [
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "spatial",
    "special",
    "stats",
]
NAMES = re.compile(
    r"\b(scipy|numpy|np|sp|" + "|".join(PARTS) + r")\b[\w.]*", re.IGNORECASE
)

texts = {}
for part in PARTS:
    module = importlib.import_module(f"scipy.{part}")
    for name in module.__all__:
        description = getattr(module, name).__doc__ or ""
        # The same text under two names would be in two parts of the data.
        if len(description) > 200:
            texts.setdefault(NAMES.sub(" ", description), part)
X, y = pd.DataFrame({"text": list(texts)}), np.array(list(texts.values()))
print(f"{len(X)} descriptions of {len(PARTS)} parts")

# %%
# 300 descriptions have labels, a third of all is held out, and the rest are texts that
# nobody has labelled.
X, X_test, y, y_test = train_test_split(
    X, y, test_size=1 / 3, stratify=y, random_state=0
)
X, X_unlabeled, y, _ = train_test_split(
    X, y, train_size=300, stratify=y, random_state=0
)
print(f"{len(X)} with labels, {len(X_unlabeled)} without, {len(X_test)} to measure on")

# %%
# Distil
# ------
#
# The teacher votes over three models on all words. The student is a pipeline that ends
# in a classifier with weights: each row counts once for each class, weighted by what
# the teacher gives to it.


def words(**parameters):
    """Return a step that turns the column of texts into frequencies of words."""
    vectorizer = TfidfVectorizer(token_pattern=r"[a-z]{3,}", **parameters)
    return make_column_transformer((vectorizer, "text"))


teacher = make_pipeline(
    words(sublinear_tf=True),
    VotingClassifier(
        [
            ("logistic", LogisticRegression(C=30, max_iter=1000)),
            ("bayes", ComplementNB(alpha=0.1)),
            ("trees", ExtraTreesClassifier(300, random_state=0)),
        ],
        voting="soft",
    ),
)
student = make_pipeline(
    words(max_features=400, stop_words="english"),
    LogisticRegression(C=30, max_iter=1000),
)
model = DistilledClassifier(teacher, student, augmenter=None, random_state=0)
model.fit(X, y, X_unlabeled=X_unlabeled)

# %%
# The baseline is the same student on the 300 labels.
models = {
    ("ensemble", "labels"): model.teacher_,
    ("linear", "teacher, all texts"): model,
    ("linear", "teacher, labelled texts"): DistilledClassifier(
        teacher, student, augmenter=None, random_state=0
    ).fit(X, y),
    ("linear", "labels"): student.fit(X, y),
}
pd.DataFrame(
    {
        name: {
            "accuracy": accuracy_score(y_test, fitted.predict(X_test)),
            "log-loss": log_loss(y_test, fitted.predict_proba(X_test)),
        }
        for name, fitted in models.items()
    }
).T.round(4)

# %%
# Read the student
# ----------------
#
# The words that speak most for each part, by their weights.
vectorizer, last = model.student_[0].transformers_[0][1], model.student_[-1]
vocabulary = vectorizer.get_feature_names_out()
coefficients = last.classifier_.coef_
figure, axes = plt.subplots(3, 3, figsize=(8, 7), layout="constrained", sharex=True)
for part, weights, ax in zip(last.classes_, coefficients, axes.flat, strict=True):
    strongest = np.argsort(weights)[-6:]
    ax.barh(vocabulary[strongest], weights[strongest])
    ax.set_title(part, fontsize="medium")
