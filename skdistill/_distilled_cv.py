"""A distilled classifier that chooses temperature and alpha by cross-validation."""

import inspect
import time
from dataclasses import replace

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils.parallel import Parallel, delayed

from ._distilled import DistilledClassifier, check_share
from ._distilled_base import draw_seed
from ._fitting import (
    fit_with_weights,
    is_frozen,
    last_step,
    positions,
    routing_is_enabled,
)
from ._progress import Progress
from .losses._numpy import check_temperature
from .targets import encode_labels
from .teachers._fold_labelling import label_folds

FEWEST_FOLDS = 3
"""Teachers are fitted without two of the folds, and need rows."""


class DistilledClassifierCV(DistilledClassifier):
    r"""A `DistilledClassifier` that searches temperature and alpha, and refits.

    Scores the student of every temperature and alpha on folds that neither it nor its
    teachers have seen, and fits one of the best to all rows. The rows are labelled
    once, whatever the number of candidates.

    Parameters
    ----------
    teacher : estimator
        As in `DistilledClassifier`.
    student : estimator, default=None
        As in `DistilledClassifier`; ``None`` means ``MLPStudentClassifier()``.
    temperatures : sequence of float, default=(1.0, 2.0, 4.0)
        Candidates for the temperature :math:`T > 0`.
    alphas : sequence of float or "auto", default=(0.2, 0.5, 0.95)
        Candidates for the share of the teacher in the objective, in [0, 1].
    cv : int or splitter, default=5
        Folds to score students on, at least three, with each row in exactly one.
        Teachers label by the same folds. An integer means that many shuffled folds,
        stratified by class, and kept together by group if there are groups.
    scoring : str, callable or None, default="neg_log_loss"
        What candidates are chosen by, as in `sklearn.model_selection.GridSearchCV`:
        a name, or ``scoring(student, X, y)`` that returns a number, the higher the
        better. ``None``: the student's own ``score``, which is its accuracy. Weights
        of the rows count in it.
    refit : bool, default=True
        Whether to fit teacher and student to all rows with the best candidate.
        Without, there are no predictions.
    calibrate : bool, default=True
        As in `DistilledClassifier`.
    prior_correction : bool, default=False
        As in `DistilledClassifier`.
    correction : bool or float, default=False
        As in `DistilledClassifier`.
    student_columns : list of str, list of int, mask, callable or None, default=None
        As in `DistilledClassifier`.
    augmenter : sampler of `skdistill.augmentation`, "auto" or None, default="auto"
        As in `DistilledClassifier`. The new rows of a fold are made of the rows
        outside it.
    memory : str or joblib.Memory, default=None
        Cache of the labels, as in `DistilledClassifier`: fitted again with other
        candidates, another student or another `scoring`, no teacher is fitted.
    n_jobs : int, default=None
        How many teachers, then how many students (each of one fold and candidate)
        are fitted at once; ``None`` means 1.
    random_state : int, RandomState or None, default=None
        Seeds the folds, and those seeds of teacher and student that are ``None``.
    verbose : int, default=0
        As in `DistilledClassifier`.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        As in `sklearn.model_selection.GridSearchCV`, with a candidate in each row:
        ``params``, ``param_temperature``, ``param_alpha``, ``split0_test_score``, ...,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, and the seconds
        ``mean_fit_time``, ``std_fit_time``, ``mean_score_time``, ``std_score_time``
        of the students alone.
    best_params_ : dict
        The candidate of the best mean score.
    best_score_ : float
        Its mean score.
    best_index_ : int
        Its row in `cv_results_`.
    temperature_, alpha_ : float
        Those of `best_params_`; with `refit` what ``"auto"`` came to.
    n_splits_ : int
        Number of folds.
    teacher_ : estimator
        The teacher, fitted on all rows.
    student_ : estimator
        The fitted student, which makes all predictions.
    classes_ : ndarray of shape (n_classes,)
        Class labels; of a frozen teacher, all that it knows.
    class_prior_ : ndarray of shape (n_classes,)
        Their frequencies in the training rows, by the weights of these.
    calibration_temperature_ : float
        What the teacher's log-odds were divided by; 1 without calibration.
    augmenter_ : sampler of `skdistill.augmentation`, or None
        What made new rows; says what ``"auto"`` has come to.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.
    student_columns_ : ndarray of int of shape (n_student_columns,), or None
        Positions of the student's columns in the training table; ``None``: all.

    See Also
    --------
    skdistill.inspection.compare_students : Whether to distil at all.

    Notes
    -----
    The student of fold :math:`k` is scored on the rows of fold :math:`k`, and must not
    know their labels from its teacher. It is therefore labelled by teachers that were
    fitted without fold :math:`k`: its held-out log-odds in fold :math:`j` come from
    one that was fitted without both, which serves the student of fold :math:`j` too.
    With :math:`K` folds that takes :math:`1 + K + K (K - 1) / 2` teachers, 16 for five
    folds. A `GridSearchCV` of `DistilledClassifier` fits 36 with `memory`, and 606
    without it for 20 candidates. The scores are those of a nested cross-validation
    whose inner folds are the other outer ones.

    The :math:`K + 1` teachers of one `DistilledClassifier` would do if the student of
    fold :math:`k` took its log-odds in fold :math:`j` from the teacher that was fitted
    without fold :math:`j` alone. That leaks: on 2,000 rows of Adult and Magic, with
    boosted and forest teachers and a tree of 64 leaves as student, the log-loss of the
    best of 12 candidates came out 0.020 to 0.036 nats lower than with nested labels,
    more than the good candidates differ by, and what distilling gains two fifths too
    large. By pairs of folds it agreed with nested labels within 0.009.

    The score of the best of many candidates is a little too good, as in every search.
    A frozen teacher may have been fitted on the rows: nothing here can tell.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifierCV
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = DistilledClassifierCV(
    ...     RandomForestClassifier(20),
    ...     TreeStudentClassifier(max_leaf_nodes=8),
    ...     temperatures=[1, 3],
    ...     alphas=[0.5, 1.0],
    ...     cv=3,
    ...     augmenter=None,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> sorted(model.best_params_)
    ['alpha', 'temperature']
    >>> model.cv_results_["mean_test_score"].shape
    (4,)
    """

    def __init__(
        self,
        teacher,
        student=None,
        *,
        temperatures=(1.0, 2.0, 4.0),
        alphas=(0.2, 0.5, 0.95),
        cv=5,
        scoring="neg_log_loss",
        refit=True,
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
        self.temperatures = temperatures
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
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
        """Label the rows, score every candidate on every fold, and fit the best.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows. Frames reach teacher and student untouched.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows, for teacher, calibration, student and
            score.
        X_unlabeled : array-like or frame of shape (n_unlabeled, n_features), \
                default=None
            Real rows without labels, for the teacher to label.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, for the splitter.
        **fit_params : dict
            As in `DistilledClassifier`.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        TypeError
            If the teacher has no output to distil, or there is no way to train the
            student on soft targets, or `scoring` is no single score.
        ValueError
            If input or a parameter is not as described, a frozen teacher does not
            know a label, weights are given that teacher, student or score cannot
            take, or a score is no number.
        """
        task = self._read(X, y, sample_weight, X_unlabeled, groups, fit_params)
        candidates = self._candidates()
        splits = self._splits(task)
        scorer = self._scorer(task.student, task.metadata.sample_weight)
        progress = Progress(self.verbose)
        folds, _, whole = self._label_folds(task, splits, progress)
        stage = f"scoring {len(candidates)} candidates on {len(splits)} folds"
        with progress.stage(stage):
            self._search(task, candidates, scorer, splits, folds)
        for name in _REFITTED:
            # Of an earlier fit, on other rows perhaps.
            self.__dict__.pop(name, None)
        if self.refit:
            rows = self._labelled(task, whole)
            self._teach(task, rows, **self.best_params_, progress=progress)
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "student_")

    def _check_ranges(self):
        for name, values, check in (
            ("temperatures", self.temperatures, check_temperature),
            ("alphas", self.alphas, check_share),
        ):
            if np.ndim(values) != 1 or not len(values):
                raise ValueError(
                    f"Got {name}={values!r}, but expected a sequence of at least one "
                    "number."
                )
            for value in values:
                check(value)

    def _candidates(self):
        grid = {"temperature": list(self.temperatures), "alpha": list(self.alphas)}
        return list(ParameterGrid(grid))

    def _splitter(self, random_state, groups=None):
        if self.cv is None:
            raise ValueError("Got cv=None, but expected an integer or a splitter.")
        if not self._has_integer_cv():
            return self.cv
        folds = self._folds if groups is None else self._group_folds
        return folds(self.cv, shuffle=True, random_state=draw_seed(random_state))

    def _splits_rows(self):
        # Of a frozen teacher the students still have folds.
        return True

    def _splits(self, task):
        splits = check_cv(task.cv, task.y, classifier=True)
        splits = list(splits.split(task.X, task.y, **task.metadata.split_params))
        splits = [(positions(train), positions(test)) for train, test in splits]
        covered = np.concatenate([test for _, test in splits])
        exactly_once = np.array_equal(np.sort(covered), np.arange(len(task.y)))
        if len(splits) < FEWEST_FOLDS or not exactly_once:
            raise ValueError(
                f"Got cv={self.cv!r} with {len(splits)} folds, but expected at least "
                f"{FEWEST_FOLDS} that hold every row exactly once, as KFold, "
                "StratifiedKFold or GroupKFold make them."
            )
        fitted = not is_frozen(task.teacher)
        if fitted and any(np.ptp(task.labels[train]) == 0 for train, _ in splits):
            raise ValueError(
                f"Got cv={self.cv!r}, which leaves a single class outside a fold, but "
                "expected at least two for the teacher: use StratifiedKFold."
            )
        return splits

    def _label_folds(self, task, splits, progress):
        sampler = self._sampler(task.X, task.student)
        label = self._cached(label_folds, sampler)
        return label(
            task.teacher,
            task.X,
            task.y,
            task.classes,
            splits,
            task.metadata.teacher_weight,
            sampler,
            task.X_unlabeled,
            None if sampler is None else task.seed,
            whole=bool(self.refit),
            n_jobs=self.n_jobs,
            fit_params=task.metadata.teacher_params,
            progress=progress,
        )

    def _scorer(self, student, weights):
        if isinstance(self.scoring, str) and self.scoring == "neg_log_loss":
            return negative_log_loss
        if self.scoring is None:
            scorer, method = own_score, last_step(student).score
        elif isinstance(self.scoring, str) or callable(self.scoring):
            scorer = method = check_scoring(student, scoring=self.scoring)
        else:
            raise TypeError(
                f"Got scoring={self.scoring!r}, but expected one score to choose by: "
                "a name, a callable or None."
            )
        if weights is not None:
            parameters = inspect.signature(method).parameters
            if "sample_weight" not in parameters:
                raise ValueError(
                    f"Got sample_weight, but scoring={self.scoring!r} cannot take it: "
                    "use another one, or leave it out."
                )
        return scorer

    def _search(self, task, candidates, scorer, splits, folds):
        """Score all candidates on all folds, and set what that shows."""
        jobs = []
        for (train, test), labelling in zip(splits, folds, strict=True):
            # Candidates share the table: they differ in two numbers.
            rows = self._labelled(task.take(train), labelling)
            training = rows.targets(1.0, 1.0)
            held_out = task.take(test)
            training = task.of_student(training[0]), *training[1:]
            weights = held_out.metadata.sample_weight
            held_out = task.of_student(held_out.X), held_out.y, weights
            jobs += [
                delayed(fit_and_score)(
                    task.student,
                    training,
                    held_out,
                    scorer,
                    candidate | {"alpha": rows.resolved(candidate["alpha"])},
                )
                for candidate in candidates
            ]
        outcomes = np.array(Parallel(n_jobs=self.n_jobs)(jobs))
        outcomes = outcomes.reshape(len(splits), len(candidates), 3)
        if np.isnan(outcomes).any():
            raise ValueError(
                f"Got NaN from scoring={self.scoring!r}, but expected numbers."
            )
        self.cv_results_ = _tabulate(candidates, outcomes)
        self.best_index_ = int(self.cv_results_["rank_test_score"].argmin())
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self.best_params_ = candidates[self.best_index_]
        self.temperature_ = self.best_params_["temperature"]
        self.alpha_ = self.best_params_["alpha"]
        self.n_splits_ = len(splits)


