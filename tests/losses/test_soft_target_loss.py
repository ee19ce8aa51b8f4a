import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from skdistill.losses import soft_target_loss
from skdistill.losses._reference import log_softmax, softmax


def random_case(seed, n_samples=7, n_classes=4, scale=3.0):
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(n_samples, n_classes))
    teacher = scale * rng.normal(size=(n_samples, n_classes))
    labels = rng.integers(-1, n_classes, n_samples)
    weights = rng.random(n_samples) + 0.1
    return logits, teacher, labels, weights


def formula(logits, q, labels, weights, temperature, alpha):
    """The objective as DESIGN states it, row by row."""
    losses = []
    for z, target, label, weight in zip(logits, q, labels, weights, strict=True):
        log_p = log_softmax(z[None], temperature)[0]
        divergence = sum(
            t * (np.log(t) - lp) for t, lp in zip(target, log_p, strict=True) if t > 0
        )
        hard = -log_softmax(z[None])[0, label] if label >= 0 else 0.0
        losses.append(
            weight * (alpha * temperature**2 * divergence + (1 - alpha) * hard)
        )
    return np.array(losses)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.integers(2, 30),
    temperature=st.floats(0.05, 50),
    alpha=st.floats(0, 1),
)
def test_loss_is_the_formula(seed, n_classes, temperature, alpha):
    logits, teacher, labels, weights = random_case(seed, n_classes=n_classes)
    q = softmax(teacher, temperature)
    losses, _ = soft_target_loss(
        logits,
        q,
        labels,
        temperature=temperature,
        alpha=alpha,
        sample_weight=weights,
        reduction="none",
    )
    expected = formula(logits, q, labels, weights, temperature, alpha)
    np.testing.assert_allclose(losses, expected, rtol=1e-8, atol=1e-8)


