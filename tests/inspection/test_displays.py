import subprocess
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from matplotlib.figure import Figure
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier
from skdistill.conversion import to_spec
from skdistill.inspection import (
    CalibrationComparisonDisplay,
    Cost,
    FidelityDisplay,
    ParetoDisplay,
    SegmentDisplay,
    TemperatureDisplay,
    TrainingDisplay,
    segments,
)
from skdistill.inspection._fidelity_display import joint_density
from skdistill.inspection._pareto_display import pareto_front
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier

HOSTILE = "$\\frac{<script>\x00\n"
"""No formula, no markup and no line of text."""


@pytest.fixture(autouse=True)
def _close_figures():
    # Examples in docstrings leave theirs open, and tests come in any order.
    plt.close("all")
    yield
    plt.close("all")


def drawn(display):
    """Draw the whole figure, as saving it would."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.figure_.canvas.draw()
    return display


@pytest.mark.parametrize(
    ("display", "needs_labels"),
    [
        (FidelityDisplay, False),
        (CalibrationComparisonDisplay, True),
        (SegmentDisplay, False),
    ],
)
def test_displays_of_a_model_are_those_of_its_predictions(
    display, needs_labels, distilled, axes
):
    model, X, y = distilled
    rows = (X, y) if needs_labels else (X,)
    shown = drawn(display.from_estimator(model, *rows, ax=axes))
    assert shown.ax_ is axes
    assert shown.figure_ is axes.figure
    assert plt.get_fignums() == []
    assert isinstance(shown, display)
    assert shown.plot().figure_ is not axes.figure

    scores = [m.predict_proba(X)[:, 1] for m in (model.teacher_, model)]
    first = {SegmentDisplay: (X,), CalibrationComparisonDisplay: (y,)}.get(display, ())
    options = {} if display is SegmentDisplay else {"pos_label": ">50K"}
    other = display.from_predictions(*first, *scores, **options)
    for name, value in vars(other).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(getattr(shown, name), value, err_msg=name)
    with pytest.raises(ValueError, match="pos_label='none'"):
        display.from_estimator(model, *rows, pos_label="none")


@pytest.mark.parametrize(
    "display", [FidelityDisplay, CalibrationComparisonDisplay, SegmentDisplay]
)
def test_displays_take_regressors(display, distilled_regressor, axes):
    model, X, y = distilled_regressor
    rows = (X, y) if display is CalibrationComparisonDisplay else (X,)
    drawn(display.from_estimator(model, *rows, ax=axes))
    assert "prediction" in axes.get_xlabel()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (DistilledClassifier, "fitted"),
        (DummyClassifier().fit([[0]], [0]), "teacher_"),
        ("model", "fitted"),
    ],
)
@pytest.mark.parametrize("display", [FidelityDisplay, SegmentDisplay])
def test_other_models_are_refused(display, model, message):
    with pytest.raises(TypeError, match=message):
        display.from_estimator(model, [[0]])


def test_weights_move_the_pictures(distilled, axes):
    model, X, y = distilled
    weights = np.zeros(len(y))
    weights[:10] = 2
    shown = FidelityDisplay.from_estimator(model, X, sample_weight=weights, ax=axes)
    assert shown.counts.sum() == 20
    curve = CalibrationComparisonDisplay.from_estimator(
        model, X, y, sample_weight=weights, n_bins=1, ax=axes
    )
    assert curve.teacher_actual == pytest.approx((y[:10] == ">50K").mean())


@given(seed=st.integers(0, 2**32 - 1), n_bins=st.integers(1, 30))
def test_density_counts_every_row(seed, n_bins):
    rng = np.random.default_rng(seed)
    teacher, student = rng.normal(size=(2, 40))
    counts, edges = joint_density(teacher, student, n_bins)
    assert counts.shape == (n_bins, n_bins)
    assert counts.sum() == 40
    assert edges[0] == min(teacher.min(), student.min())
    weighted, _ = joint_density(teacher, student, n_bins, np.full(40, 2.0))
    np.testing.assert_array_equal(weighted, 2 * counts)
    _, edges = joint_density(rng.random(3), rng.random(3), n_bins)
    assert (edges[0], edges[-1]) == (0, 1)


def test_identical_predictions_lie_on_the_diagonal(rng, axes):
    scores = rng.random(100)
    counts = FidelityDisplay.from_predictions(scores, scores, ax=axes).counts
    assert np.trace(counts) == 100


def test_segments_with_the_largest_differences_are_shown(axes):
    X = np.repeat(np.arange(8), 60)[:, None]
    X[:3] = 99
    student = 0.01 * X.ravel() * (-1) ** X.ravel()
    shown = SegmentDisplay.from_predictions(
        X, np.zeros(len(X)), student, n_segments=3, ax=axes
    )
    assert [segment.label for segment in shown.shown_] == ["7", "6", "5"]
    assert axes.get_yticklabels()[0].get_text() == "x0: 7"
    small = SegmentDisplay(segments(X[:4], [0.0] * 4, [0.1] * 4)).plot(ax=axes)
    assert len(small.shown_) == 2
    with pytest.raises(ValueError, match="no segments"):
        SegmentDisplay([]).plot()


def test_names_are_drawn_as_they_are(axes):
    X = pd.DataFrame({HOSTILE: [HOSTILE] * 60 + ["$x"] * 60})
    drawn(SegmentDisplay.from_predictions(X, [0.0] * 120, [0.1] * 120, ax=axes))
    axes = Figure().subplots()
    drawn(
        CalibrationComparisonDisplay.from_predictions(
            [0, 1], [0.1, 0.9], [0.1, 0.9], pos_label=HOSTILE, ax=axes
        )
    )
    costs = {HOSTILE: Cost(1.0, 1.0, None, "none")}
    proba = {HOSTILE: [[0.5, 0.5]] * 2}
    axes = Figure().subplots()
    drawn(ParetoDisplay.from_predictions([0, 1], proba, costs, classes=[0, 1], ax=axes))


def test_pareto_compares_what_models_cost(distilled, axes):
    model, X, y = distilled
    models = {
        "teacher": model.teacher_,
        "compiled teacher": to_spec(model.teacher_),
        "student": model,
    }
    shown = drawn(ParetoDisplay.from_estimators(models, X, y, ax=axes))
    teacher, compiled, student = shown.qualities
    assert compiled == teacher
    assert 0 not in shown.front_  # compiled it is as good, and cheaper
    assert student != teacher
    assert not shown.greater_is_better
    assert min(shown.costs) > 0
    sizes = ParetoDisplay.from_estimators(models, X, y, metric="auc", cost="size")
    assert sizes.costs[2] < min(sizes.costs[:2])
    assert sizes.greater_is_better


def test_pareto_finds_columns_whose_blanks_lightgbm_replaces(rng, axes):
    X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["a b", "c"])
    teacher = LGBMClassifier(n_estimators=3, verbose=-1).fit(X, X["c"] > 0)
    models = {"teacher": teacher, "compiled": to_spec(teacher)}
    shown = ParetoDisplay.from_estimators(models, X, X["c"] > 0, ax=axes)
    assert shown.qualities[0] == shown.qualities[1]


def test_names_for_pareto_need_be_no_texts(axes):
    proba, cost = [[0.5, 0.5]] * 2, Cost(1.0, 1.0, None, "none")
    given = {1: proba, None: proba}, {1: cost, None: cost}
    drawn(ParetoDisplay.from_predictions([0, 1], *given, classes=[0, 1], ax=axes))
    with pytest.raises(ValueError, match=r"\[1, None\] and costs of \[1\]"):
        ParetoDisplay.from_predictions([0, 1], given[0], {1: cost}, classes=[0, 1])


@given(
    points=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12
    )
)
def test_nothing_beats_the_front(points):
    costs, qualities = np.array(points, dtype=float).T
    front = pareto_front(costs, qualities)
    for i in range(len(points)):
        beaten = ((costs <= costs[i]) & (qualities >= qualities[i])) & (
            (costs < costs[i]) | (qualities > qualities[i])
        )
        if i in front:
            assert not beaten.any()
        else:
            same = (costs == costs[i]) & (qualities == qualities[i])
            assert beaten.any() or same[front].any()
    assert (np.diff(costs[front]) > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "beauty"}, "metric='beauty'"),
        ({"metric": "auc"}, "rows of one class for metric='auc'"),
        ({"cost": "price"}, "cost='price'"),
        ({"cost": "size"}, "no size"),
        ({"costs": {}}, "same names"),
        ({"classes": [0, 1, 2]}, "different labels"),
    ],
)
def test_bad_input_for_pareto_is_refused(options, message):
    given = {
        "probas": {"one": [[0.5, 0.5]]},
        "costs": {"one": Cost(1.0, 1.0, None, "none")},
        "classes": [0, 1],
    }
    with pytest.raises(ValueError, match=message):
        ParetoDisplay.from_predictions([0], **{**given, **options})


def test_bad_models_for_pareto_are_refused(distilled):
    model, X, y = distilled
    with pytest.raises(ValueError, match="dictionary"):
        ParetoDisplay.from_estimators([model], X, y)
    with pytest.raises(TypeError, match="classes_"):
        ParetoDisplay.from_estimators({"scaler": StandardScaler().fit([[0]])}, X, y)
    other = to_spec(TreeStudentClassifier().fit(np.zeros((4, 14)), [0, 1, 0, 1]))
    with pytest.raises(ValueError, match="classes"):
        ParetoDisplay.from_estimators({"model": model, "other": other}, X, y)


@pytest.fixture(scope="module")
def search():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] + 0.3 * rng.normal(size=200) > 0).astype(int)
    model = DistilledClassifier(
        LogisticRegression(),
        TreeStudentClassifier(max_leaf_nodes=4),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    grid = {
        "distil__temperature": [1.0, 2.0, 4.0],
        "distil__alpha": [0.5, 1.0],
        "distil__student__max_leaf_nodes": [2, 4],
    }
    pipeline = make_pipeline(StandardScaler(), model)
    pipeline.steps[1] = ("distil", model)
    return GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(X, y)


def test_a_search_is_shown_as_losses(search, axes):
    shown = drawn(TemperatureDisplay.from_estimator(search, ax=axes))
    assert shown.losses.shape == (2, 3)
    assert shown.losses.min() == pytest.approx(-search.best_score_)
    assert shown.names == ["alpha 0.5", "alpha 1"]
    assert (shown.x_label, shown.y_label) == ("temperature", "validation loss")
    table = pd.DataFrame(search.cv_results_)
    rows = (table.param_distil__temperature == 2) & (table.param_distil__alpha == 1)
    assert shown.losses[1, 1] == pytest.approx(-table.mean_test_score[rows].max())


def test_what_failed_or_was_not_tried_is_left_out(axes):
    shown = drawn(
        TemperatureDisplay.from_cv_results(
            {
                "param_alpha": np.ma.array([0.5, 0.5, 1.0], dtype=object),
                "param_temperature": [1, 2, 1],
                "mean_test_score": [0.8, np.nan, 0.9],
                "std_test_score": [0.1, np.nan, 0.1],
            },
            ax=axes,
        )
    )
    np.testing.assert_array_equal(shown.losses, [[0.8, np.nan], [0.9, np.nan]])
    assert shown.y_label == "validation score"


@pytest.mark.parametrize("text", [False, True])
def test_what_another_grid_has_searched_is_not_looked_at(text, axes):
    def column(values, hidden):
        kind = object if text else float
        return np.ma.array(values, mask=hidden, dtype=kind)

    shown = drawn(
        TemperatureDisplay.from_cv_results(
            {
                "param_temperature": column([1, 2, 777, 2], [0, 0, 1, 0]),
                "param_alpha": column([5, 5, 0.1, "auto" if text else 1], [1, 1, 0, 0]),
                "mean_test_score": [-0.3, -0.2, -0.1, -0.4],
                "std_test_score": [0.01] * 4,
            },
            ax=axes,
        )
    )
    np.testing.assert_array_equal(shown.values, [1, 2])
    assert shown.names == ["alpha auto" if text else "alpha 1", "alpha of the model"]
    np.testing.assert_array_equal(shown.losses, [[np.nan, 0.4], [0.3, 0.2]])


def test_other_searches_are_refused(search):
    with pytest.raises(TypeError, match="cv_results_"):
        TemperatureDisplay.from_estimator(search.best_estimator_)
    results = {"param_C": [1], "mean_test_score": [1], "std_test_score": [0]}
    with pytest.raises(ValueError, match="param_C"):
        TemperatureDisplay.from_cv_results(results)
    with pytest.raises(ValueError, match="mean_test_score"):
        TemperatureDisplay.from_cv_results({"param_alpha": [1]})


def test_training_of_a_network_is_shown(rng, axes):
    X = rng.normal(size=(300, 3))
    y = X[:, 0] > 0
    student = MLPStudentClassifier((4,), n_steps=100, random_state=0)
    shown = TrainingDisplay.from_estimator(student.fit(X, y), ax=axes)
    assert len(shown.lines_) == 2  # plain labels stop early
    assert shown.steps[-1] == student.n_iter_
    model = DistilledClassifier(
        LogisticRegression(),
        make_pipeline(StandardScaler(), student),
        cv=2,
        augmenter=None,
        random_state=0,
    ).fit(X, y)
    shown = drawn(TrainingDisplay.from_estimator(model, ax=axes))
    assert len(shown.lines_) == 1
    np.testing.assert_array_equal(shown.loss, model.student_[-1].loss_curve_)
    with pytest.raises(TypeError, match="TreeStudentClassifier without loss_curve_"):
        TrainingDisplay.from_estimator(TreeStudentClassifier().fit(X, y))


def test_plotting_alone_needs_matplotlib():
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = sys.modules['jinja2'] = None\n"
        "from skdistill.inspection import FidelityDisplay\n"
        "try:\n"
        "    FidelityDisplay.from_predictions([0.1], [0.2])\n"
        "except ImportError as error:\n"
        "    assert 'skdistill[report]' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
