"""Whether distilling helps: the same students with labels and with soft targets."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.stats import t as student_t
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .._distilled_base import draw_seed
from .._distilled_cv import DistilledClassifierCV, fit_and_score
from .._fitting import clone_seeded
from .._metadata import leave_out_weightless, route
from .._parameters import check_integer, check_number, is_auto
from .._progress import Progress
from .._task import Task
from .._validation import check_groups, check_labels, check_table, check_weights
from ..losses._reference import log_softmax
from ..targets import SoftTargets, encode_labels

SOURCES = ("labels", "in-sample", "out-of-fold", "distilled")
"""What students are fitted to, in the order of `StudentComparison.scores`."""


@dataclass(frozen=True, eq=False)
class StudentComparison:
    """Scores of students fitted to labels and to soft targets, see `compare_students`.

    Scores are the higher the better. ``print`` shows a table and a verdict.

    Parameters
    ----------
    students : tuple of str
        Names of the students.
    sources : tuple of str
        What they were fitted to: ``"labels"``; ``"in-sample"``, the log-odds of the
        teacher on rows that it was fitted on; ``"out-of-fold"``, calibrated log-odds
        of teachers that were not; ``"distilled"``, what `DistilledClassifier` does.
    scores : ndarray of shape (n_students, n_sources, n_splits)
        Score of each student on each fold of each repetition.
    teacher_scores : ndarray of shape (n_splits,)
        Scores of the teachers.
    prior_scores : ndarray of shape (n_splits,)
        Scores of always predicting the class frequencies.
    gains : ndarray of shape (n_students, n_sources)
        Mean score minus that of the same student with labels.
    intervals : ndarray of shape (n_students, n_sources, 2)
        Confidence intervals of the gains.
    skill_intervals : ndarray of shape (n_students, 2)
        Of what distilled students score above the class frequencies.
    confidence : float
        Level of the intervals.
    scoring : str
        Name of the score.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.inspection import compare_students
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> comparison = compare_students(
    ...     RandomForestClassifier(20), TreeStudentClassifier(max_leaf_nodes=8),
    ...     X, y, cv=3, n_repeats=1, augmenter=None, random_state=0,
    ... )
    >>> comparison.scores.shape
    (1, 4, 3)
    >>> len(comparison.verdicts)
    1
    """

    students: tuple
    sources: tuple
    scores: np.ndarray
    teacher_scores: np.ndarray
    prior_scores: np.ndarray
    gains: np.ndarray
    intervals: np.ndarray
    skill_intervals: np.ndarray
    confidence: float
    scoring: str

    @property
    def verdicts(self):
        """A sentence for each student: whether distilling it helps."""
        return [self._verdict(i) for i in range(len(self.students))]

    def to_dict(self):
        """Return the figures as columns, a row for each student and source.

        Returns
        -------
        dict of str to list
            With the keys ``student``, ``source``, ``score``, ``gain``, ``lower`` and
            ``upper``; the last three are against labels, with the confidence
            interval.
        """
        rows = [
            (student, source, *map(float, figures))
            for i, student in enumerate(self.students)
            for source, *figures in zip(
                self.sources,
                self.scores[i].mean(axis=1),
                self.gains[i],
                *self.intervals[i].T,
                strict=True,
            )
        ]
        names = ("student", "source", "score", "gain", "lower", "upper")
        columns = zip(*rows, strict=True)
        return {name: list(v) for name, v in zip(names, columns, strict=True)}

    def to_frame(self):
        """Return the figures of `to_dict` as a frame.

        Returns
        -------
        pandas.DataFrame
            Needs pandas.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame(self.to_dict())

    def __str__(self):
        width = max(map(len, (*self.students, "class frequencies")))
        level = f"{100 * self.confidence:g} % interval"
        head = f"{'':{width}}  {'fitted to':<12}{self.scoring:>13}{'gain':>10}  {level}"
        table = self.to_dict()
        lines = [
            f"{'class frequencies':{width}}{self.prior_scores.mean():27.4f}",
            f"{'teacher':{width}}{self.teacher_scores.mean():27.4f}",
        ]
        for student, source, score, gain, low, high in zip(
            *table.values(), strict=True
        ):
            line = f"{student:{width}}  {source:<12}{score:13.4f}"
            if source != "labels":
                line += f"{gain:+10.4f}  {low:+.4f} to {high:+.4f}"
            lines.append(line)
        return "\n".join([head, *lines, "", *self.verdicts])

    def __repr__(self):
        shapes = ", ".join(
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name in ("students", "scoring", "confidence")
        )
        return f"{type(self).__name__}({shapes})"

    def _verdict(self, i):
        name, k = self.students[i], self.sources.index("distilled")
        low, high = self.intervals[i, k]
        figures = (
            f"{self.gains[i, k]:+.4f} {self.scoring} against labels, "
            f"{100 * self.confidence:g} % interval {low:+.4f} to {high:+.4f}"
        )
        if high < 0:
            return f"Distilling {name} harms: fit it to the labels ({figures})."
        if self.skill_intervals[i, 0] <= 0:
            return (
                f"No evidence that a distilled {name} knows more than the class "
                f"frequencies ({figures})."
            )
        if low > 0:
            return f"Distilling {name} helps ({figures})."
        return f"No evidence that distilling {name} helps or harms ({figures})."