@given(
    seed=st.integers(0, 2**32 - 1),
    temperature=st.sampled_from([0.3, 1.0, 4.0]),
    alpha=st.floats(0, 1),
)
def test_gradient_is_that_of_finite_differences(seed, temperature, alpha):
    logits, teacher, labels, weights = random_case(seed, n_samples=3, scale=1.0)
    options = {"temperature": temperature, "alpha": alpha, "sample_weight": weights}

    def loss(flat):
        value, _ = soft_target_loss(
            flat.reshape(logits.shape), teacher, labels, from_log_odds=True, **options
        )
        return value

    _, gradient = soft_target_loss(
        logits, teacher, labels, from_log_odds=True, **options
    )
    step = 1e-5
    numeric = [
        (loss(logits.ravel() + step * unit) - loss(logits.ravel() - step * unit))
        / (2 * step)
        for unit in np.eye(logits.size)
    ]
    np.testing.assert_allclose(gradient.ravel(), numeric, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_optimum_with_alpha_1_is_the_teacher(temperature, rng):
    teacher = rng.normal(size=(1, 5))

    def objective(flat):
        loss, gradient = soft_target_loss(
            flat[None], teacher, temperature=temperature, from_log_odds=True
        )
        return loss, gradient[0]

    result = minimize(objective, np.zeros(5), jac=True, tol=1e-14)
    np.testing.assert_allclose(softmax(result.x[None]), softmax(teacher), atol=1e-6)
    assert result.fun == pytest.approx(0, abs=1e-10)


@given(seed=st.integers(0, 2**32 - 1), temperature=st.floats(0.05, 50))
def test_log_odds_and_their_softmax_give_the_same(seed, temperature):
    logits, teacher, labels, _ = random_case(seed)
    options = {"temperature": temperature, "alpha": 0.7}
    a = soft_target_loss(logits, teacher, labels, from_log_odds=True, **options)
    b = soft_target_loss(logits, softmax(teacher, temperature), labels, **options)
    np.testing.assert_allclose(a[0], b[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(a[1], b[1], rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), alpha=st.floats(0, 1))
def test_weight_2_is_a_duplicated_row(seed, alpha):
    logits, teacher, labels, _ = random_case(seed)
    weights = np.array([2.0, 1, 1, 0, 1, 1, 1])
    rows = [0, 0, 1, 2, 4, 5, 6]
    options = {"temperature": 2.0, "alpha": alpha, "from_log_odds": True}
    weighted, gradient = soft_target_loss(
        logits, teacher, labels, sample_weight=weights, **options
    )
    repeated, _ = soft_target_loss(logits[rows], teacher[rows], labels[rows], **options)
    assert weighted == pytest.approx(repeated, rel=1e-12)
    assert not gradient[3].any()


@given(seed=st.integers(0, 2**32 - 1))
def test_permuting_classes_permutes_the_gradient(seed):
    logits, teacher, labels, _ = random_case(seed)
    order = np.random.default_rng(seed).permutation(4)
    options = {"temperature": 3.0, "alpha": 0.4, "from_log_odds": True}
    loss, gradient = soft_target_loss(logits, teacher, labels, **options)
    position = np.append(np.argsort(order), -1)
    permuted_loss, permuted = soft_target_loss(
        logits[:, order].copy(), teacher[:, order].copy(), position[labels], **options
    )
    assert permuted_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(permuted, gradient[:, order], rtol=1e-9, atol=1e-15)


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1e6, 1e6))
def test_a_constant_added_to_a_row_changes_nothing(seed, shift):
    logits, teacher, labels, _ = random_case(seed)
    options = {"temperature": 2.0, "alpha": 0.5, "from_log_odds": True}
    loss, gradient = soft_target_loss(logits, teacher, labels, **options)
    moved, moved_gradient = soft_target_loss(
        logits + shift, teacher - shift, labels, **options
    )
    assert moved == pytest.approx(loss, rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(moved_gradient, gradient, atol=1e-8)


def test_reductions_agree(rng):
    logits, teacher, labels, weights = random_case(0)
    options = {"alpha": 0.5, "sample_weight": weights, "from_log_odds": True}
    rows, g_rows = soft_target_loss(
        logits, teacher, labels, reduction="none", **options
    )
    total, g_total = soft_target_loss(
        logits, teacher, labels, reduction="sum", **options
    )
    mean, g_mean = soft_target_loss(logits, teacher, labels, **options)
    assert total == pytest.approx(rows.sum())
    assert mean == pytest.approx(rows.sum() / weights.sum())
    np.testing.assert_array_equal(g_rows, g_total)
    np.testing.assert_allclose(g_mean, g_total / weights.sum())


def test_out_receives_the_gradient_even_in_place():
    logits, teacher, labels, _ = random_case(1)
    expected_loss, expected = soft_target_loss(
        logits, teacher, labels, alpha=0.5, from_log_odds=True
    )
    loss, gradient = soft_target_loss(
        logits, teacher, labels, alpha=0.5, from_log_odds=True, out=logits
    )
    assert gradient is logits
    assert loss == expected_loss
    np.testing.assert_array_equal(gradient, expected)


def test_input_is_left_as_it_was():
    case = random_case(2)
    copies = [array.copy() for array in case]
    logits, teacher, labels, weights = case
    soft_target_loss(logits, teacher, labels, sample_weight=weights, from_log_odds=True)
    for array, copy in zip(case, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_no_rows_have_no_loss():
    loss, gradient = soft_target_loss(np.zeros((0, 3)), np.zeros((0, 3)))
    assert loss == 0
    assert gradient.shape == (0, 3)


GOOD = {"logits": np.zeros((2, 3)), "soft_targets": np.full((2, 3), 1 / 3)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"temperature": 0.0}, r"temperature=0.0, but expected a number in \(0, "),
        ({"temperature": -1.0}, "temperature=-1.0, but expected"),
        ({"temperature": 1e101}, r"temperature=1e\+101, but expected"),
        ({"temperature": np.nan}, "temperature=nan"),
        ({"temperature": np.inf}, "temperature=inf"),
        ({"temperature": "hot"}, "temperature='hot'"),
        ({"alpha": 1.5}, r"alpha=1.5, but expected a number in \[0, 1\]"),
        ({"alpha": -0.1}, "alpha=-0.1"),
        ({"alpha": True}, "alpha=True"),
        ({"reduction": "max"}, "reduction='max'"),
        ({"logits": np.zeros((2, 3), int)}, "logits of dtype int64"),
        ({"logits": np.zeros((2, 3), np.float16)}, "logits of dtype float16"),
        ({"logits": np.zeros(3)}, r"logits of shape \(3,\)"),
        ({"logits": np.zeros((2, 1))}, r"logits of shape \(2, 1\)"),
        ({"logits": np.zeros((2, 6))[:, ::2]}, "logits that are not C-contiguous"),
        ({"logits": np.zeros((3, 2)).T}, "logits that are not C-contiguous"),
        ({"logits": np.array([[0, np.nan, 0], [0, 0, 0]])}, r"logits\[0\]"),
        ({"logits": np.array([[0, 0, 0], [0, np.inf, 0]])}, r"logits\[1\]"),
        ({"soft_targets": np.full((3, 3), 1 / 3)}, r"soft_targets of shape \(3, 3\)"),
        ({"soft_targets": np.full((2, 3), 1 / 3, np.float32)}, "dtype float32"),
        ({"soft_targets": np.full((2, 3), 0.3)}, "sum to 1"),
        ({"soft_targets": np.array([[1, 0, 0], [1.5, -0.5, 0]])}, r"soft_targets\[1\]"),
        ({"soft_targets": np.full((2, 3), np.nan)}, "expected finite numbers"),
        ({"labels": np.array([0, 3])}, r"labels\[1\]=3"),
        ({"labels": np.array([-2, 0])}, r"labels\[0\]=-2"),
        ({"labels": np.array([0.0, 1.0])}, "expected integers"),
        ({"labels": np.array([0, 1, 2])}, r"labels of shape \(3,\)"),
        ({"sample_weight": [1.0, -0.5]}, r"sample_weight\[1\]=-0.5"),
        ({"sample_weight": [0.0, 0.0]}, "adds up to 0.0"),
        ({"sample_weight": [1.0, np.nan]}, "sample_weight"),
        ({"sample_weight": [1.0]}, r"sample_weight of shape \(1,\)"),
        ({"out": np.zeros((2, 2))}, "out of shape"),
    ],
)
def test_bad_input_is_named(changed, message):
    arguments = {**GOOD, **changed}
    with pytest.raises(ValueError, match=message):
        soft_target_loss(**arguments)


def test_read_only_out_is_refused():
    out = np.zeros((2, 3))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        soft_target_loss(**GOOD, out=out)
