"""The header of a model's file: a specification as plain JSON values and arrays."""

import json
import math

import numpy as np

from .._version import __version__
from ._arrays import ArrayReader, ArrayWriter
from ._model import ModelSpec
from ._network import NetworkSpec
from ._spec import CategoryColumn, EncoderSpec, NumberColumn
from ._trees import TreeEnsembleSpec

FORMAT = "skdistill model"
VERSION = 2
"""The newest version. Classifiers are of version 1, which is all that they need."""

TREE_ARRAYS = {
    "base": ("<f8", 1),
    "roots": ("<i4", 1),
    "outputs": ("<i4", 1),
    "features": ("<i4", 1),
    "thresholds": ("<f8", 1),
    "missing_left": ("|b1", 1),
    "sets": ("<i4", 1),
    "children": ("<i4", 2),
    "leaves": ("<f8", 2),
    "level_sets": ("<u4", 2),
}
"""Type and number of axes of the arrays of a tree ensemble."""

LABELS = {
    "int8": int,
    "int16": int,
    "int32": int,
    "int64": int,
    "uint8": int,
    "uint16": int,
    "uint32": int,
    "uint64": int,
    "float16": float,
    "float32": float,
    "float64": float,
    "bool": bool,
    "str": str,
    "object": None,
}
"""Types of class labels and what JSON makes of them; an object is what it is."""


WASTED_CHARACTERS = 2**18
"""Characters that an array of class labels may take beyond 8 times those it has."""


def encode(spec, certificate):
    """Return a model as a header and the bytes of its arrays.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    certificate : dict or None
        Plain values.

    Returns
    -------
    header, arrays : bytes

    Raises
    ------
    ValueError
        If JSON cannot hold the certificate, or a file the class labels or numbers.
    """
    arrays = ArrayWriter()
    header = {
        "format": FORMAT,
        "version": 2 if spec.is_regressor else 1,
        "written_by": f"skdistill {__version__}",
        "certificate": certificate,
        "classes": None if spec.is_regressor else _classes(spec.classes),
        "columns": [_column(column, arrays) for column in spec.columns],
        "predictor": _predictor(spec.predictor, arrays),
        "arrays": arrays.descriptions,
    }
    if spec.is_regressor:
        header["link"] = spec.link
    try:
        # Escaped: names may hold what is no text, half of a surrogate pair.
        text = json.dumps(header, separators=(",", ":"), allow_nan=False)
        same = json.loads(text) == header
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"Got a certificate that JSON cannot hold: {error}."
        ) from error
    if not same:
        raise ValueError(
            f"Got certificate={certificate!r}, but expected a dict of str to plain "
            "values: dicts, lists, str, int, float, bool and None."
        )
    return text.encode(), arrays.content()


