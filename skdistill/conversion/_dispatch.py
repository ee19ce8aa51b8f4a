"""Which converter a model is for."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules


def to_spec(model):
    r"""Turn a fitted tree ensemble or student into plain arrays.

    The arrays route every row exactly as the model does, thresholds, missing values
    and categories included. What adds up are log-odds, or the predictions of a
    regressor or their logarithms; forests of classifiers average probabilities.

    What can be converted: `LGBMClassifier`, `LGBMRegressor` and `Booster` of LightGBM
    (objectives binary, multiclass and cross_entropy, and those for numbers; no linear
    trees), and of scikit-learn `DecisionTreeClassifier`, `ExtraTreeClassifier`,
    `RandomForestClassifier`, `ExtraTreesClassifier`, `GradientBoostingClassifier`,
    `HistGradientBoostingClassifier` and the regressors of these kinds. What has a
    method `to_spec` of its own, as the students have, is asked for it.

    Categories that the model knows by name keep their names as levels. Those that it
    knows as integers :math:`0 \le c \le m` get the levels "0" to "m", so that a
    number is its own code, decimals cut off as LightGBM does it (to scikit-learn such
    numbers are unknown); in LightGBM, numbers between -1 and 0 are category 0, but
    unseen here. LightGBM reads arrays of integers as float32, which matters beyond 16
    million: a scorer reads them as ``X.astype(np.float32)`` only if it is given that.

    Parameters
    ----------
    model : fitted classifier or regressor
        Model to convert.

    Returns
    -------
    ModelSpec
        Columns have the names that the model knows, and an unlimited range.

    Raises
    ------
    TypeError
        If the model is of no known kind, or uses something that plain trees cannot
        express; the message says what.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.conversion import to_spec
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    >>> difference = to_spec(tree).probabilities(X) - tree.predict_proba(X)
    >>> bool(abs(difference).max() < 1e-12)
    True
    """
    if not isinstance(model, type) and hasattr(model, "to_spec"):
        return model.to_spec()
    converters = _converters()
    name = _kind(type(model))
    if name not in converters:
        raise TypeError(
            f"Got {name}, but expected a student or one of {sorted(converters)}. "
            "Students are the networks, trees and boosted trees of skdistill, in no "
            "pipeline: other models can be pickled."
        )
    return converters[name](model)


@cache
def _converters():
    """Return the function of each kind of model, from all files ``_from_*.py``."""
    package = import_module(__package__)
    return {
        name: converter
        for module in iter_modules(package.__path__)
        if module.name.startswith("_from_")
        for name, converter in import_module(
            f"{__package__}.{module.name}"
        ).CONVERTERS.items()
    }


def _kind(cls):
    """Name of a class by its library alone, so that none need be imported.

    A subclass of another library may compute something else: it is no known kind.
    """
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"
