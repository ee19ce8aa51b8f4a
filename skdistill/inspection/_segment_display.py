"""The segments in which student and teacher differ most, as a picture."""

import numpy as np

from .._parameters import check_integer
from ._plotting import Z_95, new_axes, plain
from ._predictions import as_table, paired_scores
from ._segments import MIN_ROWS, segments


class SegmentDisplay:
    """Mean difference of student and teacher in those segments where it is largest.

    Use `from_estimator` or `from_predictions` to make one. Lines are 95 % confidence
    intervals.

    Parameters
    ----------
    segments : list of Segment
        As `skdistill.inspection.segments` returns them.
    quantity : str, default="prediction"
        What teacher and student are numbers of, for the label of the axis.

    Attributes
    ----------
    shown_ : list of Segment
        The segments that are drawn, largest difference first.
    container_ : matplotlib ErrorbarContainer
        Points and intervals.
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.inspection import SegmentDisplay
    >>> X = np.repeat([["a"], ["b"]], 50, axis=0)
    >>> student = np.repeat([0.5, 0.7], 50)
    >>> display = SegmentDisplay.from_predictions(X, np.full(100, 0.5), student)
    >>> display.shown_[0].label
    'b'
    """

    def __init__(self, segments, *, quantity="prediction"):
        self.segments = segments
        self.quantity = quantity

    def plot(self, *, ax=None, n_segments=12, min_rows=MIN_ROWS, **kwargs):
        """Draw the largest differences.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        n_segments : int, default=12
            How many segments are drawn.
        min_rows : int, default=50
            Smaller segments are drawn only if there are no others.
        **kwargs : dict
            For `matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        self : SegmentDisplay
            With the artists as attributes.

        Raises
        ------
        ValueError
            If there is no segment, or a number is no positive integer.
        """
        check_integer("n_segments", n_segments, 1)
        self.shown_ = largest_differences(self.segments, n_segments, min_rows)
        self.ax_, self.figure_ = new_axes(ax)
        positions = np.arange(len(self.shown_))
        # A single row has no standard error.
        reach = [Z_95 * np.nan_to_num(row.standard_error) for row in self.shown_]
        self.container_ = self.ax_.errorbar(
            [row.difference for row in self.shown_],
            positions,
            xerr=reach,
            **{"fmt": "o", "capsize": 3, **kwargs},
        )
        self.ax_.axvline(0, color="gray", linestyle=":")
        names = [plain(f"{row.column}: {row.label}") for row in self.shown_]
        self.ax_.set_yticks(positions, labels=names, parse_math=False)
        self.ax_.invert_yaxis()
        label = f"{self.quantity}, student - teacher"
        self.ax_.set_xlabel(label, parse_math=False)
        return self

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        *,
        pos_label=None,
        n_bins=10,
        min_rows=MIN_ROWS,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare the teacher and the student of a fitted model in segments.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            Fitted.
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.
        pos_label : str, int or bool, default=None
            The class whose probability is compared; ``None``: the second of two.
        n_bins : int, default=10
            Number of bins of a numeric column.
        min_rows : int, default=50
            Fewest rows of a segment.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `plot`.

        Returns
        -------
        SegmentDisplay

        Raises
        ------
        TypeError
            If the model is of another kind.
        ValueError
            If input is not as described.
        """
        teacher, student, pos_label = paired_scores(model, X, pos_label)
        return cls.from_predictions(
            as_table(X),
            teacher,
            student,
            quantity="prediction" if pos_label is None else f"P({pos_label})",
            n_bins=n_bins,
            min_rows=min_rows,
            sample_weight=sample_weight,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        X,
        teacher_scores,
        student_scores,
        *,
        quantity="prediction",
        n_bins=10,
        min_rows=MIN_ROWS,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare two predictions of each row in segments.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_columns)
            Columns to look at.
        teacher_scores, student_scores : array-like of shape (n_samples,)
            Predictions of any kind.
        quantity : str, default="prediction"
            What they are numbers of, for the label of the axis.
        n_bins : int, default=10
            Number of bins of a numeric column.
        min_rows : int, default=50
            Fewest rows of a segment.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `plot`.

        Returns
        -------
        SegmentDisplay

        Raises
        ------
        TypeError
            If a column holds neither numbers nor categories.
        ValueError
            If input is not as described.
        """
        table = segments(
            X,
            teacher_scores,
            student_scores,
            n_bins=n_bins,
            min_rows=min_rows,
            sample_weight=sample_weight,
        )
        return cls(table, quantity=quantity).plot(ax=ax, min_rows=min_rows, **kwargs)


def largest_differences(table, n_segments, min_rows=MIN_ROWS):
    """Return the segments with the largest differences, of those with enough rows."""
    if not table:
        raise ValueError("Got no segments, but expected at least one.")
    large = [row for row in table if row.n_rows >= min_rows] or list(table)
    return sorted(large, key=lambda row: -abs(row.difference))[:n_segments]
