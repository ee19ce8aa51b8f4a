"""Optimisers of the network, by the names that users give them."""

import torch

MUON_RATE = 2.5
"""Learning rate of Muon in terms of AdamW's: 0.02 beside 0.008."""


ORTHOGONALISATION_STEPS = 3
"""Newton-Schulz steps in each step of Muon: as good as its usual 5, and cheaper."""


class MuonAdamW(torch.optim.Optimizer):
    """Muon on hidden matrices, AdamW on the output layer and all biases.

    Muon makes every update of a matrix orthogonal, which needs a fraction of AdamW's
    steps; its learning rate is a fixed multiple of AdamW's, so that one schedule
    serves both.

    References
    ----------
    K. Jordan et al. "Muon: An optimizer for hidden layers in neural networks", 2024.
    """

    def __init__(self, params, lr, weight_decay):
        groups = list(params)
        weights = [p for group in groups for p in group["params"]]
        *hidden, output = [p for p in weights if p.ndim == 2]
        others = [output, *(p for p in weights if p.ndim < 2)]
        self.parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=lr, weight_decay=weight_decay, fused=True)
        ]
        if hidden:
            muon_lr = MUON_RATE * lr
            self.parts.append(
                torch.optim.Muon(
                    hidden,
                    lr=muon_lr,
                    weight_decay=weight_decay * lr / muon_lr,
                    ns_steps=ORTHOGONALISATION_STEPS,
                )
            )
        super().__init__([{"params": weights}], {"lr": lr})
        # The parts' own groups, so that a schedule reaches them.
        self.param_groups = [g for part in self.parts for g in part.param_groups]

    @torch.no_grad()
    def step(self, closure=None):
        """Take a step of both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss


def _adamw(params, **options):
    return torch.optim.AdamW(params, fused=True, **options)


OPTIMIZERS = {"adamw": _adamw, "muon": MuonAdamW}
