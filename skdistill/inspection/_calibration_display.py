"""Whether what teacher and student predict is what happens, as a picture."""

import numpy as np

from .._parameters import check_integer
from ._pairs import check_length, check_numbers, check_scores
from ._plotting import add_legend, label_axes, new_axes
from ._predictions import paired_scores
from ._reliability import reliability_curve


class CalibrationComparisonDisplay:
    """Mean prediction against what happened, of teacher and student.

    Use `from_estimator` or `from_predictions` to make one. A model whose line is the
    diagonal is calibrated.

    Parameters
    ----------
    teacher_predicted, teacher_actual : ndarray of shape (n_teacher_bins,)
        Mean prediction and mean outcome in bins of the teacher's prediction.
    student_predicted, student_actual : ndarray of shape (n_student_bins,)
        The same of the student.
    pos_label : str, int or bool, default=None
        The class whose probabilities they are.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The line of the teacher and that of the student.
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skdistill.inspection import CalibrationComparisonDisplay
    >>> display = CalibrationComparisonDisplay.from_predictions(
    ...     ["no", "yes"], [0.25, 0.75], [0.4, 0.6], pos_label="yes", n_bins=2
    ... )
    >>> display.student_actual
    array([0., 1.])
    """

    def __init__(
        self,
        teacher_predicted,
        teacher_actual,
        student_predicted,
        student_actual,
        *,
        pos_label=None,
    ):
        self.teacher_predicted = teacher_predicted
        self.teacher_actual = teacher_actual
        self.student_predicted = student_predicted
        self.student_actual = student_actual
        self.pos_label = pos_label

    def plot(self, *, ax=None, **kwargs):
        """Draw the line of each model, and the diagonal.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.plot`, of both lines.

        Returns
        -------
        self : CalibrationComparisonDisplay
            With the artists as attributes.
        """
        self.ax_, self.figure_ = new_axes(ax)
        curves = {
            "teacher": ("s", self.teacher_predicted, self.teacher_actual),
            "student": ("o", self.student_predicted, self.student_actual),
        }
        points = [curve for _, *pair in curves.values() for curve in pair]
        reached = np.concatenate(points)
        ends = [min(0.0, reached.min()), reached.max()]
        self.ax_.plot(
            ends, ends, color="gray", linestyle=":", label="perfectly calibrated"
        )
        self.lines_ = []
        for name, (marker, predicted, actual) in curves.items():
            style = {"marker": marker, "markersize": 4, "label": name, **kwargs}
            self.lines_ += self.ax_.plot(predicted, actual, **style)
        add_legend(self.ax_, loc="upper left")
        if self.pos_label is None:
            label_axes(self.ax_, "mean prediction", "mean of what happened")
        else:
            name = self.pos_label
            label_axes(self.ax_, f"mean predicted P({name})", f"share of {name}")
        return self

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        y,
        *,
        pos_label=None,
        n_bins=10,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare the teacher and the student of a fitted model with the truth.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            Fitted.
        X : array-like or frame of shape (n_samples, n_features)
            Rows that it was not fitted on.
        y : array-like of shape (n_samples,)
            Their labels or values.
        pos_label : str, int or bool, default=None
            The class to show; ``None``: the second of two.
        n_bins : int, default=10
            Number of bins of equal weight.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.plot`, of both lines.

        Returns
        -------
        CalibrationComparisonDisplay

        Raises
        ------
        TypeError
            If the model is of another kind.
        ValueError
            If input is not as described.
        """
        teacher, student, pos_label = paired_scores(model, X, pos_label)
        return cls.from_predictions(
            y,
            teacher,
            student,
            pos_label=pos_label,
            n_bins=n_bins,
            sample_weight=sample_weight,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y,
        teacher_scores,
        student_scores,
        *,
        pos_label=None,
        n_bins=10,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare two predictions of each row with the truth.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels; with ``pos_label=None`` numbers or booleans that are predicted.
        teacher_scores, student_scores : array-like of shape (n_samples,)
            Probabilities of the positive class, or predictions of `y`.
        pos_label : str, int or bool, default=None
            The positive class.
        n_bins : int, default=10
            Number of bins of equal weight; equal predictions share one.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.plot`, of both lines.

        Returns
        -------
        CalibrationComparisonDisplay

        Raises
        ------
        ValueError
            If input is not as described.
        """
        check_integer("n_bins", n_bins, 1)
        if pos_label is not None:
            y = check_length(y, len(np.asarray(teacher_scores))) == pos_label
        teacher, student, weights, y = check_scores(
            teacher_scores, student_scores, sample_weight, y
        )
        y = check_numbers(y, len(teacher))
        curves = [
            curve
            for scores in (teacher, student)
            for curve in reliability_curve(y, scores, weights, n_bins)[:2]
        ]
        return cls(*curves, pos_label=pos_label).plot(ax=ax, **kwargs)
