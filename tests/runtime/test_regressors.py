"""Models without classes: what they predict, in every kernel and in files."""

import json
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.runtime import ModelSpec, Scorer, load, load_spec, read_header, save
from skdistill.runtime._archive import pack, unpack
from skdistill.runtime._file import read_archive
from skdistill.runtime._kernel import implementations

sys.path.insert(0, str(Path(__file__).parent))
from files import archive_of, assert_same
from models import network, tables, trees

sys.path.pop(0)


def regressors(rng, link="identity"):
    """Networks of 1, 2 and 3 outputs, and trees."""
    specs = [network(rng)]
    specs += [network(rng, hidden=(n,)) for n in (2, 3)]
    specs[1:] = [last_layers(spec) for spec in specs[1:]]
    specs.append(trees(rng))
    return [ModelSpec(spec.predictor, link=link) for spec in specs]


def last_layers(spec):
    """The same network without its last layer: as many outputs as hidden units."""
    predictor = spec.predictor
    layers = predictor.weights[:-1], predictor.biases[:-1]
    return replace(
        spec,
        predictor=replace(predictor, weights=layers[0], biases=layers[1]),
        classes=np.arange(len(layers[1][-1])),
    )


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("number", range(4))
def test_every_kernel_predicts_what_the_reference_does(number, link, rng, monkeypatch):
    spec = regressors(rng, link)[number]
    X = tables(rng, 300)
    expected = spec.predictions(X)
    for name in implementations(spec.predictor):
        monkeypatch.setenv("SKDISTILL_RUNTIME", name)
        for scorer in (Scorer(spec), Scorer(spec, n_threads=2, dtype="float32")):
            got = scorer.predict(X)
            assert got.dtype == np.float64
            assert got.shape == ((300, spec.n_scores) if spec.n_scores > 1 else (300,))
            got = got.reshape(expected.shape)
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
            for rows in (X[:1], X[7:8], X[:17]):
                np.testing.assert_allclose(
                    scorer.predict(rows).reshape(len(rows), -1),
                    spec.predictions(rows),
                    rtol=1e-4,
                    atol=1e-4,
                )
            assert scorer.predict(X[:0]).shape[0] == 0


def test_scores_of_classes_are_refused(rng):
    for spec in regressors(rng):
        scorer = Scorer(spec)
        assert scorer.classes_ is None
        X = tables(rng, 3)
        for method in (
            scorer.predict_proba,
            scorer.predict_log_odds,
            spec.probabilities,
            spec.log_odds,
        ):
            with pytest.raises(TypeError, match="Got a regressor"):
                method(X)
        copy = pickle.loads(pickle.dumps(scorer))
        np.testing.assert_array_equal(copy.predict(X), scorer.predict(X))
    with pytest.raises(TypeError, match="Got a classifier"):
        network(rng).predictions(X)


def test_numbers_may_be_extrapolated(rng):
    spec = regressors(rng)[1]
    X = tables(rng, 5) * 100
    scorer = Scorer(spec, extrapolate=True)
    assert scorer.predict(X).shape == (5, 2)


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("number", range(4))
def test_what_was_saved_is_loaded(number, link, rng, tmp_path):
    spec = regressors(rng, link)[number]
    path = tmp_path / "model.skd"
    save(spec, path, {"rows": 1})
    assert_same(spec, load_spec(path))
    X = tables(rng)
    np.testing.assert_array_equal(load(path).predict(X), Scorer(spec).predict(X))
    header = read_header(path)
    assert (header["version"], header["classes"], header["link"]) == (2, None, link)
    assert archive_of(load_spec(path)) == archive_of(spec)


def test_classifiers_keep_the_version_that_older_readers_know(rng):
    header = json.loads(unpack(archive_of(network(rng)))[0])
    assert header["version"] == 1
    assert "link" not in header


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"version": 3},
        {"link": "logit"},
        {"link": None},
        {"link": ["identity"]},
        {"link": ""},
        {"classes": {"dtype": "str", "labels": ["a", "b"]}},
        {"classes": []},
        {"more": 1},
    ],
)
def test_other_headers_are_refused(changes, rng):
    header, arrays = unpack(archive_of(regressors(rng)[0]))
    fields = json.loads(header)
    fields.update(changes)
    with pytest.raises(ValueError, match="Got"):
        read_archive(pack(json.dumps(fields).encode(), arrays))
    del fields["link"]
    with pytest.raises(ValueError, match="Got"):
        read_archive(pack(json.dumps(fields).encode(), arrays))


def test_classifiers_of_the_new_version_are_refused(rng):
    header, arrays = unpack(archive_of(network(rng)))
    fields = json.loads(header) | {"version": 2, "link": "identity"}
    with pytest.raises(ValueError, match="Got classes in a file of version 2"):
        read_archive(pack(json.dumps(fields).encode(), arrays))


@given(link=st.sampled_from(["identity", "log"]), number=st.integers(0, 3))
def test_the_reader_of_the_page_on_the_format_predicts(link, number, tmp_path_factory):
    rng = np.random.default_rng(number)
    spec = regressors(rng, link)[number]
    page = Path(__file__).parents[2] / "docs" / "skd_format.md"
    (source,) = re.findall("```python\n(.*?)```", page.read_text(), re.DOTALL)
    reader: dict = {}
    exec(source, reader)
    path = tmp_path_factory.mktemp("files") / "m.skd"
    save(spec, path)
    header = reader["read"](path)
    X = tables(rng, 10)
    codes = X[:, 3:]
    codes[np.isnan(codes)] = -1
    codes[codes > 1] = -2
    rows = [[*row[:3], *map(int, row[3:])] for row in X.tolist()]
    found = [reader["predictions"](header, row) for row in rows]
    np.testing.assert_allclose(found, spec.predictions(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("link", ["logit", None, 1])
def test_links_are_known(link, rng):
    with pytest.raises(ValueError, match="link="):
        ModelSpec(network(rng).predictor, link=link)


def test_only_regressors_have_links_and_only_classifiers_average(rng):
    spec = trees(rng)
    with pytest.raises(ValueError, match="link='log' of a classifier"):
        ModelSpec(spec.predictor, spec.classes, "log")
    with pytest.raises(ValueError, match="average probabilities without classes"):
        ModelSpec(replace(spec.predictor, probabilities=True))
