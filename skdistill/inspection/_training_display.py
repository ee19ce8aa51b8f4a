"""How the loss of a network fell while it was trained, as a picture."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._fitting import last_step
from ._plotting import add_legend, label_axes, new_axes


class TrainingDisplay:
    """Objective of a network over its training, on training and held-out rows.

    Use `from_estimator` to make one.

    Parameters
    ----------
    steps : ndarray of shape (n_points,)
        Optimiser steps taken.
    loss : ndarray of shape (n_points,)
        Mean objective on training rows since the point before, in nats.
    validation_loss : ndarray of shape (n_points,), default=None
        Objective on held-out rows.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One for each loss.
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skdistill.inspection import TrainingDisplay
    >>> display = TrainingDisplay([100, 200], [0.5, 0.4], [0.5, 0.45]).plot()
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    def __init__(self, steps, loss, validation_loss=None):
        self.steps = steps
        self.loss = loss
        self.validation_loss = validation_loss

    def plot(self, *, ax=None, **kwargs):
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.plot`, of all lines.

        Returns
        -------
        self : TrainingDisplay
            With the artists as attributes.
        """
        self.ax_, self.figure_ = new_axes(ax)
        curves = {"training": self.loss, "validation": self.validation_loss}
        self.lines_ = [
            self.ax_.plot(self.steps, curve, **{"label": name, **kwargs})[0]
            for name, curve in curves.items()
            if curve is not None
        ]
        add_legend(self.ax_)
        label_axes(self.ax_, "optimiser steps", "objective (nats)")
        return self

    @classmethod
    def from_estimator(cls, model, *, ax=None, **kwargs):
        """Show the training of a network.

        Parameters
        ----------
        model : MLPStudentClassifier or DistilledClassifier
            Fitted, or a pipeline that ends in one.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.plot`, of all lines.

        Returns
        -------
        TrainingDisplay

        Raises
        ------
        TypeError
            If the model has no `loss_curve_`.
        """
        check_is_fitted(model)
        student = last_step(getattr(last_step(model), "student_", model))
        if not hasattr(student, "loss_curve_"):
            raise TypeError(
                f"Got {type(student).__name__} without loss_curve_, but expected a "
                "network such as MLPStudentClassifier."
            )
        loss = np.asarray(student.loss_curve_, dtype=np.float64)
        steps = np.arange(1, len(loss) + 1) * student.n_iter_ / len(loss)
        validation = getattr(student, "validation_curve_", None)
        return cls(steps, loss, validation).plot(ax=ax, **kwargs)
