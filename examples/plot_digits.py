"""
Digits: an ensemble as a small network
======================================

A forest reads handwritten digits well, but it asks hundreds of trees for each image. A
network of one layer of 32 units does not. Images have what tables lack: anybody can
make more of them, by moving one by a pixel. The teacher labels them, and nobody has to
check that a "1" is still a "1".

A support vector machine stands beside the forest, because it reads still better and yet
is the worse teacher.
"""

# %%
# The data
# --------
#
# 1,797 images of 8 times 8 pixels, which ship with scikit-learn. 400 are used to learn
# from, so that there is something left to learn.
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from skdistill import DistilledClassifier
from skdistill.students import MLPStudentClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X, y, train_size=400, stratify=y, random_state=0
)


def moved(images):
    """Return each image moved by a pixel up, down, left and right."""
    padded = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    corners = ((0, 1), (2, 1), (1, 0), (1, 2))
    views = [padded[:, i : i + 8, j : j + 8] for i, j in corners]
    return np.concatenate(views).reshape(-1, 64)


# %%
# Distil
# ------
#
# The frequencies of a forest become log-odds. So does the `decision_function` of a
# support vector machine, but with ten classes it counts won duels between pairs of
# classes: the order of the classes is right, their distances mean little, and no
# temperature can mend that.
forest = ExtraTreesClassifier(300, random_state=0)
machine = SVC(C=10, gamma=0.001)
student = MLPStudentClassifier((32,), random_state=0)


def distil(teacher, X_unlabeled=None):
    model = DistilledClassifier(teacher, student, augmenter=None, random_state=0)
    return model.fit(X, y, X_unlabeled=X_unlabeled)


with_moved = distil(forest, moved(X))
from_machine = distil(machine, moved(X))

# %%
# The baselines are the same network on the labels, and on the labels of the moved
# images as well, which are taken to be those of the images that they were made of.
# Times are those of 1,397 images at once.
every_image, every_label = np.concatenate([X, moved(X)]), np.tile(y, 5)
labels_only = MLPStudentClassifier((32,), random_state=0).fit(X, y)
labels_moved = MLPStudentClassifier((32,), random_state=0)
labels_moved.fit(every_image, every_label)


def figures(model):
    start = time.perf_counter()
    labels = model.predict(X_test)
    microseconds = 1e6 * (time.perf_counter() - start) / len(X_test)
    line = {"accuracy": accuracy_score(y_test, labels)}
    if hasattr(model, "predict_proba"):
        line["log-loss"] = log_loss(y_test, model.predict_proba(X_test))
    return line | {"us a row": microseconds}


models = {
    ("forest", "labels"): with_moved.teacher_,
    ("support vectors", "labels"): from_machine.teacher_,
    ("network", "forest, moved images"): with_moved,
    ("network", "forest"): distil(forest),
    ("network", "support vectors, moved images"): from_machine,
    ("network", "labels, moved images"): labels_moved,
    ("network", "labels"): labels_only,
}
table = pd.DataFrame({name: figures(model) for name, model in models.items()}).T
table.round({"accuracy": 4, "log-loss": 4, "us a row": 1})

# %%
# Where teacher and student part
# ------------------------------
#
# Images on which the network and the forest disagree, and what each takes them for.
told = with_moved.teacher_.predict(X_test)
answers = with_moved.predict(X_test)
part = np.flatnonzero(told != answers)[:8]
print(f"{(told != answers).sum()} of {len(X_test)} images")
figure, axes = plt.subplots(1, 8, figsize=(8, 1.8), layout="constrained")
for ax in axes:
    ax.axis("off")
for ax, row in zip(axes, part, strict=False):
    ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
    title = f"teacher {told[row]}\nstudent {answers[row]}\ntruth {y_test[row]}"
    ax.set_title(title, fontsize="small")
