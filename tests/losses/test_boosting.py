import pickle

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from skdistill.losses import SoftTargetObjective, soft_target_loss
from skdistill.losses._reference import softmax


def random_case(seed, n_classes, n_samples=6):
    rng = np.random.default_rng(seed)
    teacher = 2 * rng.normal(size=(n_samples, n_classes))
    labels = rng.integers(-1, n_classes, n_samples)
    weights = rng.random(n_samples)
    shape = n_samples if n_classes == 2 else (n_samples, n_classes)
    return teacher, labels, weights, rng.normal(size=shape)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.integers(2, 6),
    temperature=st.sampled_from([0.5, 1.0, 4.0]),
    alpha=st.floats(0, 1),
)
def test_derivatives_are_those_of_finite_differences(
    seed, n_classes, temperature, alpha
):
    teacher, labels, weights, z = random_case(seed, n_classes)
    options = {"temperature": temperature, "alpha": alpha, "sample_weight": weights}
    objective = SoftTargetObjective(teacher, labels, **options)
    gradient, curvature = objective(z)
    factor = 1 if n_classes == 2 else n_classes / (n_classes - 1)

    def rows(z):
        logits = z if n_classes > 2 else np.stack([np.zeros(len(z)), z], axis=1)
        return soft_target_loss(
            logits, teacher, labels, from_log_odds=True, reduction="none", **options
        )[0]

    step = 1e-4
    for k in range(1 if n_classes == 2 else n_classes):
        unit = np.zeros_like(z)
        unit[..., k] = 0 if n_classes == 2 else step
        unit = np.full_like(z, step) if n_classes == 2 else unit
        up, middle, down = rows(z + unit), rows(z), rows(z - unit)
        own = (slice(None),) if n_classes == 2 else (slice(None), k)
        np.testing.assert_allclose(
            gradient[own], (up - down) / (2 * step), atol=1e-6, rtol=1e-5
        )
        hessian = factor * (up - 2 * middle + down) / step**2
        assert (curvature[own] >= hessian - 1e-5).all()
        if alpha == 0:
            np.testing.assert_allclose(curvature[own], hessian, atol=1e-5)


@given(
    student=st.floats(-12, 12),
    teacher=st.floats(-12, 12),
    temperature=st.floats(0.5, 5),
)
def test_a_step_never_passes_the_teacher(student, teacher, temperature):
    objective = SoftTargetObjective(np.array([[0.0, teacher]]), temperature=temperature)
    gradient, curvature = objective(np.array([student]))
    way = teacher - student
    step = -gradient[0] / curvature[0]
    assert abs(step) <= abs(way) * (1 + 1e-6) + 1e-9
    if student * way < 0 and abs(student) > abs(teacher):
        # Surer than the teacher: the step ends at the teacher's log-odds.
        assert step == pytest.approx(way, rel=1e-3, abs=1e-6)


def smooth_case(n_classes, n_samples=2000):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 3))
    scores = np.stack([X[:, 0], X[:, 1], -X[:, 0] * X[:, 2]], axis=1)[:, :n_classes]
    return X, 2 * scores


def as_proba(raw):
    raw = np.stack([np.zeros(len(raw)), raw], axis=1) if raw.ndim == 1 else raw
    return softmax(raw)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_lightgbm_and_xgboost_learn_the_teacher(n_classes, temperature):
    X, teacher = smooth_case(n_classes)
    objective = SoftTargetObjective(teacher, temperature=temperature)
    booster = lightgbm.train(
        {
            "objective": objective,
            "num_class": 1 if n_classes == 2 else n_classes,
            "verbose": -1,
            "num_threads": 1,
        },
        lightgbm.Dataset(X),
        100,
    )
    parameters = {"base_score": 0.0, "disable_default_eval_metric": 1, "nthread": 1}
    if n_classes > 2:
        parameters["num_class"] = n_classes
    forest = xgboost.train(parameters, xgboost.DMatrix(X), 100, obj=objective)
    for raw in (
        booster.predict(X, raw_score=True),
        forest.predict(xgboost.DMatrix(X), output_margin=True),
    ):
        assert np.abs(as_proba(raw) - softmax(teacher)).mean() < 0.03


def test_it_can_be_pickled():
    teacher, labels, weights, z = random_case(0, 3)
    objective = SoftTargetObjective(teacher, labels, alpha=0.5, sample_weight=weights)
    copy = pickle.loads(pickle.dumps(objective))
    for a, b in zip(objective(z), copy(z), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0}, "temperature=0"),
        ({"alpha": 2}, "alpha=2"),
        ({"labels": np.array([0, 5])}, r"labels\[1\]=5"),
        ({"sample_weight": [1.0, -1.0]}, "sample_weight"),
        ({"teacher_logits": np.zeros(2)}, r"shape \(2,\)"),
        ({"teacher_logits": np.array([[0, np.nan], [0, 0]])}, "finite"),
    ],
)
def test_bad_targets_are_named_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftTargetObjective(**{"teacher_logits": np.zeros((2, 2)), **arguments})


@pytest.mark.parametrize(
    ("n_classes", "shape"), [(2, (5,)), (2, (6, 2)), (3, (6,)), (3, (6, 2))]
)
def test_predictions_of_other_rows_are_refused(n_classes, shape):
    objective = SoftTargetObjective(np.zeros((6, n_classes)))
    with pytest.raises(ValueError, match="predictions of shape"):
        objective(np.zeros(shape))
