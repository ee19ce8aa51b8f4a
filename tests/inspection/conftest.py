"""Rows with a known truth, and what two imperfect models say about them."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor


@pytest.fixture(scope="session")
def draw():
    """Return a function that draws (y, teacher_proba, student_proba)."""

    def draw(seed, n_samples=60, n_classes=3):
        rng = np.random.default_rng(seed)
        teacher = rng.dirichlet(np.ones(n_classes), n_samples)
        cumulative = teacher.cumsum(axis=1)
        y = (rng.random((n_samples, 1)) > cumulative).sum(axis=1)
        noise = rng.dirichlet(np.ones(n_classes), n_samples)
        return y.clip(max=n_classes - 1), teacher, 0.7 * teacher + 0.3 * noise

    return draw


@pytest.fixture(scope="session")
def distilled(adult):
    """A fitted model on Adult, and rows that it was not fitted on."""
    from lightgbm import LGBMClassifier

    from skdistill import DistilledClassifier
    from skdistill.students import TreeStudentClassifier

    X, y = adult
    teacher = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1)
    model = DistilledClassifier(
        teacher,
        TreeStudentClassifier(max_leaf_nodes=16),
        cv=3,
        augmenter=None,
        random_state=0,
    )
    return model.fit(X[:1000], y[:1000]), X[1000:], y[1000:]


@pytest.fixture(scope="session")
def distilled_regressor():
    """A distilled regressor that predicts numbers, and rows that it has not seen."""
    X, y = make_friedman1(1000, random_state=0)
    model = DistilledRegressor(
        HistGradientBoostingRegressor(max_iter=30),
        DecisionTreeRegressor(max_leaf_nodes=16),
        cv=3,
        random_state=0,
    )
    return model.fit(X[:500], y[:500]), X[500:], y[500:]


@pytest.fixture
def axes():
    """Axes of a figure that no window and no list of figures knows."""
    from matplotlib.figure import Figure

    return Figure().subplots()
