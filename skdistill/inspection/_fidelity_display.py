"""The student's predictions against the teacher's, as a picture."""

import numpy as np

from .._parameters import check_integer
from ._pairs import check_scores
from ._plotting import label_axes, new_axes
from ._predictions import paired_scores


class FidelityDisplay:
    """How often the student says this where the teacher says that.

    Use `from_estimator` or `from_predictions` to make one. Rows on the diagonal are
    those on which both agree.

    Parameters
    ----------
    counts : ndarray of shape (n_bins, n_bins)
        Weight of the rows by bins of the teacher's and the student's prediction.
    edges : ndarray of shape (n_bins + 1,)
        Ends of the bins, the same for both.
    pos_label : str, int or bool, default=None
        The class whose probabilities they are.

    Attributes
    ----------
    mesh_ : matplotlib QuadMesh
        The bins.
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skdistill.inspection import FidelityDisplay
    >>> display = FidelityDisplay.from_predictions([0.1, 0.5, 0.9], [0.2, 0.5, 0.8])
    >>> display.counts.sum()
    np.float64(3.0)
    """

    def __init__(self, counts, edges, *, pos_label=None):
        self.counts = counts
        self.edges = edges
        self.pos_label = pos_label

    def plot(self, *, ax=None, **kwargs):
        """Draw the density of the rows.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        self : FidelityDisplay
            With the artists as attributes.
        """
        self.ax_, self.figure_ = new_axes(ax)
        # Many rows are near the ends: on another scale nothing else would be seen.
        style = {"norm": "log", "cmap": "viridis", "rasterized": True}
        counts = np.ma.masked_equal(np.asarray(self.counts).T, 0)
        self.mesh_ = self.ax_.pcolormesh(
            self.edges, self.edges, counts, **{**style, **kwargs}
        )
        ends = [self.edges[0], self.edges[-1]]
        self.ax_.plot(ends, ends, color="gray", linestyle=":", linewidth=1)
        self.ax_.set_aspect("equal")
        self.figure_.colorbar(self.mesh_, ax=self.ax_, label="rows")
        what = "prediction" if self.pos_label is None else f"P({self.pos_label})"
        label_axes(self.ax_, f"{what}, teacher", f"{what}, student")
        return self

    @classmethod
    def from_estimator(
        cls,
        model,
        X,
        *,
        pos_label=None,
        n_bins=50,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare the teacher and the student of a fitted model on rows.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            Fitted.
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.
        pos_label : str, int or bool, default=None
            The class to show; ``None``: the second of two.
        n_bins : int, default=50
            Number of bins on each axis.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        FidelityDisplay

        Raises
        ------
        TypeError
            If the model is of another kind.
        ValueError
            If input is not as described.
        """
        teacher, student, pos_label = paired_scores(model, X, pos_label)
        return cls.from_predictions(
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
        teacher_scores,
        student_scores,
        *,
        pos_label=None,
        n_bins=50,
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare two predictions of each row.

        Parameters
        ----------
        teacher_scores, student_scores : array-like of shape (n_samples,)
            Probabilities of one class, or other predictions. If all are in [0, 1],
            so are the axes.
        pos_label : str, int or bool, default=None
            The class whose probabilities they are, for the labels of the axes.
        n_bins : int, default=50
            Number of bins on each axis.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        FidelityDisplay

        Raises
        ------
        ValueError
            If input is not as described.
        """
        density = joint_density(teacher_scores, student_scores, n_bins, sample_weight)
        return cls(*density, pos_label=pos_label).plot(ax=ax, **kwargs)


def joint_density(teacher_scores, student_scores, n_bins, sample_weight=None):
    """Weight of the rows in bins of both predictions, and the ends of the bins."""
    check_integer("n_bins", n_bins, 1)
    teacher, student, weights, _ = check_scores(
        teacher_scores, student_scores, sample_weight
    )
    low = min(teacher.min(), student.min())
    high = max(teacher.max(), student.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    edges = np.histogram_bin_edges([low, high], n_bins)
    counts = np.histogram2d(teacher, student, [edges, edges], weights=weights)[0]
    return counts, edges
