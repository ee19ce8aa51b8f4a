"""The network that is trained."""

from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import linear


class Network(torch.nn.Module):
    """Rectified hidden layers, then outputs.

    Parameters instead of `torch.nn.Linear`: calling modules would take a tenth of the
    time of a step. They start as those of `Linear` do.

    Parameters
    ----------
    n_inputs : int
        Columns of the code of the rows.
    hidden_layer_sizes : sequence of int
        Units of each hidden layer.
    n_outputs : int
        Number of outputs.
    expand : torch.nn.Module, default=None
        Makes the code of a batch; ``None``: it comes as it is.
    """

    weights: torch.nn.ParameterList
    biases: torch.nn.ParameterList

    def __init__(self, n_inputs, hidden_layer_sizes, n_outputs, expand=None):
        super().__init__()
        self.expand = expand
        sizes = [n_inputs, *hidden_layer_sizes, n_outputs]
        layers = [torch.nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)]
        self.weights = torch.nn.ParameterList(layer.weight for layer in layers)
        self.biases = torch.nn.ParameterList(layer.bias for layer in layers)

    def forward(self, inputs):
        *hidden_layers, last = zip(self.weights, self.biases, strict=True)
        hidden = inputs if self.expand is None else self.expand(inputs)
        for layer in hidden_layers:
            hidden = linear(hidden, *layer).relu_()
        return linear(hidden, *last)

    def layers_as_arrays(self):
        """Weights of shape (n_in, n_out) and biases of each layer."""
        return [
            (np.ascontiguousarray(weights.numpy().T), biases.numpy().copy())
            for weights, biases in zip(
                (w.detach() for w in self.weights),
                (b.detach() for b in self.biases),
                strict=True,
            )
        ]
