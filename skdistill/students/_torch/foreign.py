"""Fitting a user's skorch net to soft targets."""

import numpy as np
import skorch
import torch
from sklearn.base import clone
from skorch.dataset import ValidSplit
from torch.utils.data import DataLoader

from ...losses._torch import SoftTargetLoss
from .targets import target_arrays
from .turns import seeded


def fit_net(net, X, targets, sample_weight, random_state, returns_probabilities):
    """Fit a copy of a user's skorch net to soft targets.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned.
    X : ndarray of shape (n_samples, n_features), float32
        Rows.
    targets : SoftTargets
        What the net should say about them.
    sample_weight : ndarray of shape (n_samples,) or None
        Positive weights.
    random_state : RandomState
        Where torch's seed comes from.
    returns_probabilities : bool
        Whether the module returns probabilities instead of log-odds.

    Returns
    -------
    skorch.NeuralNet
        The fitted copy.
    """
    net = _plain_net(clone(net)).set_params(
        criterion=_PackedLoss,
        criterion__temperature=targets.temperature,
        criterion__alpha=targets.alpha,
        criterion__returns_probabilities=returns_probabilities,
    )
    split = net.train_split
    if isinstance(split, ValidSplit) and split.stratified:
        # Stratifying needs labels, and the targets are log-odds.
        unstratified = ValidSplit(split.cv, random_state=split.random_state)
        net.set_params(train_split=unstratified)
    logits, labels, weights = target_arrays(targets, sample_weight)
    packed = np.column_stack([logits, labels.astype(np.float32), weights])
    with seeded(int(random_state.randint(np.iinfo(np.int32).max))):
        return net.fit(X, packed)


def net_outputs(net, X):
    """Return what a fitted net says about rows, without a draw from torch's generator.

    Parameters
    ----------
    net : skorch.NeuralNet
        As `fit_net` returned it.
    X : ndarray of shape (n_samples, n_features), float32
        Rows.

    Returns
    -------
    ndarray of shape (n_samples, ...)
    """
    batches = net.get_iterator(net.get_dataset(X))
    if isinstance(batches, DataLoader) and batches.generator is None:
        # Otherwise it draws a seed for its workers, even if it has none.
        batches.generator = torch.Generator()
    outputs = [net.evaluation_step(batch).cpu() for batch in batches]
    return torch.cat(outputs).numpy()


def _plain_net(net):
    """Return skorch's own classifiers as a ``NeuralNet``, which takes any target."""
    if type(net) not in (skorch.NeuralNetClassifier, skorch.NeuralNetBinaryClassifier):
        return net
    parameters = net.get_params(deep=False)
    for name in ("classes", "threshold", "callbacks__valid_acc"):
        parameters.pop(name, None)
    return skorch.NeuralNet(**parameters)


class _PackedLoss(torch.nn.Module):
    """The objective on targets packed into one matrix, the form that skorch splits.

    Columns: log-odds, label, weight.
    """

    def __init__(self, temperature, alpha, returns_probabilities):
        super().__init__()
        self.loss = SoftTargetLoss(temperature, alpha, from_log_odds=True)
        self.returns_probabilities = returns_probabilities

    def forward(self, output, packed):
        n_classes = packed.shape[1] - 2
        output = output.reshape(len(output), -1)
        if self.returns_probabilities:
            tiny = torch.finfo(output.dtype).tiny
            if output.shape[1] == 1:
                output = torch.cat([1 - output, output], dim=1)
            output = torch.log(output.clamp(min=tiny))
        elif output.shape[1] == 1:
            output = torch.nn.functional.pad(output, (1, 0))
        logits, labels, weights = packed.split([n_classes, 1, 1], dim=1)
        return self.loss(
            output.contiguous(),
            logits.contiguous(),
            labels.reshape(-1).long(),
            weights.reshape(-1),
        )
