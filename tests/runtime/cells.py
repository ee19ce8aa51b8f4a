"""Columns and cells for the tests of tables and rows."""

import numpy as np
from hypothesis import strategies as st

from skdistill.runtime import CategoryColumn, NumberColumn

LEVELS = ("", "0", "0.5", "1", "2", "False", "True", "a", "b", "inf", "é")


def number(name):
    return NumberColumn(name, 0.0, 1.0)


def category(name, levels=LEVELS):
    return CategoryColumn(name, levels)


COLUMNS = (number("age"), category("sex", ("f", "m")), category("code", ("1", "2")))

TABLE = {"age": [42.0, None, 1.5], "sex": ["m", None, "?"], "code": [1, 2.0, "1"]}

VALUES = [[42, 1, 0], [np.nan, -1, 1], [1.5, -2, 0]]

missing = st.sampled_from([None, np.nan])

floats = st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, 3.7, -1e300, 1e300])

integers = st.sampled_from([0, 1, 2, 7, 2**53 + 1, -3])

texts = st.sampled_from([*LEVELS, "c", "nan", "1.0", " a"])

booleans = st.booleans()
