"""A small boosted ensemble as a student."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._parameters import check_integer, check_number
from ..conversion._orders import split_levels
from ..conversion._students import booster_trees
from ..losses._boosting import SoftTargetObjective
from ..runtime import ModelSpec
from ._base import counted_rows, group_optimum, objective_weights
from ._ordering import OrderingEncoder
from ._scored import ScoredStudentClassifier


class BoostedStudentClassifier(ScoredStudentClassifier):
    r"""Small LightGBM ensemble trained on soft targets.

    The trees follow gradient and curvature of the objective of `SoftTargets`
    (`skdistill.losses.SoftTargetObjective`) and start from the one distribution that
    minimises it. Categories are ordered by `OrderingEncoder`.

    Use it where the runtime knows trees only, or where numbers have sharp thresholds.
    With few trees a high learning rate pays with soft targets, which are harder to
    learn by heart than labels.

    Parameters
    ----------
    n_estimators : int, default=30
        Boosting rounds, with a tree for each class if there are more than two.
    num_leaves : int, default=31
        Most leaves of each tree.
    learning_rate : float, default=0.4
        Shrinkage of each tree.
    min_samples_leaf : int, default=20
        Least number of rows in a leaf.
    reg_lambda : float, default=1.0
        Penalty on the squared values of the leaves.
    n_jobs : int, default=1
        Threads of LightGBM.
    random_state : int, RandomState or None, default=None
        Seeds LightGBM.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    encoder_ : OrderingEncoder
        Numbers the categories.
    booster_ : lightgbm.Booster
        The trees.
    base_log_odds_ : ndarray of shape (n_classes,)
        What the trees are added to.
    scorer_ : skdistill.runtime.Scorer
        Scores rows, without what the student was fitted with.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Raises
    ------
    ImportError
        By `fit`, if LightGBM is not installed.

    See Also
    --------
    MLPStudentClassifier : A network, usually closer to the teacher.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.students import BoostedStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = BoostedStudentClassifier(n_estimators=10, random_state=0)
    >>> bool(student.fit(X, y).score(X, y) > 0.95)
    True
    """

    def __init__(
        self,
        n_estimators=30,
        num_leaves=31,
        learning_rate=0.4,
        min_samples_leaf=20,
        reg_lambda=1.0,
        n_jobs=1,
        random_state=None,
    ):
        self.n_estimators = n_estimators
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.reg_lambda = reg_lambda
        self.n_jobs = n_jobs
        self.random_state = random_state

    def to_spec(self):
        """Return the fitted trees as plain arrays, without LightGBM.

        Returns
        -------
        ModelSpec
        """
        check_is_fitted(self)
        base = self.base_log_odds_
        base = base[1:] - base[:1] if len(base) == 2 else base
        trees = booster_trees(self.booster_, base)
        encoder = self.encoder_
        return ModelSpec(
            split_levels(trees, encoder.columns_, encoder.orders_), self.classes_
        )

    def check_parameters(self):
        """Raise an error if a parameter is out of range or LightGBM is missing."""
        check_booster_parameters(self)

    def _fit(self, X, targets, sample_weight):
        lightgbm = import_lightgbm()
        X, targets, sample_weight = counted_rows(X, targets, sample_weight)
        self.encoder_ = OrderingEncoder().fit(
            X, targets, objective_weights(targets, sample_weight)
        )
        weights = np.ones(len(targets)) if sample_weight is None else sample_weight
        everyone = np.zeros(len(targets), dtype=np.int64)
        (self.base_log_odds_,) = group_optimum(everyone, 1, targets, weights)
        base = np.tile(self.base_log_odds_, (len(targets), 1))
        data = lightgbm.Dataset(
            self.encoder_.transform(X),
            init_score=base[:, 1] - base[:, 0] if base.shape[1] == 2 else base,
        )
        n_classes = base.shape[1]
        objective = SoftTargetObjective(
            targets.logits,
            targets.labels,
            temperature=targets.temperature,
            alpha=targets.alpha,
            sample_weight=sample_weight,
        )
        self.booster_ = lightgbm.train(
            {
                "objective": objective,
                "num_class": 1 if n_classes == 2 else n_classes,
                **booster_parameters(self),
            },
            data,
            num_boost_round=self.n_estimators,
        )


def check_booster_parameters(student):
    """Raise an error if a parameter is out of range or LightGBM is missing."""
    import_lightgbm()
    check_integer("n_estimators", student.n_estimators, 1)
    check_integer("num_leaves", student.num_leaves, 2)
    check_number("learning_rate", student.learning_rate, 0, above=True)
    check_integer("min_samples_leaf", student.min_samples_leaf, 1)
    check_number("reg_lambda", student.reg_lambda, 0)
    if student.n_jobs is not None:
        check_integer("n_jobs", student.n_jobs, -1)


def booster_parameters(student):
    """Return the parameters of a student by the names that LightGBM has for them."""
    random_state = check_random_state(student.random_state)
    return {
        "num_leaves": student.num_leaves,
        "learning_rate": student.learning_rate,
        "min_data_in_leaf": student.min_samples_leaf,
        # LightGBM aborts if few rows leave it without any column to split.
        "feature_pre_filter": False,
        "lambda_l2": student.reg_lambda,
        "num_threads": 1 if student.n_jobs is None else student.n_jobs,
        "seed": int(random_state.randint(np.iinfo(np.int32).max)),
        # The same bits twice, at the price of choosing the histogram's layout.
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


def import_lightgbm():
    """Return LightGBM, or raise an ImportError that says how to get it."""
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise ImportError(
            "Fitting boosted students needs LightGBM: "
            "pip install 'skdistill[boosting]'."
        ) from error
    return lightgbm
