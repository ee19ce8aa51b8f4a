"""The loop that trains a network, in skorch's frame."""

import math

import numpy as np
import skorch
import torch

from .gradient import NetworkGradient

WARM_UP = 0.05
"""Share of the steps in which the learning rate rises; then it falls as a cosine."""


class SoftTargetNet(skorch.NeuralNet):
    """A net whose targets are a teacher's and the true ones, and weights in validation.

    skorch's own loop looks after any module on any device and tells every batch to
    every callback, which takes longer than a step of a small network. Here a batch is
    a step and nothing else; callbacks hear of epochs, which are slices of the stream.

    Parameters
    ----------
    n_steps : int
        Steps of the whole training, which the learning rate's schedule spans.
    """

    def __init__(self, *args, n_steps, **kwargs):
        self.n_steps = n_steps
        super().__init__(*args, **kwargs)

    def initialize_optimizer(self, *args, **kwargs):
        """Start the schedule with the optimiser."""
        super().initialize_optimizer(*args, **kwargs)
        self.n_steps_taken_ = 0
        self.peak_rates_ = [group["lr"] for group in self.optimizer_.param_groups]
        self.gradient_ = NetworkGradient(self.module_, self.criterion_)
        return self

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        """Mean objective of a batch; the weights have mean 1 over all rows."""
        soft, hard, *weights = y_true
        loss = self.criterion_(y_pred, soft, hard, *weights)
        return loss * weights[0].mean() if weights else loss

    def train_step(self, batch, **fit_params):
        """Take an optimiser step at the scheduled learning rate."""
        factor = learning_rate_factor(self.n_steps_taken_, self.n_steps)
        groups = self.optimizer_.param_groups
        for group, peak in zip(groups, self.peak_rates_, strict=True):
            group["lr"] = peak * factor
        loss = self.gradient_(*batch)
        self.optimizer_.step()
        self.n_steps_taken_ += 1
        return {"loss": loss}

    def validation_step(self, batch, **fit_params):
        """Compute the objective of a batch of held-out rows."""
        inputs, targets = batch
        with torch.no_grad():
            return {"loss": self.get_loss(self.module_(inputs), targets)}

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run through the batches, and record their mean loss as that of one."""
        if iterator is None:
            return
        losses, sizes = [], []
        for batch in iterator:
            losses.append(float(step_fn(batch)["loss"]))
            sizes.append(len(batch[0]))
        mean = float(np.average(losses, weights=sizes))
        self.history.new_batch()
        self.history.record_batch(f"{prefix}_loss", mean)
        self.history.record_batch(f"{prefix}_batch_size", sum(sizes))
        self.history.record(f"{prefix}_batch_count", len(sizes))


def learning_rate_factor(step, n_steps):
    """Learning rate of a step, as a share of its peak."""
    warm_up = max(1, round(WARM_UP * n_steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, n_steps - warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
