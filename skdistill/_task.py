"""What a fit is about: its parts and its rows, checked."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator

from ._columns import take_columns, take_rows
from ._metadata import Metadata


@dataclass(frozen=True, eq=False)
class Task:
    """A teacher, a student and the rows that both are fitted to.

    Parameters
    ----------
    teacher, student : estimator
        Clones, seeded.
    cv : splitter, iterable of splits, or None
        How the teacher's held-out log-odds are made.
    seed : int
        Seeds the augmenter.
    X : array or frame of shape (n_samples, n_features)
        Training rows, without those of weight 0.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Their class labels or true values.
    metadata : Metadata
        Weights and what else there is for each row.
    X_unlabeled : array or frame of shape (n_unlabeled, n_features), or None
        Real rows without labels.
    columns : ndarray of int, or None
        Positions of the student's columns; ``None``: all.
    labels : ndarray of int of shape (n_samples,), or None
        Columns of the class labels.
    classes : ndarray of shape (n_classes,), or None
        Class labels in the order of the columns.
    """

    teacher: BaseEstimator
    student: BaseEstimator
    cv: object
    seed: int
    X: object
    y: np.ndarray
    metadata: Metadata
    X_unlabeled: object = None
    columns: np.ndarray | None = None
    labels: np.ndarray | None = None
    classes: np.ndarray | None = None

    def of_student(self, X):
        """Return what the student sees of some rows."""
        return X if self.columns is None else take_columns(X, self.columns)

    def take(self, rows):
        """Return the task of the rows at the given positions."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            y=self.y[rows],
            labels=None if self.labels is None else self.labels[rows],
            metadata=self.metadata.take(rows, len(self.y)),
        )
