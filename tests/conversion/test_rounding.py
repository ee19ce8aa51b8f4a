import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.conversion._rounding import thresholds_of_rounded


def rounded(number):
    """Round to float32; a double, or numpy would round what it is compared with."""
    with np.errstate(over="ignore"):
        return float(np.float32(number))


doubles = st.floats(allow_nan=False)
floats = st.floats(allow_nan=False, width=32)


@given(st.one_of(doubles, floats))
def test_it_is_the_largest_double_that_does_not_round_above(threshold):
    (found,) = thresholds_of_rounded(np.array([threshold]))
    assert rounded(found) <= threshold
    if found < np.inf:
        assert rounded(np.nextafter(found, np.inf)) > threshold


@given(st.one_of(doubles, floats), st.one_of(doubles, floats))
def test_comparisons_are_those_of_rounded_numbers(threshold, value):
    (found,) = thresholds_of_rounded(np.array([threshold]))
    assert (value <= found) == (rounded(value) <= threshold)


@pytest.mark.parametrize("threshold", [1.0, 1.0 + 2.0**-23])
def test_ties_go_to_even(threshold):
    (found,) = thresholds_of_rounded(np.array([threshold]))
    even = threshold == 1.0
    assert (found == threshold + 2.0**-24) == even


def test_no_threshold_is_no_error():
    assert thresholds_of_rounded(np.empty(0)).shape == (0,)
