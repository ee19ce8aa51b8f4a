"""The gradient of a network's objective, without a graph of operations."""

import numpy as np
import torch


class NetworkGradient:
    """Computes loss and gradient of a batch of rows in one pass forth and back.

    A network this small spends more time in torch's graph than in arithmetic, and
    numpy multiplies matrices of this size in half of torch's time. The products are
    numpy's, everything else is torch's on the same memory.

    Parameters
    ----------
    network : Network
        Its parameters get a ``grad`` that is written anew for each batch.
    objective : SoftTargetObjective or RegressionObjective
        Its method `gradient` is called.
    """

    def __init__(self, network, objective):
        self.network = network
        self.objective = objective
        self.layers = []
        for weights, biases in zip(network.weights, network.biases, strict=True):
            for parameter in (weights, biases):
                parameter.grad = torch.empty_like(parameter)
            self.layers.append((weights.detach(), biases.detach()))
        self.gradients = [
            (weights.grad, biases.grad)
            for weights, biases in zip(network.weights, network.biases, strict=True)
        ]

    @torch.no_grad()
    def __call__(self, inputs, targets):
        """Write the gradient of the mean objective of a batch.

        Parameters
        ----------
        inputs : Tensor of shape (n_rows, n_kept)
            Rows as the network takes them.
        targets : list of Tensor
            What the teacher says about the rows, and what is true.

        Returns
        -------
        float
            The mean objective.
        """
        expand = self.network.expand
        activations = [inputs if expand is None else expand(inputs)]
        for layer in self.layers[:-1]:
            activations.append(_outputs(activations[-1], *layer).relu_())
        outputs = _outputs(activations[-1], *self.layers[-1]).numpy()
        soft, hard = (target.numpy() for target in targets)
        loss, gradient = self.objective.gradient(outputs, soft, hard)
        self._propagate(activations, gradient)
        return loss

    def _propagate(self, activations, gradient):
        """Go back from the gradient with respect to the last layer's outputs."""
        for depth in reversed(range(len(self.layers))):
            weights, biases = self.gradients[depth]
            np.matmul(gradient.T, activations[depth].numpy(), out=weights.numpy())
            torch.sum(torch.from_numpy(gradient), dim=0, out=biases)
            if depth:
                before = torch.from_numpy(gradient @ self.layers[depth][0].numpy())
                passed = torch.ops.aten.threshold_backward(
                    before, activations[depth], 0
                )
                gradient = passed.numpy()


def _outputs(inputs, weights, biases):
    return torch.from_numpy(inputs.numpy() @ weights.numpy().T).add_(biases)
