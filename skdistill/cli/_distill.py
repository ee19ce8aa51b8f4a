"""``skdistill distill``: from a teacher and a table to the file of a student."""

import importlib.util
import math
import time
from pathlib import Path

from .._progress import Progress
from ._commands import (
    UsageError,
    add_command,
    check_folder,
    check_report,
    check_written,
)
from ._teachers import is_native
from ._text import format_bytes, format_differences, format_table, print_json

STUDENTS = ("mlp", "tree", "boosted")

SUFFIXES = (".skd", ".onnx", ".c")


def add_to(commands):
    """Declare the command."""
    parser = add_command(
        commands,
        "distill",
        run,
        purpose="distil a teacher into a student, and export it",
        description=(
            "Distil a teacher into a small student on the rows of a table, say how "
            "good both are on rows that are held out, and export the student. Rows "
            "whose label is missing are labelled by the teacher. With --regression, "
            "or a pickled regressor as teacher, the target is a number."
        ),
        examples=[
            "skdistill distill --data loans.parquet --target default --out loans.skd",
            "skdistill distill --teacher model.txt --data new.csv --target default \\",
            "    --drop loan --student tree --out loans.onnx",
            "skdistill distill --teacher model.joblib --trust --refit \\",
            "    --data loans.parquet --target default --weights exposure --out l.skd",
            "skdistill distill --regression --data houses.parquet --target price \\",
            "    --out price.skd",
        ],
    )
    _add_inputs(parser)
    _add_settings(parser)
    _add_outputs(parser)


def _add_inputs(parser):
    group = parser.add_argument_group("teacher and data")
    group.add_argument(
        "--teacher",
        metavar="FILE",
        help="LightGBM's .txt, XGBoost's .json or .ubj, or a pickled classifier or "
        "regressor (.joblib, .pkl), used as it is: give rows it was not fitted on "
        "(default: a LightGBM ensemble of 500 trees is fitted)",
    )
    group.add_argument(
        "--trust", action="store_true", help="load a pickle, which can run any code"
    )
    group.add_argument(
        "--refit",
        action="store_true",
        help="fit a pickled teacher anew, as a recipe: for the rows it was fitted on",
    )
    group.add_argument(
        "--classes",
        metavar="A,B,...",
        help="labels of a native model's classes 0, 1, ... (default: sorted)",
    )
    group.add_argument(
        "--data", required=True, metavar="FILE", help="a table, .csv or .parquet"
    )
    group.add_argument(
        "--target", required=True, help="its column of class labels or numbers"
    )
    group.add_argument(
        "--regression",
        action="store_true",
        help="the target is a number (known by itself of a pickled regressor)",
    )
    group.add_argument(
        "--weights", metavar="COLUMN", help="its column of weights of the rows"
    )
    group.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column that no model shall see, such as an id; may be repeated",
    )
    held_out = group.add_mutually_exclusive_group()
    held_out.add_argument(
        "--test", metavar="FILE", help="a table of rows to judge by, and not to fit"
    )
    held_out.add_argument(
        "--test-fraction",
        type=float,
        default=0.25,
        metavar="SHARE",
        help="share of the rows to hold out instead (default: 0.25; 0: none)",
    )


def _add_settings(parser):
    group = parser.add_argument_group("student")
    group.add_argument(
        "--student",
        choices=STUDENTS,
        default="mlp",
        help="a network, one tree, or a few boosted trees (default: mlp)",
    )
    group.add_argument("--temperature", type=float, help="softens a teacher of classes")
    group.add_argument("--alpha", type=float, help="share of the teacher, 0 to 1")
    group.add_argument(
        "--cv",
        type=int,
        help="folds for held-out predictions of a teacher that is fitted",
    )
    group.add_argument("--seed", type=int, default=0, help="(default: 0)")


