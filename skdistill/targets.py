"""What a teacher tells its student: log-odds, labels, and how to weigh them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import entr

from ._parameters import check_integer
from .losses._numpy import check_alpha, check_temperature
from .losses._reference import log_softmax, softmax
from .runtime._levels import is_missing

PROBABILITY_FLOOR = 1e-7
"""Smallest probability whose logarithm is taken; smaller ones count as this one."""

MOST_ROWS_OF_ENTROPY = 100_000
"""An average over more rows is no different."""

SUM_TOLERANCE = 1e-3
"""Largest deviation of a row of probabilities from 1 that is taken for rounding."""


@dataclass(frozen=True, eq=False)
class SoftTargets:
    r"""The teacher's log-odds and the labels, handed to a student as its `y`.

    A student minimises, with :math:`q_i = \operatorname{softmax}(t_i / T)`,

    .. math::
        \alpha T^2 \, \mathrm{KL}(q_i \,\|\, \operatorname{softmax}(z_i / T))
        - (1 - \alpha) \log \operatorname{softmax}(z_i)_{y_i}.

    Supports ``len`` and row indexing, so that scikit-learn's splitters can cut it.
    ``np.asarray(targets)`` gives class labels: the known ones, and the teacher's
    choice where none is known.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes), float32 or float64
        The teacher's log-odds :math:`t`: natural logarithms of probabilities, up to
        a constant in each row.
    labels : ndarray of int of shape (n_samples,), default=None
        Position in `classes` of the known label, -1 where it is unknown. ``None``:
        no label is known.
    classes : array-like of shape (n_classes,), default=None
        Class labels of the columns. ``None``: 0 to n_classes - 1.
    temperature : float, default=1.0
        :math:`T > 0`, which softens teacher and student alike.
    alpha : float, default=1.0
        Share of the soft term, in [0, 1]. Rows without a label have no hard term.
    n_fitted : int, default=None
        How many rows the teacher has been fitted on: one of few rows says much that
        others would not have taught it, and students follow it less closely. ``None``:
        enough.

    Raises
    ------
    ValueError
        If a shape is wrong, a log-odd is not finite, a label is no position in
        `classes`, a class occurs twice, or `temperature`, `alpha` or `n_fitted` is
        outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import SoftTargets
    >>> targets = SoftTargets.from_proba(
    ...     [[0.9, 0.1], [0.4, 0.6]], y=["no", "no"], classes=["no", "yes"], alpha=0.5
    ... )
    >>> targets[1:].proba().round(2)
    array([[0.4, 0.6]])
    >>> np.asarray(targets)
    array(['no', 'no'], dtype='<U3')
    """

    logits: np.ndarray
    labels: np.ndarray | None = None
    classes: Any = None
    temperature: float = 1.0
    alpha: float = 1.0
    n_fitted: int | None = None

    def __post_init__(self):
        check_temperature(self.temperature)
        check_alpha(self.alpha)
        if self.n_fitted is not None:
            check_integer("n_fitted", self.n_fitted, 1)
        logits = _check_logits(self.logits)
        n_samples, n_classes = logits.shape
        object.__setattr__(self, "logits", logits)
        object.__setattr__(self, "classes", check_classes(self.classes, n_classes))
        object.__setattr__(
            self, "labels", _check_codes(self.labels, n_samples, n_classes)
        )

    @classmethod
    def from_proba(cls, proba, y=None, classes=None, *, temperature=1.0, alpha=1.0):
        """Soft targets from a teacher's probabilities.

        Parameters
        ----------
        proba : array-like of shape (n_samples, n_classes)
            Rows that sum to 1 within 1e-3. Probabilities below 1e-7 count as 1e-7.
        y : array-like of shape (n_samples,), default=None
            Class labels; ``None``, NaN or pandas' NA where a label is unknown.
        classes : array-like of shape (n_classes,), default=None
            Class labels of the columns, 0 to n_classes - 1 if ``None``.
        temperature, alpha : float, default=1.0
            As in the class.

        Returns
        -------
        SoftTargets

        Raises
        ------
        ValueError
            If a row is no probability distribution, or a label is not in `classes`.
        """
        logits = log_proba(proba)
        classes = check_classes(classes, logits.shape[1])
        labels = None if y is None else encode_labels(y, classes)
        return cls(logits, labels, classes, temperature, alpha)

    @classmethod
    def from_labels(cls, y, classes=None):
        """Plain labels in the form of soft targets: alpha 0, learnt from these rows.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class labels, all of them known.
        classes : array-like of shape (n_classes,), default=None
            The classes in the order of the columns, sorted labels if ``None``.

        Returns
        -------
        SoftTargets

        Raises
        ------
        ValueError
            If a label is missing or not in `classes`, or there is only one class.
        """
        y = np.asarray(y)
        classes = _known_classes(y) if classes is None else np.asarray(classes)
        labels = encode_labels(y, classes)
        if (labels < 0).any():
            raise ValueError("Got y with missing labels, but expected a label per row.")
        logits = np.zeros((len(y), len(classes)))
        return cls(logits, labels, classes, alpha=0.0, n_fitted=len(y) or None)

    def __len__(self):
        return len(self.logits)

    def __getitem__(self, rows):
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # scikit-learn's way of taking rows: targets[rows, ...]
        if np.ndim(rows) == 0 and not isinstance(rows, slice):
            raise TypeError(
                f"Got the single index {rows!r}, but expected a slice, a mask or an "
                "array of row numbers."
            )
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, logits=self.logits[rows], labels=labels)

    def __array__(self, dtype=None, copy=None):
        codes = self.logits.argmax(axis=1)
        if self.labels is not None:
            codes = np.where(self.labels >= 0, self.labels, codes)
        return np.asarray(self.classes[codes], dtype=dtype)

    @property
    def shape(self):
        """The shape of the labels, ``(n_samples,)``."""
        return (len(self.logits),)

    @property
    def ndim(self):
        """Number of dimensions of the labels, 1."""
        return 1

    @property
    def dtype(self):
        """The dtype of the labels."""
        return self.classes.dtype

    @property
    def is_labelled(self):
        """Rows whose label is known; ndarray of bool of shape (n_samples,)."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return self.labels >= 0

    def proba(self, temperature=1.0):
        """Return the teacher's distribution softened by `temperature`.

        Parameters
        ----------
        temperature : float, default=1.0
            1 gives the teacher's own probabilities.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return softmax(self.logits, temperature)

    def one_hot(self):
        """Return the known labels as distributions; rows without a label are zero.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        hard = np.zeros(self.logits.shape)
        if self.labels is not None:
            rows = np.flatnonzero(self.labels >= 0)
            hard[rows, self.labels[rows]] = 1.0
        return hard

    def term_weights(self):
        """Return the weights of the soft and the hard term in each row.

        Returns
        -------
        soft : ndarray of shape (n_samples,), float64
            ``alpha``.
        hard : ndarray of shape (n_samples,), float64
            ``1 - alpha``, or 0 in rows without a label.
        """
        teacher = np.full(len(self), float(self.alpha))
        return teacher, (1.0 - self.alpha) * self.is_labelled

    def mixture(self):
        """Return the mean of teacher and label distributions, weighted by alpha.

        The unconstrained optimum of the objective at temperature 1; rows without a
        label have the teacher's distribution.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        soft, hard = self.term_weights()
        mixed = soft[:, None] * self.proba() + hard[:, None] * self.one_hot()
        total = soft + hard
        # alpha = 0 without a label: nothing is asked of the row.
        uniform = total == 0
        mixed[uniform] = 1.0 / mixed.shape[1]
        total[uniform] = 1.0
        return mixed / total[:, None]

    def explained_entropy(self, sample_weight=None):
        r"""Return which share of the entropy of the classes the teacher explains.

        Of its distributions :math:`q_i`, with weights :math:`w_i` that sum to 1,

        .. math::
            1 - \frac{\sum_i w_i H(q_i)}{H(\sum_i w_i q_i)}.

        A teacher that is sure of every row explains all of it, class frequencies in
        every row nothing. With ``alpha=0`` there is no teacher to ask: 1, as if labels
        were without noise. Of more than 100,000 rows some are left out, at equal
        distances.

        Parameters
        ----------
        sample_weight : ndarray of shape (n_samples,), default=None
            Positive weights, all the same if ``None``.

        Returns
        -------
        float
            In [0, 1]; 1 if the teacher is sure of the same class everywhere.

        Examples
        --------
        >>> from skdistill import SoftTargets
        >>> targets = SoftTargets.from_proba([[0.9, 0.1], [0.1, 0.9]])
        >>> round(targets.explained_entropy(), 3)
        0.531
        """
        if self.alpha == 0:
            return 1.0
        rows = slice(None, None, max(1, -(-len(self) // MOST_ROWS_OF_ENTROPY)))
        proba = self[rows].proba()
        weights = None if sample_weight is None else sample_weight[rows]
        total = entr(np.average(proba, axis=0, weights=weights)).sum()
        left = np.average(entr(proba).sum(axis=1), weights=weights)
        # Rounding may make equal entropies differ.
        return float(np.clip(1 - left / total, 0, 1)) if total > 0 else 1.0


def log_proba(proba):
    """Return float64 log-odds of probabilities, with small ones raised to the floor."""
    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or proba.shape[1] < 2:
        raise ValueError(
            f"Got probabilities of shape {proba.shape}, but expected "
            "(n_samples, n_classes) with at least 2 classes."
        )
    sums = proba.sum(axis=1)
    wrong = ~((np.abs(sums - 1) <= SUM_TOLERANCE) & (proba >= 0).all(axis=1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"Got probabilities {proba[row]} in row {row} with sum {sums[row]:.6g}, "
            "but expected non-negative numbers that sum to 1."
        )
    return log_softmax(np.log(np.maximum(proba, PROBABILITY_FLOOR)))


def encode_labels(y, classes):
    """Return the positions of the labels `y` in `classes`, -1 where one is missing."""
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"Got y of shape {y.shape}, but expected (n_samples,).")
    position = {label: code for code, label in enumerate(classes.tolist())}
    labels = y.tolist()
    codes = list(map(position.get, labels))
    if None in codes:
        pairs = zip(codes, labels, strict=True)
        codes = [-1 if code is None and is_missing(x) else code for code, x in pairs]
    if None in codes:
        unknown = labels[codes.index(None)]
        raise ValueError(
            f"Got the label {unknown!r}, but expected one of the classes "
            f"{list(position)}."
        )
    return np.array(codes, dtype=np.int64)


def _known_classes(y):
    if y.dtype.kind != "O":
        return np.unique(y)
    known = [label for label in set(y.ravel().tolist()) if not is_missing(label)]
    return np.unique(np.array(known, dtype=object))


def _check_logits(logits):
    logits = np.asarray(logits)
    if logits.dtype not in (np.float32, np.float64):
        logits = logits.astype(np.float64)
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(
            f"Got log-odds of shape {logits.shape}, but expected "
            "(n_samples, n_classes) with at least 2 classes."
        )
    if not np.isfinite(logits).all():
        raise ValueError("Got log-odds that are NaN or infinite, but expected numbers.")
    return np.ascontiguousarray(logits)


def check_classes(classes, n_classes):
    """Return class labels of as many columns, 0 to n_classes - 1 for None."""
    classes = np.arange(n_classes) if classes is None else np.asarray(classes)
    if classes.shape != (n_classes,) or len(set(classes.tolist())) < n_classes:
        raise ValueError(
            f"Got classes={classes.tolist()}, but expected {n_classes} different "
            "labels, one per column."
        )
    return classes


def _check_codes(labels, n_samples, n_classes):
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (n_samples,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Got labels of shape {labels.shape} and dtype {labels.dtype}, but "
            f"expected integers of shape ({n_samples},): positions in `classes`, or "
            "-1 where unknown. SoftTargets.from_proba takes class labels."
        )
    if len(labels) and not (labels.min() >= -1 and labels.max() < n_classes):
        raise ValueError(
            f"Got labels from {labels.min()} to {labels.max()}, but expected "
            f"positions in the {n_classes} classes, or -1 where unknown."
        )
    return np.ascontiguousarray(labels, dtype=np.int64)
