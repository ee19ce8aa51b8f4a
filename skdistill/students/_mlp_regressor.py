"""A small network as a student that predicts numbers."""

import numpy as np

from .._parameters import check_number
from ..losses._regression import (
    HuberLoss,
    PoissonLoss,
    QuantileLoss,
    SquaredLoss,
    check_quantile,
)
from ..runtime import ModelSpec
from ._mlp_base import BaseMLPStudent
from ._regressor import ScoredStudentRegressor

LOSSES = ("squared", "huber", "quantile", "poisson")


class MLPStudentRegressor(BaseMLPStudent, ScoredStudentRegressor):
    r"""Small multilayer perceptron that predicts numbers, taught by a teacher.

    Columns are encoded by `TabularEncoder`, which borrows the thresholds of the
    teacher. The network minimises the objective of `RegressionTargets` by Muon, with a
    learning rate that rises over the first twentieth of the steps and then falls as a
    cosine. Targets are standardised for the training; of several outputs the mean of
    the losses in these units counts. torch and skorch are needed for fitting only:
    predicting, copying and pickling a fitted student need numpy.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64, 64, 64)
        Units of each hidden layer; they are rectified.
    loss : {"squared", "huber", "quantile", "poisson"}, default="squared"
        What is minimised with plain true values; `RegressionTargets` have a loss of
        their own. ``"poisson"`` is for counts and other targets that are not negative:
        the network gives the logarithm of what it predicts.
    quantile : float, default=0.5
        Which quantile is predicted, in (0, 1), with ``loss="quantile"``.
    epsilon : float, default=1.35
        From what distance on ``loss="huber"`` is linear, in units of the normalised
        median absolute deviation of y, which is its standard deviation if it is
        normal.
    n_steps : int or "auto", default="auto"
        Optimiser steps. ``"auto"``: 15 times the square root of the number of rows,
        at least 500.
    batch_size : int, default=512
        Rows in each step, all of them if there are fewer.
    learning_rate : float, default=0.008
        Largest learning rate.
    weight_decay : float, default=0.3
        Decoupled weight decay.
    optimizer : {"muon", "adamw"}, default="muon"
        ``"muon"``: Muon on the hidden matrices and AdamW on the rest; its steps take
        longer than those of ``"adamw"`` alone, and lead further.
    early_stopping : bool or "auto", default="auto"
        Whether to hold rows out, stop once their objective does not fall any more,
        and keep the weights at its lowest. ``"auto"``: with plain true values, which a
        network soon learns by heart; a teacher's predictions regularise by themselves.
    validation_fraction : float, default=0.1
        Share of the rows held out for early stopping.
    n_iter_no_change : int, default=10
        Fiftieths of the training without a lower objective after which it stops.
    n_bins : int, default=32
        Most intervals of a numeric column in the encoder.
    random_state : int, RandomState or None, default=None
        Seeds initial weights, batches and the held-out rows. Global generators are
        not touched if it is given.
    verbose : int, default=0
        Whether to print the objective as it falls.

    Attributes
    ----------
    encoder_ : TabularEncoder
        Encodes the columns.
    coefs_ : list of ndarray of shape (n_in, n_out), float32
        Weights of each layer; outputs are in the units of y.
    intercepts_ : list of ndarray of shape (n_out,), float32
        Biases of each layer.
    weight_decay_ : float
        Weight decay used.
    link_ : {"identity", "log"}
        ``"log"``: the outputs are logarithms of the predictions.
    loss_curve_ : list of float
        Mean objective over each fiftieth of the training, of standardised targets.
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
    MLPStudentClassifier : The same for classes.

    Notes
    -----
    Weights and biases are float32, so a prediction is exact to about 1e-7 of the
    largest values of y.

    References
    ----------
    K. Jordan et al. "Muon: An optimizer for hidden layers in neural networks", 2024.

    I. Loshchilov, F. Hutter. "Decoupled Weight Decay Regularization", ICLR 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill.students import MLPStudentRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = MLPStudentRegressor(hidden_layer_sizes=(16,), random_state=0)
    >>> bool(student.fit(X, y).score(X, y) > 0.4)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes=(64, 64, 64),
        loss="squared",
        quantile=0.5,
        epsilon=1.35,
        n_steps="auto",
        batch_size=512,
        learning_rate=0.008,
        weight_decay=0.3,
        optimizer="muon",
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_bins=32,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            n_steps=n_steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            optimizer=optimizer,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            n_bins=n_bins,
            random_state=random_state,
            verbose=verbose,
        )
        self.loss = loss
        self.quantile = quantile
        self.epsilon = epsilon

    def check_parameters(self):
        """Raise an error if a parameter is out of range or torch is missing."""
        super().check_parameters()
        check_loss(self.loss, self.quantile, self.epsilon)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags

    def to_spec(self):
        """Return what the fitted network is, as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """
        return ModelSpec(self._network_spec(), link=self.link_)

    def _plain_loss(self, targets, sample_weight):
        if self.loss == "huber":
            values = targets.y.reshape(len(targets), -1)
            weights = np.ones(len(values)) if sample_weight is None else sample_weight
            _, scale = HuberLoss(1.0).standardisation(values, weights)
            return HuberLoss(self.epsilon * scale)
        if self.loss == "quantile":
            return QuantileLoss(self.quantile)
        return PoissonLoss() if self.loss == "poisson" else SquaredLoss()

    def _objective(self, targets, sample_weight):
        self.link_ = targets.loss.link
        return self._import_training().RegressionObjective(targets, sample_weight)


def check_loss(loss, quantile, epsilon):
    """Raise ValueError if a loss is not known or its parameter is out of range."""
    if loss not in LOSSES:
        raise ValueError(f"Got loss={loss!r}, but expected one of {LOSSES}.")
    check_quantile(quantile)
    check_number("epsilon", epsilon, 0, above=True)
