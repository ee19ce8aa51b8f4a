"""What a reader of a report should know before anything else, in plain words."""

import numpy as np
from scipy.stats import norm
from sklearn.frozen import FrozenEstimator

from .._fitting import is_frozen
from ._drift import population_stability, share_of_known_rows
from ._segments import MIN_ROWS

FEWEST_ROWS = 1000
FEWEST_OF_CLASS = 50
MODERATE_SHIFT = 0.1
LARGE_SHIFT = 0.25
KNOWN_ROWS = 0.2
"""Rows of few columns may be like training rows by chance; so many are suspicious."""

LOW_RETENTION = 0.9
FAR_TEMPERATURE = 1.5
MOST_NAMES = 5


def worse_segments(table):
    """Return the segments in which the student's loss is larger for certain.

    Their interval excludes zero at 95 % for all segments together (Bonferroni), worst
    first.

    Parameters
    ----------
    table : list of Segment
        Of losses.

    Returns
    -------
    list of Segment
    """
    large = [segment for segment in table if segment.n_rows >= MIN_ROWS]
    z = norm.isf(0.025 / max(len(large), 1))
    worse = [segment for segment in large if segment.interval(z)[0] > 0]
    return sorted(worse, key=lambda segment: -segment.difference)


def label_findings(model):
    """Say where the teacher's word may be worth less than it seems.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Fitted.

    Returns
    -------
    list of str
    """
    found = []
    if isinstance(model.teacher_, FrozenEstimator):
        found.append(
            "The teacher was fitted elsewhere (FrozenEstimator), so nobody here knows "
            "on which rows. If the rows of this report were among them, its quality "
            "is overstated; if those that the student learnt from were, the student "
            "has learnt the labels in disguise."
        )
    elif getattr(model, "cv", 0) is None and not is_frozen(model.teacher_):
        found.append(
            "The teacher labelled the very rows that it was fitted on (cv=None). What "
            "a flexible teacher says about them is close to the labels in disguise: "
            "use cv=5."
        )
    temperature = getattr(model, "calibration_temperature_", 1.0)
    if temperature > FAR_TEMPERATURE or temperature < 1 / FAR_TEMPERATURE:
        how = "too sure of itself" if temperature > 1 else "less sure than it could be"
        found.append(
            f"The teacher is {how} on rows that it has not seen: its log-odds were "
            f"divided by {temperature:.2f} before the student learnt them, so the "
            "student's probabilities are meant to differ from the teacher's."
        )
    return found


def size_findings(data):
    """Say where there are too few rows to tell.

    Parameters
    ----------
    data : dict
        What `describe_data` returned.

    Returns
    -------
    list of str
    """
    found = []
    if data["rows"] < FEWEST_ROWS:
        found.append(
            f"There are only {data['rows']} rows: look at the intervals, not at the "
            "numbers."
        )
    rows = {entry["name"]: entry["rows"] for entry in data.get("classes", [])}
    absent = [name for name, n_rows in rows.items() if n_rows == 0]
    rare = [name for name, n_rows in rows.items() if 0 < n_rows < FEWEST_OF_CLASS]
    if absent:
        found.append(
            f"No row is of the class {_join(absent)}: nothing is known about it, and "
            "the AUC leaves it out."
        )
    if rare:
        found.append(
            f"Fewer than {FEWEST_OF_CLASS} rows are of the class {_join(rare)}: what "
            "concerns it is uncertain."
        )
    return found


def drift_findings(X_train, X, weights):
    """Say how the rows of the report differ from those of training.

    Parameters
    ----------
    X_train, X : ndarray, sparse matrix or frame
        Rows of the same columns.
    weights : ndarray of shape (n_samples,)
        Of the rows of `X`.

    Returns
    -------
    drift : dict of str to float
        Population stability index by column.
    findings : list of str
    """
    drift = population_stability(X_train, X, weights)
    found = []
    for low, high, how in (
        (LARGE_SHIFT, np.inf, "differently"),
        (MODERATE_SHIFT, LARGE_SHIFT, "somewhat differently"),
    ):
        moved = [name for name, value in drift.items() if low <= value < high]
        moved.sort(key=lambda name: -drift[name])
        if moved:
            names = _join([f"{name} ({drift[name]:.2f})" for name in moved])
            found.append(
                f"{_columns(moved)} distributed {how} than in training, by population "
                f"stability index: {names}. The student learnt from other rows than "
                "these."
            )
    known = share_of_known_rows(X_train, X, weights)
    if known >= KNOWN_ROWS:
        found.append(
            f"{known:.0%} of the rows are training rows as well, or equal to some: on "
            "rows that a model was fitted on its quality is overstated."
        )
    return drift, found


def quality_findings(pair, estimates, worse):
    """Say where the student is worse than its teacher.

    Parameters
    ----------
    pair : ClassifierPair or RegressorPair
        The models on the rows.
    estimates : dict of str to Estimate
        What `intervals` returned.
    worse : list of Segment
        What `worse_segments` returned.

    Returns
    -------
    list of str
    """
    found = []
    kept = estimates["retention"]
    if np.isnan(kept.value):
        found.append(
            "The teacher is no better than a constant on these rows: there is no skill "
            "that the student could keep."
        )
    elif kept.high < LOW_RETENTION:
        found.append(
            f"The student keeps {kept.value:.1%} of the teacher's skill: a larger one, "
            "or another kind, may keep more."
        )
    gap = estimates.get("ece_difference")
    if gap is not None and gap.low > 0:
        found.append(
            "The student's probabilities are further from what happens than the "
            f"teacher's: its calibration error is larger by {gap.value:.4f} "
            f"({gap.low:.4f} to {gap.high:.4f})."
        )
    if worse:
        names = _join(
            [
                f"{row.column} = {row.label} ({row.n_rows:,} rows, {pair.loss_name} "
                f"{row.student:.4g} instead of {row.teacher:.4g})"
                for row in worse
            ],
            3,
        )
        found.append(
            f"The student is worse than its teacher, beyond chance, in {len(worse)} "
            f"{'segment' if len(worse) == 1 else 'segments'}: {names}."
        )
    return found


def _columns(names):
    return "1 column is" if len(names) == 1 else f"{len(names)} columns are"


def _join(names, most=MOST_NAMES):
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
