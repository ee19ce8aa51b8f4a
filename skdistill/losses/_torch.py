"""The objective on torch tensors: the kernel behind an autograd function."""

import torch

from ._numpy import check_alpha, check_reduction, check_temperature, soft_target_loss

_KERNEL_DTYPES = (torch.float32, torch.float64)


class _SoftTargetFunction(torch.autograd.Function):
    """The kernel gives the gradient with the loss; backward only hands it on."""

    @staticmethod
    def forward(ctx, logits, soft_targets, labels, sample_weight, options):
        loss, gradient = soft_target_loss(
            _as_numpy(logits),
            _as_numpy(soft_targets),
            _as_numpy(labels),
            sample_weight=_as_numpy(sample_weight),
            **options,
        )
        ctx.options = options
        ctx.save_for_backward(
            torch.from_numpy(gradient), logits, soft_targets, labels, sample_weight
        )
        return torch.as_tensor(loss, dtype=logits.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        gradient, logits, *others = ctx.saved_tensors
        if torch.is_grad_enabled():
            # A graph of the gradient is wanted, which a kernel cannot give.
            with torch.enable_grad():
                loss = _loss_by_operations(logits, *others, **ctx.options)
            (gradient,) = torch.autograd.grad(
                loss, logits, grad_output, create_graph=True
            )
            return gradient, None, None, None, None
        if grad_output.ndim == 1:
            grad_output = grad_output[:, None]
        elif grad_output == 1:
            # loss.backward(): the product would be a pass over memory for nothing.
            return gradient, None, None, None, None
        return gradient * grad_output, None, None, None, None


def _as_numpy(tensor):
    return None if tensor is None else tensor.detach().contiguous().numpy()


def _suits_kernel(logits, *others):
    """Whether all is on the CPU, in a dtype of the kernel, and constant but logits."""
    tensors = [tensor for tensor in others if tensor is not None]
    return (
        logits.dtype in _KERNEL_DTYPES
        and logits.device.type == "cpu"
        and all(tensor.device.type == "cpu" for tensor in tensors)
        and not any(tensor.requires_grad for tensor in tensors)
    )


def _loss_by_operations(
    logits,
    soft_targets,
    labels,
    sample_weight,
    *,
    temperature,
    alpha,
    from_log_odds,
    reduction,
):
    """Compute the objective with torch operations, for every device and derivative."""
    dtype = logits.dtype
    if dtype not in _KERNEL_DTYPES:
        # Sums in half precision lose small probabilities.
        logits, soft_targets = logits.float(), soft_targets.float()
    if from_log_odds:
        log_q = torch.log_softmax(soft_targets / temperature, dim=1)
        soft_targets = log_q.exp()
        negative_entropy = soft_targets * log_q
    else:
        negative_entropy = torch.xlogy(soft_targets, soft_targets)
    log_p = torch.log_softmax(logits / temperature, dim=1)
    divergence = (negative_entropy - soft_targets * log_p).sum(dim=1)
    losses = alpha * temperature**2 * divergence
    if labels is not None and alpha < 1:
        labels = labels.long()
        log_p = torch.log_softmax(logits, dim=1)
        picked = log_p.gather(1, labels.clamp(min=0)[:, None])[:, 0]
        losses = losses - (1 - alpha) * torch.where(labels >= 0, picked, 0.0)
    total = max(len(losses), 1)
    if sample_weight is not None:
        sample_weight = sample_weight.to(losses.dtype)
        losses = losses * sample_weight
        total = sample_weight.sum()
    if reduction == "none":
        return losses.to(dtype)
    loss = losses.sum()
    return (loss / total if reduction == "mean" else loss).to(dtype)


class SoftTargetLoss(torch.nn.Module):
    r"""Distillation loss of student log-odds for torch, on the compiled kernel.

    The objective of `skdistill.losses.soft_target_loss`, with its gradient.

    Contiguous float32 and float64 tensors on the CPU reach the kernel without a
    copy. The same value comes from torch operations on other devices, for other
    dtypes, for targets or weights that require a gradient, and for derivatives
    beyond the first. These operations do not look at the values: what the kernel
    refuses, they compute as it is.

    Parameters
    ----------
    temperature : float, default=1.0
        :math:`T > 0`.
    alpha : float, default=1.0
        Share of the soft term, in [0, 1].
    from_log_odds : bool, default=False
        Whether the targets are the teacher's log-odds, to be softened by
        `temperature`, instead of its softened distribution.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``"mean"`` divides by the sum of the weights, ``"sum"`` adds the rows up,
        ``"none"`` keeps the loss of each row.

    Raises
    ------
    ValueError
        If a parameter is outside its range, or in the forward pass if a shape, a
        dtype or a value is not as `soft_target_loss` expects.

    See Also
    --------
    skdistill.losses.soft_target_loss : The formula, on numpy arrays.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import SoftTargetLoss
    >>> logits = torch.zeros(1, 2, requires_grad=True)
    >>> loss = SoftTargetLoss()(logits, torch.tensor([[0.9, 0.1]]))
    >>> loss.backward()
    >>> logits.grad
    tensor([[-0.4000,  0.4000]])
    """

    def __init__(
        self, temperature=1.0, alpha=1.0, from_log_odds=False, reduction="mean"
    ):
        super().__init__()
        check_temperature(temperature)
        check_alpha(alpha)
        check_reduction(reduction)
        self.temperature = temperature
        self.alpha = alpha
        self.from_log_odds = from_log_odds
        self.reduction = reduction

    def forward(self, logits, soft_targets, labels=None, sample_weight=None):
        """Loss of a batch.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes), floating point
            Student log-odds.
        soft_targets : Tensor of shape (n_samples, n_classes), dtype of `logits`
            The teacher's softened distribution, or its log-odds.
        labels : Tensor of int of shape (n_samples,), default=None
            Column of the true class, -1 where unknown.
        sample_weight : Tensor of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        Tensor of shape (), or (n_samples,) for ``reduction="none"``, dtype of `logits`
            In nats.
        """
        options = {
            "temperature": self.temperature,
            "alpha": self.alpha,
            "from_log_odds": self.from_log_odds,
            "reduction": self.reduction,
        }
        others = soft_targets, labels, sample_weight
        if _suits_kernel(logits, *others):
            return _SoftTargetFunction.apply(logits, *others, options)
        return _loss_by_operations(logits, *others, **options)

    def extra_repr(self):
        """Show the parameters in the representation of the module.

        Returns
        -------
        str
        """
        return (
            f"temperature={self.temperature}, alpha={self.alpha}, "
            f"from_log_odds={self.from_log_odds}, reduction={self.reduction!r}"
        )
