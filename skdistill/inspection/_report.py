"""What somebody else needs to see before a student replaces its teacher."""

import math
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from .._columns import take_rows
from ..export import ParityCertificate
from ..runtime._file import write_whole
from ._bootstrap import Estimate, intervals
from ._classifier_pair import ClassifierPair
from ._cost import Cost, measure_cost
from ._findings import (
    drift_findings,
    label_findings,
    quality_findings,
    size_findings,
    worse_segments,
)
from ._lift import LiftBin
from ._predictions import as_table, check_model, is_function
from ._regressor_pair import RegressorPair
from ._segment_display import largest_differences
from ._segments import MIN_ROWS, Segment, segments
from ._summary import (
    convert,
    describe_data,
    describe_model,
    describe_origin,
    describe_settings,
)

MOST_SEGMENTS = 100
"""Segments that a report holds, those with the largest differences."""


@dataclass(frozen=True)
class QualityRow:
    """How good both models are by one metric.

    Parameters
    ----------
    metric : str
        Its name.
    greater_is_better : bool
        Whether more is better.
    teacher, student : Estimate
        Each model on the rows of the report.
    difference : Estimate
        Student less teacher, on the same drawn rows.

    Examples
    --------
    >>> from skdistill.inspection import Estimate, QualityRow
    >>> same = Estimate(0.9, 0.88, 0.92)
    >>> QualityRow("AUC", True, same, same, Estimate(0.0, 0.0, 0.0)).metric
    'AUC'
    """

    metric: str
    greater_is_better: bool
    teacher: Estimate
    student: Estimate
    difference: Estimate


@dataclass(frozen=True, repr=False)
class DistillationReport:
    """Plain numbers about a student and its teacher, and how to show them.

    ``print(report)`` shows it in a terminal, a notebook shows it by itself;
    `distillation_report` makes one.

    Parameters
    ----------
    task : {"classification", "regression"}
        What the models do.
    origin : dict of str to str
        When, by what and on which machine it was made.
    teacher, student : dict of str to str
        Kind, parameters and size of the models.
    settings : dict of str to str
        How the student was distilled.
    warnings : tuple of str
        What to know first.
    data : dict
        Rows, columns, missing values and classes.
    quality : tuple of QualityRow
        Metrics of both models with 95 % bootstrap intervals.
    skill_retention : Estimate
        Share of the teacher's skill that the student keeps, see `skill_retention`;
        against the calibrated teacher where that has the lower log-loss.
    fidelity : dict of str to float or None
        Student against teacher, by the names of the functions of this module; ``None``
        for what these rows do not define.
    positive_class : str or None
        The class whose probability is looked at, if there are two.
    quantity : str
        What segments, density and lift are about.
    calibration : dict of str to list of float
        Mean prediction and mean outcome in bins, of both models.
    density : dict of str to list
        Weight of the rows by the predictions of teacher and student.
    segments : tuple of Segment
        Those with the largest differences, at most 100.
    n_segments : int
        How many were looked at.
    worse_segments : tuple of Segment
        Of losses: where the student's is larger beyond chance, all segments together.
    lift : tuple of LiftBin
        Double lift, if predictions are not negative.
    costs : dict of str to Cost
        What the models cost on this machine.
    drift : dict of str to float
        Population stability index of each column, if training rows were given.
    certificate : ParityCertificate or None
        What a comparison of the exported student has found.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.inspection import distillation_report
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(n_estimators=20), TreeStudentClassifier(), cv=3,
    ...     augmenter=None, random_state=0,
    ... )
    >>> model = model.fit(X[:400], y[:400])
    >>> report = distillation_report(model, X[400:], y[400:], random_state=0)
    >>> report
    <DistillationReport: RandomForestClassifier -> TreeStudentClassifier, 169 rows>
    >>> sorted(report.to_dict()["costs"])
    ['student', 'teacher', 'teacher, compiled']
    """

    task: str
    origin: dict
    teacher: dict
    student: dict
    settings: dict
    warnings: tuple[str, ...]
    data: dict
    quality: tuple[QualityRow, ...]
    skill_retention: Estimate
    fidelity: dict
    positive_class: str | None
    quantity: str
    calibration: dict
    density: dict
    segments: tuple[Segment, ...]
    n_segments: int
    worse_segments: tuple[Segment, ...]
    lift: tuple[LiftBin, ...]
    costs: dict[str, Cost]
    drift: dict[str, float]
    certificate: ParityCertificate | None = None

    def __repr__(self):
        kinds = f"{self.teacher['kind']} -> {self.student['kind']}"
        return f"<DistillationReport: {kinds}, {self.data['rows']:,} rows>"

    def __str__(self):
        from ._text import as_text

        return as_text(self)

    def _repr_html_(self):
        from ._page import render_frame

        try:
            return render_frame(self)
        except ImportError:
            return f"<pre>{escape(str(self))}</pre>"

    def to_html(self):
        """Return the report as one page of HTML that needs nothing else.

        Returns
        -------
        str

        Raises
        ------
        ImportError
            If matplotlib or Jinja2 is not installed.
        """
        from ._page import render_page

        return render_page(self)

    def write_html(self, path):
        """Write the report as one page of HTML that needs nothing else.

        Parameters
        ----------
        path : str or path-like
            Where the file is written. One that is there is replaced, and is as it was
            if anything goes wrong.

        Raises
        ------
        ImportError
            If matplotlib or Jinja2 is not installed.
        OSError
            If the file cannot be written.
        """
        write_whole(path, self.to_html().encode())

    def to_dict(self):
        """Return all numbers of the report in a form that JSON can hold.

        Returns
        -------
        dict
            By the names of the attributes. What is infinite or no number is ``None``.
        """
        return _plain(asdict(self))


