"""The road from a teacher that predicts numbers to its student."""

import warnings

import numpy as np
from sklearn.base import RegressorMixin, is_regressor
from sklearn.model_selection import KFold
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ._columns import concatenate_rows
from ._distilled_base import BaseDistilled, fit_student
from ._fitting import is_frozen, last_step
from ._labelled import with_pool
from ._progress import Progress
from ._regression_targets import RegressionTargets
from ._validation import check_numbers
from .losses._numpy import check_alpha
from .losses._regression import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss
from .students import MLPStudentRegressor, as_student_regressor
from .students._mlp_regressor import check_loss
from .teachers import blended_predictions, predict_rows
from .teachers._residuals import huber_loss, quantile_loss

BY_HEART = 1e-6
"""A prediction as near to y as this share of the standard deviation of y is a copy."""


class DistilledRegressor(RegressorMixin, BaseDistilled):
    r"""Fit a teacher that predicts numbers, and predict with the student alone.

    The teacher's predictions :math:`t`, held out and in part its own on the rows that
    it was fitted on (see `skdistill.teachers.blended_predictions`), and the true
    values :math:`y` become the student's `RegressionTargets`. The teacher also
    predicts new rows that an augmenter makes, which have no y. The student's outputs
    :math:`z` minimise the weighted mean of

    .. math::
        \alpha\, \ell(t, z) + (1 - \alpha)\, \ell(y, z).

    With squared error this is, up to a constant, the squared error beside
    :math:`\alpha t + (1 - \alpha) y`, and any regressor can be the student.

    Parameters
    ----------
    teacher : estimator
        Any regressor. It is cloned and fitted; wrap a fitted one in
        `sklearn.frozen.FrozenEstimator` to use it as it is. The rows given to `fit`
        should then be rows that it was not fitted on.
    student : estimator, default=None
        A student of `skdistill.students` that predicts numbers, any regressor, or a
        pipeline that ends in one of them, see
        `skdistill.students.as_student_regressor`. ``None`` means
        ``MLPStudentRegressor()``.
    alpha : float, default=1.0
        Share of the teacher in the objective, in [0, 1]; the rest are true values.
    loss : {"squared", "huber", "quantile", "poisson"}, default="squared"
        :math:`\ell`, see `skdistill.losses`:

        - ``"squared"``: the student predicts means.
        - ``"huber"``: squared error for small errors, absolute for large ones, so that
          outliers in y count less. A foreign regressor must have a Huber loss itself.
        - ``"quantile"``: the pinball loss. The teacher predicts the quantile
          `quantile`, and so does the student. A foreign regressor must do so itself,
          or minimise squared error with ``alpha=1``.
        - ``"poisson"``: for counts and other targets that are not negative. The
          student gives the logarithm of its prediction, which so is positive, and
          minimises the Poisson deviance; a regressor that does not do so by itself is
          fitted to the logarithms.
    quantile : float, default=0.5
        Which quantile, in (0, 1), with ``loss="quantile"``.
    epsilon : float, default=1.35
        From what distance on ``loss="huber"`` is linear, in units of the normalised
        median absolute error of the teacher on held-out rows.
    cv : int, splitter or None, default=5
        How the teacher's out-of-fold predictions are made. An integer means that many
        shuffled folds. ``None``: the teacher predicts the very rows it was fitted on,
        where those of a boosted teacher or a forest are close to y itself. Not used
        with a frozen teacher.
    student_columns : list of str, list of int, mask, callable or None, default=None
        The columns that the student sees, as in `DistilledClassifier`. ``None``: all.
    augmenter : sampler of `skdistill.augmentation`, "auto" or None, default="auto"
        Makes more rows for the teacher to predict, five for each training row, at
        least 30,000 and at most 500,000 rows or 50 million cells (or as many as there
        are). Together they weigh as much as the training rows. ``"auto"`` means
        ``Munge()``, but ``None`` for sparse tables and for students that take no
        weights.
    memory : str or joblib.Memory, default=None
        Cache of everything up to the predictions, as in `sklearn.pipeline.Pipeline`: a
        search over `alpha`, `loss` or any parameter of the student fits the teacher
        once for each training part. Give an integer `random_state` with it: without,
        folds and new rows differ in each fit.
    n_jobs : int, default=None
        How many folds are fitted at once; ``None`` means 1. Mind the threads of the
        teacher itself.
    random_state : int, RandomState or None, default=None
        Seeds the folds, and those seeds of teacher and student that are ``None``.
    verbose : int, default=0
        As in `DistilledClassifier`.

    Attributes
    ----------
    teacher_ : estimator
        The teacher, fitted on all rows.
    student_ : estimator
        The fitted student, which makes all predictions.
    loss_ : loss of `skdistill.losses`
        What was minimised, in the units of y.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.
    augmenter_ : sampler of `skdistill.augmentation`, or None
        What made new rows; says what ``"auto"`` has come to.
    student_columns_ : ndarray of int of shape (n_student_columns,), or None
        Positions of the student's columns in the training table; ``None``: all.

    See Also
    --------
    DistilledClassifier : The same for classes.

    Notes
    -----
    Cross-validating a model with a frozen teacher scores it on rows that the teacher
    may have been fitted on. Use an unfrozen teacher for an honest estimate.

    References
    ----------
    J. Ba, R. Caruana. "Do Deep Nets Really Need to be Deep?", NeurIPS 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skdistill import DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(
    ...     RandomForestRegressor(), DecisionTreeRegressor(max_depth=5), random_state=0
    ... )
    >>> bool(model.fit(X, y).score(X, y) > 0.4)
    True
    """

    _folds = KFold
    # Groups are the splitter's: where it asks for none, nobody takes them.
    __metadata_request__fit = {"groups": UNUSED}

    def __init__(
        self,
        teacher,
        student=None,
        *,
        alpha=1.0,
        loss="squared",
        quantile=0.5,
        epsilon=1.35,
        cv=5,
        student_columns=None,
        augmenter="auto",
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.teacher = teacher
        self.student = student
        self.alpha = alpha
        self.loss = loss
        self.quantile = quantile
        self.epsilon = epsilon
        self.cv = cv
        self.student_columns = student_columns
        self.augmenter = augmenter
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self, X, y, sample_weight=None, X_unlabeled=None, groups=None, **fit_params
    ):
        """Fit the teacher, ask it about every row, and fit the student to that.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows. Frames reach teacher and student untouched.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for teacher and student. A row of weight
            0 is left out.
        X_unlabeled : array-like or frame of shape (n_unlabeled, n_features), \
                default=None
            Real rows without y, for the teacher to predict. With those of the
            augmenter they weigh as much as the training rows. In a cross-validation
            they must not hold test rows.
        groups : array-like of shape (n_samples,), default=None
            Groups of the rows, for the splitter: no teacher predicts a row of a group
            that it has met, if the splitter is made for groups. An integer `cv` then
            means that many shuffled folds of ``GroupKFold``.
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
            If teacher or student is no regressor, the student cannot minimise the
            loss, or nobody takes one of `fit_params`.
        ValueError
            If input or a parameter is not as described, weights are given that teacher
            or student cannot take, or groups although nothing is split.
        """
        task = self._read(X, y, sample_weight, X_unlabeled, groups, fit_params)
        progress = Progress(self.verbose)
        found = self._predictions(task, progress)
        self._warn_of_copies(found, task.y)
        X, targets, weights = self._targets(task, found)
        X = task.of_student(X)
        self.student_ = fit_student(task.student, X, targets, weights, progress)
        self.student_columns_ = task.columns
        self.teacher_ = found.teacher
        self.augmenter_ = self._sampler(task.X, task.student)
        self.loss_ = targets.loss
        return self

    def predict(self, X):
        """Predict numbers, by the student.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to predict. With `student_columns` its columns are enough.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Two-dimensional if there are several outputs.
        """
        check_is_fitted(self)
        return self.student_.predict(self._student_rows(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = [get_tags(e).target_tags for e in (self.teacher, self._student())]
        tags.target_tags.multi_output = all(tag.multi_output for tag in inner)
        tags.target_tags.positive_only = self.loss == "poisson" or any(
            tag.positive_only for tag in inner
        )
        return tags

    def _student(self):
        student = MLPStudentRegressor() if self.student is None else self.student
        return as_student_regressor(student)

    def _check_parameters(self):
        """Return the student; raise if a parameter is out of range."""
        check_alpha(self.alpha)
        check_loss(self.loss, self.quantile, self.epsilon)
        student = self._check_road()
        if not is_regressor(self.teacher):
            raise TypeError(
                f"Got the teacher {type(self.teacher).__name__}, but expected a "
                "regressor."
            )
        loss = LOSSES[self.loss]
        if self.loss == "quantile":
            loss = QuantileLoss(self.quantile)
        last_step(student).check_objective(loss, self.alpha)
        return student

    def _check_y(self, y, X):
        multi_output = get_tags(self).target_tags.multi_output
        shape = np.asarray(y).shape
        if not multi_output and len(shape) == 2 and shape[1] > 1:
            raise ValueError(
                f"Got y of shape {shape}, but expected a 1d array: the teacher or the "
                "student predicts one number. Wrap such a teacher in "
                "sklearn.multioutput.MultiOutputRegressor, and hand over the regressor "
                "itself, such as LGBMRegressor, as the student."
            )
        y = check_numbers(y, X, multi_output=multi_output)
        LOSSES[self.loss].check_targets(y, y)
        return y

    def _predictions(self, task, progress):
        """What the teacher predicts of rows and a pool, perhaps from the cache."""
        sampler = self._sampler(task.X, task.student)
        predict = self._cached(predict_rows, sampler)
        return predict(
            task.teacher,
            task.X,
            task.y,
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

    def _targets(self, task, found):
        """Rows, targets and weights for the student, the pool at their end."""
        X, y, weights = task.X, task.y, task.metadata.student_weight
        row_weights = task.metadata.sample_weight
        if row_weights is None:
            row_weights = np.ones(len(y))
        held_out_weights = found.is_held_out * row_weights
        some_weights = held_out_weights if held_out_weights.any() else row_weights
        loss = self._make_loss(found, y, some_weights)
        predictions = blended_predictions(found, y, held_out_weights, loss)
        if found.pool is not None:
            predictions = np.concatenate([predictions, found.of_pool])
            y = np.concatenate([y, np.full_like(found.of_pool, np.nan)])
            weights = with_pool(weights, len(row_weights), len(found.of_pool))
            X = concatenate_rows(X, found.pool)
        return X, RegressionTargets(predictions, y, self.alpha, loss), weights

    def _make_loss(self, found, y, weights):
        values, held_out = (a.reshape(len(a), -1) for a in (y, found.held_out))
        if self.loss == "huber":
            return huber_loss(self.epsilon, held_out, values, weights)
        if self.loss == "quantile":
            return quantile_loss(self.quantile, held_out, values, weights)
        return LOSSES[self.loss]

    def _warn_of_copies(self, found, y):
        """Warn if a frozen teacher knows y of most rows to the last digit."""
        if not is_frozen(found.teacher) or not np.ptp(y):
            return
        near = BY_HEART * y.std(axis=0)
        if (np.abs(found.own - y) <= near).mean() > 0.5:
            warnings.warn(
                "The frozen teacher seems to have been fitted on the rows given to "
                "fit (it predicts most of y to six digits). Give rows that it has not "
                "seen.",
                UserWarning,
                stacklevel=3,
            )


LOSSES = {
    "squared": SquaredLoss(),
    "huber": HuberLoss(1.0),
    "quantile": QuantileLoss(),
    "poisson": PoissonLoss(),
}
"""The losses by name; some need what the teacher's errors say."""