def _add_outputs(parser):
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out", required=True, metavar="FILE", help="student: .skd, .onnx or .c"
    )
    group.add_argument(
        "--save-model",
        metavar="FILE",
        help="also the whole fitted model, teacher and all, as a .joblib",
    )
    group.add_argument(
        "--report", metavar="FILE", help="also a report on the held-out rows, .html"
    )
    group.add_argument(
        "--quiet", action="store_true", help="tell nothing of the progress"
    )


def run(options):
    """Distil, judge and export."""
    _check(options)
    from ._distilling import distil

    start = time.perf_counter()
    task, result = distil(options, Progress(verbose=not options.quiet))
    result["seconds"] = time.perf_counter() - start
    if options.json:
        print_json(result)
    else:
        print(_format(task, result, options))


def _check(options):
    """Raise what would else be known only after hours."""
    if Path(options.out).suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"Got --out {options.out}, but expected a file that ends in one of "
            f"{', '.join(SUFFIXES)}."
        )
    _check_numbers(options)
    if options.report:
        check_report("--report", options.report)
    for path in filter(None, [options.out, options.report, options.save_model]):
        check_folder(path)
    written = ("out", "save_model", "report")
    check_written(
        {f"--{name.replace('_', '-')}": getattr(options, name) for name in written},
        [options.data, options.test, options.teacher],
    )
    _check_installed(options.out)
    if options.target in options.drop:
        raise UsageError(
            f"Got --drop {options.target}, but expected other columns than the target."
        )
    if options.report and not (options.test or options.test_fraction):
        raise UsageError("--report is on held-out rows, but --test-fraction is 0.")
    if options.refit and not options.teacher:
        raise UsageError("--refit is for a --teacher.")
    if options.refit and is_native(options.teacher):
        raise UsageError(
            f"Got --refit with {options.teacher}, but a native model does not say how "
            "it was fitted: give a pickled estimator."
        )
    if options.classes and not options.teacher:
        raise UsageError("--classes are those of a --teacher.")


def _check_numbers(options):
    """Raise UsageError if a number is out of range."""
    ranges = {
        "test_fraction": (lambda n: 0 <= n < 1, "0 or more and less than 1"),
        "temperature": (lambda n: 0 < n < math.inf, "a number above 0"),
        "alpha": (lambda n: 0 <= n <= 1, "a number from 0 to 1"),
        "cv": (lambda n: n >= 2, "2 folds or more"),
        "seed": (lambda n: 0 <= n < 2**32, "an integer from 0 to 4294967295"),
    }
    for name, (is_inside, expected) in ranges.items():
        number = getattr(options, name)
        if number is not None and not is_inside(number):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"Got {option} {number}, but expected {expected}.")


def _check_installed(out):
    """Raise ImportError if what a file is written with is not installed."""
    needed = ("onnx", "onnxruntime") if Path(out).suffix.lower() == ".onnx" else ()
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{out} needs {' and '.join(missing)}: pip install 'skdistill[onnx]'"
        )


def _format(task, result, options):
    rows = f"{result['rows_train']:,} rows to learn from"
    if result["rows_unlabeled"]:
        rows += f", {result['rows_unlabeled']:,} without a label"
    lines = [
        f"{result['teacher']} -> {result['student']}; {rows}, "
        f"{result['rows_test']:,} held out, {result['columns']} columns, "
        f"{task.describe(result)}"
    ]
    if result["quality"]:
        columns = {"model": ("model", "{}")} | task.QUALITY
        lines += ["", format_table(result["quality"], columns)]
    lines += ["", f"{options.out}: {format_bytes(result['bytes'])}{_parity(result)}"]
    for path in filter(None, [options.save_model, options.report]):
        lines.append(f"{path}: {format_bytes(Path(path).stat().st_size)}")
    return "\n".join(lines)


def _parity(result):
    certificate = result["certificate"]
    if certificate is None:
        return ", not compared with the student for lack of a compiler"
    return (
        f", compared with the student on {certificate['rows']:,} rows: "
        f"{format_differences(certificate, result['task'])}"
    )
