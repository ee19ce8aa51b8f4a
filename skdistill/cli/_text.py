"""Results as text, for people, and as JSON, for machines."""

import json
import math
import sys

UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9}


def print_json(result):
    """Print a result of dictionaries, lists and plain values; NaN becomes null."""
    print(json.dumps(_finite(result), indent=2, allow_nan=False))


def tell(message):
    """Print what the user should know to standard error."""
    print(f"skdistill: {message}", file=sys.stderr)


def format_table(rows, columns, left=1):
    """Return a table as aligned text, with a line under its headings.

    Parameters
    ----------
    rows : list of dict
        Cells by the names of their columns; ``None`` and NaN are shown as a dash.
    columns : dict of str to (str, str)
        Heading and format of each column, by name.
    left : int, default=1
        How many columns are aligned to the left.

    Returns
    -------
    str
    """
    table = [[heading for heading, _ in columns.values()]]
    for row in rows:
        table.append(
            [
                "-" if _is_unknown(row[name]) else form.format(row[name])
                for name, (_, form) in columns.items()
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    table.insert(1, ["-" * width for width in widths])
    lines = []
    for texts in table:
        cells = [
            cell.ljust(width) if position < left else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def format_differences(certificate, task, allowed=""):
    """Return what the comparison of an exported student found, in a few words.

    Parameters
    ----------
    certificate : dict
        Fields of a `skdistill.export.ParityCertificate`.
    task : {"classification", "regression"}
        What the student does.
    allowed : str, default=""
        To be said of the largest difference.

    Returns
    -------
    str
    """
    largest = f"differ by at most {certificate['largest']:.1e}"
    if task == "regression":
        return f"predictions {largest} of the largest one{allowed}"
    flips = f"{certificate['label_flips']:,} labels"
    return f"probabilities {largest}{allowed}, {flips}"


def format_bytes(size):
    """Return a number of bytes in units of 1000, as "45.2 kB"."""
    if size < 1000:
        return f"{size} bytes"
    unit = next(unit for unit in UNITS if size < 1000 * UNITS[unit] or unit == "GB")
    return f"{size / UNITS[unit]:,.1f} {unit}"


def _is_unknown(value):
    return value is None or value != value


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
