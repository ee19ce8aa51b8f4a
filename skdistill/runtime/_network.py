"""A fitted network as plain arrays, and what it computes."""

from dataclasses import dataclass

import numpy as np

from ._spec import EncoderSpec


@dataclass(frozen=True, eq=False)
class NetworkSpec:
    r"""Rectified layers on the code of a table: :math:`z = W_m^\top h_m + b_m`.

    :math:`h_0` is the encoder's code less its mean, :math:`h_{i+1} =
    \max(W_i^\top h_i + b_i, 0)`. With two classes the last layer may have one unit,
    whose log-odds are those of the second class against the first.

    Parameters
    ----------
    encoder : EncoderSpec
        Makes the code.
    weights : tuple of ndarray of shape (n_inputs, n_units), float32
        Weights of each layer.
    biases : tuple of ndarray of shape (n_units,), float32
        Biases of each layer.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.runtime import EncoderSpec, NetworkSpec, NumberColumn
    >>> ends = np.array([0.0, 1.0])
    >>> column = NumberColumn("x", 0.0, 1.0, 0.5, ends, ends)
    >>> encoder = EncoderSpec((column,), np.zeros(1, np.float32))
    >>> weights, biases = np.array([[2]], np.float32), np.array([-1], np.float32)
    >>> network = NetworkSpec(encoder, (weights,), (biases,))
    >>> network.outputs_of(np.array([[0.0], [0.5], [np.nan]]))
    array([[-1.],
           [ 0.],
           [ 0.]])
    """

    encoder: EncoderSpec
    weights: tuple
    biases: tuple

    def __post_init__(self):
        width = len(self.encoder.mean)
        if not self.weights or len(self.weights) != len(self.biases):
            raise ValueError(
                f"Got {len(self.weights)} weights and {len(self.biases)} biases, but "
                "expected as many of both, and at least one."
            )
        for weights, biases in zip(self.weights, self.biases, strict=True):
            if (
                weights.ndim != 2
                or weights.shape[0] != width
                or biases.shape != weights.shape[1:]
            ):
                raise ValueError(
                    f"Got a layer with weights of shape {weights.shape} and biases of "
                    f"shape {biases.shape}, but expected ({width}, n_units) and "
                    "(n_units,)."
                )
            if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
                raise ValueError("Got a weight that is not a finite number.")
            width = weights.shape[1]
            if not width:
                raise ValueError("Got a layer of no units, but expected at least 1.")

    @property
    def columns(self):
        """Columns of the table."""
        return self.encoder.columns

    @property
    def n_outputs(self):
        """Number of log-odds of a row."""
        return len(self.biases[-1])

    def outputs_of(self, values):
        """Compute the log-odds of rows in float64, with numpy.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            Numbers, NaN where they are missing, and codes of categories.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), float64
        """
        table = (
            column.read(values[:, j]) for j, column in enumerate(self.encoder.columns)
        )
        hidden = self.encoder.encode(table, len(values)).astype(np.float64)
        *hidden_layers, last = zip(self.weights, self.biases, strict=True)
        for weights, biases in hidden_layers:
            hidden = hidden @ weights
            hidden += biases
            np.maximum(hidden, 0, out=hidden)
        return hidden @ last[0] + last[1]