def parse(text):
    """Return the header as a dictionary whose format and version are known.

    Parameters
    ----------
    text : bytes
        What `encode` returned.

    Raises
    ------
    ValueError
        If it is not JSON as strict as can be, or of a newer version.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=_object, parse_float=_float, parse_constant=_float
    )
    try:
        header = decoder.decode(text.decode())
    except RecursionError as error:
        raise ValueError("Got a header that is nested too deeply.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"Got a header that is not JSON in UTF-8, but expected that: {error}."
        ) from error
    if type(header) is not dict or header.get("format") != FORMAT:
        raise ValueError(f"Got a header without the format {FORMAT!r}.")
    version = header.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f"Got version {version!r}, but expected a positive integer.")
    if version > VERSION:
        raise ValueError(
            f"Got a file of version {version}, written by "
            f"{header.get('written_by')!r}, but expected at most version {VERSION}, "
            f"which is what skdistill {__version__} reads: update skdistill."
        )
    return header


def decode(header, content):
    """Return the model of a header.

    Parameters
    ----------
    header : dict
        What `parse` returned.
    content : bytes
        Bytes of the arrays.

    Returns
    -------
    ModelSpec
        Its arrays are read-only.

    Raises
    ------
    ValueError
        If anything is not as it should be.
    """
    names = "format version written_by certificate classes columns predictor arrays"
    is_regressor = header["version"] == 2
    names += " link" if is_regressor else ""
    _check_fields("the header", header, names.split())
    _typed("written_by", header["written_by"], str)
    certificate = header["certificate"]
    if certificate is not None:
        _typed("certificate", certificate, dict)
    arrays = ArrayReader(header["arrays"], content)
    columns = tuple(
        _read_column(fields, arrays)
        for fields in _typed("columns", header["columns"], list)
    )
    predictor = _read_predictor(header["predictor"], columns, arrays)
    arrays.check_all_taken()
    if not is_regressor:
        return ModelSpec(predictor, _read_classes(header["classes"]))
    if header["classes"] is not None:
        raise ValueError("Got classes in a file of version 2, but expected null.")
    return ModelSpec(predictor, link=_typed("link", header["link"], str))


def _classes(classes):
    name = "str" if classes.dtype.kind == "U" else classes.dtype.name
    labels = classes.tolist()
    kinds = {str if isinstance(x, str) else type(x) for x in labels}
    if name not in LABELS or len(kinds) != 1 or not kinds <= {str, int, float, bool}:
        raise ValueError(
            f"Got classes {classes!r}, but expected integers, floats, booleans or "
            "strings, all of one of these types."
        )
    if kinds == {float} and not np.isfinite(classes.astype(float)).all():
        raise ValueError(f"Got classes {classes!r}, but expected finite numbers.")
    return {"dtype": name, "labels": labels}


def _read_classes(fields):
    _check_fields("classes", fields, ["dtype", "labels"])
    name, labels = fields["dtype"], _typed("labels", fields["labels"], list)
    if type(name) is not str or name not in LABELS:
        raise ValueError(f"Got classes of type {name!r}, but expected {list(LABELS)}.")
    if LABELS[name] is float:
        labels = [_number("a class", label) for label in labels]
    kinds = set(map(type, labels))
    wanted = LABELS[name]
    if len(kinds) != 1 or not kinds <= (
        {wanted} if wanted else {str, int, float, bool}
    ):
        raise ValueError(
            f"Got classes of the types {[kind.__name__ for kind in kinds]}, but "
            f"expected {name} alone."
        )
    if wanted is str:
        _check_lengths(labels)
    try:
        with np.errstate(over="ignore"):
            classes = np.array(labels, dtype=name)
    except (OverflowError, DeprecationWarning) as error:
        raise ValueError(f"Got classes that {name} does not hold: {error}.") from error
    if classes.tolist() != labels and wanted is not float:
        raise ValueError(f"Got classes that {name} does not hold.")
    if wanted is float and not np.isfinite(classes).all():
        raise ValueError("Got a class that is not a finite number.")
    return classes


def _check_lengths(labels):
    """Raise a ValueError if an array of the labels would waste memory.

    As in every array of strings each would take as much of it as the longest.
    """
    lengths = list(map(len, labels))
    size = max(lengths) * len(lengths)
    if size > WASTED_CHARACTERS + 8 * sum(lengths):
        raise ValueError(
            f"Got {len(labels)} class labels of up to {max(lengths)} characters, but "
            "expected labels of similar lengths: use an array of objects."
        )


def _column(column, arrays):
    if not column.is_numeric:
        return _category(column, arrays)
    fields = {
        "kind": "number",
        "name": column.name,
        "low": _bound(column.low),
        "high": _bound(column.high),
        "fill": float(column.fill),
        "marks_missing": bool(column.marks_missing),
    }
    for name in ("knots", "scores", "edges"):
        array = getattr(column, name)
        if len(array):
            what = f"{name} of column {column.name!r}"
            fields[name] = arrays.add(what, array, "<f8")
    return fields


def _category(column, arrays):
    fields = {
        "kind": "category",
        "name": column.name,
        "levels": list(column.levels),
        "n_slots": int(column.n_slots),
    }
    for name, dtype in (("slots", "<i8"), ("means", "<f4")):
        array = getattr(column, name)
        if column.n_slots if name == "slots" else array.shape[1]:
            what = f"{name} of column {column.name!r}"
            fields[name] = arrays.add(what, array, dtype)
    return fields


def _read_column(fields, arrays):
    kind = _typed("a column", fields, dict).get("kind")
    if kind == "number":
        names = ["kind", "name", "low", "high", "fill", "marks_missing"]
        _check_fields("a column", fields, names, ["knots", "scores", "edges"])
        codes = {
            name: arrays.take(name, fields[name], "<f8", 1)
            for name in ("knots", "scores", "edges")
            if name in fields
        }
        return NumberColumn(
            fields["name"],
            _read_bound(fields["low"]),
            _read_bound(fields["high"]),
            _number("fill", fields["fill"]),
            marks_missing=_typed("marks_missing", fields["marks_missing"], bool),
            **codes,
        )
    if kind != "category":
        raise ValueError(
            f"Got a column of kind {kind!r}, but expected 'number' or 'category'."
        )
    names = ["kind", "name", "levels", "n_slots"]
    _check_fields("a column", fields, names, ["slots", "means"])
    codes = {
        name: arrays.take(name, fields[name], dtype, n_axes)
        for name, dtype, n_axes in (("slots", "<i8", 1), ("means", "<f4", 2))
        if name in fields
    }
    return CategoryColumn(
        fields["name"],
        tuple(_typed("levels", fields["levels"], list)),
        n_slots=_typed("n_slots", fields["n_slots"], int),
        **codes,
    )


def _predictor(predictor, arrays):
    if isinstance(predictor, NetworkSpec):
        return {
            "kind": "network",
            "mean": arrays.add("mean", predictor.encoder.mean, "<f4"),
            "layers": [
                {
                    "weights": arrays.add(f"weights of layer {i}", weights, "<f4"),
                    "biases": arrays.add(f"biases of layer {i}", biases, "<f4"),
                }
                for i, (weights, biases) in enumerate(
                    zip(predictor.weights, predictor.biases, strict=True)
                )
            ],
        }
    fields = {
        name: arrays.add(name, getattr(predictor, name), dtype)
        for name, (dtype, _) in TREE_ARRAYS.items()
    }
    return {
        "kind": "trees",
        "probabilities": bool(predictor.probabilities),
        **fields,
    }


def _read_predictor(fields, columns, arrays):
    kind = _typed("predictor", fields, dict).get("kind")
    if kind == "network":
        _check_fields("the network", fields, ["kind", "mean", "layers"])
        mean = arrays.take("mean", fields["mean"], "<f4", 1)
        weights, biases = [], []
        for layer in _typed("layers", fields["layers"], list):
            _check_fields("a layer", layer, ["weights", "biases"])
            weights.append(arrays.take("weights", layer["weights"], "<f4", 2))
            biases.append(arrays.take("biases", layer["biases"], "<f4", 1))
        encoder = EncoderSpec(columns, mean)
        return NetworkSpec(encoder, tuple(weights), tuple(biases))
    if kind != "trees":
        raise ValueError(
            f"Got a predictor of kind {kind!r}, but expected 'network' or 'trees'."
        )
    _check_fields("the trees", fields, ["kind", "probabilities", *TREE_ARRAYS])
    return TreeEnsembleSpec(
        columns,
        probabilities=_typed("probabilities", fields["probabilities"], bool),
        **{
            name: arrays.take(name, fields[name], dtype, n_axes)
            for name, (dtype, n_axes) in TREE_ARRAYS.items()
        },
    )


def _bound(value):
    """Return an end of a training range for JSON, which has finite numbers only."""
    return float(value) if math.isfinite(value) else str(float(value))


def _read_bound(value):
    if type(value) is str and value in ("nan", "inf", "-inf"):
        return float(value)
    return _number("low or high", value)


def _number(name, value):
    if type(value) not in (int, float):
        raise ValueError(f"Got {str(value)[:100]} as {name}, but expected a number.")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"Got an integer as {name} that no float64 holds.") from error


def _float(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"Got the number {text[:100]}, but expected a finite one.")
    return value


def _object(pairs):
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("Got a header in which an object has the same key twice.")
    return values


def _typed(name, value, kind):
    if type(value) is not kind:
        raise ValueError(
            f"Got {name} of type {type(value).__name__} in the header, but expected "
            f"{kind.__name__}."
        )
    return value


def _check_fields(name, fields, required, optional=()):
    _typed(name, fields, dict)
    lacking = [key for key in required if key not in fields]
    unknown = [key for key in fields if key not in required and key not in optional]
    if lacking or unknown:
        raise ValueError(
            f"Got {name} without {lacking} and with {[k[:50] for k in unknown[:5]]}, "
            f"but expected {list(required)}."
        )
