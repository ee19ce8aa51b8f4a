"""A small network as a student."""

import numpy as np

from .._parameters import check_integer, check_number, is_auto
from ..runtime import ModelSpec
from ._mlp_base import BaseMLPStudent
from ._scored import ScoredStudentClassifier

WEIGHT_DECAY = 0.3
"""Where the teacher leaves nothing open."""

LEAST_EXPLAINED = 0.04
"""Share of the entropy from which on weights decay as if no less were explained."""

ENOUGH_ROWS = 3_000
"""A teacher of fewer says what others would not have taught it."""

LARGEST_WEIGHT_DECAY = 2.5
"""From 3 on a network hardly learns anything any more."""

ROWS_OF_A_BIN = 300
FEWEST_BINS, MOST_BINS = 4, 32
"""Intervals of a numeric column, by the rows that the teacher was fitted on."""


class MLPStudentClassifier(BaseMLPStudent, ScoredStudentClassifier):
    r"""Small multilayer perceptron trained on soft targets.

    Columns are encoded by `TabularEncoder`, which borrows the thresholds of the
    teacher. The network minimises the objective of `SoftTargets` by Muon, with a
    learning rate that rises over the first twentieth of the steps and then falls as a
    cosine. torch and skorch are needed for fitting only: scoring, copying and pickling
    a fitted student need numpy.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64, 64)
        Units of each hidden layer; they are rectified.
    n_steps : int or "auto", default="auto"
        Optimiser steps. ``"auto"``: 15 times the square root of the number of rows,
        at least 500.
    batch_size : int, default=512
        Rows in each step, all of them if there are fewer.
    learning_rate : float, default=0.008
        Largest learning rate.
    weight_decay : float or "auto", default="auto"
        Decoupled weight decay. ``"auto"``: 0.3, divided by the square root of
        `SoftTargets.explained_entropy`, at most 1.5: the less the teacher knows of
        the classes, the more a network has to be kept from learning what is not so.
        Of a teacher of less than 3,000 rows (`SoftTargets.n_fitted`) up to twice as
        much, by the square root of their number, and at most 2.5.
    optimizer : {"muon", "adamw"}, default="muon"
        ``"muon"``: Muon on the hidden matrices and AdamW on the rest; its steps take
        longer than those of ``"adamw"`` alone, and lead further.
    early_stopping : bool or "auto", default="auto"
        Whether to hold rows out, stop once their objective does not fall any more,
        and keep the weights at its lowest. ``"auto"``: with plain labels, which a
        network soon learns by heart; a teacher's soft targets regularise by
        themselves.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping.
    n_iter_no_change : int, default=10
        Fiftieths of the training without a lower objective after which it stops.
    n_bins : int or "auto", default="auto"
        Most intervals of a numeric column in the encoder. ``"auto"``: one for 300 rows
        that the teacher was fitted on (`SoftTargets.n_fitted`), 4 to 32.
    random_state : int, RandomState or None, default=None
        Seeds initial weights, batches and the held-out rows. Global generators are
        not touched if it is given.
    verbose : int, default=0
        Above 0, how many steps are done and the objective are told on standard error:
        as a bar on a terminal if tqdm is installed, as lines elsewhere.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    encoder_ : TabularEncoder
        Encodes the columns.
    coefs_ : list of ndarray of shape (n_in, n_out), float32
        Weights of each layer. With two classes the last layer has one output, the
        log-odds of the second.
    intercepts_ : list of ndarray of shape (n_out,), float32
        Biases of each layer.
    weight_decay_ : float
        Weight decay used.
    loss_curve_ : list of float
        Mean objective over each fiftieth of the training, in nats.
    validation_curve_ : list of float
        The same on held-out rows; only if the training could stop early.
    n_iter_ : int
        Optimiser steps taken.
    scorer_ : skdistill.runtime.Scorer
        Scores rows, without what the student was fitted with.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Raises
    ------
    ImportError
        By `fit`, if torch or skorch is not installed.

    See Also
    --------
    TreeStudentClassifier : A student that a person can read.

    References
    ----------
    K. Jordan et al. "Muon: An optimizer for hidden layers in neural networks", 2024.

    I. Loshchilov, F. Hutter. "Decoupled Weight Decay Regularization", ICLR 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier(hidden_layer_sizes=(16,), random_state=0)
    >>> bool(student.fit(X, y).score(X, y) > 0.9)
    True
    """

    learns_far_from_rows = True

    def to_spec(self):
        """Return what the fitted network is, as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """
        return ModelSpec(self._network_spec(), self.classes_)

    def _check_weight_decay(self):
        check_number("weight_decay", self.weight_decay, 0, auto=True)

    def _choose_weight_decay(self, targets, sample_weight):
        if not is_auto(self.weight_decay):
            return self.weight_decay
        explained = max(targets.explained_entropy(sample_weight), LEAST_EXPLAINED)
        n_fitted = targets.n_fitted or ENOUGH_ROWS
        factor = float(np.clip((ENOUGH_ROWS / n_fitted) ** 0.5, 1, 2))
        return min(WEIGHT_DECAY * factor / explained**0.5, LARGEST_WEIGHT_DECAY)

    def _check_n_bins(self):
        check_integer("n_bins", self.n_bins, 1, auto=True)

    def _choose_n_bins(self, targets):
        if not is_auto(self.n_bins):
            return self.n_bins
        if targets.n_fitted is None:
            return MOST_BINS
        return int(np.clip(targets.n_fitted // ROWS_OF_A_BIN, FEWEST_BINS, MOST_BINS))

    def _objective(self, targets, sample_weight):
        return self._import_training().SoftTargetObjective(targets)
