import json
import struct
import sys
import zipfile
import zlib
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.runtime._archive import NAMES, pack, unpack
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


@pytest.fixture(params=[network, trees])
def spec(request, rng):
    return request.param(rng)


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


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_other_archives_are_refused(rng):
    header, arrays = unpack(archive_of(network(rng)))
    sums = checksums(header, arrays)
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


def test_crc_alone_does_not_hide_a_change(rng):
    header, arrays = unpack(archive_of(network(rng)))
    other = bytearray(arrays)
    other[-12] ^= 1
    archive = zipped(
        ("header.json", header),
        ("arrays.bin", bytes(other)),
        ("sha256sums", checksums(header, arrays)),
    )
    assert zlib.crc32(other) != zlib.crc32(arrays)
    with pytest.raises(ValueError, match="sha256sums"):
        read_archive(archive)


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


def test_models_compress_within_the_limit(rng):
    # Much too well for a reader to inflate without doubt, so parts are stored.
    spec = with_classes(np.array([0, 1]))
    weights = np.zeros((1, 50_000), np.float32), np.zeros((50_000, 2), np.float32)
    biases = np.zeros(50_000, np.float32), np.zeros(2, np.float32)
    predictor = replace(spec.predictor, weights=weights, biases=biases)
    spec = replace(spec, predictor=predictor)
    assert_same(spec, read_archive(archive_of(spec))[1])
    assert_same(spec, read_archive(archive_of(spec, {"a": "b" * 10**7}))[1])
