import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from skdistill.students._torch.batches import BatchStream


def stream(weights, batch_size, n_batches, seed=0):
    n = len(weights)
    columns = torch.arange(n), torch.arange(n), torch.arange(n)
    dataset = TensorDataset(*columns, torch.tensor(weights))
    return BatchStream(dataset, batch_size, n_batches, seed)


def drawn(batches):
    return torch.cat([inputs for inputs, _ in batches]).numpy()


@given(n=st.integers(1, 60), size=st.integers(1, 60), seed=st.integers(0, 2**31))
def test_a_round_has_every_row_once(n, size, seed):
    size = min(size, n)
    rows = drawn(stream([1.0] * n, size, [3 * n], seed))
    assert len(rows) == 3 * n * size
    for start in range(0, 3 * n * size - n + 1, n):
        np.testing.assert_array_equal(np.sort(rows[start : start + n]), np.arange(n))


@given(seed=st.integers(0, 2**31))
def test_rows_come_up_in_proportion_to_their_weight(seed):
    weights = np.random.default_rng(seed).random(20) + 0.01
    rows = drawn(stream(weights, 20, [50], seed))
    counts = np.bincount(rows, minlength=20)
    expected = 1000 * weights / weights.sum()
    # Each round of 20 rows is off by less than one.
    assert (np.abs(counts - expected) <= 50).all()
    rounds = rows.reshape(50, 20)
    for one in rounds:
        share = 20 * weights / weights.sum()
        assert (np.abs(np.bincount(one, minlength=20) - share) < 1 + 1e-9).all()


def test_pieces_continue_one_stream():
    whole = drawn(stream([1.0] * 10, 3, [8]))
    pieces = stream([1.0] * 10, 3, [3, 5])
    np.testing.assert_array_equal(np.concatenate([drawn(pieces), drawn(pieces)]), whole)


def test_targets_stay_beside_their_rows():
    for inputs, (logits, labels) in stream([1.0, 2.0, 0.5], 2, [10]):
        assert torch.equal(inputs, logits)
        assert torch.equal(inputs, labels)


def test_validation_is_one_pass_in_order_with_weights():
    weights = [1.0, 2.0, 0.5]
    batches = list(stream(weights, 2, None))
    np.testing.assert_array_equal(drawn(batches), [0, 1, 2])
    passed = torch.cat([targets[-1] for _, targets in batches])
    np.testing.assert_array_equal(passed, torch.tensor(weights))
