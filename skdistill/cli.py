"""The command line: ``skdistill demo``."""

import argparse
import json
import sys
from pathlib import Path

from ._version import __version__

COLUMNS = {
    "model": ("model", "{}"),
    "trained_on": ("trained on", "{}"),
    "accuracy": ("accuracy", "{:.4f}"),
    "log_loss": ("log-loss", "{:.4f}"),
    "auc": ("AUC", "{:.4f}"),
    "agreement": ("agreement", "{:.4f}"),
    "skill_retention": ("skill kept", "{:.1%}"),
    "size_kb": ("size kB", "{:,.0f}"),
    "one_row_us": ("one row us", "{:,.1f}"),
    "rows_per_second": ("rows/s", "{:,.0f}"),
}
"""Attributes of a score, with their headings and formats."""


def main(arguments=None):
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, default=None
        ``None``: those of the process.

    Returns
    -------
    int
        0 on success, 1 if the job failed, 2 if the arguments are wrong (argparse).
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ImportError, OSError, TypeError, ValueError) as error:
        message = str(error) or type(error).__name__
        print(f"skdistill: {message}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="skdistill",
        description="Distil any trained model into a small and fast student.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="distil an ensemble on real data, and print honest numbers",
        description=(
            "Fit a LightGBM ensemble on Adult, which ships with the package, or on a "
            "table of your own; distil it into a small network and a shallow tree; "
            "print how good, small and fast they are on held-out rows, beside the "
            "same students trained on plain labels."
        ),
        epilog=(
            "examples: skdistill demo --quick;  "
            "skdistill demo --data loans.parquet --target default --json"
        ),
    )
    demo.add_argument("--data", type=Path, help="a table, .csv or .parquet")
    demo.add_argument("--target", help="its column with the class labels")
    demo.add_argument(
        "--quick", action="store_true", help="end within 30 seconds: fewer rows, trees"
    )
    demo.add_argument("--json", action="store_true", help="print JSON, for machines")
    demo.set_defaults(run=_run_demo)
    return parser


def _run_demo(options):
    if (options.data is None) != (options.target is None):
        raise ValueError("--data and --target go together.")
    from ._demo import FULL, QUICK, run_demo, scores_as_dicts

    _check_installed()
    from lightgbm.basic import LightGBMError

    X, y = _load(options.data, options.target)
    settings = QUICK if options.quick else FULL
    try:
        with _Progress() as progress:
            result = run_demo(X, y, settings, report=progress.report)
    except LightGBMError as error:
        raise ValueError(f"the teacher cannot be fitted: {error}") from error
    if options.json:
        print(json.dumps(scores_as_dicts(result), indent=2))
    else:
        print(_format(result))


def _check_installed():
    import importlib.util

    needed = ("lightgbm", "torch", "skorch", "pandas", "tqdm")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"the demo needs {', '.join(missing)}: pip install 'skdistill[demo]'"
        )


def _load(path, target):
    if path is None:
        from .datasets import load_adult

        return load_adult(return_X_y=True, as_frame=True)
    import pandas as pd

    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix not in readers:
        raise ValueError(f"Got {path.name!r}, but expected a .csv or .parquet file.")
    table = readers[path.suffix](path)
    if target not in table:
        raise ValueError(
            f"Got the target {target!r}, but {path.name} has the columns "
            f"{list(table.columns)}."
        )
    table = table[table[target].notna()]
    # LightGBM takes categories, not strings.
    strings = table.drop(columns=target).select_dtypes(["object", "string"]).columns
    return table.drop(columns=target).astype(dict.fromkeys(strings, "category")), table[
        target
    ].to_numpy()


class _Progress:
    """A line on the terminal that tells the stage and the time."""

    def __enter__(self):
        from tqdm import tqdm

        # Two students, each distilled and trained alone, and the scoring.
        self.bar = tqdm(
            total=5, file=sys.stderr, bar_format="{bar:20} {elapsed} {desc}"
        )
        self.started = False
        return self

    def report(self, message):
        if self.started:
            self.bar.update()
        self.started = True
        self.bar.set_description_str(message)

    def __exit__(self, kind, *_):
        if kind is None:
            self.bar.update()
            self.bar.set_description_str("done")
        self.bar.close()


def _format(result):
    header = (
        f"{result['teacher']}; {result['rows_train']:,} rows to learn from, "
        f"{result['rows_test']:,} held out, {result['columns']} columns, "
        f"{len(result['classes'])} classes"
    )
    rows = [[heading for heading, _ in COLUMNS.values()]]
    for score in result["scores"]:
        rows.append(
            [form.format(getattr(score, name)) for name, (_, form) in COLUMNS.items()]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if position < 2 else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([header, "", *lines])
