"""A report as sections of text and tables, which terminals and pages show alike."""

from dataclasses import dataclass

import numpy as np

from ._segment_display import largest_differences

SHOWN_SEGMENTS = 12
SHOWN_DRIFTS = 5
MOST_CLASSES = 30

FIDELITY = {
    "agreement": ("agreement", "share of rows with the same most probable class"),
    "flip_rate": ("flip rate", "share of rows decided differently at the threshold"),
    "threshold": ("threshold", "probability from which on a row is decided positive"),
    "kl_divergence": (
        "KL divergence",
        "nats a row lost by taking the student's word for the teacher's",
    ),
    "jensen_shannon_divergence": (
        "Jensen-Shannon divergence",
        "nats a row, from 0 (equal) to 0.693 (nothing in common)",
    ),
    "log_odds_r2": (
        "R2 of log-odds",
        "share of the variance of the teacher's log-odds that is reproduced",
    ),
    "prediction_r2": (
        "R2 of predictions",
        "share of the variance of the teacher's predictions that is reproduced",
    ),
    "mean_absolute_difference": (
        "mean difference",
        "mean absolute difference of the predictions",
    ),
    "mean_relative_difference": (
        "relative difference",
        "the same, as a share of the teacher's predictions",
    ),
    "gini_ratio": ("Gini ratio", "share of the teacher's power to order rows"),
}
"""Names and meanings."""


