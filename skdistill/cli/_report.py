"""``skdistill report``: how close a student is to its teacher, as an HTML file."""

from ._commands import add_command, check_written
from ._tables import read_labelled, read_labels, read_numbers
from ._teachers import load_pickle
from ._text import print_json


def add_to(commands):
    """Declare the command."""
    parser = add_command(
        commands,
        "report",
        run,
        purpose="judge a distilled model on rows it has not seen",
        description=(
            "Judge a distilled model on rows that neither teacher nor student was "
            "fitted on, print the result, and write it as one HTML file that needs no "
            "network. The model is a pickled DistilledClassifier or "
            "DistilledRegressor, such as skdistill distill --save-model writes."
        ),
        examples=[
            "skdistill report --model model.joblib --trust --data test.parquet \\",
            "    --target default --out report.html",
        ],
    )
    parser.add_argument(
        "--model", required=True, metavar="FILE", help="a .joblib or .pkl file"
    )
    parser.add_argument(
        "--trust", action="store_true", help="load a pickle, which can run any code"
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help="a table, .csv or .parquet"
    )
    parser.add_argument(
        "--target", required=True, help="its column of class labels or numbers"
    )
    parser.add_argument(
        "--weights", metavar="COLUMN", help="its column of weights of the rows"
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column that the model has not seen; may be repeated",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the report, .html"
    )


def run(options):
    """Judge the model, print and write the report."""
    check_written({"--out": options.out}, [options.model, options.data])
    model = load_pickle(options.model, options.trust)
    from sklearn.base import is_regressor

    from ._distilling import report_writer

    if not hasattr(model, "teacher_") or not hasattr(model, "student_"):
        raise TypeError(
            f"Got {options.model} with a {type(model).__name__}, but expected a fitted "
            "DistilledClassifier or DistilledRegressor."
        )
    write = report_writer(options.out)
    table = read_labelled(
        options.data,
        options.target,
        read_target=read_numbers if is_regressor(model) else read_labels,
        weights=options.weights,
        drop=options.drop,
    )
    table.tell_unlabeled("judged")
    report = write(model, table.X, table.y, sample_weight=table.weights)
    if options.json:
        print_json(report.to_dict())
    else:
        print(report)
