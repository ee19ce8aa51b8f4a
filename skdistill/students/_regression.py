"""A regressor on log-odds as a student."""

import numpy as np

from .._fitting import clone_seeded, fit_outputs
from .._parameters import check_number
from ._base import (
    StudentClassifier,
    copy_input_tags,
    counted_rows,
    objective_weights,
    row_optimum,
)


class LogOddsStudentClassifier(StudentClassifier):
    r"""Any regressor, trained on log-odds by squared error.

    The target of a row are the log-odds that minimise the row's objective, see
    `SoftTargets`, clipped to :math:`\pm` `largest_log_odds`: with two classes the
    log-odds of the second, with more the centred log-odds of all. The optimum of each
    row is exact, but squared error on log-odds weighs deviations of confident rows
    more than the objective does. Rows without a label weigh :math:`\alpha`, as in the
    objective; where others have one, the regressor must take weights.

    Parameters
    ----------
    regressor : estimator
        Cloned; one that takes a single target is fitted once for each class.
    largest_log_odds : float, default=8.0
        Targets are clipped here: 8 is a probability of 0.9997.
    random_state : int, RandomState or None, default=None
        Fixes the seeds of the regressor that are ``None``.

    Attributes
    ----------
    regressor_ : estimator
        Fitted on log-odds.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    References
    ----------
    J. Ba, R. Caruana. "Do Deep Nets Really Need to be Deep?", NeurIPS 2014.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill import SoftTargets
    >>> from skdistill.students import LogOddsStudentClassifier
    >>> targets = SoftTargets([[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]])
    >>> student = LogOddsStudentClassifier(LinearRegression())
    >>> student.fit([[0.0], [1.0], [2.0]], targets).predict_proba([[1.0]]).round(2)
    array([[0.5, 0.5]])
    """

    def __init__(self, regressor, largest_log_odds=8.0, random_state=None):
        self.regressor = regressor
        self.largest_log_odds = largest_log_odds
        self.random_state = random_state

    def check_parameters(self):
        """Raise ValueError if a parameter is out of range."""
        check_number("largest_log_odds", self.largest_log_odds, 0, above=True)

    def __sklearn_tags__(self):
        return copy_input_tags(super().__sklearn_tags__(), self.regressor)

    def _fit(self, X, targets, sample_weight):
        X, targets, weights = counted_rows(X, targets, sample_weight)
        weights = objective_weights(targets, weights)
        logits = row_optimum(targets)
        if logits.shape[1] == 2:
            logits = logits[:, 1] - logits[:, 0]
        logits = logits.clip(-self.largest_log_odds, self.largest_log_odds)
        regressor = clone_seeded(self.regressor, self.random_state)
        self.regressor_ = fit_outputs(regressor, X, logits, weights)

    def _log_odds(self, X):
        logits = np.asarray(self.regressor_.predict(X), dtype=np.float64)
        if len(self.classes_) == 2:
            return np.stack([np.zeros(len(logits)), logits.ravel()], axis=1)
        return logits
