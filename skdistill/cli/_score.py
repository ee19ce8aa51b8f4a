"""``skdistill score``: a table of any size through an exported student."""

import os

from ._commands import add_command, check_written, positive_integer
from ._text import print_json

MOST_ROWS = 65_536
"""Rows that are scored together, unless the user says otherwise or cells are many."""

MOST_THREADS = 2
"""Threads that score by default: more would wait for what is read."""


def add_to(commands):
    """Declare the command."""
    parser = add_command(
        commands,
        "score",
        run,
        purpose="score a table, however large, by an exported student",
        description=(
            "Score the rows of a CSV or Parquet file by a student that was exported as "
            ".skd. Rows are read, scored and written in batches, so that memory does "
            "not grow with their number. Columns are found by name, in any order; "
            "others than the student's are not looked at. A student of numbers gives "
            "the column prediction, or prediction_0, prediction_1, ... if it predicts "
            "several. Needs numpy and pyarrow."
        ),
        examples=[
            "skdistill score student.skd loans.parquet --id loan --out scores.parquet",
            "skdistill score student.skd loans.csv --label --out labels.csv",
            "zcat loans.csv.gz | skdistill score student.skd - --out - | head",
        ],
    )
    parser.add_argument("student", help="a .skd file")
    parser.add_argument("data", help="a table, .csv or .parquet; - is standard input")
    parser.add_argument(
        "--out", required=True, help="table to write; - is standard output"
    )
    parser.add_argument(
        "--id",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column of the table to keep beside the scores; may be repeated",
    )
    parser.add_argument(
        "--proba",
        action="store_true",
        help="write a probability for each class, proba_CLASS (default of classes)",
    )
    parser.add_argument(
        "--label", action="store_true", help="write the most probable class, label"
    )
    parser.add_argument(
        "--format",
        choices=["csv", "parquet"],
        help="of files whose name does not say it (default: csv for -)",
    )
    parser.add_argument(
        "--batch-size",
        type=positive_integer,
        metavar="ROWS",
        help=f"rows scored together (default: {MOST_ROWS:,}, fewer of many columns)",
    )
    parser.add_argument(
        "--threads",
        type=positive_integer,
        default=min(MOST_THREADS, _n_cores()),
        help="that score (default: 2, beside one that reads and one that writes)",
    )
    _add_progress(parser)


def _n_cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _add_progress(parser):
    parser.add_argument(
        "--progress",
        action="store_const",
        const=True,
        help="tell how far it is (default: on a terminal)",
    )
    parser.add_argument(
        "--no-progress", dest="progress", action="store_const", const=False
    )


def run(options):
    """Score the rows."""
    check_written({"--out": options.out}, [options.student, options.data])
    # Read as Arrow is loaded. Its own allocators give pages back as soon as a batch is
    # done, and take them anew: that costs as much time as to score the rows.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        from ._scoring import score_table
    except ModuleNotFoundError as error:
        raise ImportError(
            "scoring files needs pyarrow: pip install 'skdistill[cli]'"
        ) from error
    result = score_table(options, MOST_ROWS)
    if options.json:
        print_json(result)
    elif options.out != "-":
        print(
            f"{result['rows']:,} rows scored to {result['out']} in "
            f"{result['seconds']:.1f} s"
        )
