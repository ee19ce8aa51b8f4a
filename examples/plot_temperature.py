"""
Searching temperature and alpha
===============================

A `DistilledClassifier` is an ordinary estimator, so that ``GridSearchCV`` can search
over its parameters. With ``memory`` everything up to the teacher's log-odds is cached:
the teacher is fitted once for each training part, however many candidates there are.
"""

# %%
# The search
# ----------
#
# Twelve combinations of temperature and alpha, three folds, and a tree of 32 leaves on
# 4,000 rows of Adult; without new rows (``augmenter=None``), so that ``alpha=0`` is the
# tree on plain labels. Without the cache, twelve candidates in three folds would fit
# the teacher 144 times (each of them four times: on all rows and in three folds), with
# it, 12 times; the refit at the end adds four in either case.
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split

from skdistill import DistilledClassifier
from skdistill.datasets import load_adult
from skdistill.students import TreeStudentClassifier

X, y = load_adult(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X, y, train_size=4_000, test_size=10_000, stratify=y, random_state=0
)
teacher = LGBMClassifier(
    n_estimators=200, learning_rate=0.05, n_jobs=1, random_state=0, verbose=-1
)
student = TreeStudentClassifier(max_leaf_nodes=32, random_state=0)
grid = {"temperature": [1, 2, 4], "alpha": [0, 0.5, 0.9, 1]}

with tempfile.TemporaryDirectory() as cache:
    model = DistilledClassifier(
        teacher, student, cv=3, augmenter=None, memory=cache, random_state=0
    )
    search = GridSearchCV(model, grid, cv=3, scoring="neg_log_loss").fit(X, y)
search.best_params_

# %%
# Where the time went
# -------------------
#
# The first candidate pays for the teacher; the others read what it has said.
seconds = search.cv_results_["mean_fit_time"]
print(f"first candidate: {seconds[0]:.2f} s; median of the others: ", end="")
print(f"{np.median(seconds[1:]):.2f} s")

# %%
# What the search found
# ---------------------
#
# Log-loss on the rows left out. With ``alpha=0`` the temperature does nothing. Once the
# teacher's log-odds are calibrated, it matters little with any alpha.
results = pd.DataFrame(search.cv_results_)
losses = -results.pivot(
    index="param_alpha", columns="param_temperature", values="mean_test_score"
)
figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
image = ax.imshow(losses, cmap="viridis_r")
ax.set_xticks(range(losses.shape[1]), losses.columns)
ax.set_yticks(range(losses.shape[0]), losses.index)
ax.set(xlabel="temperature", ylabel="alpha")
middle = (losses.to_numpy().min() + losses.to_numpy().max()) / 2
for (i, j), loss in np.ndenumerate(losses.to_numpy()):
    color = "white" if loss > middle else "black"
    ax.text(j, i, f"{loss:.4f}", ha="center", va="center", color=color)
_ = figure.colorbar(image, label="log-loss on rows left out")

# %%
# How much of that is noise? The standard deviation over the folds of each candidate's
# loss, beside its mean.
results = results.assign(log_loss=-results["mean_test_score"])
results = results.rename(columns={"std_test_score": "deviation"})
columns = ["param_temperature", "param_alpha", "log_loss", "deviation"]
results.sort_values("log_loss")[columns].head(6).round(4)

# %%
# On rows that the search has not seen
# ------------------------------------
#
# The best candidate, the defaults (which add new rows), and the same tree on plain
# labels.
default = DistilledClassifier(teacher, student, random_state=0).fit(X, y)
models = {
    "best candidate": search,
    "defaults": default,
    "labels only": student.fit(X, y),
    "teacher": default.teacher_,
}
pd.DataFrame(
    {
        name: {"log-loss": log_loss(y_test, model.predict_proba(X_test))}
        for name, model in models.items()
    }
).T.round(4)
