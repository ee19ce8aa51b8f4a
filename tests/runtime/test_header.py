import json
import sys
from pathlib import Path

import numpy as np
import pytest

from skdistill.runtime._archive import pack, unpack
from skdistill.runtime._file import read_archive

sys.path.insert(0, str(Path(__file__).parent))
from files import (
    archive_of,
    assert_same,
    checksums,
    peak,
    resigned,
    with_classes,
    zipped,
)
from models import network, trees

sys.path.pop(0)


def changed(archive, change):
    """Bytes of a file whose header was changed, with the right checksums."""
    header, arrays = unpack(archive)
    header = json.loads(header)
    header = change(header) or header
    return pack(json.dumps(header).encode(), arrays)


@pytest.mark.parametrize("unit", [b"[],", b'{"":0},', b"0.5,", b'{"a":[]},', b'"ab",'])
def test_headers_take_memory_in_proportion(unit, rng):
    _, arrays = unpack(archive_of(network(rng)))
    n = 100_000 // len(unit)
    header = b'{"format":[' + n * unit + b"0]}"
    archive = zipped(
        ("header.json", header),
        ("arrays.bin", arrays),
        ("sha256sums", checksums(header, arrays)),
    )
    used, _ = peak(read_archive, archive)
    assert used < 60 * len(archive)


