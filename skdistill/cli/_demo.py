"""``skdistill demo``: the main job on real data, with honest numbers."""

import importlib.util
from pathlib import Path

from .._progress import Progress
from ._commands import UsageError, add_command
from ._tables import read_labelled
from ._text import format_table, print_json

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


def add_to(commands):
    """Declare the command."""
    parser = add_command(
        commands,
        "demo",
        run,
        purpose="distil an ensemble on real data, and print honest numbers",
        description=(
            "Fit a LightGBM ensemble on Adult, which ships with the package, or on a "
            "table of your own; distil it into a small network and a shallow tree; "
            "print how good, small and fast they are on held-out rows, beside the "
            "same students trained on plain labels."
        ),
        examples=[
            "skdistill demo --quick",
            "skdistill demo --data loans.parquet --target default --json",
        ],
    )
    parser.add_argument("--data", type=Path, help="a table, .csv or .parquet")
    parser.add_argument("--target", help="its column with the class labels")
    parser.add_argument(
        "--quick", action="store_true", help="end within 30 seconds: fewer rows, trees"
    )


def run(options):
    """Run the demonstration and print its result."""
    if (options.data is None) != (options.target is None):
        raise UsageError("--data and --target go together.")
    from .._demo import FULL, QUICK, run_demo, scores_as_dicts

    _check_installed()
    X, y = _load(options.data, options.target)
    settings = QUICK if options.quick else FULL
    result = run_demo(X, y, settings, progress=Progress(verbose=1))
    if options.json:
        print_json(scores_as_dicts(result))
    else:
        print(_format(scores_as_dicts(result)))


def _check_installed():
    needed = ("lightgbm", "torch", "skorch", "pandas", "tqdm")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"the demo needs {', '.join(missing)}: pip install 'skdistill[demo]'"
        )


def _load(path, target):
    if path is None:
        from ..datasets import load_adult

        return load_adult(return_X_y=True, as_frame=True)
    table = read_labelled(path, target)
    table.tell_unlabeled("used")
    return table.X, table.y


def _format(result):
    header = (
        f"{result['teacher']}; {result['rows_train']:,} rows to learn from, "
        f"{result['rows_test']:,} held out, {result['columns']} columns, "
        f"{len(result['classes'])} classes"
    )
    return "\n".join([header, "", format_table(result["scores"], COLUMNS, left=2)])
