"""A report for a terminal."""

from textwrap import wrap

from ._sections import headlines, origin, sections

WIDTH = 88


def as_text(report):
    """Return the report for a terminal.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    str
    """
    title = "Distillation report"
    lines = [title, "=" * len(title), origin(report), ""]
    lines += [f"{name}: {text}" for name, text in headlines(report)]
    for section in sections(report):
        lines += ["", section.title, "-" * len(section.title)]
        for paragraph in section.paragraphs:
            lines += wrap(_one_line(paragraph), WIDTH)
        for item in section.items:
            lines += wrap(
                _one_line(item), WIDTH, initial_indent="* ", subsequent_indent="  "
            )
        for table in section.tables:
            lines += ["", *_text_table(table)]
    return "\n".join(lines)


def _one_line(text):
    """Return a text without line breaks and other characters that move a cursor."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def _text_table(table):
    rows = [[_one_line(cell) for cell in row] for row in (table.header, *table.rows)]
    if table.text_columns == len(table.header):
        rows = [line for row in rows for line in _wrapped(row)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [table.caption]
    for row in rows:
        cells = [
            cell.ljust(width) if position < table.text_columns else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(2, "  ".join("-" * width for width in widths))
    return lines


def _wrapped(row):
    """Return a row as several, so that the last text is no wider than a line."""
    *first, last = row
    lines = wrap(last, WIDTH - 24) or [""]
    return [[*first, lines[0]], *([""] * len(first) + [line] for line in lines[1:])]
