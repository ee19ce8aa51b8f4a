import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.inspection import agreement, skill_retention


def case(seed, n_samples=50, n_classes=3):
    rng = np.random.default_rng(seed)
    teacher = rng.dirichlet(np.ones(n_classes), n_samples)
    cumulative = teacher.cumsum(axis=1)
    y = (rng.random((n_samples, 1)) > cumulative).sum(axis=1).clip(max=n_classes - 1)
    return y, teacher, rng.dirichlet(np.ones(n_classes), n_samples)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_teacher_keeps_all_and_the_frequencies_keep_nothing(seed):
    y, teacher, _ = case(seed, 300)
    prior = np.bincount(y, minlength=3) / len(y)
    options = {"classes": [0, 1, 2], "prior": prior}
    assert skill_retention(y, teacher, teacher, **options) == pytest.approx(1)
    frequencies = np.tile(prior, (len(y), 1))
    assert skill_retention(y, teacher, frequencies, **options) == pytest.approx(0)


@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_classes_and_repetition_do_not_matter(seed):
    y, teacher, student = case(seed, 300)
    value = skill_retention(y, teacher, student, classes=[0, 1, 2])
    order = [2, 0, 1]
    permuted = skill_retention(y, teacher[:, order], student[:, order], classes=order)
    assert permuted == pytest.approx(value)
    weights = np.random.default_rng(seed).integers(1, 3, len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    assert skill_retention(
        y, teacher, student, classes=[0, 1, 2], sample_weight=weights
    ) == pytest.approx(
        skill_retention(y[rows], teacher[rows], student[rows], classes=[0, 1, 2])
    )


def test_a_teacher_without_skill_has_nothing_to_keep():
    uniform = np.full((4, 2), 0.5)
    with pytest.raises(ValueError, match="the teacher's skill"):
        skill_retention([0, 1, 0, 1], uniform, uniform, classes=[0, 1])


def test_a_difference_of_rounding_is_no_skill():
    y, prior = np.arange(1000) % 10 == 0, [0.9, 0.1]
    teacher = np.tile([0.9 - 1e-12, 0.1 + 1e-12], (1000, 1))
    teacher[y] += [-1e-12, 1e-12]
    with pytest.raises(ValueError, match="the teacher's skill"):
        skill_retention(y, teacher, teacher, classes=[False, True], prior=prior)


def test_agreement_counts_and_weighs():
    assert agreement(["a", "b"], ["a", "a"]) == 0.5
    assert agreement(["a", "b"], ["a", "a"], sample_weight=[3, 1]) == 0.75


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1], [1, 2], "shapes"),
        ([[1]], [[1]], "shapes"),
        ([], [], "no rows"),
    ],
)
def test_bad_labels_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        agreement(a, b)
