"""Batches of rows, in training and in validation."""

import torch


class BatchStream:
    """Batches cut from tensors by index, without looking at single rows.

    In training, an endless stream of which each iteration takes the next piece. A row
    comes up in proportion to its weight: in each round through the data so often, and
    then in a new order. Uniform weights give every row once. In validation (no
    `n_batches`) one pass in order, with the weights beside the targets.

    Parameters
    ----------
    dataset : torch.utils.data.TensorDataset
        Of inputs, log-odds, labels and weights.
    batch_size : int
        Rows of a batch.
    n_batches : list of int, default=None
        Batches of each iteration.
    seed : int, default=None
        Seeds the order of the rows.
    """

    def __init__(self, dataset, batch_size, n_batches=None, seed=None):
        self.tensors = dataset.tensors
        self.batch_size = batch_size
        self.n_batches = n_batches
        if n_batches is not None:
            self.generator = torch.Generator().manual_seed(seed)
            self.pieces = iter(n_batches)
            self.order = self._round()

    def __iter__(self):
        if self.n_batches is None:
            for start in range(0, len(self.tensors[0]), self.batch_size):
                rows = slice(start, start + self.batch_size)
                inputs, *targets = (tensor[rows] for tensor in self.tensors)
                yield inputs, targets
            return
        for _ in range(next(self.pieces)):
            if len(self.order) < self.batch_size:
                self.order = torch.cat([self.order, self._round()])
            rows = self.order[: self.batch_size]
            self.order = self.order[self.batch_size :]
            # Three times as fast as indexing.
            inputs, *targets = (t.index_select(0, rows) for t in self.tensors[:-1])
            yield inputs, targets

    def _round(self):
        """Row numbers of one round, as many as there are rows."""
        weights = self.tensors[-1].double()
        order = torch.randperm(len(weights), generator=self.generator)
        if torch.equal(weights, weights[:1].expand_as(weights)):
            return order
        # Systematic sampling: marks at equal distances along the summed weights, so
        # that a row comes up its expected number of times, rounded down or up.
        ends = weights[order].cumsum(0)
        start = torch.rand(1, generator=self.generator, dtype=torch.float64)
        marks = (torch.arange(len(weights)) + start) * (ends[-1] / len(weights))
        drawn = order[torch.searchsorted(ends, marks).clamp(max=len(weights) - 1)]
        return drawn[torch.randperm(len(weights), generator=self.generator)]
