"""Native boosters of LightGBM and XGBoost, and their files, as fitted classifiers."""

import json
import os
from abc import abstractmethod
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array

from .._columns import is_frame, to_pandas
from .._kinds._of_lightgbm import LOG_ODDS, find_objective, find_scale, read_header
from .._log_odds import check_column_names
from ..losses._reference import log_softmax
from ..targets import check_classes
from ._log_proba import LogProbaMixin

XGBOOST_SUFFIXES = (".json", ".ubj")
"""Of the files that `xgboost.Booster.save_model` writes; others are LightGBM's."""

XGBOOST_OBJECTIVES = (
    "binary:logistic",
    "binary:logitraw",
    "multi:softmax",
    "multi:softprob",
    "reg:logistic",
)
"""Objectives whose raw scores are log-odds, of two classes or of all."""


def from_booster(booster, classes=None):
    r"""Wrap a native booster of LightGBM or XGBoost as a fitted classifier.

    Its `decision_function` is the booster's raw score in the form of natural
    log-odds, and its `predict_proba` the softmax of that in double precision, which is
    what ``booster.predict`` says without its rounding. As the teacher of a
    `DistilledClassifier` it is used as it is, like one in a
    `sklearn.frozen.FrozenEstimator`.

    Raw scores are log-odds but for two kinds of LightGBM models: those with the
    parameter ``sigmoid`` are multiplied by it, and those with ``boosting="rf"``
    divided by the number of iterations.

    Parameters
    ----------
    booster : lightgbm.Booster, xgboost.Booster, str or path-like
        A trained model, or the file of one: ``.json`` and ``.ubj`` are read by
        XGBoost, anything else by LightGBM.
    classes : array-like of shape (n_classes,), default=None
        Class labels in the order of the booster's own classes, which it knows as
        integers. ``None``: 0 to n_classes - 1.

    Returns
    -------
    BoosterClassifier
        With `decision_function`, `predict_proba`, `predict_log_proba`, `predict`,
        `classes_`, `n_features_in_` and, where the booster knows names,
        `feature_names_in_`. Frames must have these columns in that order, and are
        handed over with their types, since both libraries look up categories by
        value (XGBoost those of models saved by 3.1 or later: others need frames with
        the categories of the training rows). LightGBM gets polars frames as those of
        pandas.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If the library that wrote the file is not installed.
    TypeError
        If `booster` is neither a booster nor a path, or its objective is not one of
        binary, cross_entropy and multiclass (LightGBM), or binary:logistic,
        binary:logitraw, reg:logistic, multi:softprob and multi:softmax (XGBoost) with
        a single target.
    ValueError
        If the file holds no model, or `classes` are not as many different labels as
        the booster has classes.

    Notes
    -----
    As many trees are used as ``booster.predict`` uses. After early stopping those are
    the best ones in LightGBM, and all in XGBoost: hand over
    ``booster[: booster.best_iteration + 1]`` for the best ones.

    Examples
    --------
    >>> import lightgbm
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skdistill.teachers import from_booster
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> booster = lightgbm.train(
    ...     {"objective": "binary", "verbose": -1}, lightgbm.Dataset(X, y), 20
    ... )
    >>> teacher = from_booster(booster, classes=["malignant", "benign"])
    >>> difference = teacher.predict_proba(X)[:, 1] - booster.predict(X)
    >>> bool(abs(difference).max() < 1e-12)
    True
    """
    if isinstance(booster, str | os.PathLike):
        booster = _load(Path(booster))
    for cls in type(booster).__mro__:
        library = cls.__module__.partition(".")[0]
        if cls.__name__ == "Booster" and library in ADAPTERS:
            return ADAPTERS[library](booster, classes).fit()
    raise TypeError(
        f"Got {type(booster).__name__}, but expected a Booster of LightGBM or XGBoost, "
        "or the path of its file. A fitted scikit-learn estimator goes into a "
        "FrozenEstimator."
    )


