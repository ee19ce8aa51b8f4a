import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skdistill.students._torch.optimizers import NEWTON_SCHULZ, Muon, orthogonalise


@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    n_steps=st.integers(1, 5),
    scale=st.floats(1e-5, 1e5),
    seed=st.integers(0, 2**31),
)
def test_singular_values_follow_the_polynomial(shape, n_steps, scale, seed):
    matrix = np.random.default_rng(seed).normal(size=shape) * scale
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values /= np.sqrt((values**2).sum())
    a, b, c = NEWTON_SCHULZ
    for _ in range(n_steps):
        values = a * values + b * values**3 + c * values**5
    moved = orthogonalise(matrix.astype(np.float32), n_steps)
    np.testing.assert_allclose(moved, (left * values) @ right, atol=2e-4)


@pytest.mark.parametrize("value", [0.0, 1e-30])
def test_a_gradient_of_nothing_moves_nothing(value):
    moved = orthogonalise(np.full((3, 4), value, dtype=np.float32), 3)
    np.testing.assert_allclose(moved, 0, atol=1e-20)


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (8, 8)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_its_steps_are_those_of_torch(shape, nesterov):
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), torch.randn(5, *shape)
    ends = []
    for optimizer in (Muon, torch.optim.Muon):
        parameter = torch.nn.Parameter(start.clone())
        muon = optimizer([parameter], lr=0.1, weight_decay=0.1, nesterov=nesterov)
        for gradient in gradients:
            parameter.grad = gradient.clone()
            muon.step()
        ends.append(parameter.detach().numpy())
    # torch's own rounds to bfloat16, which has three digits.
    np.testing.assert_allclose(*ends, atol=0.01)
    assert np.abs(ends[0] - start.numpy()).max() > 0.1