def compare_students(
    teacher,
    students,
    X,
    y,
    *,
    sample_weight=None,
    groups=None,
    cv=5,
    n_repeats=2,
    scoring="neg_log_loss",
    confidence=0.95,
    temperature=1.0,
    alpha="auto",
    calibrate=True,
    augmenter="auto",
    memory=None,
    n_jobs=None,
    random_state=None,
):
    r"""Fit students with and without a teacher, and say whether distilling helps.

    On the same folds every student is fitted to labels, to the teacher's log-odds on
    its own training rows, to held-out ones, and as `DistilledClassifier` does it:
    both, with new rows. Teachers label as in `DistilledClassifierCV`, so that none has
    seen a row that a student is scored on. The gain is the mean :math:`\bar d` of the
    :math:`J` paired differences of scores. Training parts overlap, so its confidence
    interval is that of the corrected resampled t-test,

    .. math::
        \bar d \pm t_{J - 1} \sqrt{\Big(\frac1J +
        \frac{n_\text{test}}{n_\text{train}}\Big) s_d^2}.

    Parameters
    ----------
    teacher : estimator
        As in `DistilledClassifier`.
    students : estimator, list of estimators, or dict of str to estimator
        Students to compare, each as in `DistilledClassifier`.
    X : array-like or frame of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Class labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights, for teacher, students and scores. A row of weight 0 is
        left out.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, for the splitter.
    cv : int or splitter, default=5
        As in `DistilledClassifierCV`; at least three folds.
    n_repeats : int, default=2
        How often all is done with other folds and seeds; 1 with a splitter.
    scoring : str or callable, default="neg_log_loss"
        As in `sklearn.model_selection.cross_val_score`, the higher the better.
    confidence : float, default=0.95
        Level of the intervals, in (0, 1). They are not widened for several students:
        of 20 that gain nothing, one will seem to gain or lose.
    temperature : float, default=1.0
        Of the objective, for all soft targets.
    alpha : float or "auto", default="auto"
        As in `DistilledClassifier`, for all soft targets.
    calibrate : bool, default=True
        As in `DistilledClassifier`, for held-out and distilled targets.
    augmenter : sampler of `skdistill.augmentation`, "auto" or None, default="auto"
        As in `DistilledClassifier`, for distilled targets. All students have the new
        rows of a `MLPStudentClassifier` if it is among them.
    memory : str or joblib.Memory, default=None
        Cache of the labels, as in `DistilledClassifier`: other students or scores
        fit no teacher again.
    n_jobs : int, default=None
        How many estimators are fitted at once; ``None`` means 1.
    random_state : int, RandomState or None, default=None
        Seeds folds, teachers and students. All targets of a fold meet the same
        student seed.

    Returns
    -------
    StudentComparison
        Scores, gains, intervals, and a verdict in words. It compares ``"distilled"``
        with ``"labels"``, and says that distilling helps if the interval of the gain
        is above zero, and that of what the student scores above the class frequencies
        too: where there is nothing to learn, a soft target merely keeps a student
        from learning noise.

    Raises
    ------
    TypeError
        If a student or teacher is not as described.
    ValueError
        If input or a parameter is not as described.

    References
    ----------
    C. Nadeau, Y. Bengio. "Inference for the Generalization Error", Machine Learning
    52, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.inspection import compare_students
    >>> from skdistill.students import TreeStudentClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = X.sum(axis=1) + rng.logistic(size=500) > 0
    >>> comparison = compare_students(
    ...     LogisticRegression(), TreeStudentClassifier(min_samples_leaf=1), X, y,
    ...     augmenter=None, random_state=0,
    ... )
    >>> print(comparison.verdicts[0])  # doctest: +ELLIPSIS
    Distilling TreeStudentClassifier helps (...).
    """
    check_integer("n_repeats", n_repeats, 1)
    check_number("confidence", confidence, 0, 1, above=True)
    if confidence == 1:
        raise ValueError(f"Got confidence={confidence!r}, but expected less than 1.")
    if n_repeats > 1 and not isinstance(cv, int | np.integer):
        raise ValueError(
            f"Got n_repeats={n_repeats} with a splitter, but expected 1: repetitions "
            "need other folds, which an integer cv makes."
        )
    students = _named(students)
    rows = X, y, sample_weight, groups
    outcomes, ratios = [], []
    generator = None if random_state is None else check_random_state(random_state)
    for _ in range(n_repeats):
        recipe = DistilledClassifierCV(
            teacher,
            temperatures=[temperature],
            alphas=[alpha],
            cv=cv,
            scoring=scoring,
            refit=False,
            calibrate=calibrate,
            augmenter=augmenter,
            memory=memory,
            n_jobs=n_jobs,
            random_state=None if generator is None else draw_seed(generator),
        )
        scores, ratio = _compare_once(recipe, students, *rows)
        outcomes.append(scores)
        ratios.append(ratio)
    scores = np.concatenate(outcomes, axis=1)
    name = scoring if isinstance(scoring, str) else "score"
    return _summarised(list(students), scores, np.mean(ratios), confidence, name)


