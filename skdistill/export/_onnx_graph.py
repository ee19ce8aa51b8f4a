"""A graph of ONNX as plain data, and how a table comes into it."""

from dataclasses import dataclass, field

import numpy as np

ML_DOMAIN = "ai.onnx.ml"

MISSING_TEXT = ""
"""What stands for a missing category: a tensor of strings has no other."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Parameters
    ----------
    operator : str
        Its name.
    domain : str
        Where it is defined; empty: in ONNX itself.
    inputs : tuple of str
        Names of the values it takes.
    output : str
        Name of the value it makes.
    attributes : dict
        Its attributes.
    """

    operator: str
    domain: str
    inputs: tuple
    output: str
    attributes: dict


@dataclass
class Graph:
    """Nodes and constants, in the order in which they were added.

    Parameters
    ----------
    taken : set of str
        Names that inputs and outputs have.
    nodes : list of Node, default=[]
        Operations.
    constants : dict of str to ndarray, default={}
        Constants by their names.
    """

    taken: set
    nodes: list = field(default_factory=list)
    constants: dict = field(default_factory=dict)

    def add(self, operator, *inputs, output=None, domain="", **attributes):
        """Add a node.

        Parameters
        ----------
        operator : str
            Its name.
        *inputs : str or ndarray
            Names of values, or constants.
        output : str, default=None
            Name of its value; ``None``: one that is not taken.
        domain : str, default=""
            Where the operator is defined.
        **attributes : object
            Attributes of the node.

        Returns
        -------
        str
            Name of its value.
        """
        names = tuple(x if isinstance(x, str) else self._constant(x) for x in inputs)
        output = output or self._new_name(operator.lower())
        self.nodes.append(Node(operator, domain, names, output, attributes))
        return output

    def _constant(self, array):
        name = self._new_name("constant")
        self.constants[name] = array
        return name

    def _new_name(self, stem):
        n = len(self.nodes) + len(self.constants)
        while (name := f"{stem}_{n}") in self.taken:
            n += 1
        self.taken.add(name)
        return name


@dataclass(frozen=True, eq=False)
class Inputs:
    """The columns of a table as values of a graph.

    Parameters
    ----------
    numbers : str or None
        Name of the matrix of all numeric columns, in order; ``None``: there are none.
    positions : dict of int to int
        Position in that matrix of each numeric column of the table.
    texts : dict of int to str
        Name of the input of each categorical column of the table.
    """

    numbers: str | None
    positions: dict
    texts: dict


def read_inputs(graph, columns):
    """Add what makes one matrix of the numeric columns.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    columns : tuple of NumberColumn and CategoryColumn
        Columns of the table.

    Returns
    -------
    Inputs
    """
    numeric = [j for j, column in enumerate(columns) if column.is_numeric]
    texts = {j: columns[j].name for j in range(len(columns)) if j not in set(numeric)}
    positions = {j: position for position, j in enumerate(numeric)}
    if not texts:
        return Inputs("input", positions, texts)
    names = [columns[j].name for j in numeric]
    numbers = join(graph, names) if names else None
    return Inputs(numbers, positions, texts)


def join(graph, names):
    """Add what puts matrices side by side; one alone stays as it is.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    names : list of str
        Names of the matrices.

    Returns
    -------
    str
    """
    return names[0] if len(names) == 1 else graph.add("Concat", *names, axis=1)


def look_up(graph, name, levels, rows):
    """Add what turns texts into positions of rows of a table.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    name : str
        Name of the texts.
    levels : tuple of str
        The levels that are known.
    rows : ndarray of shape (n_levels + 2,), int
        Position for each level, then for unseen ones and missing ones.

    Returns
    -------
    str
        Name of the positions, of the shape of the texts.
    """
    unseen, missing = int(rows[-2]), int(rows[-1])
    positions = {MISSING_TEXT: missing}
    positions.update(zip(levels, rows[:-2].tolist(), strict=True))
    told = {text: row for text, row in positions.items() if row != unseen}
    # A table of no entries is not valid.
    told = told or {MISSING_TEXT: unseen}
    return graph.add(
        "LabelEncoder",
        name,
        domain=ML_DOMAIN,
        keys_strings=list(told),
        values_int64s=list(told.values()),
        default_int64=unseen,
    )


def as_float32(array):
    """Return an array as a constant of type float32."""
    return np.ascontiguousarray(array, dtype=np.float32)
