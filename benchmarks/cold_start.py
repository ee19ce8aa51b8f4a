"""What it takes to import the runtime, load a model and score the first row.

Fresh processes, those of each kind in turn and in a new order every round, compared
with a bare ``import numpy`` of the same round. Bytecode is cached, as it is wherever a
package was installed.

    python benchmarks/cold_start.py [--rounds N] [--model FILE] [--json FILE]
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from skdistill.runtime import (
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    save,
)

ROW = "row = {column.name: 0.5 for column in scorer.spec.columns}; "
SNIPPETS = {
    "python": "pass",
    "numpy": "import numpy",
    "runtime": "import numpy, skdistill.runtime",
    "load": "import sys, numpy; from skdistill.runtime import load; load(sys.argv[1])",
    "first row": "import sys, numpy; from skdistill.runtime import load; "
    f"scorer = load(sys.argv[1]); {ROW}scorer.predict_proba(row)",
}
"""What each kind of process does."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--model", help="a .skd file; default: a 2x128 network")
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or os.path.join(folder, "network.skd")
        if not arguments.model:
            save(network(50, [128, 128]), path)
        size = os.path.getsize(path)
        seconds = measure(path, arguments.rounds)
    print(f"file: {size / 1e3:.1f} kB")
    figures = {"file_bytes": size, "seconds": seconds, "ratio": {}}
    for name, times in seconds.items():
        pairs = zip(times, seconds["numpy"], strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        figures["ratio"][name] = ratio
        milliseconds = 1e3 * statistics.median(times)
        print(f"{name:10} {milliseconds:7.1f} ms  {ratio:5.2f} x import numpy")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(figures, file, indent=1)
    return 0


def network(n_columns, hidden):
    """Return a network of random weights on numeric columns."""
    rng = np.random.default_rng(0)
    columns = tuple(
        NumberColumn(f"column_{j}", *ends, ends.mean(), edges=ends)
        for j, ends in enumerate(np.sort(rng.normal(size=(n_columns, 2))))
    )
    widths = [n_columns, *hidden, 1]
    weights = tuple(
        rng.normal(size=shape).astype(np.float32) for shape in pairwise(widths)
    )
    biases = tuple(np.zeros(n, np.float32) for n in widths[1:])
    encoder = EncoderSpec(columns, np.full(n_columns, 0.5, np.float32))
    return ModelSpec(NetworkSpec(encoder, weights, biases), np.array([0, 1]))


def measure(path, n_rounds):
    """Return the seconds of all processes by kind, after one round to fill caches."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    seconds = {name: [] for name in SNIPPETS}
    for i in range(n_rounds + 1):
        for name in random.sample(list(SNIPPETS), len(SNIPPETS)):
            command = [sys.executable, "-c", SNIPPETS[name], path]
            start = time.perf_counter()
            subprocess.run(command, check=True, env=environment)
            if i:
                seconds[name].append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
