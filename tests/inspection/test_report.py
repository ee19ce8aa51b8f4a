import base64
import copy
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import coo_array, csr_array
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, r2_score

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.export import ParityCertificate
from skdistill.inspection import (
    DistillationReport,
    agreement,
    decision_threshold,
    distillation_report,
    flip_rate,
    kl_divergence,
    worst_segment,
)
from skdistill.inspection import _cost as cost_module
from skdistill.inspection import _figures as figures
from skdistill.inspection import _page as page
from skdistill.inspection import _report as report_module
from skdistill.students import (
    MLPStudentClassifier,
    TreeStudentClassifier,
    TreeStudentRegressor,
)

HOSTILE = "<script>alert(1)</script>"
LABELS = np.array(['"><img src=x onerror=alert(2)>', "$\\frac{{{ 7 * 7 }}"])


@pytest.fixture(scope="module")
def report(distilled):
    model, X, y = distilled
    return distillation_report(model, X, y, random_state=0)


@pytest.fixture(scope="module")
def html(report):
    return report.to_html()


@pytest.fixture(scope="module")
def hostile():
    """A model of columns, levels and classes that are no good names."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({HOSTILE: rng.choice(["a", HOSTILE, "$x\x00\n漢字"], 400)})
    X["--><style>*{display:none}"] = rng.normal(size=400)
    X.loc[:20, HOSTILE] = None
    y = LABELS[(X.iloc[:, 1] + 0.3 * rng.normal(size=400) > 0).astype(int)]
    model = DistilledClassifier(
        TreeStudentClassifier(max_leaf_nodes=8),
        TreeStudentClassifier(max_leaf_nodes=4),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    return model.fit(X, y), X, y


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(cost_module, "SECONDS", 0.05)


class Page(HTMLParser):
    """All tags of a page with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_numbers_are_those_of_the_functions(report, distilled):
    model, X, y = distilled
    proba = [m.predict_proba(X) for m in (model.teacher_, model)]
    classes = model.classes_
    quality = {row.metric: row for row in report.quality}
    for who, p in zip(("teacher", "student"), proba, strict=True):
        expected = log_loss(y, p, labels=classes)
        estimate = getattr(quality["log-loss (nats)"], who)
        assert estimate.value == pytest.approx(expected)
        assert estimate.low < expected < estimate.high
    labels = [classes[p.argmax(axis=1)] for p in proba]
    assert report.fidelity["agreement"] == agreement(*labels)
    assert report.fidelity["kl_divergence"] == pytest.approx(kl_divergence(*proba))
    scores = [p[:, 1] for p in proba]
    threshold = decision_threshold(y == ">50K", scores[0])
    assert report.fidelity["threshold"] == pytest.approx(threshold)
    assert report.fidelity["flip_rate"] == flip_rate(*scores, threshold=threshold)
    worst = worst_segment(X, *scores, y=y == ">50K")
    assert report.segments[0].label == worst.label
    assert report.segments[0].difference == pytest.approx(worst.difference)
    assert report.positive_class == ">50K"
    assert report.certificate is None
    assert report.data["columns_with_missing"] == 3
    assert sum(entry["rows"] for entry in report.data["classes"]) == len(y)
    assert report.n_segments >= len(report.segments)


def test_it_prints_and_goes_into_json(report):
    text = str(report)
    text.encode("cp1252")  # what redirected output of some systems can hold
    assert max(map(len, text.splitlines())) < 120
    for title in ("Warnings", "Quality", "Segments", "Latency and size"):
        assert f"\n{title}\n" in text
    assert "LGBMClassifier -> TreeStudentClassifier, 1,000 rows" in repr(report)
    numbers = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert numbers["quality"][0]["metric"] == "log-loss (nats)"
    assert numbers["costs"]["student"]["runtime"] == "skdistill.runtime"


def test_the_same_seed_gives_the_same_numbers(report, distilled):
    model, X, y = distilled
    again = distillation_report(model, X, y, random_state=0).to_dict()
    numbers = report.to_dict()
    for measured in ("costs", "origin"):
        del again[measured], numbers[measured]
    assert again == numbers


