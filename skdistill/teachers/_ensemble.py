"""Several teachers that speak as one."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._columns import take_rows
from .._fitting import is_frozen, takes_weights
from .._log_odds import (
    check_is_classifier,
    classifier_log_odds,
    floor_log_odds,
    single_class_log_odds,
)
from .._validation import check_labels, check_table, check_weights
from ..targets import encode_labels
from ._label_codes import fit_teacher
from ._log_proba import LogProbaMixin
from ._mixture import AVERAGES, average_log_odds, learned_weights


class TeacherEnsemble(LogProbaMixin, ClassifierMixin, BaseEstimator):
    r"""Several teachers for one student, averaged in log-odds or in probabilities.

    With :math:`p_m` the probabilities of teacher :math:`m` and weights :math:`w_m`
    that sum to 1, the ensemble predicts

    .. math::
        \operatorname{softmax}\Big(\sum_m w_m \log p_m\Big)
        \quad\text{or}\quad \sum_m w_m p_m.

    The log-odds of each teacher are those that it would teach alone: raw margins where
    there are any. Classes are matched by label.

    Parameters
    ----------
    teachers : list of estimators or of (str, estimator) tuples
        Classifiers, which are cloned and fitted; those in a
        `sklearn.frozen.FrozenEstimator`, and what `from_booster` returns, are used as
        they are. Without names they are called by the lower-case name of their class,
        and numbered from 1 where several are of one class. Their parameters are those
        of the ensemble, as in ``forest__max_depth``.
    weights : {"uniform", "learned"} or array-like, default="uniform"
        One for each teacher. ``"learned"``: those that minimise the log-loss on
        held-out rows. An array is divided by its sum.
    average : {"log_odds", "proba"}, default="log_odds"
        What is averaged. A mean of log-odds follows teachers that are sure, a mean of
        probabilities those that are not.
    cv : int or splitter, default=5
        How rows are held out to learn weights by; an integer means that many shuffled
        stratified folds. Not used otherwise.
    n_jobs : int, default=None
        How many teachers are fitted at once; ``None`` means 1. Mind their own threads.
    random_state : int, RandomState or None, default=None
        Seeds the folds.

    Attributes
    ----------
    teachers_ : list of fitted estimators
        In the order of `teachers`.
    weights_ : ndarray of shape (n_teachers,)
        They sum to 1.
    classes_ : ndarray of shape (n_classes,)
        All classes of the labels and of the frozen teachers, sorted. A teacher that
        does not know one gives it the probability of half a row.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Notes
    -----
    Learning weights fits each teacher once more for every fold, and in a
    `DistilledClassifier` that happens in each of its own folds. A frozen teacher that
    was fitted on the rows given to `fit` looks better than it is, and gets too much
    weight.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill.teachers import TeacherEnsemble
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = TeacherEnsemble(
    ...     [RandomForestClassifier(random_state=0), GaussianNB()],
    ...     weights="learned",
    ...     random_state=0,
    ... )
    >>> teacher.fit(X, y).weights_.round(1)
    array([0.9, 0.1])
    """

    gives_log_odds = True
    """What `decision_function` returns need not be compared with probabilities."""

    def __init__(
        self,
        teachers,
        *,
        weights="uniform",
        average="log_odds",
        cv=5,
        n_jobs=None,
        random_state=None,
    ):
        self.teachers = teachers
        self.weights = weights
        self.average = average
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Fit each teacher, and learn their weights if that is asked for.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows, which reach the teachers as they are.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for all teachers that are not frozen and
            for the learning of weights.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        TypeError
            If a teacher has no output to distil.
        ValueError
            If input or a parameter is not as described, or there are weights of rows
            that a teacher cannot take; the message says which.
        """
        names, teachers = self._check_parameters()
        X = self._check_rows(X, reset=True)
        y = check_labels(y, X)
        sample_weight = check_weights(sample_weight, X)
        _check_weights_are_taken(names, teachers, sample_weight)
        self.classes_ = self.all_classes(y)
        self.teachers_ = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(teacher, X, y, sample_weight) for teacher in teachers
        )
        self._floor = floor_log_odds(len(y))
        if isinstance(self.weights, str):
            self.weights_ = np.full(len(teachers), 1 / len(teachers))
        else:
            self.weights_ = np.asarray(self.weights, dtype=float)
            self.weights_ = self.weights_ / self.weights_.sum()
        if isinstance(self.weights, str) and self.weights == "learned":
            self.weights_ = self._learn(teachers, X, y, sample_weight)
        return self

    def decision_function(self, X):
        """Natural log-odds of the ensemble.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            With two classes, log-odds of the second one.
        """
        log_p = self.predict_log_proba(X)
        return log_p[:, 1] - log_p[:, 0] if log_p.shape[1] == 2 else log_p

    def predict_log_proba(self, X):
        """Natural logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        X = self._check_rows(X, reset=False)
        parts = (
            # What does not count need not be computed.
            None if weight == 0 else self._log_odds(teacher, X, self._floor)
            for teacher, weight in zip(self.teachers_, self.weights_, strict=True)
        )
        return average_log_odds(parts, self.weights_, self.average)

    def get_params(self, deep=True):
        """Return the parameters of the ensemble and of its teachers.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add the teachers by name and their own parameters.

        Returns
        -------
        dict
        """
        parameters = super().get_params(deep=False)
        if not deep:
            return parameters
        for name, teacher in _named(self.teachers):
            parameters[name] = teacher
            parameters.update(
                (f"{name}__{key}", value)
                for key, value in getattr(teacher, "get_params", dict)().items()
            )
        return parameters

    def set_params(self, **params):
        """Set parameters of the ensemble, its teachers, or parameters of these.

        Parameters
        ----------
        **params : dict
            A teacher is replaced under its name.

        Returns
        -------
        self : object
            The ensemble itself.
        """
        if "teachers" in params:
            self.teachers = params.pop("teachers")
        named = _named(self.teachers)
        new = [(name, params.pop(name, teacher)) for name, teacher in named]
        if any(old is not now for (_, old), (_, now) in zip(named, new, strict=True)):
            has_names = isinstance(self.teachers[0], tuple)
            self.teachers = new if has_names else [teacher for _, teacher in new]
        super().set_params(**params)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = [get_tags(teacher).input_tags for _, teacher in _named(self.teachers)]
        for name in ("sparse", "allow_nan", "categorical", "string"):
            setattr(tags.input_tags, name, all(getattr(tag, name) for tag in inner))
        return tags

    def all_classes(self, y):
        """Return the classes of an ensemble that is fitted to some labels.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Class labels.

        Returns
        -------
        ndarray of shape (n_classes,)
            Those of `y` and all that frozen teachers know, sorted.

        Raises
        ------
        TypeError
            If some are strings and others are not.
        """
        classes = np.unique(y)
        for name, teacher in _named(self.teachers):
            if not is_frozen(teacher):
                continue
            known = check_is_classifier(teacher)
            try:
                more = sorted(set(classes.tolist()) | set(known.tolist()))
            except TypeError as error:
                raise TypeError(
                    f"Got the frozen teacher {name!r} of the classes {known.tolist()} "
                    f"beside {classes.tolist()}, but expected labels of one type."
                ) from error
            dtype = object if object in (classes.dtype, known.dtype) else None
            classes = np.array(more, dtype=dtype)
        return classes

    def _check_rows(self, X, reset):
        accepted = get_tags(self).input_tags
        return check_table(
            self,
            X,
            reset=reset,
            accept_sparse=accepted.sparse,
            allow_nan=accepted.allow_nan,
        )

    def _check_parameters(self):
        """Return the names and the teachers; raise if a parameter is out of range."""
        named = _named(self.teachers)
        names = [name for name, _ in named]
        taken = set(super().get_params(deep=False))
        wrong = [n for n in names if "__" in n or n in taken or names.count(n) > 1]
        for _, teacher in named:
            if isinstance(teacher, type) or not hasattr(teacher, "fit"):
                raise TypeError(
                    f"Got the teacher {teacher!r}, but expected a classifier object."
                )
        if not named or wrong:
            raise ValueError(
                f"Got teachers={self.teachers!r}, but expected at least one classifier"
                + (
                    f", with names other than {wrong}: different ones, that are no "
                    "parameters of the ensemble and have no '__'."
                    if wrong
                    else "."
                )
            )
        if self.average not in AVERAGES:
            raise ValueError(
                f"Got average={self.average!r}, but expected one of {AVERAGES}."
            )
        _check_mixture(self.weights, len(named))
        return names, [teacher for _, teacher in named]

    def _log_odds(self, teacher, X, floor):
        return classifier_log_odds(teacher, X, self.classes_, unseen_log_odds=floor)

    def _learn(self, teachers, X, y, sample_weight):
        cv = self.cv
        if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
            cv = StratifiedKFold(cv, shuffle=True, random_state=self.random_state)
        splits = list(check_cv(cv, y, classifier=True).split(X, y))
        parts = Parallel(n_jobs=self.n_jobs)(
            delayed(self._hold_out)(teacher, X, y, sample_weight, train, test)
            for teacher in teachers
            for train, test in splits
        )
        n_folds = len(splits)
        held_out = np.stack(
            [
                np.concatenate(parts[start : start + n_folds])
                for start in range(0, len(parts), n_folds)
            ]
        )
        rows = np.concatenate([test for _, test in splits])
        return learned_weights(
            held_out,
            encode_labels(y, self.classes_)[rows],
            self.average,
            None if sample_weight is None else sample_weight[rows],
        )

    def _hold_out(self, teacher, X, y, sample_weight, train, test):
        weights = None if sample_weight is None else sample_weight[train]
        met, floor = np.unique(y[train]), floor_log_odds(len(train))
        if len(met) == 1 and not is_frozen(teacher):
            return single_class_log_odds(met[0], self.classes_, len(test), floor)
        fitted = _fit(teacher, take_rows(X, train), y[train], weights)
        return self._log_odds(fitted, take_rows(X, test), floor)


def _named(teachers):
    """Return teachers with names, made of their classes where there are none."""
    if not isinstance(teachers, list | tuple):
        return []
    if all(isinstance(item, tuple) and len(item) == 2 for item in teachers):
        return list(teachers)
    kinds = [type(teacher).__name__.lower() for teacher in teachers]
    return [
        (
            f"{kind}-{kinds[: i + 1].count(kind)}" if kinds.count(kind) > 1 else kind,
            teacher,
        )
        for i, (kind, teacher) in enumerate(zip(kinds, teachers, strict=True))
    ]


def _fit(teacher, X, y, sample_weight):
    if is_frozen(teacher):
        # Fits nothing: a frozen one stays as it is, others remember the columns.
        return clone(teacher).fit(X, y)
    return fit_teacher(teacher, X, y, sample_weight)


def _check_mixture(weights, n_teachers):
    if isinstance(weights, str) and weights in ("uniform", "learned"):
        return
    try:
        numbers = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    good = numbers.shape == (n_teachers,) and np.isfinite(numbers).all()
    if not good or (numbers < 0).any() or not numbers.any():
        raise ValueError(
            f"Got weights={weights!r}, but expected 'uniform', 'learned' or "
            f"{n_teachers} non-negative finite numbers that are not all zero."
        )


def _check_weights_are_taken(names, teachers, sample_weight):
    """Raise before anything is fitted, which may take hours."""
    if sample_weight is None:
        return
    for name, teacher in zip(names, teachers, strict=True):
        if not (is_frozen(teacher) or takes_weights(teacher)):
            raise ValueError(
                f"Got sample_weight, but the teacher {name!r}, "
                f"{type(teacher).__name__}, cannot take it in fit: use another one, or "
                "leave it out."
            )
