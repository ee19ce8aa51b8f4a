from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.inspection import double_lift

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, n_bins=st.integers(1, 15))
def test_bins_are_ordered_and_hold_all_rows(seed, n_bins):
    rng = np.random.default_rng(seed)
    teacher, student = rng.random((2, 50)).round(1)
    y, weights = rng.random(50) < teacher, rng.integers(1, 3, 50)
    bins = double_lift(y, teacher, student, n_bins=n_bins, sample_weight=weights)
    assert len(bins) <= n_bins
    assert sum(row.n_rows for row in bins) == 50
    for before, after in pairwise(bins):
        assert before.low <= before.high < after.low
    for name, values in (("actual", y), ("teacher", teacher), ("student", student)):
        total = sum(row.share * getattr(row, name) for row in bins)
        assert total == pytest.approx(np.average(values, weights=weights))
    columns = [np.repeat(values, weights) for values in (y, teacher, student)]
    for row, repeated in zip(bins, double_lift(*columns, n_bins=n_bins), strict=True):
        assert row.student == pytest.approx(repeated.student)
        assert row.low == repeated.low


def test_a_student_that_repeats_its_teacher_has_one_bin():
    scores = np.linspace(0, 1, 20)
    (row,) = double_lift(scores > 0.5, scores, scores)
    assert (row.low, row.high, row.n_rows) == (1, 1, 20)


@pytest.mark.parametrize(
    ("y", "teacher", "options", "message"),
    [
        ([0, 1], [-0.1, 0.2], {}, "non-negative"),
        ([0, 1], [0.1], {}, "shapes"),
        ([0], [0.1, 0.2], {}, "shape"),
        (["a", "b"], [0.1, 0.2], {}, "numbers"),
        ([0, 1], [0.1, 0.2], {"n_bins": 0}, "n_bins=0"),
        ([0, 1], [0.1, 0.2], {"sample_weight": [1]}, "sample_weight"),
    ],
)
def test_bad_input_is_refused(y, teacher, options, message):
    with pytest.raises(ValueError, match=message):
        double_lift(y, teacher, [0.1, 0.2], **options)