def test_weights_are_repetitions(distilled):
    model, X, y = distilled
    X, y = X[:400], y[:400]
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    weighted = distillation_report(model, X, y, sample_weight=weights)
    repeated = distillation_report(model, X.iloc[rows], y[rows])
    assert weighted.data["weighted"]
    assert not repeated.data["weighted"]
    for one, other in zip(weighted.quality, repeated.quality, strict=True):
        assert one.student.value == pytest.approx(other.student.value)
    assert weighted.fidelity == pytest.approx(repeated.fidelity)
    assert weighted.calibration["student_actual"] == pytest.approx(
        repeated.calibration["student_actual"]
    )
    assert weighted.density == repeated.density


def test_the_other_class_can_be_the_positive_one(report, distilled):
    model, X, y = distilled
    other = distillation_report(model, X, y, pos_label="<=50K", threshold=0.7)
    assert other.quantity == "P(<=50K)"
    assert other.fidelity["threshold"] == 0.7
    for name in ("agreement", "kl_divergence", "gini_ratio"):
        assert other.fidelity[name] == pytest.approx(report.fidelity[name])


def test_the_page_needs_nothing_else(html):
    found = Page(html)
    sources = [
        attributes[name]
        for _, attributes in found.tags
        for name in ("src", "srcset", "href", "action", "data")
        if name in attributes
    ]
    assert len(sources) == 7
    assert all(source.startswith("data:") for source in sources)
    assert not found.all("script")
    assert "url(" not in html
    assert "@import" not in html
    (policy,) = [m["content"] for m in found.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'")
    assert len(html) < 3_000_000


def test_the_page_can_be_read_by_all(html):
    found = Page(html)
    assert found.all("html") == [{"lang": "en"}]
    assert any("width=device-width" in m.get("content", "") for m in found.all("meta"))
    assert "prefers-color-scheme: dark" in html
    levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert all(image["alt"].strip() for image in found.all("img"))
    assert all(head["scope"] in ("col", "row") for head in found.all("th"))
    assert len(found.all("caption")) == len(found.all("table")) > 5
    assert {"main", "header"} <= {tag for tag, _ in found.tags}


def luminance(color):
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_stand_out_from_the_page(html, theme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    blocks = re.findall(r":root \{(.*?)\}", html, flags=re.DOTALL)
    block = blocks[("light", "dark").index(theme)]
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    for ground in ("page", "band", "warn"):
        assert contrast(colors["ink"], colors[ground]) >= 4.5
        assert contrast(colors["soft"], colors[ground]) >= 4.5
    for color in figures.THEMES[theme].values():
        assert contrast(color, colors["page"]) >= 4.5


def test_figures_are_pictures_of_their_theme(report):
    drawn = figures.draw_figures(report)
    assert set(drawn) == {"fidelity", "calibration", "segments"}
    for figure in drawn.values():
        assert figure["light"] != figure["dark"]
        for theme, colors in figures.THEMES.items():
            svg = _decode(figure[theme])
            assert ElementTree.fromstring(svg).tag.endswith("svg")
            assert colors["ink"].encode() in svg
    # The style of the user reaches them as little as they reach it.
    with matplotlib.rc_context({"font.size": 40, "axes.facecolor": "red"}):
        assert figures.draw_figures(report) == drawn
        assert matplotlib.rcParams["font.size"] == 40


def _decode(uri):
    return base64.b64decode(uri.partition(",")[2])


def test_hostile_names_are_text(hostile):
    model, X, y = hostile
    report = distillation_report(model, X, y, X_train=X, random_state=0)
    found = Page(report.to_html())
    assert not found.all("script")
    assert len(found.all("style")) == 1
    assert len(found.all("img")) == 3
    text = "".join(found.text)
    assert HOSTILE in text
    assert LABELS[0] in text
    assert LABELS[1] in text
    assert all("\x00" not in line for line in str(report).splitlines())
    for figure in figures.draw_figures(report).values():
        svg = ElementTree.fromstring(_decode(figure["light"]))
        assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))
    json.dumps(report.to_dict(), allow_nan=False)
    assert "training rows as well" in " ".join(report.warnings)


