"""Checks of single parameters: what was got, and what was expected."""

import math

import numpy as np


def check_number(name, value, low, high=math.inf, *, above=False, auto=False):
    """Raise ValueError unless `value` is a finite number from `low` to `high`.

    With `above`, it must be larger than `low`; with `auto`, it may also be "auto".
    """
    if auto and is_auto(value):
        return
    # Bounds beyond float32 would overflow beside a number of that type.
    number = _as_float(value)
    inside = low < number if above else low <= number
    if not (inside and number <= high and math.isfinite(number)):
        raise ValueError(
            f"Got {name}={value!r}, but expected {_range(low, high, above)}"
            f"{_or_auto(auto)}."
        )


def check_boolean(name, value):
    """Raise ValueError unless `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"Got {name}={value!r}, but expected True or False.")


def is_auto(value):
    """Whether the value of a parameter is to be chosen."""
    return isinstance(value, str) and value == "auto"


def check_integer(name, value, low, *, auto=False):
    """Raise ValueError unless `value` is an integer of at least `low`.

    With `auto`, it may also be "auto".
    """
    if auto and is_auto(value):
        return
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integer or value < low:
        raise ValueError(
            f"Got {name}={value!r}, but expected an integer of at least {low}"
            f"{_or_auto(auto)}."
        )


def _or_auto(auto):
    return " or 'auto'" if auto else ""


def _as_float(value):
    """Return a number as a float, NaN for anything else."""
    if isinstance(value, bool):
        return math.nan
    if not isinstance(value, int | float | np.integer | np.floating):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _range(low, high, above):
    if math.isfinite(high):
        return f"a number in {'(' if above else '['}{low}, {high}]"
    if low == 0:
        return f"a {'positive' if above else 'non-negative'} finite number"
    return f"a finite number {'above' if above else 'of at least'} {low}"
