"""Training the networks of the students through skorch."""

import numpy as np
import torch
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from threadpoolctl import threadpool_limits
from torch.utils.data import TensorDataset

from ..._progress import Progress
from .batches import BatchStream
from .compact import CompactInputs
from .net import SoftTargetNet
from .network import Network
from .objectives import RegressionObjective, SoftTargetObjective
from .optimizers import OPTIMIZERS
from .turns import own_turn, seeded

__all__ = [
    "RegressionObjective",
    "SoftTargetObjective",
    "own_turn",
    "train_network",
]

N_REPORTS = 50
"""Most slices of the training, each with an entry in the loss curve."""


def train_network(settings, table, objective, sample_weight, random_state, stops_early):
    """Train a network and return its weights.

    Parameters
    ----------
    settings : MLPStudentClassifier or MLPStudentRegressor
        Its parameters and its encoder are read.
    table : iterable of ndarray of shape (n_samples,)
        Numbers and codes of categories, column by column.
    objective : SoftTargetObjective or RegressionObjective
        What is minimised.
    sample_weight : ndarray of shape (n_samples,) or None
        Positive weights.
    random_state : RandomState
        Where every seed comes from; torch's global generator is left as it was.
    stops_early : bool
        Whether rows are held out to choose the best weights.

    Returns
    -------
    layers : list of (weights, biases)
        Float32 arrays of shapes (n_in, n_out) and (n_out,).
    history : skorch.history.History
        One entry for each slice of the training.
    n_steps : int
        Optimiser steps taken.
    """
    seed = int(random_state.randint(np.iinfo(np.int32).max))
    inputs = CompactInputs(settings.encoder_.to_spec())
    targets = objective.arrays(sample_weight)
    rows = inputs.compress(table, len(targets[0]))
    arrays = (rows, *targets)
    share = settings.validation_fraction if stops_early else 0.0
    data, validation = _datasets(arrays, share, random_state)
    batch_size = min(settings.batch_size, len(data))
    slices = _slices(settings._n_steps(len(data)))
    net = make_net(settings, inputs.width, objective, batch_size, slices, seed)
    net.set_params(module__expand=inputs)
    stopping = EarlyStopping(patience=settings.n_iter_no_change, load_best=True)
    if validation is not None:
        net.set_params(train_split=predefined_split(validation))
    stage = f"training the network on {len(data):,} rows"
    # More threads gain nothing on batches, and would change the order of sums.
    with (
        seeded(seed),
        threadpool_limits(1, user_api="blas"),
        Progress(settings.verbose).stage(stage, sum(slices), "step") as advance,
    ):
        callbacks = [("steps", _Steps(advance)), ("early_stopping", stopping)]
        net.set_params(callbacks=callbacks[: 1 + (validation is not None)])
        net.fit(data, y=None)
    stopped = getattr(stopping, "misses_", 0) == stopping.patience
    if net.n_steps_taken_ < sum(slices) and not stopped:
        # skorch takes an interrupt for a wish to go on with the weights as they are.
        raise KeyboardInterrupt
    layers = objective.in_units(net.module_.layers_as_arrays())
    return layers, net.history, net.n_steps_taken_


class _Steps(Callback):
    """Tells how many steps are done."""

    def __init__(self, advance):
        self.advance = advance

    def on_epoch_end(self, net, **kwargs):
        self.advance(
            net.history[-1]["train_batch_count"],
            f"loss {net.history[-1, 'train_loss']:.4f}",
        )


def make_net(settings, n_inputs, objective, batch_size, slices, seed):
    """Return the skorch net that is trained, not yet initialised.

    Parameters
    ----------
    settings : MLPStudentClassifier or MLPStudentRegressor
        Its parameters are read.
    n_inputs : int
        Columns of the encoded rows.
    objective : SoftTargetObjective or RegressionObjective
        What is minimised.
    batch_size : int
        Rows of a batch.
    slices : list of int
        Batches of each slice of the training.
    seed : int
        Seeds the order of the rows.

    Returns
    -------
    skorch.NeuralNet
    """
    return SoftTargetNet(
        Network,
        n_steps=sum(slices),
        module__n_inputs=n_inputs,
        module__hidden_layer_sizes=settings.hidden_layer_sizes,
        module__n_outputs=objective.n_outputs,
        criterion=objective,
        optimizer=OPTIMIZERS[settings.optimizer],
        optimizer__weight_decay=settings.weight_decay_,
        lr=settings.learning_rate,
        max_epochs=len(slices),
        batch_size=batch_size,
        iterator_train=BatchStream,
        iterator_train__n_batches=slices,
        iterator_train__seed=seed,
        iterator_valid=BatchStream,
        train_split=None,
        verbose=0,
    )


def _datasets(arrays, validation_fraction, random_state):
    """Training rows and, if a share of them is to be held out, validation rows."""
    if not validation_fraction:
        return TensorDataset(*map(torch.from_numpy, arrays)), None
    order = random_state.permutation(len(arrays[0]))
    n_validation = max(1, round(validation_fraction * len(order)))
    held_out, kept = order[:n_validation], order[n_validation:]
    return tuple(
        TensorDataset(*(torch.from_numpy(array[rows]) for array in arrays))
        for rows in (kept, held_out)
    )


def _slices(n_steps):
    """Steps in each slice of the training, as equal as whole numbers allow."""
    n_slices = min(N_REPORTS, n_steps)
    ends = np.linspace(0, n_steps, n_slices + 1).round().astype(int)
    return np.diff(ends).tolist()
