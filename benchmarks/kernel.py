"""How fast `soft_target_loss` is on one thread.

Compared on float32, with the gradient written to an existing array, against

- two `numpy.exp` over the same arrays, into existing arrays: about what no
  implementation that exponentiates logits and targets with numpy can undercut;
- the same objective with scipy and numpy;
- torch, eager and compiled, forward and backward.

Cases: `plain` is alpha = 1 and T = 1 on targets given as log-odds, `probabilities`
the same on probabilities, `mixed` is alpha = 0.9 and T = 2 on log-odds with labels,
which takes three exponentials. The goals are about all of them.
Every repeat times all contestants in turn; ratios are medians of the ratios within
a repeat, so that a machine that slows down for a while slows all of them down.

    python benchmarks/kernel.py [--quick] [--json FILE]
"""

import argparse
import functools
import itertools
import json
import statistics
import sys
import time

import numpy as np
from scipy.special import log_softmax

from skdistill.losses import _kernel, soft_target_loss

ROWS = (256, 1024, 4096, 65_536, 1_000_000)
CLASSES = (2, 3, 10, 26, 100, 1000)
SAMPLE_SECONDS = 3e-4
# Logits, targets, gradient and two outputs of exp, besides what the others need.
BYTES_PER_NUMBER = 5 * 4
MEMORY_LIMIT = 2.5e9
CASES = {
    "plain": {"from_log_odds": True},
    "probabilities": {},
    "mixed": {"from_log_odds": True, "temperature": 2.0, "alpha": 0.9},
}
GOALS = "two exp: at most 2 up to 10 classes, at most 1 from 26 on (n >= 1024)"


def make_batch(n_rows, n_classes, case):
    generator = np.random.default_rng(0)
    shape = n_rows, n_classes
    logits = generator.standard_normal(shape, dtype=np.float32) * 3
    targets = generator.standard_normal(shape, dtype=np.float32) * 3
    if not CASES[case].get("from_log_odds"):
        targets = np.exp(log_softmax(targets, axis=1)).astype(np.float32)
    labels = generator.integers(0, n_classes, n_rows) if case == "mixed" else None
    return logits, targets, labels


def softened(log_odds, temperature):
    # Nobody would divide by 1.
    return log_odds if temperature == 1 else log_odds / temperature


def numpy_loss(
    logits, targets, labels, temperature=1.0, alpha=1.0, from_log_odds=False
):
    """Loss and gradient as one writes them with scipy."""
    log_p = log_softmax(softened(logits, temperature), axis=1)
    if from_log_odds:
        log_q = log_softmax(softened(targets, temperature), axis=1)
        q = np.exp(log_q)
    else:
        q, log_q = targets, np.log(targets)
    loss = alpha * temperature**2 * (q * (log_q - log_p)).sum(axis=1)
    gradient = alpha * temperature * (np.exp(log_p) - q)
    if labels is not None and alpha < 1:
        rows = np.arange(len(labels))
        log_p = log_softmax(logits, axis=1)
        loss -= (1 - alpha) * log_p[rows, labels]
        gradient += (1 - alpha) * np.exp(log_p)
        gradient[rows, labels] -= 1 - alpha
    return loss.mean(), gradient / len(logits)


def torch_loss(
    logits, targets, labels, temperature=1.0, alpha=1.0, from_log_odds=False
):
    """Loss as one writes it with torch."""
    from torch.nn import functional

    if from_log_odds:
        targets = functional.log_softmax(softened(targets, temperature), dim=1)
    loss = (
        alpha
        * temperature**2
        * functional.kl_div(
            functional.log_softmax(softened(logits, temperature), dim=1),
            targets,
            reduction="batchmean",
            log_target=from_log_odds,
        )
    )
    if labels is not None and alpha < 1:
        loss = loss + (1 - alpha) * functional.cross_entropy(logits, labels)
    return loss


