"""A model that scores rows."""

import numpy as np

from ._kernel import kernel_for

DTYPES = ("float64", "float32")


class Scorer:
    r"""Score rows by a fitted model: compiled code that needs numpy alone.

    Computes :math:`\operatorname{softmax}(z)` of the log-odds z of `ModelSpec`, or what
    a regressor predicts; of networks in float32 up to z. What comes out for a row has
    the same bits whatever rows are scored with it, in however many threads. Where
    nothing is compiled numpy computes the same in float64.

    Numbers are codes' ends where they lie outside the training range; a missing one is
    taken for the fill value of its column, and categories that are missing or unseen
    are what the student was trained to make of them. Any thread may use a scorer at
    any time; other threads run while more than a few rows are scored.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    extrapolate : bool, default=False
        Whether scores of numbers outside the training range continue along their last
        segment, up to 1e12 times that range, instead of staying at its end. Intervals
        stay at their ends. Networks extrapolate wildly.
    n_threads : int, default=1
        Threads that share the rows of a call.
    dtype : {"float64", "float32"}, default="float64"
        Type of the probabilities; the numbers of a regressor are float64.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or None
        Class labels; ``None`` of a regressor.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    ModelSpec : The reference, in numpy.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.runtime import EncoderSpec, ModelSpec, NetworkSpec
    >>> from skdistill.runtime import NumberColumn, Scorer
    >>> ends = np.array([0.0, 1.0])
    >>> column = NumberColumn("x", 0.0, 1.0, 0.5, ends, ends)
    >>> encoder = EncoderSpec((column,), np.zeros(1, np.float32))
    >>> weights, biases = np.array([[2]], np.float32), np.array([-1], np.float32)
    >>> network = NetworkSpec(encoder, (weights,), (biases,))
    >>> scorer = Scorer(ModelSpec(network, np.array(["no", "yes"])))
    >>> scorer.predict_log_odds(np.array([[0.0], [0.75], [np.nan], [100.0]]))
    array([[ 0. , -1. ],
           [ 0. ,  0.5],
           [ 0. ,  0. ],
           [ 0. ,  1. ]])
    >>> scorer.predict(np.array([[0.0], [0.75]]))
    array(['no', 'yes'], dtype='<U3')
    """

    def __init__(self, spec, *, extrapolate=False, n_threads=1, dtype="float64"):
        n_threads = _check_threads(n_threads)
        dtype = np.dtype(dtype).name
        if dtype not in DTYPES:
            raise ValueError(f"Got dtype={dtype!r}, but expected one of {DTYPES}.")
        if extrapolate not in (True, False):
            raise ValueError(f"Got extrapolate={extrapolate!r}, but expected a bool.")
        self._parameters = {
            "extrapolate": bool(extrapolate),
            "n_threads": n_threads,
            "dtype": dtype,
        }
        self.spec = spec
        self.classes_ = spec.classes
        kernel = kernel_for(spec, **self._parameters)
        # Bound once: looking a method up costs as much as a third of the call.
        self._outputs = kernel.log_odds
        self._probabilities, self._log_odds = kernel.probabilities, kernel.log_odds
        if spec.is_regressor:
            self._probabilities = self._log_odds = self._refuse

    def predict_proba(self, X):
        """Compute the class probabilities of rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_columns)
            Numbers, NaN where they are missing; in arrays a category is its position
            among the levels (decimals are cut off), -1 or NaN if missing and any other
            number if unseen.
            Fastest is a C-contiguous array of float32 or float64.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Of the type `dtype`. With two classes neither is computed as 1 less the
            other: small ones are as exact as large ones.

        Raises
        ------
        ValueError
            If there are not as many columns as the model has, or with
            ``extrapolate=True`` a number is infinite and the model a network.
        TypeError
            If the model is a regressor.
        """
        return self._probabilities(X)

    def predict_log_odds(self, X):
        """Compute the log-odds of rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_columns)
            As for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            In nats. With two classes that of the first is 0.

        Raises
        ------
        ValueError, TypeError
            As `predict_proba`.
        """
        return self._log_odds(X)

    def predict(self, X):
        """Predict the class labels of rows, or numbers.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_columns)
            As for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,), or of a regressor of several outputs \
                (n_samples, n_outputs)
            The label with the largest log-odds, the first of equals; of a regressor
            numbers, float64.
        """
        outputs = self._outputs(X)
        if self.classes_ is not None:
            return self.classes_[outputs.argmax(axis=1)]
        predictions = self.spec.from_outputs(outputs)
        return predictions[:, 0] if predictions.shape[1] == 1 else predictions

    def _refuse(self, X):
        self.spec.check_is("classifier")

    def __repr__(self):
        kind = type(self.spec.predictor).__name__
        classes = "" if self.classes_ is None else f", classes {self.classes_.tolist()}"
        return f"<Scorer of a {kind} of {len(self.spec.columns)} columns{classes}>"

    def __reduce__(self):
        return _make, (self.spec, self._parameters)


def _make(spec, parameters):
    return Scorer(spec, **parameters)


def _check_threads(n_threads):
    is_integer = isinstance(n_threads, int | np.integer)
    if not is_integer or isinstance(n_threads, bool) or not 1 <= n_threads <= 1024:
        raise ValueError(
            f"Got n_threads={n_threads!r}, but expected an integer from 1 to 1024."
        )
    return int(n_threads)
