"""Errors of the kernel's exp and log, in units in the last place."""

import numpy as np
import pytest

_soft_target = pytest.importorskip("skdistill.losses._soft_target")

# The portable implementation calls those of the C library.
each_vector_set = pytest.mark.parametrize(
    "name", [name for name in _soft_target.INSTRUCTION_SETS if name != "portable"]
)


def exact(function, values):
    # The scalar logarithm and exponential in extended precision where there is
    # one; in double otherwise, whose own error then adds to what is measured.
    return function(values.astype(np.longdouble))


def largest_error(found, right, dtype):
    """In units in the last place of the right value."""
    unit = np.spacing(np.abs(right).astype(dtype)).astype(np.longdouble)
    return float(np.max(np.abs(found - right) / unit))


@each_vector_set
def test_float32_exponential_is_within_2_ulp(name):
    # Every 211th of all floats from zero to where the kernel has nothing but 0.
    bits = np.arange(0x80000000, 0xC2AEAC49, 211, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    out = np.empty_like(values)
    _soft_target._vector_exp(name, values, out)
    assert largest_error(out, np.exp(values.astype(np.float64)), np.float32) < 2


@each_vector_set
def test_float32_logarithm_is_within_2_ulp(name):
    bits = np.arange(0x00800000, 0x7F800000, 211, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    out = np.empty_like(values)
    _soft_target._vector_log(name, values, out)
    assert largest_error(out, np.log(values.astype(np.float64)), np.float32) < 2


@each_vector_set
def test_float64_exponential_and_logarithm_are_within_2_ulp(name):
    generator = np.random.default_rng(0)
    values = np.concatenate(
        [
            np.linspace(-708.39, 0, 500_001),
            -np.logspace(-300, 0, 100_001),
            -np.arange(1022) * np.log(2),
        ]
    )
    out = np.empty_like(values)
    _soft_target._vector_exp(name, values, out)
    assert largest_error(out, exact(np.exp, values), np.float64) < 2
    values = np.concatenate(
        [
            np.exp(generator.uniform(-708.3, 709.7, 500_000)),
            1 + generator.normal(scale=0.1, size=500_000),
            1 + np.logspace(-15, -1, 10_000),
            2.0 ** np.arange(-1022, 1023),
        ]
    )
    out = np.empty_like(values)
    _soft_target._vector_log(name, values, out)
    assert largest_error(out, exact(np.log, values), np.float64) < 2


@each_vector_set
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponential_below_the_normal_numbers_is_zero(name, dtype):
    lowest = float(np.log(np.finfo(dtype).tiny))
    values = np.array([lowest, -1e4, -np.finfo(dtype).max, -np.inf], dtype)
    out = np.empty_like(values)
    _soft_target._vector_exp(name, values, out)
    np.testing.assert_array_equal(out, 0)
