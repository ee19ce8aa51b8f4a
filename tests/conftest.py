"""Shared data, and one thread: OpenMP threads spin on machines with few cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

# Real fits take longer than hypothesis expects of an example.
settings.register_profile("skdistill", deadline=None, max_examples=40)
settings.load_profile("skdistill")


# The order of the tests is left to chance. What a model without a `random_state` draws
# is not, or one run in many would miss a bound for no reason in the code.
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup():
    np.random.seed(0)  # noqa: NPY002
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call():
    np.random.seed(0)  # noqa: NPY002
    return (yield)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def adult():
    """2,000 rows of Adult: categories, missing values, string labels."""
    from skdistill.datasets import load_adult

    X, y = load_adult(return_X_y=True)
    return X.iloc[:2000], y.iloc[:2000].to_numpy()


@pytest.fixture(scope="session")
def letter():
    """2,000 rows of Letter: 26 classes."""
    from skdistill.datasets import load_letter

    X, y = load_letter(return_X_y=True)
    return X.iloc[:2000], y.iloc[:2000].to_numpy()
