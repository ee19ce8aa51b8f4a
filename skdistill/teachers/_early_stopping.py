"""Teachers that stop early, on rows held out of those that they are given."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import check_random_state

from .._columns import take_rows
from .._kinds import known
from .._parameters import check_number
from ._label_codes import CodingClassifier


class EarlyStoppingTeacher(CodingClassifier):
    r"""A boosted classifier that holds out rows by itself, to stop early on them.

    LightGBM, XGBoost and CatBoost stop early on an evaluation set that `fit` must be
    handed, which neither cross-validation nor cross-fitting can do. This classifier
    holds out a part of whatever rows it is fitted on, and hands it over with its
    labels and weights. Each of a teacher's folds so has its own evaluation set, and
    none sees the rows that it is going to label.

    Parameters
    ----------
    estimator : estimator
        `LGBMClassifier` with `early_stopping_round`, `XGBClassifier` with
        `early_stopping_rounds`, `CatBoostClassifier` with `early_stopping_rounds` (or
        another overfitting detector), or `HistGradientBoostingClassifier` with
        ``early_stopping=True``. It is cloned. In a pipeline put this classifier at the
        end: ``make_pipeline(encoder, EarlyStoppingTeacher(XGBClassifier(...)))``.
    validation_fraction : float, default=0.1
        Share of the rows of each class that is held out, in (0, 1): at least one row
        in all, and all but one of a class at most.
    random_state : int, RandomState or None, default=None
        Seeds the choice of rows.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier; it knows the classes as 0 to n_classes - 1.
    validation_rows_ : ndarray of int
        Positions of the rows that were held out.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Notes
    -----
    Log-odds are the raw margins of the best iteration. Rows that were held out of a
    teacher's training are still rows that it has chosen its size by: leave `cv` of
    `DistilledClassifier` on.

    Examples
    --------
    >>> from lightgbm import LGBMClassifier
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdistill.teachers import EarlyStoppingTeacher
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = EarlyStoppingTeacher(
    ...     LGBMClassifier(n_estimators=1000, early_stopping_round=10, verbose=-1),
    ...     random_state=0,
    ... )
    >>> bool(teacher.fit(X, y).estimator_.best_iteration_ < 1000)
    True
    """

    def __init__(self, estimator, *, validation_fraction=0.1, random_state=None):
        super().__init__(estimator)
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, groups=None):  # type: ignore[override]
        """Hold out a part of the rows, and fit the classifier to the others.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows, which reach the classifier as they are.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for training and evaluation. Rows of
            weight 0 are not held out.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group are held out together or not at all.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        TypeError
            If there is no known way to hand rows to the classifier.
        ValueError
            If input or a parameter is not as described, the classifier would not stop
            early, or there are too few rows or groups to hold out any.
        """
        check_number("validation_fraction", self.validation_fraction, 0, 1, above=True)
        evaluation = known("EVALUATION", self.estimator)
        if evaluation is None:
            raise TypeError(
                f"Got {type(self.estimator).__name__}, but expected a classifier of "
                "LightGBM, XGBoost or CatBoost, or HistGradientBoostingClassifier. At "
                "the end of a pipeline, put EarlyStoppingTeacher in the pipeline."
            )
        X, codes, weights = self._check_input(X, y, sample_weight)
        held_out = self._hold_out(codes, weights, groups)
        train = np.setdiff1d(np.arange(len(codes)), held_out)
        estimator = self._clone_for_codes()
        arguments = evaluation(
            estimator,
            take_rows(X, held_out),
            codes[held_out],
            None if weights is None else weights[held_out],
        )
        if weights is not None:
            arguments["sample_weight"] = weights[train]
        estimator.fit(take_rows(X, train), codes[train], **arguments)
        self._remember(estimator)
        self.validation_rows_ = held_out
        return self

    def _hold_out(self, codes, weights, groups):
        """Return the positions of the rows that are held out, in order."""
        random_state = check_random_state(self.random_state)
        rows = np.arange(len(codes)) if weights is None else np.flatnonzero(weights)
        if groups is None:
            held_out = self._draw(codes, rows, random_state)
        else:
            held_out = self._draw_groups(codes, rows, groups, random_state)
        left = np.setdiff1d(rows, held_out)
        lost = np.setdiff1d(codes[rows], codes[left])
        if len(held_out) == 0 or len(lost) > 0:
            raise ValueError(
                f"Got {len(rows)} rows of which {len(held_out)} are held out"
                + (f", all of the classes {self.classes_[lost]}" if len(lost) else "")
                + ", but expected enough to hold out some and leave some of each class."
            )
        return np.sort(held_out)

    def _draw(self, codes, rows, random_state):
        rows = random_state.permutation(rows)
        of_class = [rows[codes[rows] == code] for code in range(len(self.classes_))]
        sizes = np.array([len(part) for part in of_class])
        wanted = np.round(self.validation_fraction * sizes).astype(int)
        if not wanted.any():
            wanted[sizes.argmax()] = 1
        wanted = np.clip(wanted, 0, np.maximum(sizes - 1, 0))
        return np.concatenate(
            [part[:size] for part, size in zip(of_class, wanted, strict=True)]
        )

    def _draw_groups(self, codes, rows, groups, random_state):
        groups = np.asarray(groups)
        if groups.shape != codes.shape:
            raise ValueError(
                f"Got groups of shape {groups.shape}, but expected {codes.shape}."
            )
        n_splits = max(2, round(1 / self.validation_fraction))
        splitter = StratifiedGroupKFold(
            min(n_splits, len(np.unique(groups[rows]))),
            shuffle=True,
            random_state=random_state,
        )
        _, held_out = next(splitter.split(rows, codes[rows], groups[rows]))
        return rows[held_out]