@dataclass(frozen=True)
class Table:
    """Texts in rows and columns.

    Parameters
    ----------
    caption : str
        What it holds.
    header : tuple of str
        Names of the columns.
    rows : list of tuple of str
        The cells; the first one names the row.
    text_columns : int
        How many columns are text; the others are numbers.
    """

    caption: str
    header: tuple
    rows: list
    text_columns: int = 1


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Parameters
    ----------
    title : str
        Its heading.
    paragraphs : list of str
        Text before the tables.
    tables : list of Table
        Numbers.
    figure : str or None
        Name of the figure, see `skdistill.inspection._figures`.
    items : list of str
        A list after the paragraphs.
    """

    title: str
    paragraphs: list
    tables: list
    figure: str | None = None
    items: tuple = ()


def headlines(report):
    """Return the numbers to see first, as pairs of a name and a text.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    list of tuple of str
    """
    found = [("skill kept", _kept(report))]
    for name, label in (("agreement", "same class"), ("prediction_r2", "R2")):
        if report.fidelity.get(name) is not None:
            found.append((label, _percent(report.fidelity[name])))
    student, teacher = (report.costs.get(who) for who in ("student", "teacher"))
    if student and teacher:
        found.append(
            (
                "one row",
                f"{_time(student.one_row_us)} instead of {_time(teacher.one_row_us)}",
            )
        )
        if student.size_kb and teacher.size_kb:
            sizes = f"{_size(student.size_kb)} instead of {_size(teacher.size_kb)}"
            found.append(("size", sizes))
    return found


def sections(report):
    """Return the report in sections.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    list of Section
    """
    parts = [
        _warnings(report),
        _models(report),
        _data(report),
        _quality(report),
        _fidelity(report),
        _calibration(report),
        _segments(report),
        _lift(report),
        _cost(report),
        _parity(report),
    ]
    return [part for part in parts if part is not None]


def origin(report):
    """Return when, by what and where the report was made.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    str
    """
    made = report.origin
    return (
        f"{made['created']}, skdistill {made['skdistill']}, Python {made['python']}, "
        f"{made['machine']}"
    )


def _warnings(report):
    if report.warnings:
        return Section("Warnings", [], [], items=report.warnings)
    drift = ", and drift since training" if report.drift else "; drift was not"
    text = (
        "Nothing to warn of. Looked at were how the teacher's labels were made, the "
        "number of rows, how much skill the student keeps, whether it is less "
        f"calibrated, its loss in each segment{drift}."
    )
    return Section("Warnings", [text], [])


def _models(report):
    rows = []
    for who in ("teacher", "student"):
        described = getattr(report, who)
        rows.append((who, described["parameters"]))
        if described["size"]:
            rows.append((f"size of the {who}", described["size"]))
    rows += list(report.settings.items())
    table = Table("What was distilled, and how", ("what", "value"), rows, 2)
    return Section("What was distilled into what", [], [table])


def _data(report):
    data = report.data
    columns = (
        f"{data['rows']:,} rows, {data['numeric_columns']:,} numeric and "
        f"{data['categorical_columns']:,} categorical columns"
    )
    if data["weighted"]:
        columns += ", weighted"
    tables: list[Table] = []
    if "classes" in data:
        known = data["classes"]
        rows = [
            (entry["name"], f"{entry['rows']:,}", _percent(entry["share"]))
            for entry in known[:MOST_CLASSES]
        ]
        if len(known) > MOST_CLASSES:
            rest = known[MOST_CLASSES:]
            n_rows = sum(entry["rows"] for entry in rest)
            share = sum(entry["share"] for entry in rest)
            rows.append((f"{len(rest)} others", f"{n_rows:,}", _percent(share)))
        tables.append(Table("Classes", ("class", "rows", "share"), rows))
    else:
        target = data["target"]
        of_target = [(name, _number(value)) for name, value in target.items()]
        tables.append(Table("Target", ("of the target", "value"), of_target))
    if data["missing"]:
        n_missing = data["columns_with_missing"]
        caption = f"Columns with missing values ({n_missing:,})"
        gaps = [(name, _percent(share)) for name, share in data["missing"].items()]
        if n_missing > len(gaps):
            caption += f", the first {len(gaps)}"
        tables.append(Table(caption, ("column", "missing"), gaps))
    moved = sorted(report.drift.items(), key=lambda pair: -pair[1])[:SHOWN_DRIFTS]
    if moved:
        indices = [(name, f"{max(value, 0):.3f}") for name, value in moved]
        caption = "Drift since training, largest population stability index"
        tables.append(Table(caption, ("column", "index"), indices))
    return Section("Data", [columns + "."], tables)


def _quality(report):
    rows = [
        (
            row.metric,
            "more" if row.greater_is_better else "less",
            _interval(row.teacher, _decimals),
            _interval(row.student, _decimals),
            _interval(row.difference, _signed),
        )
        for row in report.quality
    ]
    header = ("metric", "better", "teacher", "student", "student - teacher")
    caption = "Quality on these rows, with 95 % bootstrap intervals"
    table = Table(caption, header, rows, 2)
    told = _kept(report)
    return Section(
        "Quality",
        [
            f"Skill kept: {told}. That is the share of the teacher's gain in "
            f"{_loss_name(report)} over a constant prediction that the student reaches"
            + (
                ", of the calibrated teacher where that one gains more."
                if report.task == "classification"
                else "."
            ),
            "The difference is taken on the same drawn rows: where its interval "
            "excludes 0, the models differ beyond chance.",
        ],
        [table],
    )


def _kept(report):
    kept = report.skill_retention
    if np.isfinite(kept.value):
        return _interval(kept, _percent)
    return "not defined, since the teacher has no skill here"


def _loss_name(report):
    return "log-loss" if report.task == "classification" else "squared error"


def _fidelity(report):
    rows = [
        (FIDELITY[name][0], _number(value), FIDELITY[name][1])
        for name, value in report.fidelity.items()
    ]
    rows = [(name, meaning, value) for name, value, meaning in rows]
    paragraphs = ["How close the student is to its teacher, right or wrong."]
    if report.positive_class is not None:
        paragraphs.append(f"The positive class is {report.positive_class}.")
    header = ("measure", "meaning", "value")
    table = Table("Student against teacher", header, rows, 2)
    return Section("Fidelity", paragraphs, [table], "fidelity")


def _calibration(report):
    text = (
        "Mean prediction against what happened, in ten bins of equal weight: a model "
        "on the diagonal can be taken at its word."
    )
    return Section("Calibration", [text], [], "calibration")


def _segments(report):
    shown = largest_differences(report.segments, SHOWN_SEGMENTS)
    worst = shown[0]
    paragraphs = [
        f"The student differs most from its teacher where {worst.column} = "
        f"{worst.label}: {report.quantity} is {_number(worst.student)} instead of "
        f"{_number(worst.teacher)} on the mean of {worst.n_rows:,} rows. "
        f"{report.n_segments:,} segments were looked at."
    ]
    first = ("segment", "rows", "share")
    models = ("teacher", "student", "student - teacher")
    actual = worst.actual is not None
    header = (*first, "actual", *models) if actual else (*first, *models)
    rows = [_segment_row(segment, actual) for segment in shown]
    caption = f"Mean {report.quantity} where the models differ most"
    tables = [Table(caption, header, rows)]
    if report.worse_segments:
        worse = report.worse_segments[:SHOWN_SEGMENTS]
        rows = [_segment_row(segment, False) for segment in worse]
        caption = "Mean loss where the student is worse beyond chance"
        tables.append(Table(caption, (*first, *models), rows))
    return Section("Segments", paragraphs, tables, "segments")


def _segment_row(segment, actual):
    cells = [segment.teacher, segment.student]
    if actual:
        cells.insert(0, segment.actual)
    low, high = segment.interval()
    difference = f"{_signed(segment.difference)} ({_signed(low)} to {_signed(high)})"
    return (
        f"{segment.column}: {segment.label}",
        f"{segment.n_rows:,}",
        _percent(segment.share),
        *map(_number, cells),
        difference,
    )


def _lift(report):
    if not report.lift:
        return None
    rows = [
        (
            f"{_number(row.low)} to {_number(row.high)}",
            f"{row.n_rows:,}",
            _number(row.actual),
            _number(row.teacher),
            _number(row.student),
        )
        for row in report.lift
    ]
    header = ("student / teacher", "rows", "actual", "teacher", "student")
    text = (
        "Rows in the order of student over teacher. In the first and the last ones the "
        "models disagree most: the one whose mean is closer to the actual one is right."
    )
    return Section("Who is right", [text], [Table("Double lift", header, rows)])


def _cost(report):
    rows = [
        (
            name,
            cost.runtime,
            _time(cost.one_row_us),
            f"{_number(cost.rows_per_second)}",
            "unknown" if cost.size_kb is None else _size(cost.size_kb),
        )
        for name, cost in report.costs.items()
    ]
    header = ("model", "scored by", "one row", "rows a second", "size")
    table = Table("Median time and size", header, rows, 2)
    text = (
        f"Measured on {report.origin['machine']}, as busy as it was. The size is that "
        "of the exported .skd file, or else of the pickle."
    )
    if "teacher" not in report.costs:
        text += " The teacher is a function, whose calls may cost money: not timed."
    return Section("Latency and size", [text], [table])


def _parity(report):
    found = report.certificate
    if found is None:
        text = "The student was not exported, or its certificate was not given."
        return Section("Parity certificate", [text], [])
    if report.task == "classification":
        what = "largest difference of a probability"
        flips = f"{found.label_flips:,}"
        labels = [("rows whose most probable class differs", flips)]
    else:
        what, labels = "largest difference, as a share of the largest number", []
    rows = [
        ("rows compared", f"{found.rows:,}"),
        (what, f"{found.largest:.2g}"),
        ("mean difference", f"{found.mean:.2g}"),
        *labels,
        ("largest difference allowed", f"{found.tolerance:.2g}"),
    ]
    table = Table(
        "The exported student against the fitted one", ("what", "value"), rows
    )
    return Section("Parity certificate", [], [table])


def _number(value):
    if value is None or not np.isfinite(value):
        return "infinite" if value is not None and np.isinf(value) else "not defined"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    # "#" keeps zeros at the end, without which numbers are hard to compare.
    return f"{value:#.4g}".rstrip(".")


def _decimals(value):
    """Return the same number of decimals in one column, as far as they mean much."""
    return f"{value:.4f}" if abs(value) < 10 else _number(value)


def _signed(value):
    sign = "" if value < 0 else "+"
    return sign + _decimals(value) if np.isfinite(value) else "?"


def _percent(value):
    return f"{value:.1%}" if np.isfinite(value) else "not defined"


def _interval(estimate, form=_number):
    if not np.isfinite(estimate.low):
        return f"{form(estimate.value)} (too few rows for an interval)"
    return f"{form(estimate.value)} ({form(estimate.low)} to {form(estimate.high)})"


def _time(microseconds):
    value, unit = microseconds, "µs"
    if value >= 1000:
        value, unit = value / 1000, "ms"
    return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"


def _size(kilobytes):
    if kilobytes >= 10_000:
        return f"{kilobytes / 1000:,.0f} MB"
    return f"{kilobytes:,.0f} kB" if kilobytes >= 10 else f"{kilobytes:.2g} kB"
