"""Samplers of new rows for the teacher to label, which keep the column types.

A new row is made of cells of existing rows, so that categories stay in their sets,
integers stay integers and values are missing where they could be.
"""

from ._marginal_swap import MarginalSwap
from ._mixture import Mixture
from ._munge import Munge
from ._split_midpoints import SplitMidpoints

__all__ = ["MarginalSwap", "Mixture", "Munge", "SplitMidpoints"]
