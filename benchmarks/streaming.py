"""Scoring a large Parquet file by ``skdistill score``, beside the bare runtime.

A file of random numbers, with an id, is scored into another one by the command in a
fresh process, and the same numbers in an array by `skdistill.runtime.Scorer` in this
one, in turns. The command's rate is rows by seconds from opening the file to having
the scores under their name, and with the start of its process; its peak of memory is
what Linux says of the process. The runtime scores with one thread, as it does unless
told otherwise, and the command with two if there are as many cores; `--threads` says
how many both take.

    OMP_NUM_THREADS=1 python benchmarks/streaming.py [--rows N] [--rounds N]
        [--threads N] [--folder FOLDER] [--json FILE]
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skdistill.runtime import load, save
from skdistill.students import MLPStudentClassifier

N_COLUMNS = 20
GROUP_ROWS = 2**20
"""What pyarrow and pandas make of a table by default."""
BARE_ROWS = 500_000
BATCH_ROWS = 50_000
COMMAND = (
    "import sys; from skdistill.cli import main; assert main() == 0\n"
    # Unlike what wait4 says it leaves out the process that has started this one.
    "peak = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
    "print(peak.split()[1], file=sys.stderr)"
)


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        student, data = Path(folder) / "student.skd", Path(folder) / "rows.parquet"
        write_student(student)
        write_rows(data, arguments.rows, arguments.dtype)
        size = data.stat().st_size
        rounds = [
            bare(student, data, arguments.threads)
            | command(student, data, arguments.threads)
            for _ in range(arguments.rounds)
        ]
    figures = {
        "rows": arguments.rows,
        "file_bytes": size,
        "rounds": rounds,
        "ratio": statistics.median(r["command"] / r["bare"] for r in rounds),
        "ratio_with_start": statistics.median(
            r["with_start"] / r["bare"] for r in rounds
        ),
        "peak_megabytes": max(r["peak_megabytes"] for r in rounds),
    }
    for name in ("bare", "command"):
        rate = statistics.median(r[name] for r in rounds)
        cpu = statistics.median(r[f"{name}_cpu"] for r in rounds)
        figures |= {f"{name}_rows_per_second": rate, f"{name}_cpu_seconds": cpu}
        print(
            f"{name:8}{rate / 1e6:6.2f} million rows/s, {cpu:.2f} seconds of processor "
            "time for a million rows"
        )
    print(f"command / bare: {figures['ratio']:.2f}, median of {len(rounds)} rounds")
    print(f"with the start of its process: {figures['ratio_with_start']:.2f}")
    print(f"peak memory of the command: {figures['peak_megabytes']:.0f} MB")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=1))
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="that score, of both")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    parser.add_argument("--folder", help="where the files are written meanwhile")
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


def write_student(path):
    """A network of the default shape, on columns with their default codes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, N_COLUMNS))
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
    table = pa.table({f"x{j}": X[:, j] for j in range(N_COLUMNS)}).to_pandas()
    save(
        MLPStudentClassifier(n_steps=200, random_state=0).fit(table, y).to_spec(), path
    )


def write_rows(path, n_rows, dtype):
    rng = np.random.default_rng(1)
    writer = None
    for start in range(0, n_rows, GROUP_ROWS):
        n = min(GROUP_ROWS, n_rows - start)
        table = {"id": np.arange(start, start + n)}
        for j in range(N_COLUMNS):
            table[f"x{j}"] = rng.normal(size=n).astype(dtype)
        group = pa.table(table)
        writer = writer or pq.ParquetWriter(path, group.schema)
        writer.write_table(group)
    writer.close()
    os.sync()


def bare(student, data, n_threads):
    """The runtime alone, from arrays that are in memory."""
    scorer = load(student, n_threads=n_threads or 1)
    rows, n_rows = [], 0
    for batch in pq.ParquetFile(data).iter_batches(BATCH_ROWS):
        columns = [batch.column(f"x{j}").to_numpy() for j in range(N_COLUMNS)]
        rows.append(np.stack(columns, axis=1).astype(np.float64))
        n_rows += len(batch)
        if n_rows >= BARE_ROWS:
            break
    scorer.predict_proba(rows[0])
    start, cpu = time.perf_counter(), time.process_time()
    for batch in rows:
        scorer.predict_proba(batch)
    return {
        "bare": n_rows / (time.perf_counter() - start),
        "bare_cpu": (time.process_time() - cpu) / n_rows * 1e6,
    }


def command(student, data, n_threads):
    """The command; its processor time is that of the whole process."""
    out = data.with_name("scores.parquet")
    arguments = ["score", student, data, "--id", "id", "--out", out]
    arguments += ["--json", "--no-progress"]
    arguments += ["--threads", n_threads] if n_threads else []
    line = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    start, cpu = time.perf_counter(), children_cpu()
    run = subprocess.run(line, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    os.sync()  # what is written back meanwhile would slow the next round
    result = json.loads(run.stdout)
    assert result["rows"] == pq.read_metadata(out).num_rows
    return {
        "command": result["rows"] / result["seconds"],
        "command_cpu": (children_cpu() - cpu) / result["rows"] * 1e6,
        "with_start": result["rows"] / seconds,
        "peak_megabytes": int(run.stderr) * 1024 / 1e6,
    }


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
