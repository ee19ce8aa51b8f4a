"""Damaged and hostile files: each is a model or a ValueError, and nothing else."""

import copy
import json
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from skdistill.runtime import ModelSpec, Scorer
from skdistill.runtime._archive import pack, unpack
from skdistill.runtime._file import read_archive
from skdistill.runtime._header import encode

sys.path.insert(0, str(Path(__file__).parent))
from models import network, trees

sys.path.pop(0)

FEW, MANY = 4_000, 120_000

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 3, 31, 255, 2**15, 2**31 - 1, 2**31, 2**32),
    *(2**53, 2**62, 2**63, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308, -1e308, 5e-324),
    *("", "a", "x", "nan", "inf", "-inf", "1", "\ud800", "\0", "a" * 1000),
    *("<f4", "<f8", "<i4", "<i8", "<u4", "|b1", ">f8", "|O", "object", "str", "int8"),
    *("bool", "float16", "float64", "uint64", "number", "category", "trees", "network"),
    *([], [0], [[]], {}, {"a": 1}, ["<f8", [0]], ["<i4", [1, 0]], ["a", "b"]),
]
"""What stands in places where it should not."""

NUMBERS = np.array(
    [0, 1, -1, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 2**31, -(2**31), 2**63]
)


def models():
    rng = np.random.default_rng(0)
    return [
        network(rng),
        network(rng, np.array([0.5, 1.0, 2.0]), ()),
        network(rng, np.array([True, False])),
        trees(rng),
        ModelSpec(network(rng).predictor),
        ModelSpec(trees(rng).predictor, link="log"),
    ]


def score(spec):
    """Score rows of all kinds: what is accepted must not fail later."""
    rows = [0.0, 1.0, -1.0, -2.0, 1e9, -1e300, np.nan, np.inf, -np.inf]
    values = np.tile(np.array(rows)[:, None], (1, len(spec.columns)))
    if spec.is_regressor:
        assert spec.predictions(values).shape == (len(rows), spec.n_scores)
        assert len(Scorer(spec).predict(values)) == len(rows)
        return
    shape = (len(rows), len(spec.classes))
    assert spec.probabilities(values).shape == shape
    scorer = Scorer(spec)
    assert scorer.predict_proba(values).shape == shape
    assert scorer.predict_proba(values[:1]).shape == (1, shape[1])


