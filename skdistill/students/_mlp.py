"""A small network as a student."""

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._columns import iterate_columns
from .._parameters import check_integer, check_number
from ..runtime import ModelSpec, NetworkSpec
from ._encoder import TabularEncoder
from ._scored import ScoredStudentClassifier

ROWS_AT_ONCE = 4096
"""Rows scored together: their encoded columns stay in the processor's cache."""


class MLPStudentClassifier(ScoredStudentClassifier):
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
    weight_decay : float, default=0.3
        Decoupled weight decay.
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
    n_bins : int, default=32
        Most intervals of a numeric column in the encoder.
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

    def __init__(
        self,
        hidden_layer_sizes=(64, 64, 64),
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_bins = n_bins
        self.random_state = random_state
        self.verbose = verbose

    def check_parameters(self):
        """Raise an error if a parameter is out of range or torch is missing."""
        _import_training()
        if not isinstance(self.hidden_layer_sizes, tuple | list):
            raise ValueError(
                f"Got hidden_layer_sizes={self.hidden_layer_sizes!r}, but expected a "
                "tuple of integers, such as (64, 64)."
            )
        for size in self.hidden_layer_sizes:
            check_integer("a size in hidden_layer_sizes", size, 1)
        if self.n_steps != "auto":
            check_integer("n_steps", self.n_steps, 1)
        check_integer("batch_size", self.batch_size, 1)
        check_integer("n_iter_no_change", self.n_iter_no_change, 1)
        check_integer("n_bins", self.n_bins, 1)
        check_number("learning_rate", self.learning_rate, 0, above=True)
        check_number("weight_decay", self.weight_decay, 0)
        if self.optimizer not in ("muon", "adamw"):
            raise ValueError(
                f"Got optimizer={self.optimizer!r}, but expected 'muon' or 'adamw'."
            )
        fraction = self.validation_fraction
        check_number("validation_fraction", fraction, 0, 0.9, above=True)
        if self.early_stopping not in (True, False, "auto"):
            raise ValueError(
                f"Got early_stopping={self.early_stopping!r}, but expected a bool or "
                "'auto'."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit(self, X, targets, sample_weight):
        train_network = _import_training()
        random_state = check_random_state(self.random_state)
        self.encoder_ = TabularEncoder(n_bins=self.n_bins)
        self.encoder_.fit(X, targets, sample_weight)
        stops_early = self.early_stopping
        if stops_early == "auto":
            stops_early = targets.alpha == 0
        table = (values for _, values in iterate_columns(X, self.encoder_.columns_))
        layers, history, self.n_iter_ = train_network(
            self, table, targets, sample_weight, random_state, stops_early
        )
        self.coefs_ = [weights for weights, _ in layers]
        self.intercepts_ = [biases for _, biases in layers]
        self.loss_curve_ = history[:, "train_loss"]
        if stops_early:
            self.validation_curve_ = history[:, "valid_loss"]

    def to_spec(self):
        """Return what the fitted network is, as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """
        check_is_fitted(self)
        network = NetworkSpec(
            self.encoder_.to_spec(), tuple(self.coefs_), tuple(self.intercepts_)
        )
        return ModelSpec(network, self.classes_)

    def _n_steps(self, n_samples):
        if self.n_steps != "auto":
            return int(self.n_steps)
        return max(500, round(15 * n_samples**0.5))


def _import_training():
    try:
        from ._torch.training import train_network
    except ModuleNotFoundError as error:
        raise ImportError(
            "Fitting MLPStudentClassifier needs torch and skorch: "
            "pip install 'skdistill[mlp]'."
        ) from error
    return train_network
