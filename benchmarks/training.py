"""Training speed of the network student, against torch's own operations and skorch.

1. One step of `MLPStudentClassifier`'s net (2x64, batch 256, 50 inputs, 10 classes) by
   AdamW, which both can do, against the same network with the loss written in torch's
   operations, torch's gradient and AdamW with its default settings.
2. One epoch of the same net over 20,000 rows, against the loop of skorch's
   `NeuralNetClassifier` (a DataLoader that collates single rows) on labels: once with
   the same batches, AdamW and no validation; then each with its own size of batches
   (512 and 128) and skorch's validation on a fifth of the rows, our side with AdamW and
   with its default, Muon, which needs far fewer steps.

Repeats are interleaved; medians and the median of the paired ratios are printed.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--json FILE] [--repeats N]
"""

import argparse
import json
import statistics
import time
from itertools import islice

import numpy as np
import skorch
import torch
from torch.utils.data import TensorDataset

from skdistill import SoftTargets
from skdistill.students import MLPStudentClassifier
from skdistill.students._torch import training
from skdistill.students._torch.batches import BatchStream
from skdistill.students._torch.network import Network
from skdistill.students._torch.targets import target_arrays

N_SAMPLES, N_INPUTS, N_CLASSES, BATCH = 20_000, 50, 10, 256
ADAMW = {"batch_size": BATCH, "optimizer": "adamw"}
STEPS_PER_REPEAT = 200


class TorchLoss(torch.nn.Module):
    """The objective in torch's operations, as one writes it by hand."""

    def __init__(self, temperature, alpha, **_):
        super().__init__()
        self.temperature, self.alpha = temperature, alpha

    def forward(self, logits, teacher, labels):
        log_p = torch.log_softmax(logits / self.temperature, dim=1)
        log_q = torch.log_softmax(teacher / self.temperature, dim=1)
        soft = torch.nn.functional.kl_div(
            log_p, log_q, reduction="none", log_target=True
        ).sum(dim=1)
        hard = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        losses = self.alpha * self.temperature**2 * soft + (1 - self.alpha) * hard
        return losses.mean()


def main():
    options = parse()
    torch.set_num_threads(1)
    data = make_data()
    cases = {
        "step": (
            {
                "skdistill": steps(ours(data, **ADAMW), data),
                "torch loss, default AdamW": steps_by_hand(data),
            },
            STEPS_PER_REPEAT,
        ),
        "epoch, same batches": (
            {
                "skdistill": epoch(data, **ADAMW),
                "skorch's loop": default_epoch(
                    data, batch_size=BATCH, train_split=None
                ),
            },
            1,
        ),
        "epoch, own batch sizes": (
            {
                "skdistill": epoch(data, optimizer="adamw"),
                "skorch's loop": default_epoch(data),
            },
            1,
        ),
        "epoch, defaults": (
            {"skdistill, Muon": epoch(data), "skorch's loop": default_epoch(data)},
            1,
        ),
    }
    results = {
        name: compare(name, contestants, count, options.repeats)
        for name, (contestants, count) in cases.items()
    }
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--repeats", type=int, default=15)
    return parser.parse_args()


def make_data():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(N_SAMPLES, N_INPUTS)).astype(np.float32)
    logits = inputs @ rng.normal(size=(N_INPUTS, N_CLASSES)) / 3
    labels = logits.argmax(axis=1)
    targets = SoftTargets(logits, labels, temperature=2.0, alpha=0.9)
    return inputs, targets


def ours(data, n_batches=1, **options):
    """Initialise the net as `MLPStudentClassifier` builds it."""
    _, targets = data
    student = MLPStudentClassifier((64, 64), **options)
    batch, objective = student.batch_size, training.SoftTargetObjective(targets)
    net = training.make_net(student, N_INPUTS, objective, batch, [n_batches], 0)
    return net.initialize()


def by_hand(data):
    """Initialise the same network, to be trained by torch's own operations."""
    _, targets = data
    net = ours(data, **ADAMW)
    loss = TorchLoss(targets.temperature, targets.alpha)
    optimizer = torch.optim.AdamW(net.module_.parameters())
    return net.module_, loss, optimizer


def tensors(data):
    inputs, targets = data
    arrays = (inputs, *target_arrays(targets, None))
    return TensorDataset(*map(torch.from_numpy, arrays))


def batches_of(data):
    stream = BatchStream(tensors(data), BATCH, [10**9], seed=0)
    return list(islice(stream, 50))


def steps(net, data):
    batches = batches_of(data)

    def run():
        for number in range(STEPS_PER_REPEAT):
            net.train_step(batches[number % len(batches)])

    return run


def steps_by_hand(data):
    batches = batches_of(data)
    network, loss_function, optimizer = by_hand(data)

    def run():
        for number in range(STEPS_PER_REPEAT):
            inputs, targets = batches[number % len(batches)]
            optimizer.zero_grad()
            loss_function(network(inputs), *targets).backward()
            optimizer.step()

    return run


def epoch(data, **options):
    dataset = tensors(data)
    batch = options.get("batch_size", MLPStudentClassifier().batch_size)
    net = ours(data, n_batches=N_SAMPLES // batch, **options)
    return lambda: net.partial_fit(dataset)


def default_epoch(data, **options):
    inputs, targets = data
    net = skorch.NeuralNetClassifier(
        Network,
        module__n_inputs=N_INPUTS,
        module__hidden_layer_sizes=(64, 64),
        module__n_outputs=N_CLASSES,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        verbose=0,
        **options,
    ).initialize()
    return lambda: net.partial_fit(inputs, targets.labels, epochs=1)


def compare(name, contestants, count, repeats):
    times = {label: [] for label in contestants}
    for repeat in range(repeats + 1):
        for label, run in contestants.items():
            start = time.perf_counter()
            run()
            if repeat:  # the first warms up
                times[label].append((time.perf_counter() - start) / count)
    own, other = times
    ratios = [b / a for a, b in zip(times[own], times[other], strict=True)]
    result = {
        "milliseconds": {k: 1e3 * statistics.median(v) for k, v in times.items()},
        "times_faster": statistics.median(ratios),
    }
    print(f"{name}: {own} is {result['times_faster']:.2f} times as fast as {other}")
    for label, milliseconds in result["milliseconds"].items():
        print(f"    {label:28s} {milliseconds:9.3f} ms")
    return result


if __name__ == "__main__":
    main()
