"""What the tests of model files share."""

import tracemalloc
import zipfile
from dataclasses import fields, is_dataclass
from hashlib import sha256
from io import BytesIO

import numpy as np
import pytest

from skdistill.runtime import (
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
)
from skdistill.runtime._archive import pack
from skdistill.runtime._header import encode


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


def zipped(*members, **options):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def checksums(header, arrays):
    pairs = ((header, "header.json"), (arrays, "arrays.bin"))
    return "".join(f"{sha256(c).hexdigest()}  {name}\n" for c, name in pairs).encode()


def resigned(header, arrays, *more, **options):
    """An archive by zipfile with right checksums of what it holds."""
    sums = checksums(header, arrays)
    members = ("header.json", header), ("arrays.bin", arrays), ("sha256sums", sums)
    return zipped(*members, *more, **options)


def peak(function, *arguments):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="Got") as caught:
            function(*arguments)
        return tracemalloc.get_traced_memory()[1], str(caught.value)
    finally:
        tracemalloc.stop()
