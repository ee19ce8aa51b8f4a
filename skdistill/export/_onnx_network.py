"""A network as a graph of ONNX."""

from collections import defaultdict

import numpy as np

from ._first_layer import take_apart
from ._float32 import check_ends, split
from ._onnx_graph import as_float32, join, look_up

NEGLIGIBLE = 1e-7
"""Contributions to the first layer up to this are left out: float32 hides them."""


def add_network(graph, inputs, network, first_output):
    r"""Add what computes the log-odds of a network.

    A number's interval i contributes its weights times
    :math:`\min(\max((x - e_i) / (e_{i+1} - e_i), 0), 1)`, all intervals at once; the
    score is such a sum as well. What a category contributes is looked up.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    inputs : Inputs
        The columns of the table.
    network : skdistill.runtime.NetworkSpec
        The network.
    first_output : int
        How many log-odds of 0 come before its own.

    Returns
    -------
    str
        Name of the log-odds.

    Raises
    ------
    ValueError
        If a column's numbers overflow float32.
    """
    check_ends(network.columns)
    layers = list(zip(network.weights, network.biases, strict=True))
    weights, biases = layers[-1]
    layers[-1] = (
        np.pad(weights, [(0, 0), (first_output, 0)]),
        np.pad(biases, (first_output, 0)),
    )
    network = type(network)(network.encoder, *zip(*layers, strict=True))
    hidden = _add_first_layer(graph, inputs, network)
    for weights, biases in layers[1:]:
        hidden = graph.add("Relu", hidden)
        hidden = graph.add("Gemm", hidden, as_float32(weights), as_float32(biases))
    return hidden


def _add_first_layer(graph, inputs, network):
    numbers, categories, biases = take_apart(network)
    codes, weights = [], []
    if numbers:
        codes, weights, shift = _add_numbers(graph, inputs, numbers)
        biases = biases + shift
    if categories:
        biases = _add_categories(graph, inputs, categories, biases)
    if not codes:
        return biases
    code, weights = join(graph, codes), as_float32(np.concatenate(weights))
    biases = biases if isinstance(biases, str) else as_float32(biases)
    return graph.add("Gemm", code, weights, biases)


def _add_numbers(graph, inputs, numbers):
    """Names and weights of the parts of the numbers' code, and what is constant."""
    missing = graph.add("IsNaN", inputs.numbers)
    fill = np.zeros(len(inputs.positions))
    for part in numbers:
        fill[inputs.positions[part.position]] = part.column.fill
    values = graph.add("Where", missing, as_float32(fill), inputs.numbers)
    table = _Table(graph, values, inputs.positions)
    scored = [part for part in numbers if len(part.column.knots) > 1]
    shift = sum(
        (part.column.scores[0] * part.score[0] for part in numbers if len(part.score)),
        np.zeros(numbers[0].weights.shape[1]),
    )
    found = []
    for group in _by_size(numbers):
        code = table.add_shares(group, [part.column.edges for part in group])
        found.append((code, _padded([part.intervals for part in group])))
    if scored:
        shares = table.add_shares(scored, [part.column.knots for part in scored], True)
        rises = as_float32(_padded([np.diff(part.column.scores) for part in scored], 2))
        axis = np.array([2])
        rising = graph.add("Mul", shares, rises)
        score = graph.add("ReduceSum", rising, axis, keepdims=0)
        found.append((score, np.concatenate([part.score for part in scored])))
    marked = [(part, _missing_row(part)) for part in numbers]
    # Without any other code the marks, be their weights 0, say how many rows there are.
    marked = [
        (part, row)
        for part, row in marked
        if np.abs(row).max(initial=0) > NEGLIGIBLE or not found
    ]
    if marked:
        marks = graph.add("Cast", missing, to="FLOAT")
        marks = _Table(graph, marks, inputs.positions).take([p for p, _ in marked])
        found.append((marks, np.stack([row for _, row in marked])))
    codes, weights = zip(*found, strict=True)
    return list(codes), weights, shift


class _Table:
    """A matrix of numeric columns in a graph.

    Parameters
    ----------
    graph : Graph
        The graph.
    name : str
        Name of the matrix.
    positions : dict of int to int
        Its column of each numeric column of the table.
    """

    def __init__(self, graph, name, positions):
        self.graph = graph
        self.name = name
        self.positions = positions

    def take(self, parts):
        """Name of the matrix of some columns only."""
        wanted = [self.positions[part.position] for part in parts]
        if wanted == list(range(len(self.positions))):
            return self.name
        return self.graph.add("Gather", self.name, np.array(wanted), axis=1)

    def add_shares(self, parts, ends, keeps_columns=False):
        """Name of how much of each interval between ends lies below the values.

        Of shape (n_samples, n_parts, n_intervals), or flat; there are as many
        intervals of each column as the largest number, the last ones are never
        reached.
        """
        graph, values = self.graph, self.take(parts)
        size = max(len(e) for e in ends) - 1
        if size > 1 or keeps_columns:
            values = graph.add("Unsqueeze", values, np.array([2]))
        largest = np.finfo(np.float32).max
        high, low = split(_padded([e[:-1] for e in ends], 2, largest))
        widths = _padded([np.diff(e) for e in ends], 2, 1.0)
        with np.errstate(over="ignore"):
            steepness = np.minimum(1 / widths, largest).astype(np.float32)
        if size == 1 and not keeps_columns:
            high, low, steepness = (a[:, 0] for a in (high, low, steepness))
        share = graph.add("Sub", values, as_float32(high))
        if low.any():
            share = graph.add("Sub", share, as_float32(low))
        share = graph.add("Mul", share, as_float32(steepness))
        share = graph.add("Clip", share, np.float32(0), np.float32(1))
        if size > 1 and not keeps_columns:
            flat = np.array([-1, high.size])
            share = graph.add("Reshape", share, flat)
        return share


def _by_size(numbers):
    """Groups of columns of similar numbers of intervals, to pad little."""
    groups = defaultdict(list)
    for part in numbers:
        n_intervals = part.column.n_intervals
        if n_intervals:
            groups[(n_intervals - 1).bit_length() // 3].append(part)
    return list(groups.values())


def _padded(arrays, ndim=1, value=0.0):
    """Arrays of different lengths, filled up to the longest.

    Side by side as rows of a matrix (`ndim` of 2), or one after another.
    """
    size = max(len(array) for array in arrays)
    filled = [
        np.pad(
            array,
            [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1),
            constant_values=value,
        )
        for array in arrays
    ]
    return np.stack(filled) if ndim == 2 else np.concatenate(filled)


def _missing_row(part):
    """What a missing number contributes beside the float32 number in its place."""
    column = part.column
    values = np.array([np.nan, np.float32(column.fill)], dtype=np.float64)
    code = np.empty((2, column.width))
    column.encode(values, code)
    return (code[0] - code[1]) @ part.weights


def _add_categories(graph, inputs, categories, biases):
    """Name of what the categories contribute, biases included."""
    rows: list[str] = []
    tables: list[np.ndarray] = []
    n_rows = 0
    for part in categories:
        table = part.levels + (0 if tables else biases)
        table, positions = np.unique(table, axis=0, return_inverse=True)
        levels, name = part.column.levels, inputs.texts[part.position]
        rows.append(look_up(graph, name, levels, positions.ravel() + n_rows))
        tables.append(table)
        n_rows += len(table)
    taken = graph.add("Gather", as_float32(np.concatenate(tables)), join(graph, rows))
    return graph.add("ReduceSum", taken, np.array([1]), keepdims=0)