def test_a_notebook_shows_the_page_in_a_frame(report, html):
    (frame,) = Page(report._repr_html_()).all("iframe")
    assert frame["srcdoc"] == html
    assert "sandbox" in frame
    assert frame["title"]


def test_a_file_is_whole_or_as_it_was(report, html, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    report.write_html(path)
    assert path.read_text(encoding="utf-8") == html
    with pytest.raises(OSError, match="nowhere"):
        report.write_html(tmp_path / "nowhere" / "report.html")

    def fail(report):
        raise RuntimeError("no figures")

    monkeypatch.setattr(page, "draw_figures", fail)
    with pytest.raises(RuntimeError, match="no figures"):
        report.write_html(path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == html


def test_numbers_need_no_library_for_pages():
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = sys.modules['jinja2'] = None\n"
        "from sklearn.datasets import load_iris\n"
        "from skdistill import DistilledClassifier\n"
        "from skdistill.inspection import distillation_report\n"
        "from skdistill.students import TreeStudentClassifier as Tree\n"
        "X, y = load_iris(return_X_y=True)\n"
        "model = DistilledClassifier(Tree(), Tree(), cv=2, augmenter=None)\n"
        "report = distillation_report(model.fit(X, y), X, y)\n"
        "assert 'Quality' in str(report)\n"
        "assert report._repr_html_().startswith('<pre>')\n"
        "try:\n"
        "    report.to_html()\n"
        "except ImportError as error:\n"
        "    assert 'skdistill[report]' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", ["pandas", "polars", "array", "list", "sparse", "coo"])
def test_all_kinds_of_tables_are_reported(kind, rng):
    numbers = rng.normal(size=(300, 3))
    y = (numbers[:, 0] + rng.normal(size=300) > 0).astype(int)
    frame = pd.DataFrame(numbers, columns=list("abc"))
    X = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "array": numbers,
        "list": numbers.tolist(),
        "sparse": csr_array(numbers),
        "coo": coo_array(numbers),
    }[kind]
    student = TreeStudentClassifier(max_leaf_nodes=4)
    if kind in ("sparse", "coo"):
        student = MLPStudentClassifier((4,), n_steps=20)
    model = DistilledClassifier(
        LogisticRegression(), student, cv=2, augmenter=None, random_state=0
    )
    report = distillation_report(model.fit(X, y), X, y, X_train=X)
    assert len(report.drift) == 3
    assert report.costs["student"].runtime == "skdistill.runtime"
    assert "x0" in str(report) or "a: " in str(report)


def test_several_classes(letter):
    X, y = letter
    model = DistilledClassifier(
        RandomForestClassifier(n_estimators=10, max_depth=8),
        TreeStudentClassifier(),
        cv=2,
        augmenter=None,
        random_state=0,
    ).fit(X[:1500], y[:1500])
    keep = y[1500:] != "Q"
    report = distillation_report(model, X[1500:][keep], y[1500:][keep], random_state=0)
    assert report.positive_class is None
    assert report.quantity == "P(true class)"
    assert "flip_rate" not in report.fidelity
    assert report.lift == ()
    assert any("no row is of the class q" in text.lower() for text in report.warnings)
    assert any("keeps" in text for text in report.warnings)
    assert np.sum(report.density["counts"]) == pytest.approx(26 * keep.sum())
    for row in report.quality:
        assert np.isfinite(row.difference.low)
    assert len(Page(report.to_html()).all("img")) == 3
    for options in ({"pos_label": "A"}, {"threshold": 0.5}):
        with pytest.raises(ValueError, match="26 classes"):
            distillation_report(model, X[1500:], y[1500:], **options)


def test_a_teacher_may_predict_one_column(rng):
    X = rng.normal(size=(200, 2))
    y = X[:, 0] + 0.1 * rng.normal(size=200)
    teacher = FrozenEstimator(LinearRegression().fit(X[:100], y[:100, None]))
    model = DistilledRegressor(teacher, TreeStudentRegressor(), random_state=0)
    report = distillation_report(model.fit(X[100:], y[100:]), X[:100], y[:100])
    known = r2_score(y[:100], teacher.predict(X[:100]))
    assert report.quality[0].teacher.value == pytest.approx(known)


