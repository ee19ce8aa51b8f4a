"""What a network minimises, on the arrays that it is trained on.

An objective is torch's criterion of held-out rows, and tells `NetworkGradient` the
gradient of a batch by numpy. Its targets are two arrays: what the teacher says and
what is true.
"""

import numpy as np
import torch

from ...losses import soft_target_loss
from ...losses._torch import SoftTargetLoss
from .targets import mean_one, target_arrays


class SoftTargetObjective(torch.nn.Module):
    """The objective of soft targets. For two classes a network has one output.

    Parameters
    ----------
    targets : SoftTargets
        What the network should say about the rows.
    """

    def __init__(self, targets):
        super().__init__()
        self.targets = targets
        self.loss = SoftTargetLoss(
            targets.temperature, targets.alpha, from_log_odds=True
        )

    @property
    def n_outputs(self):
        """Outputs that the network has."""
        n_classes = len(self.targets.classes)
        return 1 if n_classes == 2 else n_classes

    def arrays(self, sample_weight):
        """Return log-odds, labels and weights of the rows."""
        return target_arrays(self.targets, sample_weight)

    def forward(self, outputs, logits, labels, sample_weight=None):
        """Mean objective of a batch, by torch."""
        if outputs.shape[1] < logits.shape[1]:
            outputs = torch.nn.functional.pad(outputs, (1, 0))
        return self.loss(outputs, logits, labels, sample_weight)

    def gradient(self, outputs, logits, labels):
        """Mean objective of a batch and its gradient, by numpy."""
        single = outputs.shape[1] < logits.shape[1]
        if single:
            outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
        loss, gradient = soft_target_loss(
            outputs,
            logits,
            labels,
            temperature=self.loss.temperature,
            alpha=self.loss.alpha,
            from_log_odds=True,
        )
        return loss, np.ascontiguousarray(gradient[:, 1:]) if single else gradient

    def in_units(self, layers):
        """Return the layers of a trained network, whose outputs are log-odds."""
        return layers


class RegressionObjective(torch.nn.Module):
    """The objective of `RegressionTargets`, in units in which they are about 1.

    Parameters
    ----------
    targets : RegressionTargets
        What the network should predict.
    sample_weight : ndarray of shape (n_samples,) or None
        Positive weights, for the choice of the units.
    """

    def __init__(self, targets, sample_weight):
        super().__init__()
        self.alpha = float(targets.alpha)
        self.shape = (len(targets), -1)
        mixture = targets.mixture().reshape(self.shape)
        weights = np.ones(len(targets)) if sample_weight is None else sample_weight
        self.centre, self.scale = targets.loss.standardisation(mixture, weights)
        self.targets = targets
        self.loss = targets.loss.scaled(self.scale)

    @property
    def n_outputs(self):
        """Outputs that the network has."""
        return len(self.centre)

    def arrays(self, sample_weight):
        """Return predictions of the teacher, true values or NaN, and weights."""
        predictions, y = self.targets.predictions, self.targets.y
        y = np.full_like(predictions, np.nan) if y is None else y
        soft, hard = (
            self.loss.standardised(
                values.reshape(self.shape), self.centre, self.scale
            ).astype(np.float32)
            for values in (predictions, y)
        )
        return soft, hard, mean_one(sample_weight, len(soft))

    def forward(self, outputs, soft, hard, sample_weight=None):
        """Mean objective of a batch, of outputs that need no gradient."""
        losses, _ = self._terms(outputs.numpy(), soft.numpy(), hard.numpy())
        weights = None if sample_weight is None else sample_weight.numpy()
        mean = np.average(losses.mean(axis=1), weights=weights)
        return torch.tensor(float(mean))

    def gradient(self, outputs, soft, hard):
        """Mean objective of a batch and its gradient, by numpy."""
        losses, derivatives = self._terms(outputs, soft, hard)
        gradient = (derivatives / losses.size).astype(np.float32)
        return float(losses.mean()), gradient

    def in_units(self, layers):
        """Return the layers of a trained network with outputs in the units of y."""
        *hidden, (weights, biases) = layers
        weights = (weights * self.scale).astype(np.float32)
        biases = (biases * self.scale + self.centre).astype(np.float32)
        return [*hidden, (weights, biases)]

    def _terms(self, outputs, soft, hard):
        """Objective of each output and its derivative."""
        losses = derivatives = np.zeros_like(outputs)
        if self.alpha > 0:
            loss, derivative = self.loss.teacher_term(soft, outputs)
            losses, derivatives = self.alpha * loss, self.alpha * derivative
        if self.alpha < 1:
            missing = np.isnan(hard)
            share = np.where(missing, 0.0, 1 - self.alpha)
            loss, derivative = self.loss.label_term(
                np.where(missing, outputs, hard), outputs
            )
            losses, derivatives = (
                losses + share * loss,
                derivatives + share * derivative,
            )
        return losses, derivatives
