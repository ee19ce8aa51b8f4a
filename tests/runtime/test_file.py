import json
import os
import re
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.runtime import (
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    load_spec,
    read_header,
    save,
)
from skdistill.runtime._archive import NAMES, pack, unpack
from skdistill.runtime._file import read_archive
from skdistill.runtime._header import encode
from skdistill.students import MLPStudentClassifier

sys.path.insert(0, str(Path(__file__).parent))
from models import columns, network, tables, trees

sys.path.pop(0)


def assert_same(a, b):
    """Assert that two specifications are equal in every field, bit for bit."""
    assert type(a) is type(b)
    if is_dataclass(a):
        for field in fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype.kind == b.dtype.kind
        assert a.dtype == b.dtype or a.dtype.kind == "U"
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b or (a != a and b != b)


@pytest.fixture(params=[network, trees])
def spec(request, rng):
    return request.param(rng)


def with_classes(classes):
    weights = (
        np.zeros((1, len(classes)), np.float32),
        np.zeros(len(classes), np.float32),
    )
    ends = np.array([0.0, 1.0])
    encoder = EncoderSpec(
        (NumberColumn("x", 0.0, 1.0, edges=ends),), np.zeros(1, np.float32)
    )
    return ModelSpec(NetworkSpec(encoder, weights[:1], weights[1:]), classes)


def archive_of(spec, certificate=None):
    return pack(*encode(spec, certificate))


def changed(archive, change):
    """Bytes of a file whose header was changed, with the right checksums."""
    header, arrays = unpack(archive)
    header = json.loads(header)
    header = change(header) or header
    return pack(json.dumps(header).encode(), arrays)


def test_what_was_saved_is_loaded(spec, tmp_path, rng):
    path = tmp_path / "model.skd"
    save(spec, path, {"rows": 10, "largest": 1e-7, "nested": [{"a": None}, True, "é"]})
    loaded = load_spec(path)
    assert_same(spec, loaded)
    X = tables(rng)
    np.testing.assert_array_equal(loaded.log_odds(X), spec.log_odds(X))
    header = read_header(str(path))
    assert header["certificate"]["nested"] == [{"a": None}, True, "é"]
    assert header["written_by"].startswith("skdistill ")
    assert os.listdir(tmp_path) == ["model.skd"]


def test_a_student_is_loaded_as_it_was(adult, tmp_path):
    X, y = adult
    spec = MLPStudentClassifier((8,), n_steps=20).fit(X, y).to_spec()
    save(spec, tmp_path / "adult.skd")
    assert_same(spec, load_spec(tmp_path / "adult.skd"))
    assert read_header(tmp_path / "adult.skd")["certificate"] is None


def test_the_same_model_gives_the_same_bytes(spec):
    assert archive_of(spec, {"a": 1}) == archive_of(spec, {"a": 1})
    assert archive_of(read_archive(archive_of(spec))[1]) == archive_of(spec)


@given(data=st.data())
def test_any_names_and_numbers_are_kept(data):
    floats = st.floats(allow_nan=False, allow_infinity=False)
    name = data.draw(st.text(st.characters(exclude_categories=[])))
    low, high = sorted(data.draw(st.tuples(floats, floats)))
    fill = data.draw(floats)
    spec = with_classes(np.array([0.1, 0.2]))
    column = NumberColumn(name, low, high, fill, edges=np.array([0.0, 1.0]))
    encoder = EncoderSpec((column,), np.zeros(1, np.float32))
    spec = replace(spec, predictor=replace(spec.predictor, encoder=encoder))
    assert_same(spec, read_archive(archive_of(spec))[1])


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0, 1]),
        np.array([2, -1, 7], np.int8),
        np.array([0, 2**64 - 1], np.uint64),
        np.array([0.1, 1.0]),
        np.array([0.1, 1e30], np.float32),
        np.array([False, True]),
        np.array(["no", "ja, é\ud800"]),
        np.array(["", "b"]),
        np.array(["a\0", "b"], object),
        np.array([1, 10**40], object),
        np.array([1.5, 2.0], object),
        np.array([True, False], object),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_class_labels_are_kept(classes, tmp_path):
    save(with_classes(classes), tmp_path / "m.skd")
    loaded = load_spec(tmp_path / "m.skd").classes
    assert_same(classes, loaded)
    assert [type(x) for x in loaded.tolist()] == [type(x) for x in classes.tolist()]


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0.5, np.inf]),
        np.array(["a", 1], object),
        np.array([True, 2], object),
        np.array([None, "a"], object),
        np.array([0.5, -np.inf], object),
        np.array([0.5, 1], np.longdouble),
    ]
    if np.dtype(np.longdouble).itemsize > 8
    else [],
    ids=str,
)
def test_other_class_labels_are_refused(classes, tmp_path):
    with pytest.raises(ValueError, match="Got classes"):
        save(with_classes(classes), tmp_path / "m.skd")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "certificate",
    [
        {"a": np.nan},
        {"a": np.inf},
        {1: "a"},
        {"a": (1, 2)},
        {"a": {1}},
        {"a": np.int64(1)},
        {"a": [np.zeros(2)]},
        [],
        "text",
    ],
    ids=str,
)
def test_other_certificates_are_refused(certificate, rng, tmp_path):
    with pytest.raises(ValueError, match="certificate"):
        save(network(rng), tmp_path / "m.skd", certificate)
    assert not os.listdir(tmp_path)


