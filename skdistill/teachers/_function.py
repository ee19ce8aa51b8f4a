"""A classifier whose probabilities come from a function: a service, another model."""

import time
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.metaestimators import available_if

from .._columns import column_names, is_frame, take_rows, to_array
from .._parameters import check_integer
from .._validation import check_labels, check_table, check_weights
from ..losses._reference import log_softmax, softmax
from ..targets import SUM_TOLERANCE, encode_labels, log_proba

OUTPUTS = ("probabilities", "log_odds")

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Seconds before the first retry, which double with each, and their bound."""


def _gives_log_odds(teacher):
    return teacher.output == "log_odds"


class FunctionTeacher(ClassifierMixin, BaseEstimator):
    r"""A classifier that asks a function for the probabilities of rows.

    For what is no estimator: a remote service, a model of another language or
    library, rules. There is nothing to fit. As the teacher of a `DistilledClassifier`
    it is used as it is, like one in a `sklearn.frozen.FrozenEstimator`: each row is
    asked for once, and there are no folds.

    Parameters
    ----------
    function : callable
        ``function(rows)`` gets at most `batch_size` rows, in the container and column
        types of the table that came, and returns an array-like of shape
        (n_rows, n_classes), columns in the order of `classes`. With two classes,
        shape (n_rows,) is understood as the probability or the log-odds of the second
        one. A frame whose column names are the classes is matched by name, unless
        they are 0, 1, ... in order, as those of columns without names.
    classes : array-like of shape (n_classes,)
        At least two different class labels.
    batch_size : int, default=10_000
        Largest number of rows in a call.
    n_retries : int, default=0
        How often a call is repeated that raises an `OSError`, which `ConnectionError`
        and `TimeoutError` are, and the errors of most HTTP clients. Each repetition
        is a warning, after 0.5, 1, 2, ... and at most 30 seconds.
    output : {"probabilities", "log_odds"}, default="probabilities"
        What the function returns. Natural log-odds :math:`t`, up to a constant in each
        row, keep the digits of confident rows; probabilities are
        :math:`\operatorname{softmax}(t)`. Rows of probabilities must sum to 1 within
        1e-3, and are divided by their sum.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of `classes`, known before `fit`. Scorers of
        scikit-learn take them to be sorted; those of a distilled model are.
    n_features_in_ : int
        Number of columns, after `fit`. Later tables must have as many.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, after `fit` with a frame of string names. Later frames must have
        the same, in that order.

    Notes
    -----
    Give `DistilledClassifier` rows that the model behind the function has not been
    fitted on: nobody can tell from here. At the end of a pipeline it is fitted in each
    fold like any other step, and each row is asked for twice: freeze the pipeline.

    Frequencies with exact zeros, such as those of a forest, are smoothed for known
    estimators only: let the function do it. Otherwise zero counts as 1e-7.

    Clones share the function, which may hold a connection. With ``memory`` a function
    is known to the cache by its module and name, and a callable object by its
    attributes: another model behind the same name is not noticed. Let the object have
    an attribute ``version``, or clear the cache. Lambdas can be neither pickled nor
    cached.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers import FunctionTeacher
    >>> def score(rows):
    ...     return 1 / (1 + np.exp(-rows[:, 0]))
    >>> teacher = FunctionTeacher(score, classes=["no", "yes"])
    >>> teacher.predict_proba(np.array([[0.0, 5.0], [2.0, 1.0]])).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    """

    gives_log_odds = True
    """What `decision_function` returns, where there is one, need not be compared."""

    def __init__(
        self,
        function,
        classes,
        *,
        batch_size=10_000,
        n_retries=0,
        output="probabilities",
    ):
        self.function = function
        self.classes = classes
        self.batch_size = batch_size
        self.n_retries = n_retries
        self.output = output

    @property
    def classes_(self):
        """Class labels, in the order of the function's columns."""
        classes = np.asarray(self.classes)
        distinct = classes.ndim == 1 and len(set(classes.tolist())) == len(classes)
        if not distinct or len(classes) < 2:
            raise ValueError(
                f"Got classes={self.classes!r}, but expected at least 2 different "
                "labels."
            )
        return classes

    def fit(self, X, y=None, sample_weight=None):
        """Check the input and remember its columns; the function is not called.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows of the kind that the function understands.
        y : array-like of shape (n_samples,), default=None
            Class labels, which must be among `classes`.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, which change nothing.

        Returns
        -------
        self : object
            The same teacher.

        Raises
        ------
        TypeError
            If `function` cannot be called.
        ValueError
            If input or a parameter is not as described.
        """
        self._check_parameters()
        X = check_table(self, X, reset=True, accept_sparse=True)
        check_weights(sample_weight, X)
        if y is not None:
            encode_labels(check_labels(y, X), self.classes_)
        return self

    @available_if(_gives_log_odds)
    def decision_function(self, X):
        """Return the log-odds of the function; only with ``output="log_odds"``.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to ask for.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            With two classes those of the second against the first.
        """
        log_odds = self._ask(X)
        if log_odds.shape[1] == 2:
            return log_odds[:, 1] - log_odds[:, 0]
        return log_odds

    def predict_proba(self, X):
        """Class probabilities of the function.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to ask for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.

        Raises
        ------
        OSError
            The last error of the function, where no retry is left.
        TypeError
            If `function` cannot be called, or returns no numbers.
        ValueError
            If input or a parameter is not as described, or the function returns
            another shape, NaN, infinity, negative probabilities, or rows that do not
            sum to 1.
        """
        answer = self._ask(X)
        return softmax(answer) if _gives_log_odds(self) else answer

    def predict_log_proba(self, X):
        """Natural logarithms of the class probabilities, see `predict_proba`.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to ask for.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Of probabilities, those below 1e-7 count as 1e-7.
        """
        answer = self._ask(X)
        return log_softmax(answer) if _gives_log_odds(self) else log_proba(answer)

    def predict(self, X):
        """Most probable class of each row.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to ask for.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        return self.classes_[self._ask(X).argmax(axis=1)]

    def __sklearn_clone__(self):
        # Not a deep copy: the function may hold a connection.
        return type(self)(**self.get_params(deep=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        for name in ("sparse", "allow_nan", "categorical", "string"):
            setattr(tags.input_tags, name, True)
        return tags

    def _check_parameters(self):
        if not callable(self.function):
            raise TypeError(f"Got function={self.function!r}, but expected a callable.")
        check_integer("batch_size", self.batch_size, 1)
        check_integer("n_retries", self.n_retries, 0)
        if self.output not in OUTPUTS:
            raise ValueError(
                f"Got output={self.output!r}, but expected one of {OUTPUTS}."
            )

    def _check_rows(self, X):
        if hasattr(self, "n_features_in_"):
            return check_table(self, X, reset=False, accept_sparse=True)
        # Predicting must not remember columns.
        return check_table(clone(self), X, reset=True, accept_sparse=True)

    def _ask(self, X):
        """Return what the function says about all rows, checked."""
        self._check_parameters()
        classes = self.classes_
        X = self._check_rows(X)
        n_samples = X.shape[0]
        answers = np.empty((n_samples, len(classes)))
        for start in range(0, n_samples, self.batch_size):
            rows = range(start, min(start + self.batch_size, n_samples))
            batch = take_rows(X, slice(rows.start, rows.stop))
            answer = _call(self.function, batch, rows, self.n_retries)
            answer = _read(answer, rows, classes, self.output)
            answers[rows.start : rows.stop] = answer
        return answers


def _call(function, batch, rows, n_retries):
    """Return what the function says, after at most `n_retries` failures."""
    for retry in range(n_retries + 1):
        try:
            return function(batch)
        except OSError as error:
            if retry == n_retries:
                error.add_note(
                    f"Raised by the function of a FunctionTeacher for the rows "
                    f"{_name(rows)}, at call {retry + 1} of {n_retries + 1}."
                )
                raise
            wait = min(FIRST_WAIT * 2 ** min(retry, 10), LONGEST_WAIT)
            warnings.warn(
                f"Got {error!r} from the function of a FunctionTeacher for the rows "
                f"{_name(rows)}: retry {retry + 1} of {n_retries} in {wait} seconds.",
                RuntimeWarning,
                stacklevel=2,
            )
        time.sleep(wait)
    raise AssertionError("unreachable")


def _read(answer, rows, classes, output):
    """Return an answer of the function as an array, after all checks."""
    values = _to_array(answer, classes)
    n_rows, n_classes = len(rows), len(classes)
    if n_classes == 2 and values.shape == (n_rows,):
        first = np.zeros(n_rows) if output == "log_odds" else 1 - values
        values = np.stack([first, values], axis=1)
    if values.shape != (n_rows, n_classes):
        raise ValueError(
            f"Got an array of shape {values.shape} from the function for the rows "
            f"{_name(rows)}, but expected {(n_rows, n_classes)}: a row for each of "
            f"them, and a column for each of the classes {classes.tolist()}."
        )
    finite = np.isfinite(values).all(axis=1)
    _refuse(values, ~finite, rows, "finite numbers")
    if output == "log_odds":
        return values
    _refuse(values, (values < 0).any(axis=1), rows, "probabilities of at least 0")
    sums = values.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    _refuse(values, wrong, rows, "probabilities that sum to 1")
    return values / sums[:, None]


def _to_array(answer, classes):
    if is_frame(answer):
        labels = classes.tolist()
        if not set(labels) & set(column_names(answer)):
            labels = [str(label) for label in labels]
        answer = to_array(answer, labels)
    try:
        return np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Got {type(answer).__name__} from the function, but expected an array of "
            "numbers."
        ) from error


def _refuse(values, wrong, rows, expected):
    """Raise an error that shows the first row that is wrong."""
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"Got {values[first]} from the function for row {rows.start + first}, but "
            f"expected {expected}."
        )


def _name(rows):
    return f"{rows.start} to {rows.stop - 1}"