_REFITTED = (
    "augmenter_",
    "calibration_temperature_",
    "class_prior_",
    "classes_",
    "student_",
    "student_columns_",
    "teacher_",
)
"""Attributes that there are with ``refit=True`` alone."""


def negative_log_loss(student, X, y, sample_weight=None):
    """Mean log-probability of the true classes, of which `y` may hold but some."""
    labels = encode_labels(y, student.classes_)
    log_p = student.predict_log_proba(X)[np.arange(len(labels)), labels]
    return float(np.average(log_p, weights=sample_weight))


def own_score(student, X, y, sample_weight=None):
    """What the student's method ``score`` says."""
    if sample_weight is None:
        return student.score(X, y)
    if routing_is_enabled():
        last_step(student).set_score_request(sample_weight=True)
    return student.score(X, y, sample_weight=sample_weight)


def fit_and_score(student, training, held_out, scorer, candidate):
    """Score of a candidate on a fold, and the seconds to fit and to score it."""
    X, targets, weights = training
    X_test, y_test, weights_test = held_out
    start = time.perf_counter()
    targets = replace(targets, **candidate) if candidate else targets
    fitted = fit_with_weights(clone(student), X, targets, weights)
    middle = time.perf_counter()
    options = {} if weights_test is None else {"sample_weight": weights_test}
    score = np.asarray(scorer(fitted, X_test, y_test, **options))
    if score.ndim or score.dtype.kind not in "biuf":
        raise ValueError(f"Got the score {score.tolist()!r}, but expected a number.")
    return float(score), middle - start, time.perf_counter() - middle


def _tabulate(candidates, outcomes):
    """Return outcomes in the form of scikit-learn's `cv_results_`."""
    scores, fit_times, score_times = np.moveaxis(outcomes, 2, 0)
    table = {}
    for name, times in (("fit", fit_times), ("score", score_times)):
        table[f"mean_{name}_time"] = times.mean(axis=0)
        table[f"std_{name}_time"] = times.std(axis=0)
    for name in candidates[0]:
        values = [candidate[name] for candidate in candidates]
        mixed = object if any(isinstance(v, str) for v in values) else None
        table[f"param_{name}"] = np.ma.array(values, dtype=mixed)
    table["params"] = candidates
    for k, fold in enumerate(scores):
        table[f"split{k}_test_score"] = fold
    mean = scores.mean(axis=0)
    table["mean_test_score"] = mean
    table["std_test_score"] = scores.std(axis=0)
    table["rank_test_score"] = rankdata(-mean, method="min").astype(np.int32)
    return table
