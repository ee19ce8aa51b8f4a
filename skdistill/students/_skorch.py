"""A skorch net with a module of the user's own as a student."""

import numpy as np
from sklearn.utils import check_random_state

from .._columns import is_frame
from ..targets import log_proba
from ._base import StudentClassifier

PROBABILITY_CRITERIA = {"NLLLoss", "BCELoss"}
"""Criteria whose nets return probabilities; those of all others return log-odds."""


class SkorchStudentClassifier(StudentClassifier):
    """A skorch net with a module of the user's own, trained on soft targets.

    The net is cloned and its criterion replaced by `skdistill.losses.SoftTargetLoss`;
    everything else, optimiser, epochs and callbacks, stays as the user set it. Rows
    reach the module as float32 tensors, so categories must be encoded before. The
    module returns log-odds of shape (n, n_classes), or (n, 1) for two classes; if the
    net's criterion is ``NLLLoss``, the default of ``NeuralNetClassifier``, it returns
    probabilities.

    Callbacks see as ``y`` a float32 matrix of shape (n, n_classes + 2): log-odds, the
    position of the known label or -1, and the weight of each row.

    Parameters
    ----------
    net : skorch.NeuralNet
        Uninitialised or not; it is cloned.
    random_state : int, RandomState or None, default=None
        Seeds torch while fitting. Neither fitting nor predicting changes torch's
        global generator, unless the module itself draws from it to predict. Fits in
        several threads take turns.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The fitted net.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Examples
    --------
    >>> import numpy as np, skorch, torch
    >>> from skdistill.students import SkorchStudentClassifier
    >>> module = torch.nn.Linear(3, 2)
    >>> net = skorch.NeuralNet(module, torch.nn.CrossEntropyLoss, verbose=0)
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> student = SkorchStudentClassifier(net, random_state=0).fit(X, X[:, 0] > 0)
    >>> student.predict_proba(X).shape
    (60, 2)
    """

    def __init__(self, net, random_state=None):
        self.net = net
        self.random_state = random_state

    def _fit(self, X, targets, sample_weight):
        from ._torch.foreign import fit_net

        random_state = check_random_state(self.random_state)
        self.returns_probabilities_ = _returns_probabilities(self.net)
        self.net_ = fit_net(
            self.net,
            _as_float32(X),
            targets,
            sample_weight,
            random_state,
            self.returns_probabilities_,
        )

    def _log_odds(self, X):
        from ._torch.foreign import net_outputs

        output = net_outputs(self.net_, _as_float32(X)).astype(np.float64)
        output = output.reshape(len(output), -1)
        if self.returns_probabilities_:
            if output.shape[1] == 1:
                output = np.concatenate([1 - output, output], axis=1)
            return log_proba(output)
        if output.shape[1] == 1:
            output = np.concatenate([np.zeros_like(output), output], axis=1)
        return output


def is_skorch_net(estimator):
    """Whether an estimator is a skorch ``NeuralNet`` or a subclass of it."""
    # By name: importing skorch would import torch for users who have neither.
    return any(
        base.__module__.split(".")[0] == "skorch" and base.__name__ == "NeuralNet"
        for base in type(estimator).__mro__
    )


def _returns_probabilities(net):
    criterion = net.criterion
    if not isinstance(criterion, type):
        criterion = type(criterion)
    return criterion.__name__ in PROBABILITY_CRITERIA


def _as_float32(X):
    if is_frame(X):
        X = X.to_numpy()
    try:
        return np.ascontiguousarray(X, dtype=np.float32)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"Got a column that holds no numbers ({error}), but a skorch net expects "
            "numbers: put an encoder such as skdistill.students.TabularEncoder before "
            "it."
        ) from error