class Mutator:
    """Makes files of models that are nearly right."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.archives = []
        for spec in models():
            header, arrays = encode(spec, {"rows": 3, "of": [0.5, None]})
            self.archives.append((pack(header, arrays), json.loads(header), arrays))

    def file(self):
        """Return a file; checksums are right unless its bytes were changed last."""
        archive, header, arrays = self.random.choice(self.archives)
        kind = self.random.randrange(8)
        if kind == 0:
            return self.bytes(archive)
        if kind == 1:
            return pack(self.bytes(json.dumps(header).encode()), arrays)
        if kind == 2:
            return pack(json.dumps(header).encode(), self.bytes(arrays))
        if kind == 3:
            return pack(json.dumps(header).encode(), self.numbers(arrays))
        if kind == 4:
            return pack(
                json.dumps(self.random.choice(self.archives)[1]).encode(), arrays
            )
        text = json.dumps(self.structure(header))
        if kind == 5:
            text = self.twice(text)
        return pack(text.encode(), self.numbers(arrays) if kind == 6 else arrays)

    def bytes(self, data):
        """Flip, cut, insert, repeat and move bytes."""
        data, choose = bytearray(data), self.random
        for _ in range(choose.choice([1, 1, 1, 2, 5])):
            start = choose.randrange(len(data) + 1)
            end = min(len(data), start + choose.choice([1, 1, 2, 4, 8, 50, 10**6]))
            kind = choose.randrange(6)
            if kind == 0 and start < len(data):
                data[start] ^= 1 << choose.randrange(8)
            elif kind == 1:
                data[start:end] = choose.randbytes(end - start)
            elif kind == 2:
                del data[start:end]
            elif kind == 3:
                data[start:start] = choose.randbytes(choose.randrange(1, 20))
            elif kind == 4:
                data[start:start] = data[choose.randrange(len(data) + 1) :][
                    : end - start
                ]
            else:
                data[start:end] = choose.choice([b"\0", b"\xff"]) * (end - start)
        return bytes(data)

    def numbers(self, arrays):
        """Put other numbers into the place of some."""
        data = bytearray(arrays)
        for _ in range(self.random.choice([1, 1, 2, 5])):
            dtype = np.dtype(self.random.choice(["<f8", "<f4", "<i8", "<i4", "u1"]))
            with np.errstate(all="ignore"):
                value = np.array(self.random.choice(NUMBERS.tolist())).astype(dtype)
            if dtype.kind == "i" and self.random.random() < 0.5:
                value = dtype.type(self.random.randrange(-6, 7))
            start = self.random.randrange(len(data) // 4) * 4
            data[start : start + dtype.itemsize] = value.tobytes()
        return bytes(data[: len(arrays)])

    def structure(self, header):
        """Change some of a header's values, keys, and lengths of lists."""
        header = copy.deepcopy(header)
        for _ in range(self.random.choice([1, 1, 1, 2, 4])):
            parents = list(self.parents(header))
            parent = self.random.choice(parents)
            keys = (
                list(parent) if isinstance(parent, dict) else list(range(len(parent)))
            )
            if not keys:
                continue
            key = self.random.choice(keys)
            kind = self.random.randrange(8)
            if kind == 0:
                del parent[key]
            elif kind == 1 and type(parent[key]) in (int, float):
                step = self.random.choice([-1, 1, 0.5])
                # Python makes no float of an integer beyond the largest one.
                parent[key] += step if abs(parent[key]) < 1e300 else 1
            elif kind == 2:
                other = self.random.choice(parents)
                parent[key] = copy.deepcopy(other)
            elif kind == 3:
                parent[key] = [parent[key]]
            elif kind == 4 and isinstance(parent, list):
                parent.insert(key, copy.deepcopy(self.random.choice(parent)))
            elif kind == 5 and isinstance(parent, dict):
                parent[self.random.choice(keys) + "s"] = parent.pop(key)
            else:
                parent[key] = copy.deepcopy(self.random.choice(VALUES))
        return header

    def parents(self, value):
        """Yield all dictionaries and lists of a value."""
        if isinstance(value, dict | list):
            yield value
            for child in value.values() if isinstance(value, dict) else value:
                yield from self.parents(child)

    def twice(self, text):
        """Put a part of JSON text where another one is, or beside it."""
        cuts = [i for i, character in enumerate(text) if character in ',{}[]":']
        a, b = sorted(self.random.sample(cuts, 2))
        at = self.random.choice(cuts)
        part = text[a : min(b, a + 40)]
        return text[:at] + part + text[at + self.random.choice([0, 1, len(part)]) :]


def fuzz(seed, n_files, use):
    """Read files; return how many are models, of which `use` is called."""
    mutator, n_models = Mutator(seed), 0
    for i in range(n_files):
        archive = mutator.file()
        try:
            _, spec = read_archive(archive)
        except ValueError:
            continue
        except BaseException as error:
            raise AssertionError(f"File {i} of seed {seed}: {error!r}.") from error
        n_models += 1
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            use(spec)
    return n_models


@pytest.mark.parametrize(
    "n_files", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_damaged_files_are_models_or_refused(n_files):
    n_models = fuzz(n_files, n_files, score)
    # Neither is the mutation so mild that all pass nor so wild that none does.
    assert 0.01 < n_models / n_files < 0.5


def test_the_files_are_models_before_they_are_damaged():
    for archive, _, arrays in Mutator(0).archives:
        assert unpack(archive)[1] == arrays
        score(read_archive(archive)[1])
