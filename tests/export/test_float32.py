import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skdistill.export._float32 import check_ends, round_down, split
from skdistill.runtime import NumberColumn

any_float32 = st.floats(width=32, allow_nan=False)
any_threshold = st.floats(allow_nan=False) | any_float32


def neighbours(t):
    """The float32 numbers around a number."""
    with np.errstate(all="ignore"):
        nearest = np.float32(t)
        return [
            nearest,
            *(np.nextafter(nearest, np.float32(s)) for s in (-np.inf, np.inf)),
        ]


@given(t=any_threshold, x=any_float32)
@example(t=-3.4028235e38, x=0.0)  # just above the lowest float32
@example(t=-3.402823364973241e38, x=0.0)
@example(t=1e300, x=0.0)
@example(t=-1e-50, x=0.0)
def test_every_float32_stays_on_its_side(t, x):
    rounded = round_down(np.array([t]))[0]
    assert rounded.dtype == np.float32
    for value in (np.float32(x), *neighbours(t)):
        assert (np.float64(value) <= t) == (value <= rounded)


def test_a_threshold_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="Got a threshold that is NaN"):
        round_down(np.array([0.0, np.nan]))


@given(numbers=st.lists(st.floats(-1e37, 1e37).filter(lambda x: abs(x) > 1e-20)))
def test_two_float32_numbers_are_nearly_one_float64(numbers):
    numbers = np.array(numbers, dtype=np.float64)
    high, low = split(numbers)
    assert high.dtype == low.dtype == np.float32
    together = high.astype(np.float64) + low
    np.testing.assert_allclose(together, numbers, rtol=2**-47, atol=1e-44)


@pytest.mark.parametrize("field", ["knots", "edges", "fill"])
def test_numbers_beyond_float32_are_refused(field):
    fields = {
        "knots": np.array([0, 1e38]),
        "edges": np.array([-1e300, 0]),
        "fill": 1e39,
    }
    values = {field: fields[field]}
    if field == "knots":
        values["scores"] = np.zeros(2)
    column = NumberColumn("income", 0.0, 1.0, **values)
    with pytest.raises(ValueError, match=r"Got 1e.* of column 'income', but expected"):
        check_ends([column])
