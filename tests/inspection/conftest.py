"""Rows with a known truth, and what two imperfect models say about them."""

import numpy as np
import pytest


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
