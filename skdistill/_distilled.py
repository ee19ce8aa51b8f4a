"""The road from a teacher to a student, each stage one line."""

import warnings
from dataclasses import replace

from sklearn.base import ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ._distilled_base import BaseDistilled, fit_student
from ._fitting import is_frozen
from ._labelled import LabelledRows, has_met_rows
from ._log_odds import check_column_names, check_is_classifier
from ._parameters import check_boolean, check_number, is_auto
from ._progress import Progress
from ._validation import (
    check_labels,
    distinct_labels,
)
from .losses._numpy import check_alpha, check_temperature
from .students import MLPStudentClassifier, as_student
from .students._base import most_probable
from .targets import encode_labels
from .teachers import (
    TeacherEnsemble,
    calibration_temperature,
    label_rows,
    undo_prior_shift,
)
from .teachers._correction import SQUARED_ERROR


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
        to `fit` should then be rows that it was not fitted on. Several teachers are a
        `skdistill.teachers.TeacherEnsemble`.
    student : estimator, default=None
        A student of `skdistill.students`, a skorch ``NeuralNet``, a classifier that
        takes `sample_weight`, a regressor (fitted on log-odds), or a pipeline that
        ends in one of them, see `skdistill.students.as_student`. ``None`` means
        ``MLPStudentClassifier()``.
    temperature : float, default=1.0
        :math:`T > 0`. Larger values make the student look at the classes that the
        teacher finds unlikely.
    alpha : float or "auto", default="auto"
        Share of the teacher in the objective, in [0, 1]; the rest are the labels.
        ``"auto"``: the less, the more of the log-loss of the class frequencies the
        calibrated teacher takes away on held-out rows, .95 up to a share of .55 (and
        where there are none, or of one class), .2 from .7 on.
    cv : int, splitter or None, default=5
        How the teacher's out-of-fold log-odds are made. An integer means that many
        shuffled stratified folds. ``None``: the teacher labels the very rows it was
        fitted on, where the log-odds of a boosted teacher are close to the labels in
        disguise. Not used with a frozen teacher.
    calibrate : bool, default=True
        Whether to divide the teacher's log-odds by the one temperature that minimises
        the log-loss of the held-out ones. With ``cv=None`` there are none, and
        nothing is divided.
    prior_correction : bool, default=False
        Whether to undo what `class_weight`, `scale_pos_weight` or resampling have done
        to the teacher's class frequencies, by one constant for each class that is
        found on held-out rows, see `skdistill.teachers.prior_shift`. Weights handed to
        `fit` must then be those of the population.
    correction : bool or float, default=False
        Whether to move the held-out log-odds towards the labels, where these tell more
        than the teacher, in place of blending them with its own: the semiparametric
        correction of Dao et al., see `skdistill.teachers.corrected_log_odds`. Meant for
        teachers that underfit; a number is their squared error, the larger the worse
        they are. ``True``: 0.03. Needs held-out rows.
    student_columns : list of str, list of int, mask, callable or None, default=None
        The columns that the student sees, where the teacher may see others that there
        will be none of when the student scores: names, positions or a mask, or a
        function of the training table that returns one of these, such as what
        `sklearn.compose.make_column_selector` makes. ``None``: all columns. The fitted
        model then scores tables with or without the other columns: frames by the names
        of their columns, in any order, arrays with all columns of the training table or
        those of the student, in the order in which they are listed here.
    augmenter : sampler of `skdistill.augmentation`, "auto" or None, default="auto"
        Makes more rows for the teacher to label, five for each training row, at least
        30,000 and at most 500,000 rows or 50 million cells (or as many as there are).
        Of a table of up to 2,000 rows the teachers of the folds label them as well,
        and the student learns a blend with their mean, see
        `skdistill.teachers.label_rows`. Together they weigh as much as the training
        rows. ``"auto"`` means ``Munge()``, but ``MarginalSwap()`` for a
        `MLPStudentClassifier` where the calibrated teacher takes away less than half
        of the log-loss of the class frequencies on held-out rows, and ``None`` for
        sparse tables and for students that take no weights.
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
        Above 0, how far each stage is, and the student, is told on standard error: as
        bars on a terminal with tqdm, else as lines.

    Attributes
    ----------
    teacher_ : estimator
        The teacher, fitted on all rows.
    student_ : estimator
        The fitted student, which makes all predictions.
    classes_ : ndarray of shape (n_classes,)
        Class labels; of a frozen teacher, all that it knows.
    class_prior_ : ndarray of shape (n_classes,)
        Their frequencies in the training rows, by the weights of these.
    alpha_ : float
        What `alpha` came to.
    calibration_temperature_ : float
        What the teacher's log-odds were divided by; 1 without calibration.
    augmenter_ : sampler of `skdistill.augmentation`, or None
        What made new rows; says what ``"auto"`` has come to.
    n_features_in_ : int
        Number of columns of the training table, those of the teacher alone among them;
        `student_` has the number and the names of its own.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.
    student_columns_ : ndarray of int of shape (n_student_columns,), or None
        Positions of the student's columns in the training table; ``None``: all.

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
    _group_folds = StratifiedGroupKFold

    # Groups are the splitter's: where it asks for none, nobody takes them.
    __metadata_request__fit = {"groups": UNUSED}

    def __init__(
        self,
        teacher,
        student=None,
        *,
        temperature=1.0,
        alpha="auto",
        cv=5,
        calibrate=True,
        prior_correction=False,
        correction=False,
        student_columns=None,
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
        self.prior_correction = prior_correction
        self.correction = correction
        self.student_columns = student_columns
        self.augmenter = augmenter
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self, X, y, sample_weight=None, X_unlabeled=None, groups=None, **fit_params
    ):
        """Fit the teacher, read its log-odds, and fit the student to them.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows. Frames reach teacher and student untouched.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for teacher, calibration and student. A
            row of weight 0 is left out.
        X_unlabeled : array-like or frame of shape (n_unlabeled, n_features), \
                default=None
            Real rows without labels, for the teacher to label. With those of the
            augmenter they weigh as much as the training rows. In a cross-validation
            they must not hold test rows.
        groups : array-like of shape (n_samples,), default=None
            Groups of the rows, for the splitter: no teacher labels a row of a group
            that it has met, if the splitter is made for groups. An integer `cv` then
            means that many shuffled folds of ``StratifiedGroupKFold``.
        **fit_params : dict
            Other metadata for teacher and splitter. Needs scikit-learn's metadata
            routing, with which `sample_weight`, `groups` and these go to those who
            request them.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        TypeError
            If the teacher has no output to distil, there is no way to train the
            student on soft targets, or nobody takes one of `fit_params`.
        ValueError
            If input or a parameter is not as described, a frozen teacher does not
            know a label, weights are given that teacher or student cannot take, or
            groups although nothing is split.
        """
        task = self._read(X, y, sample_weight, X_unlabeled, groups, fit_params)
        progress = Progress(self.verbose)
        labelling = self._label(task, progress)
        rows = self._labelled(task, labelling)
        self._teach(task, rows, self.temperature, self.alpha, progress)
        return self

    def predict_proba(self, X):
        """Class probabilities of the student.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score. With `student_columns` its columns are enough.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.student_.predict_proba(self._student_rows(X))

    def predict_log_proba(self, X):
        """Natural logarithms of the student's class probabilities.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score. With `student_columns` its columns are enough.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.student_.predict_log_proba(self._student_rows(X))

    def predict(self, X):
        """Most probable class of each row, by the student.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score. With `student_columns` its columns are enough.

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
        check_boolean("calibrate", self.calibrate)
        check_boolean("prior_correction", self.prior_correction)
        student = self._check_road()
        if self.prior_correction and self.cv is None and not is_frozen(self.teacher):
            raise ValueError(
                "Got prior_correction=True with cv=None, but expected folds: where a "
                "teacher was fitted, its class frequencies are those of the labels."
            )
        self._squared_error()
        # Stacking's own final estimator, where none is given, has probabilities.
        stacks = getattr(self.teacher, "final_estimator", self) is None
        if not (stacks or any(hasattr(self.teacher, m) for m in _OUTPUTS)):
            raise TypeError(
                f"Got the teacher {type(self.teacher).__name__}, which has neither "
                "predict_proba nor decision_function, but expected a classifier that "
                "says how sure it is."
            )
        return student

    def _check_ranges(self):
        check_temperature(self.temperature)
        check_share(self.alpha)

    def _read(self, X, y, sample_weight, X_unlabeled, groups, fit_params):
        given = sample_weight, X_unlabeled, groups, fit_params
        task = super()._read(X, y, *given)
        # Rows of weight 0 are left out, and with them perhaps the last of a class.
        y = check_labels(task.y, task.X)
        classes = self._classes(task.X, y)
        return replace(task, y=y, labels=encode_labels(y, classes), classes=classes)

    def _check_y(self, y, X):
        return check_labels(y, X)

    def _label(self, task, progress):
        """Labelling of the rows and of a pool, from the cache if it is there."""
        sampler = self._sampler(task.X, task.student)
        # What has no effect on the labels is no reason to miss the cache.
        label = self._cached(label_rows, sampler)
        return label(
            task.teacher,
            task.X,
            task.y,
            task.classes,
            None if is_frozen(task.teacher) else task.cv,
            task.metadata.teacher_weight,
            sampler,
            task.X_unlabeled,
            None if sampler is None else task.seed,
            n_jobs=self.n_jobs,
            fit_params=task.metadata.teacher_params,
            split_params=task.metadata.split_params,
            progress=progress,
        )

    def _labelled(self, task, labelling):
        """Return the rows with what their teacher says, as sure as it should be."""
        rows = LabelledRows(
            task.X,
            task.labels,
            task.classes,
            task.metadata.sample_weight,
            labelling,
            1.0,
            task.metadata.student_weight,
            self._squared_error(),
        )
        return self._calibrated(rows)

    def _teach(self, task, rows, temperature, alpha, progress):
        """Fit the student, and remember what it was fitted to."""
        X, targets, weights = rows.targets(temperature, alpha)
        self.alpha_ = targets.alpha
        X = task.of_student(X)
        self.student_ = fit_student(task.student, X, targets, weights, progress)
        self.student_columns_ = task.columns
        self.teacher_ = rows.labelling.teacher
        self.classes_ = rows.classes
        self.class_prior_ = rows.class_frequencies
        self.calibration_temperature_ = rows.calibration_temperature
        self.augmenter_ = rows.labelling.augmenter

    def _squared_error(self):
        """Squared error of the teacher for the correction, None without one."""
        if self.correction is False:
            return None
        if self.cv is None and not is_frozen(self.teacher):
            raise ValueError(
                f"Got correction={self.correction!r} with cv=None, but expected folds: "
                "log-odds that know the labels cannot be corrected by them."
            )
        if self.correction is True:
            return SQUARED_ERROR
        check_number("correction", self.correction, 0, above=True)
        return float(self.correction)

    def _classes(self, X, y):
        """Classes of the columns: those of y, and all that frozen teachers know."""
        if isinstance(self.teacher, TeacherEnsemble):
            return self.teacher.all_classes(y)
        if not is_frozen(self.teacher):
            return distinct_labels(y)
        # Sorted, as scikit-learn's scorers take those of every classifier to be.
        classes = distinct_labels(check_is_classifier(self.teacher))
        check_column_names(self.teacher, X)
        unknown = sorted(set(y.tolist()) - set(classes.tolist()))
        if unknown:
            raise ValueError(
                f"Got the labels {unknown} in y, but the frozen teacher knows only "
                f"{classes.tolist()}."
            )
        return classes

    def _calibrated(self, rows):
        """Return the rows with a teacher made as sure as it should be."""
        weights = rows.held_out_weights
        if self.prior_correction:
            labelling = undo_prior_shift(rows.labelling, rows.labels, weights)
            rows = replace(rows, labelling=labelling)
        if not self.calibrate or not weights.any():
            return rows
        labelling = rows.labelling
        temperature = calibration_temperature(labelling.logits, rows.labels, weights)
        if has_met_rows(labelling.teacher, temperature):
            warnings.warn(
                "The frozen teacher seems to have been fitted on the rows given to "
                f"fit (its calibration temperature on them is {temperature:.2g}), so "
                "its log-odds are used as they are. Give rows that it has not seen.",
                UserWarning,
                stacklevel=4,
            )
            return rows
        return replace(rows, calibration_temperature=temperature)


def check_share(alpha):
    """Raise ValueError unless `alpha` is a share of the teacher, or "auto"."""
    if is_auto(alpha):
        return
    if isinstance(alpha, str) or alpha is None:
        raise ValueError(
            f"Got alpha={alpha!r}, but expected a number in [0, 1] or 'auto'."
        )
    check_alpha(alpha)


_OUTPUTS = ("predict_proba", "decision_function")
