import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skdistill import SoftTargets
from skdistill.losses import SoftTargetLoss
from skdistill.students._torch.gradient import NetworkGradient
from skdistill.students._torch.network import Network
from skdistill.students._torch.objectives import SoftTargetObjective


@given(
    n_rows=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 20), max_size=3),
    n_classes=st.integers(2, 5),
    temperature=st.floats(0.2, 5),
    alpha=st.floats(0, 1),
    expands=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_it_is_what_autograd_computes(
    n_rows, sizes, n_classes, temperature, alpha, expands, seed
):
    torch.manual_seed(seed)
    expand = torch.nn.Softsign() if expands else None
    nothing = np.zeros((1, n_classes))
    objective = SoftTargetObjective(
        SoftTargets(nothing, temperature=temperature, alpha=alpha)
    )
    network = Network(4, sizes, objective.n_outputs, expand)
    criterion = SoftTargetLoss(temperature, alpha, from_log_odds=True)
    inputs = torch.randn(n_rows, 4)
    targets = [torch.randn(n_rows, n_classes), torch.randint(-1, n_classes, (n_rows,))]
    outputs = network(inputs)
    if n_classes == 2:
        outputs = torch.nn.functional.pad(outputs, (1, 0))
    expected = criterion(outputs, *targets)
    gradients = torch.autograd.grad(expected, list(network.parameters()))
    gradient = NetworkGradient(network, objective)
    for _ in range(2):  # what the first call left does not matter to the second
        assert gradient(inputs, targets) == pytest.approx(
            expected.item(), rel=1e-5, abs=1e-6
        )
        for parameter, wanted in zip(network.parameters(), gradients, strict=True):
            scale = float(wanted.abs().max()) + 1e-3
            np.testing.assert_allclose(parameter.grad, wanted, atol=1e-5 * scale)
