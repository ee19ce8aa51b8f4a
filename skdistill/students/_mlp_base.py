"""What small networks have in common, whatever they predict."""

from abc import abstractmethod

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._columns import iterate_columns
from .._parameters import check_integer, check_number
from ..runtime import NetworkSpec
from ._base import Student
from ._encoder import TabularEncoder


class BaseMLPStudent(Student):
    """Base of the students that are networks on a `TabularEncoder`.

    A student defines ``_objective(targets, sample_weight)``, which returns what is
    minimised, and ``to_spec()``.
    """

    def __init__(
        self,
        hidden_layer_sizes=(64, 64, 64),
        n_steps="auto",
        batch_size=512,
        learning_rate=0.008,
        weight_decay="auto",
        optimizer="muon",
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_bins="auto",
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
        self._import_training()
        if not isinstance(self.hidden_layer_sizes, tuple | list):
            raise ValueError(
                f"Got hidden_layer_sizes={self.hidden_layer_sizes!r}, but expected a "
                "tuple of integers, such as (64, 64)."
            )
        for size in self.hidden_layer_sizes:
            check_integer("a size in hidden_layer_sizes", size, 1)
        check_integer("n_steps", self.n_steps, 1, auto=True)
        check_integer("batch_size", self.batch_size, 1)
        check_integer("n_iter_no_change", self.n_iter_no_change, 1)
        self._check_n_bins()
        check_number("learning_rate", self.learning_rate, 0, above=True)
        self._check_weight_decay()
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

    def _fit(self, X, targets, sample_weight):
        training = self._import_training()
        # From the encoder on: sums of many rows depend on the threads of BLAS.
        with training.own_turn():
            self._train(training, X, targets, sample_weight)

    def _train(self, training, X, targets, sample_weight):
        random_state = check_random_state(self.random_state)
        self.encoder_ = TabularEncoder(n_bins=self._choose_n_bins(targets))
        self.encoder_.fit(X, targets, sample_weight)
        stops_early = self.early_stopping
        if stops_early == "auto":
            stops_early = targets.alpha == 0
        if stops_early and X.shape[0] < 2:
            raise ValueError(
                "Got 1 sample, but expected at least 2: early stopping holds rows out."
            )
        self.weight_decay_ = self._choose_weight_decay(targets, sample_weight)
        table = (values for _, values in iterate_columns(X, self.encoder_.columns_))
        layers, history, self.n_iter_ = training.train_network(
            self,
            table,
            self._objective(targets, sample_weight),
            sample_weight,
            random_state,
            stops_early,
        )
        self.coefs_ = [weights for weights, _ in layers]
        self.intercepts_ = [biases for _, biases in layers]
        self.loss_curve_ = history[:, "train_loss"]
        # Of an earlier fit, which may have stopped early.
        self.__dict__.pop("validation_curve_", None)
        if stops_early:
            self.validation_curve_ = history[:, "valid_loss"]

    def _check_n_bins(self):
        check_integer("n_bins", self.n_bins, 1)

    def _choose_n_bins(self, targets):
        return self.n_bins

    def _check_weight_decay(self):
        check_number("weight_decay", self.weight_decay, 0)

    def _choose_weight_decay(self, targets, sample_weight):
        return self.weight_decay

    @abstractmethod
    def _objective(self, targets, sample_weight):
        """What the network minimises, on the arrays that it holds."""

    def _network_spec(self):
        check_is_fitted(self)
        return NetworkSpec(
            self.encoder_.to_spec(), tuple(self.coefs_), tuple(self.intercepts_)
        )

    def _n_steps(self, n_samples):
        if self.n_steps != "auto":
            return int(self.n_steps)
        return max(500, round(15 * n_samples**0.5))

    def _import_training(self):
        try:
            from ._torch import training
        except ModuleNotFoundError as error:
            raise ImportError(
                f"Fitting {type(self).__name__} needs torch and skorch: "
                "pip install 'skdistill[mlp]'."
            ) from error
        return training