@pytest.mark.parametrize("depth", [100, 10_000, 1_000_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_deep_headers_are_refused(depth, brackets):
    first, last = brackets
    header = (first * depth + "0" + last * depth).encode()
    with pytest.raises(ValueError, match="Got a header"):
        read_archive(resigned(header, b""))


def test_newer_versions_are_refused_and_named(rng):
    def change(header):
        header |= {"version": 3, "written_by": "skdistill 7.1", "new": 1}

    with pytest.raises(ValueError, match=r"version 3, written by 'skdistill 7.1'"):
        read_archive(changed(archive_of(network(rng)), change))


HEADERS = [
    b"",
    b"null",
    b"{}",
    b'{"format": "skdistill model"}',
    b"\xff\xfe",
    b'\xef\xbb\xbf{"format": "skdistill model", "version": 1}',
    '{"format": "skdistill model", "version": 1}'.encode("utf-16"),
    b'{"format": "skdistill model", "version": 1, "format": "skdistill model"}',
    b'{"format": "skdistill model", "version": true}',
    b'{"format": "skdistill model", "version": 0}',
    b'{"format": "skdistill model", "version": 1.0}',
    b'{"format": "skdistill model", "version": NaN}',
    b'{"format": "skdistill model", "version": 1e999}',
    b'{"format": "skdistill model", "version": ' + b"1" * 5000 + b"}",
    b'{"format": "skdistill model", "version": 1} x',
    b'{"format": "skdistill model", "version": 1, "a\n": 2}',
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: repr(header)[:60])
def test_what_is_no_header_is_refused(header):
    with pytest.raises(ValueError, match=r"Got|Exceeds the limit"):
        read_archive(resigned(header, b""))


def put(*path, value):
    def change(header):
        at = header
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


def drop(*path):
    def change(header):
        at = header
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]

    return change


NETWORK_CHANGES = [
    put("unknown", value=1),
    put("arrays", value=None),
    put("arrays", 0, value=["<f8", [2**62, 4]]),
    put("arrays", 0, value=["<f8", [2**31 - 1, 2**31 - 1]]),
    put("arrays", 0, value=["<f8", [0, 2**62]]),
    put("arrays", 0, value=["<f8", [-1, -3]]),
    put("arrays", 0, value=["<f8", [3.0]]),
    put("arrays", 0, value=["<f8", [True]]),
    put("arrays", 0, value=["<f8", []]),
    put("arrays", 0, value=["<f8", [3, 1, 1]]),
    put("arrays", 0, value=["<f8", 3]),
    put("arrays", 0, value=["|O8", [3]]),
    put("arrays", 0, value=[">f8", [3]]),
    put("arrays", 0, value=[["<f8"], [3]]),
    put("arrays", 0, value=["<i8", [3]]),
    put("arrays", 0, value=["<f4", [6]]),
    drop("arrays", 0),
    drop("arrays", -1),
    drop("columns", 2),
    put("columns", value={}),
    put("columns", 0, value=None),
    put("columns", 0, "kind", value="text"),
    put("columns", 0, "kind", value=["number"]),
    put("columns", 0, "name", value=None),
    put("columns", 0, "name", value=["x"]),
    put("columns", 0, "low", value=None),
    put("columns", 0, "low", value=10**400),
    put("columns", 0, "low", value=4.0),
    put("columns", 0, "low", value="nan"),
    put("columns", 0, "low", value="1"),
    put("columns", 0, "fill", value="nan"),
    put("columns", 0, "fill", value=True),
    put("columns", 0, "marks_missing", value=1),
    put("columns", 1, "knots", value=1),
    put("columns", 1, "knots", value=-1),
    put("columns", 1, "knots", value=0.0),
    put("columns", 1, "knots", value="0"),
    put("columns", 1, "knots", value=99),
    put("columns", 1, "knots", value=None),
    drop("columns", 1, "knots"),
    put("columns", 3, "levels", value=["a", "a"]),
    put("columns", 3, "levels", value=["a", 1]),
    put("columns", 3, "levels", value=["a", ["b"]]),
    put("columns", 3, "levels", value="ab"),
    put("columns", 3, "levels", value=["a", "b", "c"]),
    put("columns", 3, "n_slots", value=2),
    put("columns", 3, "n_slots", value=-1),
    put("columns", 3, "n_slots", value=2**80),
    put("columns", 3, "n_slots", value=3.0),
    put("columns", 4, "n_slots", value=5),
    put("columns", 4, "n_slots", value=10**15),
    put("classes", "labels", value=["a", "a"]),
    put("classes", "labels", value=["a", "b", "c"]),
    put("classes", "labels", value=["a", 1]),
    put("classes", "labels", value=[]),
    put("classes", "labels", value=[[], []]),
    put("classes", "dtype", value="int8"),
    put("classes", "dtype", value="datetime64"),
    put("classes", "dtype", value=None),
    put("classes", value={"dtype": "int8", "labels": [1, 1000]}),
    put("classes", value={"dtype": "uint8", "labels": [1, -1]}),
    put("classes", value={"dtype": "int64", "labels": [1, 2**70]}),
    put("classes", value={"dtype": "int64", "labels": [1, True]}),
    put("classes", value={"dtype": "int64", "labels": [1, 2.0]}),
    put("classes", value={"dtype": "bool", "labels": [1, 0]}),
    put("classes", value={"dtype": "float32", "labels": [1, 1e300]}),
    put("classes", value={"dtype": "float64", "labels": [1, 10**400]}),
    put("classes", value={"dtype": "object", "labels": [None, "a"]}),
    put("predictor", value=[]),
    put("predictor", "kind", value="trees"),
    put("predictor", "kind", value="pickle"),
    put("predictor", "layers", value=[]),
    put("predictor", "layers", 0, value=[]),
    drop("predictor", "layers", 0),
    drop("predictor", "layers", 0, "biases"),
    put("predictor", "mean", value=None),
    put("certificate", value=[]),
    put("certificate", value="a"),
    put("written_by", value=1),
]


TREES_CHANGES = [
    put("predictor", "probabilities", value=1),
    put("predictor", "base", value=None),
    put("predictor", "roots", value=2**40),
    put("predictor", "kind", value="network"),
    drop("predictor", "sets"),
    drop("columns", 1),
    put("classes", "labels", value=[1, 2]),
]


@pytest.mark.parametrize(
    ("make", "change"),
    [(network, c) for c in NETWORK_CHANGES] + [(trees, c) for c in TREES_CHANGES],
)
def test_headers_that_do_not_fit_are_refused(make, change, rng):
    with pytest.raises(ValueError, match="Got"):
        read_archive(changed(archive_of(make(rng)), change))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("base", 0, np.nan),
        ("roots", 0, 3),
        ("roots", 0, -5),
        ("outputs", 0, 3),
        ("outputs", 0, -1),
        ("features", 0, 5),
        ("features", 0, -1),
        ("features", 0, 3),
        ("thresholds", 0, np.nan),
        ("missing_left", 0, 2),
        ("sets", 1, 1),
        ("sets", 1, -1),
        ("sets", 1, -2),
        ("sets", 0, 0),
        ("children", 0, 0),
        ("children", 2, 1),
        ("children", 2, 0),
        ("children", 5, 3),
        ("children", 5, -5),
        ("leaves", 0, np.inf),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, place, value, rng):
    header, arrays = unpack(archive_of(trees(rng)))
    fields, start = json.loads(header), 0
    for dtype, shape in fields["arrays"][: fields["predictor"][name]]:
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        start += n_bytes + -n_bytes % 8
    dtype = np.dtype(fields["arrays"][fields["predictor"][name]][0].replace("b", "u"))
    arrays = bytearray(arrays)
    start += place * dtype.itemsize
    arrays[start : start + dtype.itemsize] = dtype.type(value).tobytes()
    with pytest.raises(ValueError, match="Got"):
        read_archive(pack(header, bytes(arrays)))


def test_long_class_labels_take_no_memory():
    labels = np.array([str(i) for i in range(1000)])
    header, arrays = unpack(archive_of(with_classes(labels)))
    long = "a" * 10_000
    header = header.replace(b'"labels":["0"', f'"labels":["{long}"'.encode())
    used, message = peak(read_archive, pack(header, arrays))
    assert "Got 1000 class labels of up to 10000 characters" in message
    assert used < 10**6
    objects = labels.astype(object)
    objects[0] = long
    spec = with_classes(objects)
    assert_same(spec, read_archive(archive_of(spec))[1])
