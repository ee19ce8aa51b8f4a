"""A fitted model as a file of ONNX."""

import json

import numpy as np

from .._parameters import check_number
from .._version import __version__
from ..runtime import NetworkSpec
from ..runtime._file import write_whole
from ._onnx_graph import MISSING_TEXT, ML_DOMAIN, Graph, read_inputs
from ._onnx_network import add_network
from ._onnx_trees import add_trees
from ._parity import TOLERANCE, certify, parity_rows, warn_of_rounding

IR_VERSION = 8
OPSETS = {"": 17, ML_DOMAIN: 3}
"""Old enough for what serves models in production, and new enough for all it takes."""

OUTPUTS = ("label", "probabilities", "predictions")


def export_onnx(spec, path, X=None, *, tolerance=TOLERANCE):
    """Write a model as an ONNX file, preprocessing included.

    If all columns are numeric, the one input is ``input``, a float tensor of shape
    (n_samples, n_columns). Otherwise there is one of shape (n_samples, 1) for each
    column, of its name: floats, or strings for categories. A missing number is NaN, a
    missing category the empty string (unless that is a level), and any string that is
    no level an unseen one.

    The outputs are ``label`` of shape (n_samples,) and ``probabilities`` of shape
    (n_samples, n_classes), a tensor of floats. Labels are integers if all classes are
    whole numbers or booleans, otherwise strings. The one output of a regressor is
    ``predictions`` of shape (n_samples, n_outputs), a tensor of floats.

    Numbers are rounded to float32 on their way in. The comparison is of rows that
    float32 can represent: others may lie on another side of a threshold once rounded,
    such as times in seconds, and a warning says if that is so in `X`.

    The metadata of the model hold ``producer``, ``classes`` (null of a regressor) and
    ``parity_certificate``, the last two as JSON.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    path : str or path-like
        Where the file is written. One that is there is replaced.
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns), default=None
        Rows like those of training to compare on, beside those of `parity_rows`.
    tolerance : float, default=1e-5
        Largest difference of a probability allowed, or of a number as a share of the
        largest one of its output.

    Returns
    -------
    ParityCertificate
        What the comparison of ONNX Runtime with `ModelSpec.probabilities`, or
        `predictions`, found.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    ValueError
        If ONNX Runtime's probabilities differ by more than the tolerance, numbers of
        the model overflow float32, or names of columns cannot be those of inputs.
        Nothing is written then.

    Warns
    -----
    UserWarning
        If rounding to float32 alone changes what the model says of `X` by more than
        the tolerance.

    See Also
    --------
    export_c : The same as C source.

    Notes
    -----
    The intervals of a network's numbers are computed side by side. Of a network on 50
    columns of 32 intervals ONNX Runtime scored batches of 64 to 256 rows twice as fast
    as one of 10,000: longer ones do not fit into the processor's cache.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.export import export_onnx
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "iris.onnx"
    ...     certificate = export_onnx(student.to_spec(), path, X)
    ...     session = onnxruntime.InferenceSession(path)
    >>> label, probabilities = session.run(None, {"input": X.astype(np.float32)})
    >>> bool(abs(probabilities - student.predict_proba(X)).max() < 1e-5)
    True
    """
    onnx, runtime = _import_onnx()
    check_number("tolerance", tolerance, 0)
    _check_names(spec.columns)
    model = _model(onnx, spec)
    score = _scorer(runtime, model, spec)
    rows = _expressible(parity_rows(spec, X), spec.columns)
    certificate = certify(spec, score, rows, tolerance)
    _add_metadata(
        model,
        producer=f"{model.producer_name} {model.producer_version}",
        classes=json.dumps(None if spec.is_regressor else spec.classes.tolist()),
        parity_certificate=json.dumps(certificate.as_dict()),
    )
    warn_of_rounding(spec, X, tolerance)
    write_whole(path, model.SerializeToString(deterministic=True))
    return certificate


def _import_onnx():
    try:
        import onnx
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ImportError(
            "Exporting to ONNX needs onnx and onnxruntime: "
            "pip install 'skdistill[onnx]'."
        ) from error
    return onnx, onnxruntime


def _check_names(columns):
    """Raise an error if names cannot be those of inputs."""
    if all(column.is_numeric for column in columns):
        return
    names = [column.name for column in columns]
    for name in names:
        if not name or name in OUTPUTS or names.count(name) > 1:
            raise ValueError(
                f"Got a column named {name!r}, but expected names that are unique, not "
                f"empty, and none of {OUTPUTS}: they become those of the inputs. "
                "Rename the column and fit again."
            )