def contestants(batch, options, compiled_loss):
    """Functions without arguments, by name."""
    logits, targets, labels = batch
    out, other = np.empty_like(logits), np.empty_like(logits)

    def two_exp():
        np.exp(logits, out=out)
        np.exp(targets, out=other)

    functions = {
        "skdistill": functools.partial(
            soft_target_loss, logits, targets, labels, **options, out=out
        ),
        "two exp": two_exp,
        "numpy": functools.partial(numpy_loss, logits, targets, labels, **options),
    }
    for name, loss in (("torch", torch_loss), ("torch.compile", compiled_loss)):
        if loss is not None:
            functions[name] = torch_step(loss, batch, options)
    return functions


def torch_step(loss, batch, options):
    """Forward and backward on tensors that share the memory of the arrays."""
    import torch

    torch.set_num_threads(1)
    logits, targets, labels = (x if x is None else torch.from_numpy(x) for x in batch)
    logits = logits.detach().requires_grad_()

    def step():
        logits.grad = None
        loss(logits, targets, labels, **options).backward()

    return step


def compile_torch_loss(batch, options):
    """Return `torch_loss` compiled for exactly these shapes and options.

    None if there is no toolchain for it; the reason is printed.
    """
    import torch

    torch.compiler.reset()
    compiled = torch.compile(torch_loss, dynamic=False)
    try:
        torch_step(compiled, batch, options)()
    except torch._dynamo.exc.TorchDynamoException as error:
        print(f"torch.compile is left out: {error}")
        return None
    return compiled


def measure(functions, seconds):
    """Medians in seconds, and medians of the ratios to skdistill within a repeat."""
    durations = {name: [] for name in functions}
    for function in functions.values():
        function()
    calls = {name: calls_per_sample(function) for name, function in functions.items()}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(durations["skdistill"]) < 7:
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                function()
            durations[name].append((time.perf_counter() - start) / calls[name])
    own = durations["skdistill"]
    return {
        name: {
            "seconds": statistics.median(times),
            "ratio": statistics.median(
                [a / b for a, b in zip(times, own, strict=True)]
            ),
        }
        for name, times in durations.items()
    }


def calls_per_sample(function):
    """As many calls as take long enough for the clock and for caches to warm up."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            function()
        if time.perf_counter() - start > SAMPLE_SECONDS:
            return calls
        calls *= 2


def report(case, n_rows, n_classes, results):
    own = results["skdistill"]["seconds"]
    exp = results["two exp"]["ratio"]
    row = f"{case:14}{n_rows:>9}{n_classes:>6}{own * 1e6:>12.1f}{1 / exp:>9.2f}"
    for name in ("numpy", "torch", "torch.compile"):
        row += f"{results[name]['ratio']:>15.1f}" if name in results else f"{'-':>15}"
    print(row, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="where to write all figures")
    parser.add_argument("--quick", action="store_true", help="few shapes, few repeats")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    rows = (256, 4096) if arguments.quick else ROWS
    seconds = 0.1 if arguments.quick else 1.0
    kernel = getattr(_kernel.loss_gradient, "args", ("numpy",))[0]
    print(f"kernel {kernel}, numpy {np.__version__}, goals: {GOALS}")
    print("us: of skdistill; x exp: its time in two exp; the others in its time")
    print(f"{'case':14}{'rows':>9}{'K':>6}{'us':>12}{'x exp':>9}", end="")
    print(f"{'numpy':>15}{'torch':>15}{'torch.compile':>15}")
    figures = []
    for case, n_classes, n_rows in itertools.product(CASES, CLASSES, rows):
        size = n_rows * n_classes * BYTES_PER_NUMBER
        if size > MEMORY_LIMIT:
            print(f"{case:14}{n_rows:>9}{n_classes:>6} left out: {size:.1e} bytes")
            continue
        batch = make_batch(n_rows, n_classes, case)
        compiled_loss = compile_torch_loss(batch, CASES[case])
        functions = contestants(batch, CASES[case], compiled_loss)
        results = measure(functions, seconds)
        report(case, n_rows, n_classes, results)
        figures.append({"case": case, "rows": n_rows, "classes": n_classes, **results})
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"kernel": kernel, "figures": figures}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