def test_regressors_are_reported(distilled_regressor):
    model, X, y = distilled_regressor
    report = distillation_report(model, X, y, random_state=0)
    assert report.task == "regression"
    assert {row.metric for row in report.quality} >= {"R2", "mean absolute error"}
    assert report.fidelity["prediction_r2"] < 1
    assert report.data["target"]["largest"] == y.max()
    assert "squared error" in str(report)
    assert len(Page(report.to_html()).all("img")) == 3
    with pytest.raises(ValueError, match="pos_label"):
        distillation_report(model, X, y, pos_label=1)
    with pytest.raises(ValueError, match="threshold"):
        distillation_report(model, X, y, threshold=1.0)
    with pytest.raises(ValueError, match="numbers"):
        distillation_report(model, X, y.astype(str))


def test_a_certificate_is_shown(distilled, tmp_path):
    model, X, y = distilled
    certificate = model.export(tmp_path / "m.skd", X)
    report = distillation_report(model, X, y, certificate=certificate)
    assert report.certificate == certificate
    assert report.to_dict()["certificate"] == certificate.as_dict()
    assert f"{certificate.rows:,}" in str(report)
    assert "most probable class differs" in str(report)


def test_a_certificate_of_numbers_is_not_one_of_labels(distilled_regressor):
    model, X, y = distilled_regressor
    certificate = ParityCertificate(10, 1e-7, 1e-8, 0, 1e-5)
    text = str(distillation_report(model, X, y, certificate=certificate))
    assert "share of the largest number" in text
    assert "probability" not in text.partition("Parity certificate")[2]
    assert "most probable class" not in text


def test_a_student_that_fails_somewhere_is_named(distilled):
    model, X, y = distilled
    broken = copy.copy(model)
    rows = X["sex"] == "Female"

    def predict_proba(X):
        proba = model.predict_proba(X)
        women = (X["sex"] == "Female").to_numpy()
        proba[women] = proba[women][:, ::-1]
        return proba

    broken.predict_proba = predict_proba
    report = distillation_report(broken, X, y, random_state=0)
    named = " ".join(report.warnings)
    assert "sex = Female" in named
    assert "calibration error is larger" in named
    assert "keeps" in named
    (segment,) = [s for s in report.worse_segments if s.label == "Female"]
    assert segment.n_rows == rows.sum()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": DummyClassifier().fit([[0]], [0])}, TypeError, "teacher_"),
        ({"model": DistilledClassifier(DummyClassifier())}, ValueError, "not fitted"),
        ({"y": ["other"] * 1000}, ValueError, "'other'"),
        ({"y": [None] * 1000}, ValueError, "missing labels"),
        ({"y": [">50K"]}, ValueError, "shape"),
        ({"X": np.zeros(1000)}, ValueError, "shape"),
        ({"sample_weight": [-1.0] * 1000}, ValueError, "sample_weight"),
        ({"sample_weight": [0.0] * 1000}, ValueError, "non-zero"),
        ({"certificate": {"rows": 3}}, TypeError, "ParityCertificate"),
        ({"pos_label": "rich"}, ValueError, "pos_label='rich'"),
        ({"threshold": np.nan}, ValueError, "threshold=nan"),
        ({"X_train": np.zeros((3, 2))}, ValueError, "X_train"),
    ],
)
def test_bad_input_is_refused(distilled, change, error, message):
    model, X, y = distilled
    given = {"model": model, "X": X, "y": y, **change}
    with pytest.raises(error, match=message):
        distillation_report(**given)


def test_its_parts_are_plain(report):
    assert isinstance(report, DistillationReport)
    json.dumps(report_module._plain({"a": np.float32(1), "b": (np.nan, np.inf)}))
    assert report_module._plain([np.int64(1), -np.inf, "x"]) == [1, None, "x"]


def test_without_a_finding_it_says_what_was_looked_at(report):
    quiet = replace(report, warnings=())
    assert "Nothing to warn of" in str(quiet)
    assert "drift was not" in str(quiet)
    moved = replace(quiet, drift={"age": 0.05})
    assert "drift since training" in str(moved)
