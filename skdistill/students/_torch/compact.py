"""Encoded rows, kept as few numbers and expanded batch by batch."""

import numpy as np
import torch

AS_IT_IS = (-np.inf, np.inf)
FRACTION = (0.0, 1.0)
NOTHING = (0.0, 0.0)


class CompactInputs(torch.nn.Module):
    r"""The code of an encoder, from one or two numbers for each column of the table.

    A number is kept as its score and its position along the edges, a category as the
    column of the code that is 1. Column c of the code, less its mean :math:`m_c`, is

    .. math::
        \min(\max(v_{s(c)} - i_c - m_c,\; l_c - m_c),\; u_c - m_c),

    where :math:`v_{s(c)}` is what is kept, :math:`i_c` the number of an interval whose
    code is between :math:`l_c = 0` and :math:`u_c = 1`. So the memory of the rows
    does not grow with the number of intervals and levels.

    Parameters
    ----------
    spec : EncoderSpec
        The fitted encoder.
    """

    source: torch.Tensor
    shift: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    def __init__(self, spec):
        super().__init__()
        self.columns = spec.columns
        self.n_hot = sum(_has_hot(column) for column in spec.columns)
        plan, self.n_kept = _plan(spec.columns)
        source, shift, bounds = zip(*plan, strict=True)
        low, high = np.array(bounds, dtype=np.float32).T
        self._add("source", np.array(source))
        self._add("shift", np.array(shift, dtype=np.float32) + spec.mean)
        self._add("low", low - spec.mean)
        self._add("high", high - spec.mean)

    @property
    def width(self):
        """Columns of the code."""
        return len(self.source)

    def compress(self, values, n_samples):
        """Return what is kept of a table.

        Parameters
        ----------
        values : iterable of ndarray of shape (n_samples,)
            Numbers and codes of categories, column by column.
        n_samples : int
            Number of rows.

        Returns
        -------
        ndarray of shape (n_samples, n_kept + n_hot), float32
        """
        kept = np.zeros((n_samples, self.n_kept + self.n_hot), dtype=np.float32)
        next_kept, next_hot, start = 0, self.n_kept, 0
        for column, column_values in zip(self.columns, values, strict=True):
            for numbers in _kept_numbers(column, column_values):
                kept[:, next_kept] = numbers
                next_kept += 1
            if _has_hot(column):
                slots = column.slots[column_values]
                kept[:, next_hot] = np.where(slots < 0, -1, slots + start)
                next_hot += 1
            start += column.width
        return kept

    def forward(self, kept):
        """Expand a batch of rows to their code."""
        code = kept.index_select(1, self.source).sub_(self.shift)
        torch.clamp(code, self.low, self.high, out=code)
        if self.n_hot:
            hot = kept[:, self.n_kept :].long()
            there = (hot >= 0).to(code.dtype)
            code.scatter_add_(1, hot.clamp_(min=0), there)
        return code

    def _add(self, name, array):
        self.register_buffer(name, torch.from_numpy(array), persistent=False)


def _plan(columns):
    """Of each column of the code: what it is made of, its shift and its bounds."""
    plan: list = []
    n_kept = 0
    for column in columns:
        if column.is_numeric:
            if len(column.knots):
                plan.append((n_kept, 0, AS_IT_IS))
                n_kept += 1
            plan += [(n_kept, i, FRACTION) for i in range(column.n_intervals)]
            n_kept += column.n_intervals > 0
            if column.marks_missing:
                plan.append((n_kept, 0, AS_IT_IS))
                n_kept += 1
        else:
            plan += [(0, 0, NOTHING)] * column.n_slots
            n_means = column.means.shape[1]
            plan += [(n_kept + i, 0, AS_IT_IS) for i in range(n_means)]
            n_kept += n_means
    # A code of no columns is one of zeros.
    return (plan, n_kept) if plan else ([(0, 0, NOTHING)], 1)


def _has_hot(column):
    return not column.is_numeric and column.n_slots > 0


def _kept_numbers(column, values):
    """Yield what is kept of a column, in the order of the plan."""
    if not column.is_numeric:
        yield from column.means[values].T
        return
    missing = np.isnan(values)
    values = np.where(missing, column.fill, values)
    if len(column.knots):
        yield np.interp(values, column.knots, column.scores)
    if column.n_intervals:
        yield column.position(values)
    if column.marks_missing:
        yield missing