def _model(onnx, spec):
    """Return the model, checked."""
    columns, predictor = spec.columns, spec.predictor
    graph = Graph({"input", *OUTPUTS, *(column.name for column in columns)})
    inputs = read_inputs(graph, columns)
    first_output = spec.n_scores - predictor.n_outputs
    add = add_network if isinstance(predictor, NetworkSpec) else add_trees
    outputs = add(graph, inputs, predictor, first_output)
    if spec.is_regressor:
        operator = "Exp" if spec.link == "log" else "Identity"
        graph.add(operator, outputs, output="predictions")
        answers = [("predictions", "FLOAT", [None, spec.n_scores])]
    else:
        answers = _add_classes(graph, outputs, spec)
    model = _to_proto(onnx, graph, columns, answers)
    onnx.checker.check_model(model, full_check=True)
    return model


def _add_classes(graph, outputs, spec):
    """Add label and probabilities; return names, types and shapes of both."""
    best = graph.add("ArgMax", outputs, axis=1, keepdims=0)
    labels = _labels(spec.classes)
    graph.add("Gather", labels, best, output="label")
    if spec.averages:
        graph.add("Identity", outputs, output="probabilities")
    else:
        graph.add("Softmax", outputs, output="probabilities", axis=1)
    return [
        ("label", "STRING" if labels.dtype == object else "INT64", [None]),
        ("probabilities", "FLOAT", [None, len(labels)]),
    ]


def _labels(classes):
    """Return the labels as ONNX can hold them: integers or strings."""
    labels = classes.tolist()
    if all(_is_whole(label) for label in labels):
        return np.array([int(label) for label in labels], dtype=np.int64)
    for label in labels:
        if not _is_unicode(str(label)):
            raise ValueError(
                f"Got the class {label!r}, but expected texts that UTF-8 can hold: the "
                "labels become those of the file."
            )
    return np.array([str(label) for label in labels], dtype=object)


def _is_unicode(text):
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair of code units
        return False
    return True


def _is_whole(label):
    if isinstance(label, str):
        return False
    return label % 1 == 0 and -(2**63) <= label < 2**63


def _to_proto(onnx, graph, columns, answers):
    """Return a graph as a message of ONNX."""
    kinds = onnx.TensorProto
    info = onnx.helper.make_tensor_value_info
    outputs = [info(name, getattr(kinds, kind), shape) for name, kind, shape in answers]
    if all(column.is_numeric for column in columns):
        inputs = [info("input", kinds.FLOAT, [None, len(columns)])]
    else:
        inputs = [
            info(c.name, kinds.FLOAT if c.is_numeric else kinds.STRING, [None, 1])
            for c in columns
        ]
    nodes = [
        onnx.helper.make_node(
            node.operator,
            node.inputs,
            [node.output],
            domain=node.domain,
            **{
                name: getattr(kinds, value) if name == "to" else value
                for name, value in node.attributes.items()
            },
        )
        for node in graph.nodes
    ]
    constants = [
        onnx.numpy_helper.from_array(array, name)
        for name, array in graph.constants.items()
    ]
    body = onnx.helper.make_graph(nodes, "skdistill", inputs, outputs, constants)
    opsets = [onnx.helper.make_opsetid(*opset) for opset in OPSETS.items()]
    return onnx.helper.make_model(
        body,
        opset_imports=opsets,
        ir_version=IR_VERSION,
        producer_name="skdistill",
        producer_version=__version__,
    )


def _add_metadata(model, **texts):
    for name, text in texts.items():
        model.metadata_props.add(key=name, value=text)


def _scorer(runtime, model, spec):
    """Return what scores rows with ONNX Runtime."""
    columns = spec.columns
    wanted = "predictions" if spec.is_regressor else "probabilities"
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def score(rows):
        if all(column.is_numeric for column in columns):
            feed = {"input": rows.astype(np.float32)}
        else:
            feed = {
                column.name: _cells(column, rows[:, j])[:, None]
                for j, column in enumerate(columns)
            }
        return session.run([wanted], feed)[0]

    return score


def _cells(column, values):
    """A column of a table as ONNX Runtime takes it."""
    if column.is_numeric:
        return values.astype(np.float32)
    unseen = "unseen"
    while unseen in column.levels:
        unseen += "_"
    texts = np.array([*column.levels, unseen, MISSING_TEXT], dtype=object)
    # -2 and -1 count from the end.
    return texts[column.read(values)]


def _expressible(rows, columns):
    """Rows without missing categories where the empty string is a level."""
    rows = rows.copy()
    for j, column in enumerate(columns):
        if not column.is_numeric and MISSING_TEXT in column.levels:
            missing = column.read(rows[:, j]) == -1
            rows[missing, j] = column.levels.index(MISSING_TEXT)
    return rows
