"""What a search over temperature and alpha has found, as a picture."""

from itertools import compress

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._plotting import add_legend, label_axes, new_axes


class TemperatureDisplay:
    """Validation loss over temperature, a line for each alpha.

    Use `from_estimator` or `from_cv_results` to make one. Where other parameters were
    searched as well, each point is the best of those with its temperature and alpha.
    Of a list of grids, those without temperature are left out, and those without alpha
    are a line of their own, "alpha of the model".

    Parameters
    ----------
    values : ndarray of shape (n_points,)
        Temperatures, or alphas if only these were searched.
    losses : ndarray of shape (n_lines, n_points)
        Mean validation loss, or score; NaN where nothing was tried.
    deviations : ndarray of shape (n_lines, n_points)
        Standard deviations over the validation parts.
    names : list of str
        What the lines are; a single line may have the empty name.
    x_label, y_label : str
        Labels of the axes.

    Attributes
    ----------
    containers_ : list of matplotlib ErrorbarContainer
        A line with the deviations for each name.
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skdistill.inspection import TemperatureDisplay
    >>> display = TemperatureDisplay.from_cv_results(
    ...     {
    ...         "param_temperature": [1, 2],
    ...         "mean_test_score": [-0.3, -0.2],
    ...         "std_test_score": [0.01, 0.01],
    ...     }
    ... )
    >>> display.losses
    array([[0.3, 0.2]])
    """

    def __init__(self, values, losses, deviations, names, *, x_label, y_label):
        self.values = values
        self.losses = losses
        self.deviations = deviations
        self.names = names
        self.x_label = x_label
        self.y_label = y_label

    def plot(self, *, ax=None, **kwargs):
        """Draw a line for each alpha.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.errorbar`, of all lines.

        Returns
        -------
        self : TemperatureDisplay
            With the artists as attributes.
        """
        self.ax_, self.figure_ = new_axes(ax)
        self.containers_ = []
        table = zip(self.names, self.losses, self.deviations, strict=True)
        for name, losses, deviations in table:
            tried = np.isfinite(losses)
            self.containers_.append(
                self.ax_.errorbar(
                    self.values[tried],
                    losses[tried],
                    yerr=deviations[tried],
                    **{"marker": "o", "capsize": 3, "label": name, **kwargs},
                )
            )
        if any(self.names):
            add_legend(self.ax_)
        label_axes(self.ax_, self.x_label, self.y_label)
        return self

    @classmethod
    def from_estimator(cls, search, *, ax=None, **kwargs):
        """Show what a fitted search has found.

        Parameters
        ----------
        search : GridSearchCV or another estimator with `cv_results_`
            Fitted, over `temperature`, `alpha` or both.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.errorbar`, of all lines.

        Returns
        -------
        TemperatureDisplay

        Raises
        ------
        TypeError
            If the estimator has no `cv_results_`.
        ValueError
            If neither temperature nor alpha was searched.
        """
        check_is_fitted(search)
        if not hasattr(search, "cv_results_"):
            raise TypeError(
                f"Got {type(search).__name__} without cv_results_, but expected a "
                "fitted search."
            )
        return cls.from_cv_results(search.cv_results_, ax=ax, **kwargs)

    @classmethod
    def from_cv_results(cls, cv_results, *, ax=None, **kwargs):
        """Show the table of a search.

        Parameters
        ----------
        cv_results : dict of str to array-like of shape (n_candidates,)
            With ``"mean_test_score"``, ``"std_test_score"`` and ``"param_..."`` whose
            last part is `temperature` or `alpha`. If no score is positive they are
            taken for losses with the sign changed, as those of ``"neg_log_loss"``.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.errorbar`, of all lines.

        Returns
        -------
        TemperatureDisplay

        Raises
        ------
        ValueError
            If neither temperature nor alpha was searched, or scores are missing.
        """
        searched = {}
        for name in ("temperature", "alpha"):
            key = _parameter(cv_results, name)
            if key is not None:
                searched[name] = list(cv_results[key])
        if not searched or not {"mean_test_score", "std_test_score"} <= set(cv_results):
            raise ValueError(
                f"Got results with {sorted(cv_results)}, but expected "
                "'mean_test_score', 'std_test_score', and 'param_temperature' or "
                "'param_alpha'."
            )
        x_label, *others = searched
        tried, x = _numbers_or_texts(searched[x_label])
        scores, deviations = (
            np.asarray(cv_results[key], dtype=np.float64)[tried]
            for key in ("mean_test_score", "std_test_score")
        )
        names, lines = [""], np.zeros(len(x), dtype=np.int64)
        for name in others:
            names, lines = _lines(name, compress(searched[name], tried))
        # A fit that failed has the score NaN, and is worse than all others.
        is_loss = not (scores > 0).any()
        values, best = _best_by_cell(x, lines, len(names), scores)
        pick = np.where(best < 0, 0, best)
        display = cls(
            values,
            np.where(best < 0, np.nan, (-scores if is_loss else scores)[pick]),
            np.where(best < 0, np.nan, deviations[pick]),
            names,
            x_label=x_label,
            y_label="validation loss" if is_loss else "validation score",
        )
        return display.plot(ax=ax, **kwargs)


def _numbers_or_texts(values):
    """Return which values of a parameter were searched, and those, as numbers or texts.

    What another grid has searched is masked: behind the mask may be anything.
    """
    searched = np.array([value is not np.ma.masked for value in values], dtype=bool)
    values = list(compress(values, searched))
    try:
        return searched, np.asarray(values, dtype=np.float64)
    except ValueError:
        return searched, np.array([_text(value) for value in values])


def _lines(name, values):
    """Return what the lines are called, and the line of each candidate."""
    searched, known = _numbers_or_texts(list(values))
    levels, position = np.unique(known, return_inverse=True)
    names = [f"{name} {_text(level)}" for level in levels]
    lines = np.full(len(searched), len(levels))
    lines[searched] = position
    return names if searched.all() else [*names, f"{name} of the model"], lines


def _text(value):
    return value if isinstance(value, str) else f"{value:g}"


def _parameter(cv_results, name):
    """Shortest key of a parameter, which of a pipeline has a prefix."""
    keys = [
        key
        for key in cv_results
        if key.removeprefix("param_").split("__")[-1] == name
        and key.startswith("param_")
    ]
    return min(keys, key=len, default=None)


def _best_by_cell(x, lines, n_lines, scores):
    """Return the values of the axis, and the best candidate of each cell, or -1."""
    values, column = np.unique(x, return_inverse=True)
    best = np.full((n_lines, len(values)), -1)
    for candidate in np.argsort(scores)[::-1]:
        cell = lines[candidate], column[candidate]
        if np.isfinite(scores[candidate]) and best[cell] < 0:
            best[cell] = candidate
    return values, best