def corrected_interval(differences, ratio, confidence):
    """Confidence interval of the mean of differences over overlapping training parts.

    Parameters
    ----------
    differences : ndarray of shape (..., n_splits)
        Paired differences.
    ratio : float
        Number of test rows by number of training rows of a split.
    confidence : float
        Its level.

    Returns
    -------
    ndarray of shape (..., 2)
    """
    n_splits = differences.shape[-1]
    variance = differences.var(axis=-1, ddof=1) * (1 / n_splits + ratio)
    half = student_t.ppf((1 + confidence) / 2, n_splits - 1) * np.sqrt(variance)
    mean = differences.mean(axis=-1)
    return np.stack([mean - half, mean + half], axis=-1)


def _named(students):
    if isinstance(students, Mapping):
        named = dict(students)
    else:
        listed = students if isinstance(students, list | tuple) else [students]
        kinds = [type(student).__name__ for student in listed]
        several = {kind for kind, count in Counter(kinds).items() if count > 1}
        named = {
            f"{kind} {i + 1}" if kind in several else kind: student
            for i, (kind, student) in enumerate(zip(kinds, listed, strict=True))
        }
    if not named:
        raise ValueError("Got no students, but expected at least one.")
    return {str(name): student for name, student in named.items()}


def _compare_once(recipe, students, X, y, sample_weight, groups):
    """Scores of one repetition, frequencies and teacher first, and the rows' ratio."""
    adapted = [
        recipe.set_params(student=student)._check_parameters()
        for student in students.values()
    ]
    random_state = recipe._generator()
    teacher = clone_seeded(recipe.teacher, random_state)
    cv, seed = recipe._splitter(random_state, groups), draw_seed(random_state)
    # Last, so that the labels are the same whoever the students are.
    adapted = [clone_seeded(student, random_state) for student in adapted]
    X = check_table(recipe, X, reset=True, accept_sparse=True)
    weights, y = check_weights(sample_weight, X), check_labels(y, X)
    metadata = route(recipe, weights, check_groups(groups, X), {})
    X, y, cv, metadata = leave_out_weightless(
        X, y, cv, metadata, splits_by_position=not recipe._has_integer_cv()
    )
    classes = recipe._classes(X, check_labels(y, X))
    # One pool for all, as networks have it; those that take no weights go without.
    samplers = [recipe._sampler(X, student) for student in adapted]
    sampler = next((s for s in samplers if s is not None), None)
    sampler = next(filter(is_auto, samplers), sampler)
    task = Task(
        teacher,
        adapted[samplers.index(sampler)],
        cv,
        seed,
        X,
        y,
        metadata,
        labels=encode_labels(y, classes),
        classes=classes,
    )
    splits = recipe._splits(task)
    score = recipe._scorer(adapted[0], weights)
    folds, inside, _ = recipe._label_folds(task, splits, Progress())
    jobs = []
    for (train, test), labelling, logits in zip(splits, folds, inside, strict=True):
        tested = task.take(test)
        held_out = tested.X, tested.y, tested.metadata.sample_weight
        rows = recipe._labelled(task.take(train), labelling)
        jobs += _references(rows, logits, held_out, score)
        for student, own in zip(adapted, samplers, strict=True):
            for training in _trainings(recipe, rows, own is not None):
                job = delayed(fit_and_score)(student, training, held_out, score, {})
                jobs.append(job)
    outcomes = np.array(Parallel(n_jobs=recipe.n_jobs)(jobs))[:, 0]
    ratio = np.mean([len(test) / len(train) for train, test in splits])
    return outcomes.reshape(len(splits), -1).T, ratio


