"""How good models are against what they cost, as a picture."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._log_odds import classifier_log_odds
from ..losses._reference import log_softmax
from ..runtime import ModelSpec, Scorer
from ._cost import measure_cost, spec_for
from ._pairs import check_distributions, row_weights
from ._plotting import label_axes, new_axes, plain
from ._predictions import as_table
from ._quality import METRICS
from ._reliability import known_labels

COSTS = {
    "latency": ("one row, microseconds", "one_row_us"),
    "size": ("size, kB", "size_kb"),
}
"""Labels of the axis, and attributes of `Cost`."""


class ParetoDisplay:
    """Quality of several models against measured latency or size.

    Use `from_estimators` or `from_predictions` to make one. The line joins the models
    that no other one beats in both.

    Parameters
    ----------
    names : list of str
        Names of the models.
    costs : array-like of shape (n_models,)
        What each costs; less is better.
    qualities : array-like of shape (n_models,)
        How good each is.
    greater_is_better : bool
        Whether larger qualities are better.
    cost_label, quality_label : str
        Labels of the axes.

    Attributes
    ----------
    front_ : ndarray of int
        Positions of the models that no other one beats, cheapest first.
    points_ : matplotlib PathCollection
        The models.
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Their figure.

    Examples
    --------
    >>> from skdistill.inspection import ParetoDisplay
    >>> display = ParetoDisplay(
    ...     ["teacher", "student", "slow"],
    ...     [500, 0.6, 800],
    ...     [0.87, 0.869, 0.86],
    ...     greater_is_better=True,
    ...     cost_label="one row, microseconds",
    ...     quality_label="accuracy",
    ... )
    >>> display.plot().front_
    array([1, 0])
    """

    def __init__(
        self, names, costs, qualities, *, greater_is_better, cost_label, quality_label
    ):
        self.names = names
        self.costs = costs
        self.qualities = qualities
        self.greater_is_better = greater_is_better
        self.cost_label = cost_label
        self.quality_label = quality_label

    def plot(self, *, ax=None, **kwargs):
        """Draw the models and the line of the best.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.scatter`.

        Returns
        -------
        self : ParetoDisplay
            With the artists as attributes.
        """
        self.ax_, self.figure_ = new_axes(ax)
        costs, qualities = np.asarray(self.costs), np.asarray(self.qualities)
        self.front_ = pareto_front(
            costs, qualities if self.greater_is_better else -qualities
        )
        self.ax_.plot(
            costs[self.front_], qualities[self.front_], color="gray", linestyle=":"
        )
        self.points_ = self.ax_.scatter(costs, qualities, **{"zorder": 3, **kwargs})
        for name, *point in zip(self.names, costs, qualities, strict=True):
            self.ax_.annotate(
                plain(str(name)),
                point,
                xytext=(6, 6),
                textcoords="offset points",
                parse_math=False,
            )
        self.ax_.set_xscale("log")
        self.ax_.margins(x=0.2, y=0.15)
        label_axes(self.ax_, self.cost_label, self.quality_label)
        return self

    @classmethod
    def from_estimators(
        cls,
        models,
        X,
        y,
        *,
        metric="log_loss",
        cost="latency",
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Score models on rows, and measure what they cost on this machine.

        Parameters
        ----------
        models : dict of str to fitted classifier or skdistill.runtime.ModelSpec
            Of a `DistilledClassifier` its student counts; its `teacher_` may be an
            entry of its own, and `skdistill.conversion.to_spec` of that another one.
        X : array-like or frame of shape (n_samples, n_features)
            Rows that no model was fitted on.
        y : array-like of shape (n_samples,)
            Their labels.
        metric : {"log_loss", "accuracy", "auc", "brier"}, default="log_loss"
            What is good.
        cost : {"latency", "size"}, default="latency"
            Median time of one row, or size of the file, see `measure_cost`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.scatter`.

        Returns
        -------
        ParetoDisplay

        Raises
        ------
        TypeError
            If a model is no classifier.
        ValueError
            If input is not as described, or the models know different classes.
        """
        _check_choices(metric, cost)
        if not isinstance(models, dict) or not models:
            raise ValueError(
                f"Got models={models!r}, but expected a dictionary of fitted models."
            )
        X = as_table(X)
        first = next(iter(models.values()))
        classes = np.asarray(
            first.classes if isinstance(first, ModelSpec) else _classes_of(first)
        )
        probas = {name: _proba(model, X, classes) for name, model in models.items()}
        return cls.from_predictions(
            y,
            probas,
            {name: measure_cost(model, X) for name, model in models.items()},
            classes=classes,
            metric=metric,
            cost=cost,
            sample_weight=sample_weight,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y,
        probas,
        costs,
        *,
        classes,
        metric="log_loss",
        cost="latency",
        sample_weight=None,
        ax=None,
        **kwargs,
    ):
        """Compare probabilities of several models whose costs are known.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            True labels.
        probas : dict of str to array-like of shape (n_samples, n_classes)
            Predicted probabilities by the names of the models.
        costs : dict of str to Cost
            What `measure_cost` returned, by the same names.
        classes : array-like of shape (n_classes,)
            Class labels of the columns.
        metric : {"log_loss", "accuracy", "auc", "brier"}, default="log_loss"
            What is good.
        cost : {"latency", "size"}, default="latency"
            What a model costs. Models whose size is not known are an error.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        ax : matplotlib Axes, default=None
            Where to draw; ``None``: on a new figure.
        **kwargs : dict
            For `matplotlib.axes.Axes.scatter`.

        Returns
        -------
        ParetoDisplay

        Raises
        ------
        ValueError
            If input is not as described.
        """
        _check_choices(metric, cost)
        if not probas or set(probas) != set(costs):
            raise ValueError(
                f"Got probabilities of {list(probas)} and costs of {list(costs)}, "
                "but expected the same names, and at least one."
            )
        cost_label, attribute = COSTS[cost]
        quality_label, greater_is_better, function = METRICS[metric]
        measured = {name: getattr(costs[name], attribute) for name in probas}
        unknown = [name for name, value in measured.items() if value is None]
        if unknown:
            raise ValueError(f"Got no {cost} of {unknown}, but expected numbers.")
        qualities = []
        for proba in probas.values():
            labels = known_labels(y, proba, classes)
            used = row_weights(labels, sample_weight) > 0
            proba, _, weights = check_distributions(proba, proba, sample_weight)
            quality = function(labels[used], proba, weights)
            if np.isnan(quality):
                raise ValueError(
                    f"Got rows of one class for metric={metric!r}, but expected "
                    "several classes."
                )
            # What only rounds differently, as a compiled teacher, is equally good.
            qualities.append(round(quality, 6))
        return cls(
            list(probas),
            list(measured.values()),
            qualities,
            greater_is_better=greater_is_better,
            cost_label=cost_label,
            quality_label=quality_label,
        ).plot(ax=ax, **kwargs)


def pareto_front(costs, qualities):
    """Positions of the points that none beats in both, by increasing cost."""
    front: list[int] = []
    # Of equal costs the best comes first.
    for position in np.lexsort((-qualities, costs)):
        if not front or qualities[position] > qualities[front[-1]]:
            front.append(int(position))
    return np.array(front)


def _check_choices(metric, cost):
    for name, value, known in (("metric", metric, METRICS), ("cost", cost, COSTS)):
        if value not in known:
            raise ValueError(
                f"Got {name}={value!r}, but expected one of {sorted(known)}."
            )


def _classes_of(model):
    if not hasattr(model, "classes_"):
        check_is_fitted(model)
        raise TypeError(
            f"Got {type(model).__name__} without classes_, but expected a classifier."
        )
    return model.classes_


def _proba(model, X, classes):
    if isinstance(model, ModelSpec):
        own = [] if model.classes is None else model.classes.tolist()
        if sorted(own) != sorted(classes.tolist()):
            raise ValueError(
                f"Got a model with the classes {own}, but expected {classes.tolist()}."
            )
        columns = [own.index(label) for label in classes.tolist()]
        return Scorer(spec_for(model, X)).predict_proba(X)[:, columns]
    _classes_of(model)
    return np.exp(log_softmax(classifier_log_odds(model, X, classes, smooths=False)))
