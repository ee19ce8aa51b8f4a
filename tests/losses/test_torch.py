"""SoftTargetLoss against the reference, its fallback and its derivatives."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skdistill.losses import SoftTargetLoss, soft_target_loss  # noqa: E402
from skdistill.losses import _torch as module  # noqa: E402

OPTIONS = (
    {},
    {"from_log_odds": True},
    {"from_log_odds": True, "temperature": 2.0, "alpha": 0.6},
    {"temperature": 0.5, "alpha": 0.0},
)
each_option = pytest.mark.parametrize("options", OPTIONS)
each_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def make_batch(options, n_rows=9, n_classes=4, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shape = n_rows, n_classes
    logits = torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.randn(shape, generator=generator, dtype=torch.float64)
    if not options.get("from_log_odds"):
        targets = targets.softmax(dim=1)
    labels = torch.randint(-1, n_classes, (n_rows,), generator=generator)
    weights = torch.rand(n_rows, generator=generator, dtype=torch.float64)
    logits, targets, weights = (x.to(dtype) for x in (logits, targets, weights))
    return logits.requires_grad_(), targets, labels, weights


@each_option
@each_reduction
def test_kernel_and_operations_agree(options, reduction):
    batch = make_batch(options)
    loss = SoftTargetLoss(**options, reduction=reduction)(*batch)
    (gradient,) = torch.autograd.grad(loss.sum(), batch[0])
    parameters = {"temperature": 1.0, "alpha": 1.0, "from_log_odds": False, **options}
    same_loss = module._loss_by_operations(*batch, **parameters, reduction=reduction)
    (same_gradient,) = torch.autograd.grad(same_loss.sum(), batch[0])
    torch.testing.assert_close(loss, same_loss)
    torch.testing.assert_close(gradient, same_gradient)


@each_option
@each_reduction
def test_first_and_second_derivatives(options, reduction):
    logits, *others = make_batch(options, n_rows=4)

    def loss(logits):
        return SoftTargetLoss(**options, reduction=reduction)(logits, *others)

    assert torch.autograd.gradcheck(loss, (logits,))
    assert torch.autograd.gradgradcheck(loss, (logits,))


def test_gradient_penalty():
    logits, *others = make_batch({}, n_rows=3)

    def penalty(logits):
        loss = SoftTargetLoss(alpha=0.5)(logits, *others)
        (gradient,) = torch.autograd.grad(loss, logits, create_graph=True)
        return gradient.square().sum()

    assert torch.autograd.gradcheck(penalty, (logits,))


@pytest.mark.parametrize("which", ["targets", "weights"])
def test_targets_and_weights_may_require_a_gradient(which):
    logits, targets, labels, weights = make_batch({"from_log_odds": True}, n_rows=4)
    if which == "targets":
        targets.requires_grad_()
    else:
        weights.requires_grad_()
    loss = SoftTargetLoss(alpha=0.5, from_log_odds=True)

    def function(logits, targets, weights):
        return loss(logits, targets, labels, weights)

    assert torch.autograd.gradcheck(function, (logits, targets, weights))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@each_option
def test_half_precision(dtype, options):
    batch = make_batch(options, dtype=dtype)
    loss = SoftTargetLoss(**options)(*batch)
    loss.backward()
    exact = make_batch(options)
    right = SoftTargetLoss(**options)(*exact)
    right.backward()
    assert loss.dtype == batch[0].grad.dtype == dtype
    tolerance = 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(loss.double(), right, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(
        batch[0].grad.double(), exact[0].grad, rtol=tolerance, atol=tolerance
    )


@each_option
def test_other_devices_do_without_the_kernel(options):
    logits, targets, labels, weights = (
        x.detach().to("meta") for x in make_batch(options)
    )
    logits.requires_grad_()
    loss = SoftTargetLoss(**options)(logits, targets, labels, weights)
    loss.backward()
    assert loss.device.type == logits.grad.device.type == "meta"
    assert logits.grad.shape == logits.shape


def test_tensors_reach_the_kernel_without_a_copy(monkeypatch):
    seen = []

    def record(logits, soft_targets, labels, *, sample_weight, **options):
        seen.extend([logits, soft_targets, labels, sample_weight])
        return soft_target_loss(
            logits, soft_targets, labels, sample_weight=sample_weight, **options
        )

    monkeypatch.setattr(module, "soft_target_loss", record)
    batch = make_batch({}, dtype=torch.float32)
    SoftTargetLoss(alpha=0.5)(*batch)
    for tensor, array in zip(batch, seen, strict=True):
        assert array.ctypes.data == tensor.data_ptr()


def test_transposed_logits_are_accepted():
    logits, *others = make_batch({})
    transposed = logits.detach().T.contiguous().T.requires_grad_()
    loss = SoftTargetLoss()(transposed, *others)
    loss.backward()
    same = SoftTargetLoss()(logits, *others)
    same.backward()
    assert loss == same
    assert torch.equal(transposed.grad, logits.grad)


def test_gradients_of_several_backward_calls_add_up():
    logits, *others = make_batch({})
    loss = SoftTargetLoss()(logits, *others)
    loss.backward(retain_graph=True)
    first = logits.grad.clone()
    loss.backward(retain_graph=True)
    torch.testing.assert_close(logits.grad, 2 * first)
    (2 * loss).backward()
    torch.testing.assert_close(logits.grad, 4 * first)


def test_gradient_reaches_the_layers_before():
    layer = torch.nn.Linear(3, 4)
    _, targets, labels, _ = make_batch({}, dtype=torch.float32)
    features = torch.ones(9, 3)
    SoftTargetLoss(alpha=0.5)(layer(features), targets, labels).backward()
    _, gradient = soft_target_loss(
        layer(features).detach().numpy(), targets.numpy(), labels.numpy(), alpha=0.5
    )
    np.testing.assert_allclose(layer.bias.grad, gradient.sum(axis=0), atol=1e-6)


def test_bad_values_are_errors():
    logits, targets, _, _ = make_batch({})
    with pytest.raises(ValueError, match=r"Got soft_targets\[0\]="):
        SoftTargetLoss()(logits, -targets)
    with pytest.raises(ValueError, match="Got reduction='max'"):
        SoftTargetLoss(reduction="max")


def test_representation_shows_the_parameters():
    assert "temperature=2.0" in repr(SoftTargetLoss(temperature=2.0))