def _trainings(recipe, rows, has_pool):
    """Rows, targets and weights for each of `SOURCES`."""
    (temperature,), alpha = recipe.temperatures, rows.resolved(*recipe.alphas)
    labelling, weights = rows.labelling, rows.sample_weight
    names = rows.classes[rows.labels]
    yield rows.X, SoftTargets.from_labels(names, rows.classes), weights
    held_out = labelling.logits / rows.calibration_temperature
    for logits in (labelling.own_logits, held_out):
        told = logits, rows.labels, rows.classes, temperature, alpha, rows.n_fitted
        yield rows.X, SoftTargets(*told), weights
    if not has_pool:
        rows = replace(rows, labelling=replace(labelling, pool=None, pool_logits=None))
    yield rows.targets(temperature, alpha)


def _references(rows, logits, held_out, score):
    """Scores of the class frequencies and of the teacher on a fold."""
    counts = np.bincount(rows.labels, rows.sample_weight, len(rows.classes))
    # A class that is not there counts as half a row, as it does for teachers.
    frequencies = np.tile(np.log(np.maximum(counts, 0.5)), (len(logits), 1))
    for said in (frequencies, logits):
        model = _Answers(rows.classes, log_softmax(said))
        yield delayed(fit_and_score)(model, (rows.X, None, None), held_out, score, {})


class _Answers(ClassifierMixin, BaseEstimator):
    """A classifier that has already said all it is asked."""

    def __init__(self, classes, log_proba):
        self.classes = classes
        self.log_proba = log_proba

    def fit(self, X, y, sample_weight=None):
        self.classes_ = self.classes
        return self

    def predict_log_proba(self, X):
        return self.log_proba

    def predict_proba(self, X):
        return np.exp(self.log_proba)

    def predict(self, X):
        return self.classes[self.log_proba.argmax(axis=1)]


def _summarised(names, outcomes, ratio, confidence, scoring):
    prior, teacher, *rest = outcomes
    scores = np.array(rest).reshape(len(names), len(SOURCES), -1)
    differences = scores - scores[:, :1]
    skill = scores[:, SOURCES.index("distilled")] - prior
    return StudentComparison(
        students=tuple(names),
        sources=SOURCES,
        scores=scores,
        teacher_scores=teacher,
        prior_scores=prior,
        gains=differences.mean(axis=2),
        intervals=corrected_interval(differences, ratio, confidence),
        skill_intervals=corrected_interval(skill, ratio, confidence),
        confidence=float(confidence),
        scoring=scoring,
    )