class BoosterClassifier(LogProbaMixin, ClassifierMixin, BaseEstimator):
    """A trained booster as a classifier, made by `from_booster`.

    Parameters
    ----------
    booster : Booster
        Of the library that a subclass is for.
    classes : array-like of shape (n_classes,), default=None
        Class labels in the order of the booster's.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of `classes`. Scorers of scikit-learn take them to be
        sorted; those of a distilled model are.
    n_features_in_ : int
        Number of columns that the booster was trained on.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where the booster knows them.
    """

    gives_log_odds = True
    """What `decision_function` returns need not be compared with probabilities."""

    def __init__(self, booster, classes=None):
        self.booster = booster
        self.classes = classes

    def fit(self, X=None, y=None, sample_weight=None):
        """Read what the booster is, and check the columns of rows; nothing is fitted.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features), default=None
            Rows whose columns must be those of the booster.
        y : array-like of shape (n_samples,), default=None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Not used.

        Returns
        -------
        self : object
            The same classifier.
        """
        self.classes_ = check_classes(self.classes, self._count_classes())
        self.n_features_in_, names = self._describe_columns()
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        if X is not None:
            self._check_rows(X)
        return self

    def decision_function(self, X):
        """Natural log-odds, from the raw scores of the booster.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            One number for a booster with one output, of the second class.
        """
        return self._log_odds(self._check_rows(X))

    def predict_log_proba(self, X):
        """Natural logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        log_odds = self.decision_function(X)
        if log_odds.ndim == 1:
            log_odds = np.stack([np.zeros_like(log_odds), log_odds], axis=1)
        return log_softmax(log_odds)

    def __sklearn_clone__(self):
        # There is nothing to refit, and boosters may be large.
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        for name in ("sparse", "allow_nan", "categorical"):
            setattr(tags.input_tags, name, True)
        return tags

    def _check_rows(self, X):
        if is_frame(X):
            check_column_names(self, X)
        else:
            X = check_array(X, accept_sparse="csr", ensure_all_finite="allow-nan")
        if X.shape[0] == 0 or X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"Got X of shape {X.shape}, but expected at least one row and the "
                f"{self.n_features_in_} columns that the booster was trained on."
            )
        return X

    @abstractmethod
    def _count_classes(self):
        """Return the number of classes; raise if raw scores are no log-odds."""

    @abstractmethod
    def _describe_columns(self):
        """Return the number of columns and, where they are known, their names."""

    @abstractmethod
    def _log_odds(self, X):
        """Return log-odds, 1-D for one output, of rows with the right columns."""


class LightGBMClassifier(BoosterClassifier):
    """A `lightgbm.Booster` as a classifier."""

    @property
    def booster_(self):
        """The booster, under the name that `LGBMClassifier` gives it."""
        return self.booster

    def _count_classes(self):
        objective = find_objective(read_header(self.booster))
        if objective not in LOG_ODDS:
            raise _wrong_objective("LightGBM", objective, LOG_ODDS)
        return max(2, self.booster.num_model_per_iteration())

    def _describe_columns(self):
        names = self.booster.feature_name()
        made_up = [f"Column_{j}" for j in range(len(names))]
        return len(names), None if names == made_up else names

    def _log_odds(self, X):
        if is_frame(X):
            # LightGBM 4.7 ends the process on categories of polars.
            X = to_pandas(X)
        scale = find_scale(self.booster, read_header(self.booster))
        return self.booster.predict(X, raw_score=True) * scale


class XGBoostClassifier(BoosterClassifier):
    """A `xgboost.Booster` as a classifier."""

    def get_booster(self):
        """Return the booster, under the name that `XGBClassifier` gives it.

        Returns
        -------
        xgboost.Booster
        """
        return self.booster

    def _count_classes(self):
        learner = json.loads(self.booster.save_config())["learner"]
        objective = learner["objective"]["name"]
        parameters = learner["learner_model_param"]
        if objective not in XGBOOST_OBJECTIVES:
            raise _wrong_objective("XGBoost", objective, XGBOOST_OBJECTIVES)
        if int(parameters["num_target"]) > 1:
            raise TypeError(
                f"Got an XGBoost model of {parameters['num_target']} targets, but "
                "expected one, whose classes exclude each other."
            )
        return max(2, int(parameters["num_class"]))

    def _describe_columns(self):
        return self.booster.num_features(), self.booster.feature_names

    def _log_odds(self, X):
        import xgboost

        names = None if is_frame(X) else self.booster.feature_names
        rows = xgboost.DMatrix(X, feature_names=names, enable_categorical=True)
        margins = self.booster.predict(rows, output_margin=True, strict_shape=True)
        margins = margins.astype(np.float64)
        return margins[:, 0] if margins.shape[1] == 1 else margins


ADAPTERS = {"lightgbm": LightGBMClassifier, "xgboost": XGBoostClassifier}
"""Which class is for the boosters of a library."""


def _load(path):
    """Return the booster that a file holds."""
    with path.open("rb") as file:
        start = file.readline(16)
    is_xgboost = path.suffix in XGBOOST_SUFFIXES
    if not is_xgboost and start.strip() != b"tree":
        raise ValueError(
            f"Got the file {path.name}, which starts with {start!r}, but expected a "
            "model that LightGBM saved as text, or one of XGBoost named "
            f"{' or '.join(XGBOOST_SUFFIXES)}."
        )
    try:
        if is_xgboost:
            return _load_xgboost(path)
        import lightgbm

        if b"\nend of trees" not in path.read_bytes():
            # LightGBM would take the trees that there are, or end the process.
            raise ValueError(f"Got {path.name}, which is no whole model of LightGBM.")
        return lightgbm.Booster(model_file=path)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"Reading {path.name} needs {error.name}, which is not installed."
        ) from error


def _load_xgboost(path):
    import xgboost

    try:
        return xgboost.Booster(model_file=path)
    except xgboost.core.XGBoostError as error:
        # Its first line is followed by the addresses of a C++ stack.
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"Got {path.name}, which is no model of XGBoost: {reason}"
        ) from error


def _wrong_objective(library, objective, expected):
    return TypeError(
        f"Got a {library} model of the objective {objective!r}, but expected one of "
        f"{list(expected)}, whose raw scores are log-odds."
    )
