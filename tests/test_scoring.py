"""What the candidates of a search are scored by."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifierCV
from skdistill._fitting import last_step
from skdistill.students import TreeStudentClassifier

X, y = make_classification(
    300, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
TREE = TreeStudentClassifier(max_leaf_nodes=6, random_state=0)


def search(scoring, teacher=None, student=TREE):
    return DistilledClassifierCV(
        LogisticRegression() if teacher is None else teacher,
        student,
        scoring=scoring,
        temperatures=[1.0],
        alphas=[0.3, 0.9],
        cv=3,
        augmenter=None,
        random_state=0,
    )


class Unfittable(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        pytest.fail("The teacher has been fitted.")


@pytest.mark.parametrize("student", [TREE, make_pipeline(StandardScaler(), TREE)])
@pytest.mark.parametrize("routing", [False, True])
def test_weighted_rows_count_in_the_students_own_score(student, routing, rng):
    weights = rng.integers(0, 4, 300)
    results = []
    with config_context(enable_metadata_routing=routing):
        for scoring in (None, "accuracy"):
            model = search(scoring, student=clone(student))
            if routing:
                for part in (model, model.teacher, last_step(model.student)):
                    part.set_fit_request(sample_weight=True)
            results.append(model.fit(X, y, sample_weight=weights).cv_results_)
    for key in ("split0_test_score", "mean_test_score"):
        np.testing.assert_array_equal(results[0][key], results[1][key])
    unweighted = search(None, student=student).fit(X, y).cv_results_
    assert (unweighted["mean_test_score"] != results[0]["mean_test_score"]).any()


class Unweighted(TreeStudentClassifier):
    def score(self, X, y):
        return 0.5


def test_a_score_of_its_own_that_takes_no_weights():
    assert search(None, student=Unweighted()).fit(X, y).best_score_ == 0.5
    with pytest.raises(ValueError, match="scoring=None cannot take it"):
        search(None, Unfittable(), Unweighted()).fit(X, y, np.ones(300))


@pytest.mark.parametrize(
    "scoring",
    [
        ["accuracy"],
        ("accuracy", "neg_log_loss"),
        {"accuracy"},
        {"accuracy": "accuracy"},
        3,
    ],
    ids=lambda scoring: type(scoring).__name__,
)
def test_several_scores_are_refused_before_a_teacher_is_fitted(scoring):
    with pytest.raises(TypeError, match=r"Got scoring=.*, but expected one score"):
        search(scoring, Unfittable()).fit(X, y)


@pytest.mark.parametrize("said", [{"accuracy": 1.0}, [1.0, 2.0], None, "good"])
def test_a_score_that_is_no_number_is_named(said):
    with pytest.raises(ValueError, match=r"Got the score .*, but expected a number"):
        search(lambda *arguments: said).fit(X, y)
