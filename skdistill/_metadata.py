"""Weights, groups and other metadata of training rows, and who gets them."""

from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import has_fit_parameter

from ._columns import take_rows
from ._fitting import positions, routing_is_enabled, take_params


@dataclass(frozen=True, eq=False)
class Metadata:
    """What a distilled estimator and its parts get beside rows and targets.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows when the teacher is judged.
    student_weight : ndarray of shape (n_samples,) or None
        Their weights for the student.
    teacher_weight : ndarray of shape (n_samples,) or None
        Their weights for the teacher, however it takes them.
    teacher_params : dict
        What metadata routing hands to the teacher's ``fit``.
    split_params : dict
        What is handed to the splitter.
    """

    sample_weight: np.ndarray | None = None
    student_weight: np.ndarray | None = None
    teacher_weight: np.ndarray | None = None
    teacher_params: dict = field(default_factory=dict)
    split_params: dict = field(default_factory=dict)

    def take(self, rows, n_samples):
        """Return the metadata of the rows at the given positions."""
        values = {name: getattr(self, name) for name in WEIGHTS}
        return Metadata(
            **take_params(values, rows, n_samples),
            teacher_params=take_params(self.teacher_params, rows, n_samples),
            split_params=take_params(self.split_params, rows, n_samples),
        )


WEIGHTS = ("sample_weight", "student_weight", "teacher_weight")


def route(estimator, sample_weight, groups, fit_params):
    """Return who gets what of the parameters of ``fit``.

    Without scikit-learn's metadata routing weights go to teacher and student, and
    groups to the splitter and to a teacher that takes them; with it, each to those who
    request it.

    Parameters
    ----------
    estimator : BaseDistilled
        With the parts teacher, student and splitter.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.
    groups : ndarray of shape (n_samples,) or None
        Groups of the rows.
    fit_params : dict
        Other metadata.

    Returns
    -------
    Metadata

    Raises
    ------
    TypeError
        If there is metadata that nobody takes.
    """
    if routing_is_enabled():
        return _requested(estimator, sample_weight, groups, fit_params)
    if fit_params:
        raise TypeError(
            f"Got the fit parameters {sorted(fit_params)}, but expected sample_weight, "
            "groups and X_unlabeled: others need scikit-learn's metadata routing."
        )
    split_params = {} if groups is None else {"groups": groups}
    # A teacher that holds rows out itself must hold out whole groups.
    takes_groups = has_fit_parameter(estimator.teacher, "groups")
    return Metadata(
        sample_weight,
        sample_weight,
        sample_weight,
        teacher_params=split_params if takes_groups else {},
        split_params=split_params,
    )


def _requested(estimator, sample_weight, groups, fit_params):
    given = {"sample_weight": sample_weight, "groups": groups, **fit_params}
    # Even None must be requested by somebody.
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return Metadata()
    routed = process_routing(estimator, "fit", **given)
    student = dict(routed.student.fit)
    student_weight = student.pop("sample_weight", None)
    if student:
        raise TypeError(
            f"Got the fit parameters {sorted(student)} for the student, but expected "
            "sample_weight alone: new rows have no others."
        )
    split_params = dict(routed.splitter.split) if "splitter" in routed else {}
    return Metadata(
        sample_weight,
        student_weight,
        teacher_params=dict(routed.teacher.fit),
        split_params=split_params,
    )


def leave_out_weightless(X, y, cv, metadata, *, splits_by_position):
    """Return rows, targets, splitter and metadata without rows of weight 0.

    Parameters
    ----------
    X : array or frame of shape (n_samples, n_features)
        Training rows.
    y : ndarray of shape (n_samples, ...)
        Targets.
    cv : splitter, iterable of splits, or None
        How the rows are split.
    metadata : Metadata
        Of the rows.
    splits_by_position : bool
        Whether the parts of `cv` may mean the rows as they stand in `X`: it is then
        asked for them before any row is left out.
    """
    weights = metadata.sample_weight
    if weights is None or weights.all():
        return X, y, cv, metadata
    rows = np.flatnonzero(weights)
    if cv is not None and splits_by_position:
        parts = cv.split(X, y, **metadata.split_params) if hasattr(cv, "split") else cv
        position = np.cumsum(weights > 0) - 1
        cv = [
            tuple(position[part[weights[part] > 0]] for part in map(positions, parts))
            for parts in parts
        ]
        metadata = replace(metadata, split_params={})
    return take_rows(X, rows), y[rows], cv, metadata.take(rows, len(weights))
