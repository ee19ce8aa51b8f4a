"""
Columns that only the teacher has
=================================

Some columns are there when a model is trained, and not when it is asked: a figure that
comes a month later, a value that costs money to look up, a column that may not be used
in production. A teacher may learn from them, and its student does without. Nothing
needs to be filled in: the student never sees the column.
"""

# %%
# The data
# --------
#
# Adult again. Let capital gains and losses be known from last year's tax return, which
# is there for the training rows only.
import tempfile

import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.datasets import load_adult
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier

X, y = load_adult(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X, y, train_size=6_000, test_size=10_000, stratify=y, random_state=0
)
later = ["capital_gain", "capital_loss"]
early = [name for name in X.columns if name not in later]

teacher = LGBMClassifier(
    n_estimators=200, learning_rate=0.05, n_jobs=1, random_state=0, verbose=-1
)
students = {
    "network 3x64": MLPStudentClassifier(random_state=0),
    "tree of 64 leaves": TreeStudentClassifier(random_state=0),
}

# %%
# Distil
# ------
#
# The only thing to say is which columns the student has.
with tempfile.TemporaryDirectory() as cache:
    privileged = {
        name: DistilledClassifier(
            teacher, student, student_columns=early, memory=cache, random_state=0
        ).fit(X, y)
        for name, student in students.items()
    }
network = privileged["network 3x64"]

# %%
# The model predicts from tables with the other columns and without them, and says the
# same: nobody has to remember which it was.
with_all = network.predict_proba(X_test)
without = network.predict_proba(X_test[early])
print(f"largest difference: {abs(with_all - without).max()}")

# %%
# Was it worth it?
# ----------------
#
# The baselines have the early columns only: the same students on plain labels, and the
# same students with a teacher that knows no more than they do. The teacher that sees
# everything is better than any model without these columns can be expected to be.
with tempfile.TemporaryDirectory() as cache:
    usual = {
        name: DistilledClassifier(teacher, student, memory=cache, random_state=0).fit(
            X[early], y
        )
        for name, student in students.items()
    }
models = {
    ("teacher", "all columns"): network.teacher_,
    ("teacher", "early columns"): usual["network 3x64"].teacher_,
}
for name, student in students.items():
    models[name, "teacher with all columns"] = privileged[name]
    models[name, "teacher with early columns"] = usual[name]
    models[name, "labels"] = student.fit(X[early], y)


def figures(model):
    columns = list(model.feature_names_in_)
    proba = model.predict_proba(X_test[columns])[:, 1]
    return {"log-loss": log_loss(y_test, proba), "AUC": roc_auc_score(y_test, proba)}


table = pd.DataFrame({name: figures(model) for name, model in models.items()}).T
table.round(4)

# %%
# Look at the second line of each student before columns are collected for their own
# sake. A student that cannot see what its teacher saw can learn no more than the mean
# of the teacher's answers; how they vary around it is noise to the student. There is
# less noise in them than in labels, and the tree gains by it, but more than in the
# answers of a teacher without these columns. The network, which stops early on labels
# and trusts a teacher, even does worse than on labels here. The columns have their
# place where the teacher is there already and needs them.
