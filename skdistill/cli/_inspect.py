"""``skdistill inspect``: what an exported student is."""

import math
import os

from ..runtime import NetworkSpec, load_spec, read_header
from ._commands import add_command, check_student
from ._text import format_bytes, format_differences, format_table, print_json

COLUMNS = {
    "name": ("column", "{}"),
    "kind": ("kind", "{}"),
    "values": ("values in training", "{}"),
}

SHOWN_LEVELS = 6


def add_to(commands):
    """Declare the command."""
    parser = add_command(
        commands,
        "inspect",
        run,
        purpose="say what an exported student is",
        description=(
            "Say what an exported student is: its columns with their ranges and "
            "categories, its classes or how many numbers it predicts, its size and "
            "shape, and what the comparison with the fitted student found. Needs "
            "numpy."
        ),
        examples=[
            "skdistill inspect student.skd",
            "skdistill inspect student.skd --json",
        ],
    )
    parser.add_argument("student", help="a .skd file")


def run(options):
    """Print what is in the file."""
    description = describe(options.student)
    if options.json:
        print_json(description)
    else:
        print(_format(description))


def describe(path):
    """Return what a file says of its model.

    Parameters
    ----------
    path : str
        The .skd file.

    Returns
    -------
    dict
        Plain values, for JSON.
    """
    check_student(path)
    header, spec = read_header(path), load_spec(path)
    return {
        "file": str(path),
        "bytes": os.path.getsize(path),
        "written_by": header["written_by"],
        "format_version": header["version"],
        **(_numbers(spec) if spec.is_regressor else _classes(spec)),
        "predictor": _predictor(spec.predictor),
        "certificate": header["certificate"],
        "columns": [_column(column) for column in spec.columns],
    }


def _classes(spec):
    return {"task": "classification", "classes": spec.classes.tolist()}


def _numbers(spec):
    return {
        "task": "regression",
        "classes": None,
        "outputs": spec.n_scores,
        "link": spec.link,
    }


def _predictor(predictor):
    if isinstance(predictor, NetworkSpec):
        widths = [len(predictor.encoder.mean), *map(len, predictor.biases)]
        arrays = [*predictor.weights, *predictor.biases]
        return {
            "kind": "network",
            "layers": widths,
            "weights": int(sum(array.size for array in arrays)),
        }
    return {
        "kind": "trees",
        "trees": len(predictor.roots),
        "nodes": len(predictor.features),
        "leaves": len(predictor.leaves),
        "averages_probabilities": bool(predictor.probabilities),
    }


def _column(column):
    if not column.is_numeric:
        return {
            "name": column.name,
            "kind": "category",
            "levels": list(column.levels),
        }
    return {
        "name": column.name,
        "kind": "number",
        "low": float(column.low),
        "high": float(column.high),
        "missing_counts_as": float(column.fill),
        "intervals": column.n_intervals,
    }


def _format(description):
    rows = [
        {"name": c["name"], "kind": c["kind"], "values": _values(c)}
        for c in description["columns"]
    ]
    return "\n".join(
        [
            f"{description['file']}: {format_bytes(description['bytes'])}, written by "
            f"{description['written_by']} (format {description['format_version']})",
            f"model       {_shape(description['predictor'])}",
            _output(description),
            f"certificate {_certificate(description)}",
            "",
            format_table(rows, COLUMNS, left=3),
        ]
    )


def _shape(predictor):
    if predictor["kind"] == "network":
        layers = "-".join(map(str, predictor["layers"]))
        return f"network {layers}, {predictor['weights']:,} weights"
    return (
        f"{predictor['trees']:,} tree{'s' * (predictor['trees'] != 1)}, "
        f"{predictor['nodes']:,} nodes, {predictor['leaves']:,} leaves"
    )


def _output(description):
    if description["task"] == "classification":
        return f"classes     {_some(description['classes'])}"
    is_log = description["link"] == "log"
    if description["outputs"] == 1:
        return "predicts    a number" + ", by way of its logarithm" * is_log
    numbers = f"predicts    {description['outputs']:,} numbers"
    return numbers + ", by way of their logarithms" * is_log


def _certificate(description):
    certificate = description["certificate"]
    if certificate is None:
        return "none: the file was not compared with a fitted model"
    try:
        allowed = f" (allowed {certificate['tolerance']:.0e})"
        found = format_differences(certificate, description["task"], allowed)
        return f"{certificate['rows']:,} rows compared with the fitted model: {found}"
    except (KeyError, TypeError, ValueError):
        # `skdistill.runtime.save` takes any.
        return str(certificate)


def _values(column):
    if column["kind"] == "category":
        levels = column["levels"]
        return f"{len(levels)} categories: {_some(levels)}"
    if math.isnan(column["low"]):
        return "all missing"
    if math.isinf(column["high"] - column["low"]):
        return "any number"  # trees do not remember a range
    return f"{column['low']:g} to {column['high']:g}"


def _some(labels):
    shown = ", ".join(map(str, labels[:SHOWN_LEVELS]))
    return shown + (", ..." if len(labels) > SHOWN_LEVELS else "")