def distillation_report(
    model,
    X,
    y,
    *,
    sample_weight=None,
    X_train=None,
    threshold=None,
    pos_label=None,
    certificate=None,
    random_state=None,
):
    """Compare the student of a fitted model with its teacher, in every way that counts.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Fitted.
    X : array-like or frame of shape (n_samples, n_features)
        Rows that neither teacher nor student was fitted on.
    y : array-like of shape (n_samples,)
        Their labels or values.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of the rows.
    X_train : array-like or frame of shape (n_train, n_features), default=None
        Training rows, to tell whether these are like them.
    threshold : float, default=None
        Probability from which on a row is decided to be positive; ``None``: that at
        which the teacher has the best F1 on these rows. With two classes only.
    pos_label : str, int or bool, default=None
        The positive class; ``None``: the second of two.
    certificate : ParityCertificate, default=None
        What `model.export` returned.
    random_state : int or numpy.random.Generator, default=None
        Draws the rows of the bootstrap.

    Returns
    -------
    DistillationReport

    Raises
    ------
    TypeError
        If the model holds no teacher and student, or the certificate is none.
    ValueError
        If input is not as described.

    Notes
    -----
    The teacher counts as it predicts, without the temperature that calibrates its
    log-odds for the student. A teacher that is a function is not timed: its calls may
    cost money.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.inspection import distillation_report
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = DistilledClassifier(
    ...     LogisticRegression(max_iter=1000), TreeStudentClassifier(), random_state=0
    ... )
    >>> model = model.fit(X[::2], y[::2])
    >>> report = distillation_report(model, X[1::2], y[1::2], random_state=0)
    >>> report.data["rows"], report.warnings[0]
    (75, 'There are only 75 rows: look at the intervals, not at the numbers.')
    """
    check_model(model)
    if certificate is not None and not isinstance(certificate, ParityCertificate):
        raise TypeError(
            f"Got certificate={certificate!r}, but expected a ParityCertificate, as "
            "model.export returns it."
        )
    X, rng = as_table(X), np.random.default_rng(random_state)
    kind = RegressorPair if is_regressor(model) else ClassifierPair
    pair, used = kind.of(model, X, y, sample_weight, pos_label)
    if not used.all():
        X = take_rows(X.tocsr() if hasattr(X, "tocsr") else X, np.flatnonzero(used))
    drift, drifts = {}, []
    if X_train is not None:
        drift, drifts = drift_findings(as_table(X_train), X, pair.weights)
    fidelity = pair.fidelity(threshold)
    estimates = intervals(pair, rng)
    data = describe_data(X, pair)
    weights = {"sample_weight": pair.weights}
    table = segments(X, *pair.scores, y=pair.outcome, **weights)
    worse = worse_segments(segments(X, *pair.row_losses, **weights))
    warnings = (
        *size_findings(data),
        *label_findings(model),
        *drifts,
        *quality_findings(pair, estimates, worse),
    )
    return DistillationReport(
        warnings=warnings,
        data=data,
        skill_retention=estimates["retention"],
        quality=_quality(pair, estimates),
        fidelity=fidelity,
        segments=tuple(largest_differences(table, MOST_SEGMENTS, MIN_ROWS)),
        n_segments=len(table),
        worse_segments=tuple(worse),
        drift=drift,
        certificate=certificate,
        **_describe_models(model, X),
        **_describe_pair(pair),
    )


_MODELS = ("teacher", "student")
_CURVES = ("teacher_predicted", "teacher_actual", "student_predicted", "student_actual")


def _describe_models(model, X):
    specs = {name: convert(getattr(model, f"{name}_")) for name in _MODELS}
    return {
        "origin": describe_origin(),
        "teacher": describe_model(model.teacher_, specs["teacher"]),
        "student": describe_model(model.student_, specs["student"]),
        "settings": describe_settings(model),
        "costs": _costs(model, specs["teacher"], X),
    }


def _describe_pair(pair):
    curves = [curve.tolist() for curve in pair.curves()]
    counts, edges = pair.density()
    return {
        "task": pair.task,
        "positive_class": pair.positive_name,
        "quantity": pair.quantity,
        "calibration": dict(zip(_CURVES, curves, strict=True)),
        "density": {"counts": counts.tolist(), "edges": edges.tolist()},
        "lift": tuple(pair.lift()),
    }


def _quality(pair, estimates):
    return tuple(
        QualityRow(
            name,
            greater_is_better,
            *(estimates[f"{key}_{who}"] for who in (*_MODELS, "difference")),
        )
        for key, (name, greater_is_better) in pair.metrics.items()
    )


def _costs(model, teacher_spec, X):
    """Measure what can be measured: student, teacher, and the teacher compiled."""
    costs = {"student": measure_cost(model, X)}
    teacher = model.teacher_
    if not is_function(teacher):
        costs["teacher"] = measure_cost(teacher, X)
    if teacher_spec is not None:
        try:
            costs["teacher, compiled"] = measure_cost(teacher_spec, X)
        except (TypeError, ValueError):
            # The columns of a teacher inside a larger model need not be those of X.
            return costs
    return costs


def _plain(value: Any):
    """Return nested numbers and texts as JSON knows them."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
