"""``skdistill report``: how close a student is to its teacher, as an HTML file."""

from ._commands import add_command, check_folder, check_report, check_written
from ._tables import read_labelled, read_labels, read_numbers, text_labels
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
    check_report("--out", options.out)
    check_folder(options.out)
    check_written({"--out": options.out}, [options.model, options.data])
    model = load_pickle(options.model, options.trust)
    from sklearn.base import is_regressor

    from ..inspection import distillation_report
    from ._column_kinds import kinds_of_model
    from ._distilling import check_pages

    if not hasattr(model, "teacher_") or not hasattr(model, "student_"):
        raise TypeError(
            f"Got {options.model} with a {type(model).__name__}, but expected a fitted "
            "DistilledClassifier or DistilledRegressor."
        )
    check_pages()
    is_number = is_regressor(model)
    table = read_labelled(
        options.data,
        options.target,
        read_target=read_numbers if is_number else read_labels,
        weights=options.weights,
        drop=options.drop,
        kinds=kinds_of_model(model),
        text=() if is_number else text_labels(options.target, model.classes_),
    )
    table.tell_unlabeled("judged")
    X = _in_order(table.X, getattr(model, "feature_names_in_", ()))
    report = distillation_report(model, X, table.y, sample_weight=table.weights)
    report.write_html(options.out)
    if options.json:
        print_json(report.to_dict())
    else:
        print(report)


def _in_order(X, names):
    """The rows with their columns in the order in which the model knows them."""
    names = [str(name) for name in names]
    return X[names] if set(names) == set(X.columns) else X
