"""Models whose scores continue beyond the training range: the reference."""

from dataclasses import fields, replace

import numpy as np

from ._first_layer import FURTHEST
from ._network import NetworkSpec
from ._spec import NumberColumn


class _UnboundedColumn(NumberColumn):
    """A column whose score goes on along its first and its last segment."""

    def encode(self, values, out):
        super().encode(values, out)
        if len(self.knots) < 2:
            return
        values = np.where(np.isnan(values), self.fill, values)
        values = np.clip(values, *self._furthest())
        for outside, ends in (
            (values < self.knots[0], slice(None, 2)),
            (values > self.knots[-1], slice(-2, None)),
        ):
            (x0, x1), (y0, y1) = self.knots[ends], self.scores[ends]
            out[outside, 0] = y0 + (values[outside] - x0) * ((y1 - y0) / (x1 - x0))

    def _furthest(self):
        """Return how far down and up scores continue, as in compiled code."""
        low, high = self.knots[[0, -1]]
        # Straight lines so far in units of the code, bent ones in ranges.
        unit = np.abs(np.diff(self.scores)) if len(self.knots) == 2 else 1.0
        with np.errstate(over="ignore", divide="ignore"):
            reach = float(FURTHEST * (high - low) / np.max(unit))
            return np.nan_to_num([low - reach, high + reach])


def extrapolated(spec):
    """Return the model whose scores of numbers continue beyond the training range.

    A score goes on along its last segment; intervals stay at their ends. Trees are
    constant out there whatever is done.

    Parameters
    ----------
    spec : ModelSpec
        A model.

    Returns
    -------
    ModelSpec
    """
    network = spec.predictor
    if not isinstance(network, NetworkSpec):
        return spec
    columns = tuple(
        _UnboundedColumn(**{f.name: getattr(column, f.name) for f in fields(column)})
        if column.is_numeric
        else column
        for column in network.columns
    )
    encoder = replace(network.encoder, columns=columns)
    return replace(spec, predictor=replace(network, encoder=encoder))
