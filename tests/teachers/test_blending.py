import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdistill.losses._reference import softmax
from skdistill.teachers import Labelling, blended_log_odds, own_share
from skdistill.teachers._blending import explained_share

LOGITS = arrays(np.float64, (12, 3), elements=st.floats(-20, 20))
LABELS = np.arange(12) % 3


@given(LOGITS, LOGITS)
def test_the_share_is_a_share(own, held_out):
    assert 0 <= own_share(own, held_out, LABELS) <= 1


@given(LOGITS)
def test_a_teacher_no_better_on_its_own_rows_is_believed(logits):
    assert own_share(logits, logits, LABELS) == 1


@given(LOGITS, st.floats(0.1, 5), st.floats(0.1, 5))
def test_the_more_it_knows_by_heart_the_less_it_counts(logits, less, more):
    less, more = sorted([less, more])
    by_heart = np.eye(3)[LABELS]
    shares = [
        own_share(logits + extra * by_heart, logits, LABELS) for extra in (less, more)
    ]
    assert shares[0] >= shares[1]


def test_labels_learnt_by_heart_count_nothing():
    noise = np.zeros((12, 3))
    assert own_share(50 * np.eye(3)[LABELS], noise, LABELS) == 0


def test_one_class_alone_is_believed():
    assert own_share(np.zeros((4, 2)), np.ones((4, 2)), np.zeros(4, dtype=int)) == 1


def test_weight_2_is_a_row_that_occurs_twice(rng):
    own, held_out = rng.normal(size=(2, 12, 3)) + 2 * np.eye(3)[LABELS]
    weights = rng.integers(1, 4, 12)
    twice = np.repeat(np.arange(12), weights)
    repeated = own_share(own[twice], held_out[twice], LABELS[twice])
    assert own_share(own, held_out, LABELS, weights) == pytest.approx(repeated)


@given(LOGITS)
def test_log_odds_explain_at_most_everything(logits):
    assert explained_share(logits, LABELS) <= 1


def test_what_log_odds_explain():
    by_heart = 50 * np.eye(3)[LABELS]
    assert explained_share(by_heart, LABELS) == pytest.approx(1)
    assert explained_share(np.zeros((12, 3)), LABELS) == pytest.approx(0)
    assert explained_share(-by_heart, LABELS) < -10
    right = np.log([[0.8, 0.1, 0.1]]).repeat(10, axis=0)
    labels = np.repeat([0, 1, 2], [8, 1, 1])
    # The frequencies explain nothing, however uneven they are.
    assert explained_share(right, labels) == pytest.approx(0)
    assert explained_share(np.zeros((10, 3)), labels) < -0.1


def test_unseen_classes_are_no_part_of_the_frequencies(rng):
    logits = rng.normal(size=(12, 3))
    widened = np.column_stack([logits, np.full(12, -50.0)])
    share = explained_share(logits, LABELS)
    assert explained_share(widened, LABELS) == pytest.approx(share)


def test_the_explained_share_of_weighted_rows(rng):
    logits = rng.normal(size=(12, 3)) + np.eye(3)[LABELS]
    weights = rng.integers(0, 4, 12)
    twice = np.repeat(np.arange(12), weights)
    repeated = explained_share(logits[twice], LABELS[twice])
    assert explained_share(logits, LABELS, weights) == pytest.approx(repeated)


def test_the_blend_lies_between_both(rng):
    held_out = np.eye(3)[LABELS] + rng.normal(size=(12, 3))
    own = held_out + 0.1 * np.eye(3)[LABELS]
    labelling = Labelling(None, held_out, np.ones(12, dtype=bool), own)
    blend = blended_log_odds(labelling, LABELS, np.ones(12), 2.0)
    low, high = np.minimum(own, held_out) / 2, np.maximum(own, held_out) / 2
    assert (blend >= low - 1e-12).all()
    assert (blend <= high + 1e-12).all()
    assert not np.allclose(blend, held_out / 2)


def test_without_held_out_rows_there_is_nothing_to_blend(rng):
    own = rng.normal(size=(12, 3))
    labelling = Labelling(None, own, np.zeros(12, dtype=bool), own)
    blend = blended_log_odds(labelling, LABELS, np.zeros(12), 1.0)
    np.testing.assert_allclose(softmax(blend), softmax(own))