def test_certificates_without_an_end_are_refused(rng, tmp_path):
    deep: dict = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="certificate"):
        save(network(rng), tmp_path / "m.skd", deep)


def test_numbers_that_the_format_does_not_hold_are_refused(tmp_path):
    spec = with_classes(np.array([0, 1]))
    double = np.full((1, 2), 0.1)
    spec = replace(spec, predictor=replace(spec.predictor, weights=(double,)))
    with pytest.raises(ValueError, match="Got weights of layer 0 of type float64"):
        save(spec, tmp_path / "m.skd")


def test_arrays_changed_since_they_were_checked_are_refused(rng, tmp_path):
    spec = network(rng)
    spec.predictor.weights[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        save(spec, tmp_path / "m.skd")
    assert not os.listdir(tmp_path)


def test_only_models_are_saved(tmp_path):
    with pytest.raises(TypeError, match="Got a dict, but expected a ModelSpec"):
        save({}, tmp_path / "m.skd")


def test_the_old_file_stays_if_the_new_one_cannot_be_written(
    rng, tmp_path, monkeypatch
):
    path = tmp_path / "m.skd"
    save(network(rng), path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space left")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, fail)
            with pytest.raises(OSError, match="no space left"):
                save(trees(rng), path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["m.skd"]
    with pytest.raises(FileNotFoundError):
        save(trees(rng), tmp_path / "nowhere" / "m.skd")


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_files_have_the_users_permissions_and_links_stay_links(rng, tmp_path):
    path, link = tmp_path / "m.skd", tmp_path / "link.skd"
    path.write_bytes(b"")
    expected = stat.S_IMODE(path.stat().st_mode)
    link.symlink_to(path)
    save(network(rng), link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == expected
    load_spec(path)


def test_files_are_small(rng, tmp_path):
    n_columns, width = 50, 128
    of_table = tuple(
        NumberColumn(f"column_{j}", *ends, ends.mean(), edges=ends)
        for j, ends in enumerate(np.sort(rng.normal(size=(n_columns, 2))))
    )
    widths = [n_columns, width, width, 1]
    weights = tuple(
        rng.normal(size=shape).astype(np.float32) for shape in pairwise(widths)
    )
    biases = tuple(rng.normal(size=n).astype(np.float32) for n in widths[1:])
    encoder = EncoderSpec(of_table, rng.normal(size=n_columns).astype(np.float32))
    save(
        ModelSpec(NetworkSpec(encoder, weights, biases), np.array([0, 1])),
        tmp_path / "m.skd",
        {"rows": 10_000, "largest_difference": 1.2345e-7, "label_flips": 0},
    )
    assert os.path.getsize(tmp_path / "m.skd") <= 100_000


def test_zipfile_reads_what_was_written(spec):
    with zipfile.ZipFile(BytesIO(archive_of(spec))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(NAMES)
        header = json.loads(archive.read("header.json"))
        assert header["format"] == "skdistill model"
        for line in archive.read("sha256sums").decode().splitlines():
            digest, name = line.split("  ")
            assert sha256(archive.read(name)).hexdigest() == digest


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("level", [1, 9])
def test_what_zipfile_writes_is_read(spec, method, level):
    header, arrays = unpack(archive_of(spec))
    sums = b"".join(
        b"%s  %s\n" % (sha256(content).hexdigest().encode(), name.encode())
        for name, content in zip(NAMES, (header, arrays), strict=False)
    )
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=level) as archive:
        for name, content in zip(NAMES, (header, arrays, sums), strict=True):
            archive.writestr(name, content)
    assert_same(spec, read_archive(file.getvalue())[1])


@given(
    header=st.binary(max_size=300), arrays=st.binary(max_size=300), n=st.integers(0, 9)
)
def test_an_archive_is_what_was_packed(header, arrays, n):
    contents = header * 3**n, arrays * (n + 1)
    archive = pack(*contents)
    assert unpack(archive) == contents
    with zipfile.ZipFile(BytesIO(archive)) as read:
        assert tuple(read.read(name) for name in NAMES[:2]) == contents


def zipped(*members, **options):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def resigned(header, arrays, *more, **options):
    """An archive by zipfile with right checksums of what it holds."""
    sums = unpack_sums(header, arrays)
    members = ("header.json", header), ("arrays.bin", arrays), ("sha256sums", sums)
    return zipped(*members, *more, **options)


def unpack_sums(header, arrays):
    pairs = ((header, "header.json"), (arrays, "arrays.bin"))
    return "".join(f"{sha256(c).hexdigest()}  {name}\n" for c, name in pairs).encode()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_other_archives_are_refused(rng):
    header, arrays = unpack(archive_of(network(rng)))
    sums = unpack_sums(header, arrays)
    good = ("header.json", header), ("arrays.bin", arrays), ("sha256sums", sums)
    read_archive(zipped(*good))
    hostile = [
        zipped(*good[:2]),
        zipped(*good, ("header.json", header)),
        zipped(*good[::-1]),
        zipped(("../header.json", header), *good[1:]),
        zipped(("/header.json", header), *good[1:]),
        zipped(("header.json/", b""), *good[1:]),
        zipped(good[0], good[0], good[2]),
        zipped(good[0], good[1], ("sha256sums", sums.upper())),
        zipped(good[0], good[1], ("sha256sums", b"")),
        zipped(good[0], ("arrays.bin", arrays + bytes(8)), good[2]),
        zipped(*good, compression=zipfile.ZIP_LZMA),
        zipped(*good, compression=zipfile.ZIP_BZIP2),
        b"#!/bin/sh\n" + zipped(*good),
        zipped(*good) + b"\n",
        zipped(*good)[:-1],
        zipped(*good)[1:],
        b"",
        b"PK\5\6" + bytes(18),
        bytes(1000),
    ]
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"a comment"
        for name, content in good:
            archive.writestr(name, content)
    hostile.append(file.getvalue())
    for data in hostile:
        with pytest.raises(ValueError, match="Got"):
            read_archive(data)


def test_every_flipped_bit_and_every_cut_is_noticed_or_does_no_harm(rng):
    spec = network(rng)
    archive = archive_of(spec)
    for n in range(len(archive)):
        with pytest.raises(ValueError, match="Got"):
            read_archive(archive[:n])
        flipped = bytearray(archive)
        flipped[n] ^= 1 << n % 8
        try:
            loaded = read_archive(bytes(flipped))[1]
        except ValueError:
            continue
        assert_same(spec, loaded)  # a date, or what system made it


def peak(function, *arguments):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="Got") as caught:
            function(*arguments)
        return tracemalloc.get_traced_memory()[1], str(caught.value)
    finally:
        tracemalloc.stop()


def test_bombs_take_no_memory(rng):
    header, _ = unpack(archive_of(network(rng)))
    bomb = resigned(header, bytes(10**8), compression=zipfile.ZIP_DEFLATED)
    used, message = peak(read_archive, bomb)
    assert "Got members of 10000" in message
    assert used < 2 * len(bomb) + 50_000


def test_bombs_that_lie_about_their_size_take_no_memory(rng):
    header, _ = unpack(archive_of(network(rng)))
    arrays = bytes(10**8)
    bomb = resigned(header, arrays, compression=zipfile.ZIP_DEFLATED)
    lie = struct.pack("<L", 4 * len(bomb))
    bomb = bomb.replace(struct.pack("<L", len(arrays)), lie)
    used, message = peak(read_archive, bomb)
    assert "arrays.bin that does not end" in message
    assert used < 12 * len(bomb) + 100_000


def test_overlapping_members_are_refused(rng):
    archive = bytearray(archive_of(network(rng)))
    directory = archive.index(b"PK\1\2")
    second = archive.index(b"PK\1\2", directory + 4)
    # The second entry's place is the first one's.
    archive[second + 42 : second + 46] = bytes(4)
    with pytest.raises(ValueError, match="Got another entry"):
        read_archive(bytes(archive))


@pytest.mark.parametrize("unit", [b"[],", b'{"":0},', b"0.5,", b'{"a":[]},', b'"ab",'])
def test_headers_take_memory_in_proportion(unit, rng):
    _, arrays = unpack(archive_of(network(rng)))
    n = 100_000 // len(unit)
    header = b'{"format":[' + n * unit + b"0]}"
    archive = zipped(
        ("header.json", header),
        ("arrays.bin", arrays),
        ("sha256sums", unpack_sums(header, arrays)),
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


def test_a_file_of_no_end_is_not_read():
    if not os.path.exists("/dev/zero"):
        pytest.skip("no such device")
    with pytest.raises(ValueError, match="Got a file of 0 bytes"):
        load_spec("/dev/zero")


def test_files_too_large_are_not_read(tmp_path):
    path = tmp_path / "large.skd"
    with open(path, "wb") as file:
        file.truncate(2**31)
    used, message = peak(load_spec, path)
    assert "Got a file of 2147483648 bytes" in message
    assert used < 100_000


def test_newer_versions_are_refused_and_named(rng):
    def change(header):
        header |= {"version": 2, "written_by": "skdistill 7.1", "new": 1}

    with pytest.raises(ValueError, match=r"version 2, written by 'skdistill 7.1'"):
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
    drop("columns", 4),
    drop("columns", 1),
    put("classes", "labels", value=[1, 2]),
]


@pytest.mark.parametrize(
    ("make", "change"),
    [(network, c) for c in NETWORK_CHANGES] + [(trees, c) for c in TREES_CHANGES],
)
def test_headers_that_do_not_fit_are_refused(make, change, rng, request):
    if make is trees and change is TREES_CHANGES[5]:
        # Nothing refers to the last column: a smaller model.
        assert len(read_archive(changed(archive_of(make(rng)), change))[1].columns) == 4
        return
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


def test_models_compress_within_the_limit(rng):
    # Much too well for a reader to inflate without doubt, so parts are stored.
    spec = with_classes(np.array([0, 1]))
    weights = np.zeros((1, 50_000), np.float32), np.zeros((50_000, 2), np.float32)
    biases = np.zeros(50_000, np.float32), np.zeros(2, np.float32)
    predictor = replace(spec.predictor, weights=weights, biases=biases)
    spec = replace(spec, predictor=predictor)
    assert_same(spec, read_archive(archive_of(spec))[1])
    assert_same(spec, read_archive(archive_of(spec, {"a": "b" * 10**7}))[1])


def test_columns_have_what_they_need(rng):
    assert [column.name for column in columns(rng)][:2] == ["x", "é\ud800\0,["]


def test_the_reader_of_the_page_on_the_format_reads(spec, rng, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "skd_format.md"
    (source,) = re.findall("```python\n(.*?)```", page.read_text(), re.DOTALL)
    reader: dict = {}
    exec(source, reader)
    save(spec, tmp_path / "m.skd")
    header = reader["read"](tmp_path / "m.skd")
    X = tables(rng, 50)
    codes = X[:, 3:]
    codes[np.isnan(codes)] = -1
    codes[codes > 1] = -2
    rows = [[*row[:3], *map(int, row[3:])] for row in X.tolist()]
    found = [reader["probabilities"](header, row) for row in rows]
    np.testing.assert_allclose(found, spec.probabilities(X), atol=1e-6)


ALONE = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {*sys.stdlib_module_names, "numpy", "skdistill", "models"}:
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, Forbidden())
import os, tempfile
import numpy as np
import skdistill.runtime as runtime

sys.path.insert(0, sys.argv[1])
import models

rng = np.random.default_rng(0)
X = models.tables(rng)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "m.skd")
    for make in (models.network, models.trees):
        spec = make(rng)
        runtime.save(spec, path, {"a": 1})
        loaded = runtime.load_spec(path)
        assert (loaded.probabilities(X) == spec.probabilities(X)).all()
        assert runtime.read_header(path)["certificate"] == {"a": 1}
        rows = [
            {c.name: 1.5 if c.is_numeric else c.levels[0] for c in loaded.columns},
            dict.fromkeys((c.name for c in loaded.columns)),
        ]
        values = runtime.read_table(loaded.columns, rows)
        expected = [[1.5, 1.5, 1.5, 0, 0], [np.nan] * 3 + [-1, -1]]
        assert np.array_equal(values, expected, equal_nan=True)
        table = {name: [row[name] for row in rows] for name in rows[0]}
        values = runtime.read_table(loaded.columns, table)
        assert np.array_equal(values, expected, equal_nan=True)
assert not {"sklearn", "scipy", "torch", "pandas", "narwhals"} & set(sys.modules)
"""


def test_the_runtime_works_with_numpy_alone():
    folder = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", ALONE, folder], check=True)


def test_loading_imports_nothing_slow(rng, tmp_path):
    save(network(rng), tmp_path / "m.skd")
    code = (
        "import sys, numpy, skdistill.runtime\n"
        "skdistill.runtime.load_spec(sys.argv[1])\n"
        "slow = {'zipfile', 'hashlib', 'tempfile', 'shutil', 'pathlib'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "m.skd"], check=True)


def test_crc_alone_does_not_hide_a_change(rng):
    header, arrays = unpack(archive_of(network(rng)))
    other = bytearray(arrays)
    other[-12] ^= 1
    archive = zipped(
        ("header.json", header),
        ("arrays.bin", bytes(other)),
        ("sha256sums", unpack_sums(header, arrays)),
    )
    assert zlib.crc32(other) != zlib.crc32(arrays)
    with pytest.raises(ValueError, match="sha256sums"):
        read_archive(archive)
