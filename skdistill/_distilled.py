"""The road from a teacher to a student, each stage one line."""

import warnings
from dataclasses import replace

from sklearn.base import ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ._distilled_base import BaseDistilled, draw_seed
from ._fitting import clone_seeded, fit_with_weights, is_frozen
from ._labelled import LabelledRows
from ._log_odds import check_column_names, check_is_classifier
from ._validation import (
    check_labels,
    check_table,
    check_weights,
    distinct_labels,
)
from .losses._numpy import check_alpha, check_temperature
from .students import MLPStudentClassifier, as_student
from .students._base import most_probable
from .targets import encode_labels
from .teachers import calibration_temperature, label_rows

SUSPICIOUS_TEMPERATURE = 1 / 3
"""Below it, a frozen teacher is right so much more often than it claims that it has
probably been fitted on the rows."""


class DistilledClassifier(ClassifierMixin, BaseDistilled):
    r"""Fit a teacher, learn what it knows, and predict with the student alone.

    The teacher's log-odds :math:`t`, held out and in part its own on the rows that it
    was fitted on (see `skdistill.teachers.own_share`), divided by the temperature that
    calibrates them, and the labels :math:`y` become the student's `SoftTargets`. The
    teacher also labels new rows that an augmenter makes. With
    :math:`q = \operatorname{softmax}(t / T)` the student's log-odds :math:`z` minimise
    the weighted mean of

    .. math::
        \alpha T^2 \, \mathrm{KL}(q \,\|\, \operatorname{softmax}(z / T))
        - (1 - \alpha) \log \operatorname{softmax}(z)_y.

    Parameters
    ----------
    teacher : estimator
        Any classifier with `predict_proba` or `decision_function`. It is cloned and
        fitted; wrap a fitted one in `sklearn.frozen.FrozenEstimator` to use it as it
        is; `skdistill.teachers.FunctionTeacher` and what
        `skdistill.teachers.from_booster` returns are used as they are. The rows given
        to `fit` should then be rows that it was not fitted on.
    student : estimator, default=None
        A student of `skdistill.students`, a skorch ``NeuralNet``, a classifier that
        takes `sample_weight`, a regressor (fitted on log-odds), or a pipeline that
        ends in one of them, see `skdistill.students.as_student`. ``None`` means
        ``MLPStudentClassifier()``.
    temperature : float, default=1.0
        :math:`T > 0`. Larger values make the student look at the classes that the
        teacher finds unlikely.
    alpha : float, default=0.95
        Share of the teacher in the objective, in [0, 1]; the rest are the labels.
    cv : int, splitter or None, default=5
        How the teacher's out-of-fold log-odds are made. An integer means that many
        shuffled stratified folds. ``None``: the teacher labels the very rows it was
        fitted on, where the log-odds of a boosted teacher are close to the labels in
        disguise. Not used with a frozen teacher.
    calibrate : bool, default=True
        Whether to divide the teacher's log-odds by the one temperature that minimises
        the log-loss of the held-out ones. With ``cv=None`` there are none, and
        nothing is divided.
    augmenter : sampler of `skdistill.augmentation`, "auto" or None, default="auto"
        Makes more rows for the teacher to label, five for each training row, at least
        30,000 and at most 500,000 rows or 50 million cells (or as many as there are).
        Together they weigh as much as the training rows. ``"auto"`` means
        ``Munge()``, but ``None`` for sparse tables and for students that take no
        weights.
    memory : str or joblib.Memory, default=None
        Cache of everything up to the log-odds, as in `sklearn.pipeline.Pipeline`: a
        search over `temperature`, `alpha` or any parameter of the student fits the
        teacher once for each training part, in whatever process. An entry is known by
        the content of rows, labels, weights, teacher, splitter and augmenter, and by
        the versions of their libraries; a damaged one is computed anew. Give an
        integer `random_state` with it: without, folds and new rows differ in each fit.
    n_jobs : int, default=None
        How many folds are fitted at once; ``None`` means 1. Mind the threads of the
        teacher itself.
    random_state : int, RandomState or None, default=None
        Seeds the folds, and those seeds of teacher and student that are ``None``.
    verbose : int, default=0
        Whether to print each stage as it begins.

    Attributes
    ----------
    teacher_ : estimator
        The teacher, fitted on all rows.
    student_ : estimator
        The fitted student, which makes all predictions.
    classes_ : ndarray of shape (n_classes,)
        Class labels; of a frozen teacher, all that it knows.
    calibration_temperature_ : float
        What the teacher's log-odds were divided by; 1 without calibration.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Notes
    -----
    Cross-validating a model with a frozen teacher scores it on rows that the teacher
    may have been fitted on. Use an unfrozen teacher for an honest estimate.

    References
    ----------
    G. Hinton, O. Vinyals, J. Dean. "Distilling the Knowledge in a Neural Network",
    2015. arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(), TreeStudentClassifier(), random_state=0
    ... )
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    _folds = StratifiedKFold

    def __init__(
        self,
        teacher,
        student=None,
        *,
        temperature=1.0,
        alpha=0.95,
        cv=5,
        calibrate=True,
        augmenter="auto",
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.cv = cv
        self.calibrate = calibrate
        self.augmenter = augmenter
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, X_unlabeled=None):
        """Fit the teacher, read its log-odds, and fit the student to them.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows. Frames reach teacher and student untouched.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for teacher, calibration and student.
        X_unlabeled : array-like or frame of shape (n_unlabeled, n_features), \
                default=None
            Real rows without labels, for the teacher to label. With those of the
            augmenter they weigh as much as the training rows. In a cross-validation
            they must not hold test rows.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        TypeError
            If the teacher has no output to distil, or there is no way to train the
            student on soft targets.
        ValueError
            If input or a parameter is not as described, a frozen teacher does not
            know a label, or weights are given that teacher or student cannot take.
        """
        student = self._check_parameters()
        random_state = self._generator()
        teacher = clone_seeded(self.teacher, random_state)
        cv, seed = self._splitter(random_state), draw_seed(random_state)
        student = clone_seeded(student, random_state)

        accepted = get_tags(self).input_tags
        X = check_table(self, X, reset=True, accept_sparse=accepted.sparse)
        weights = check_weights(sample_weight, X)
        y = check_labels(y, X)
        if X_unlabeled is not None:
            X_unlabeled = self._check_rows(X_unlabeled)
        classes = self._classes(X, y)

        self._say(f"fitting {type(teacher).__name__} and reading its log-odds")
        sampler = self._sampler(X, student)
        # What has no effect on the labels is no reason to miss the cache.
        cv = None if is_frozen(teacher) else cv
        pool = (sampler, X_unlabeled, None if sampler is None else seed)
        label = self._cached(label_rows, sampler)
        labelling = label(
            teacher, X, y, classes, cv, weights, *pool, n_jobs=self.n_jobs
        )
        labels = encode_labels(y, classes)
        rows = LabelledRows(X, labels, classes, weights, labelling, 1.0)
        rows = self._calibrated(rows)
        X, targets, weights = rows.targets(self.temperature, self.alpha)
        self._say(f"fitting {type(student).__name__} to {len(targets)} rows")
        self.student_ = fit_with_weights(student, X, targets, weights)
        self.teacher_ = labelling.teacher
        self.classes_ = classes
        self.calibration_temperature_ = rows.calibration_temperature
        return self

    def predict_proba(self, X):
        """Class probabilities of the student.

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
        return self.student_.predict_proba(self._check_rows(X))

    def predict_log_proba(self, X):
        """Natural logarithms of the student's class probabilities.

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
        return self.student_.predict_log_proba(self._check_rows(X))

    def predict(self, X):
        """Most probable class of each row, by the student.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        return most_probable(self, X)

    def _student(self):
        student = MLPStudentClassifier() if self.student is None else self.student
        return as_student(student)

    def _check_parameters(self):
        """Return the student; raise if a parameter is out of range."""
        self._check_ranges()
        student = self._check_road()
        if not any(hasattr(self.teacher, m) for m in _OUTPUTS):
            raise TypeError(
                f"Got the teacher {type(self.teacher).__name__}, which has neither "
                "predict_proba nor decision_function, but expected a classifier that "
                "says how sure it is."
            )
        return student

    def _check_ranges(self):
        check_temperature(self.temperature)
        check_alpha(self.alpha)

    def _classes(self, X, y):
        """Classes of the columns: those of y, or all that a frozen teacher knows."""
        if not is_frozen(self.teacher):
            return distinct_labels(y)
        classes = check_is_classifier(self.teacher)
        check_column_names(self.teacher, X)
        unknown = sorted(set(y.tolist()) - set(classes.tolist()))
        if unknown:
            raise ValueError(
                f"Got the labels {unknown} in y, but the frozen teacher knows only "
                f"{classes.tolist()}."
            )
        return classes

    def _calibrated(self, rows):
        """Return the rows with the temperature that calibrates the teacher."""
        weights = rows.held_out_weights
        if not self.calibrate or not weights.any():
            return rows
        labelling = rows.labelling
        temperature = calibration_temperature(labelling.logits, rows.labels, weights)
        if is_frozen(labelling.teacher) and temperature < SUSPICIOUS_TEMPERATURE:
            warnings.warn(
                "The frozen teacher seems to have been fitted on the rows given to "
                f"fit (its calibration temperature on them is {temperature:.2g}), so "
                "its log-odds are used as they are. Give rows that it has not seen.",
                UserWarning,
                stacklevel=4,
            )
            return rows
        return replace(rows, calibration_temperature=temperature)


_OUTPUTS = ("predict_proba", "decision_function")
