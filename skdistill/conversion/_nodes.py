"""Nodes of many trees in flat arrays, and what is done to all of them at once."""

from dataclasses import dataclass, replace

import numpy as np

from ..runtime import TreeEnsembleSpec


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of an ensemble: these fields of `TreeEnsembleSpec`, of any dtype."""

    features: np.ndarray
    thresholds: np.ndarray
    missing_left: np.ndarray
    sets: np.ndarray
    children: np.ndarray

    def to_spec(self, columns, base, roots, outputs, leaves, level_sets, **options):
        """Return the ensemble of these nodes, each array of the type it must have."""
        width = 1 if leaves.ndim == 1 else leaves.shape[1]
        return TreeEnsembleSpec(
            columns=tuple(columns),
            base=np.array(base, np.float64),
            roots=np.asarray(roots, np.int32),
            outputs=np.asarray(outputs, np.int32),
            features=np.asarray(self.features, np.int32),
            thresholds=np.asarray(self.thresholds, np.float64),
            missing_left=np.asarray(self.missing_left, bool),
            sets=np.asarray(self.sets, np.int32),
            children=np.ascontiguousarray(self.children, np.int32),
            leaves=np.ascontiguousarray(leaves, np.float64).reshape(-1, width),
            level_sets=np.ascontiguousarray(level_sets, np.uint32),
            **{"probabilities": False, **options},
        )


NO_SETS = np.empty((0, 0), np.uint32)
"""Level sets of an ensemble without categorical nodes."""


def pack_sets(members):
    """Return sets of levels as bits.

    Parameters
    ----------
    members : ndarray of bool of shape (n_sets, n_levels)
        Whether set i holds level j.

    Returns
    -------
    ndarray of shape (n_sets, n_words), uint32
    """
    n_words = -(-members.shape[1] // 32)
    padded = np.zeros((len(members), 32 * n_words), bool)
    padded[:, : members.shape[1]] = members
    packed = np.packbits(padded, axis=1, bitorder="little")
    return packed.view("<u4").astype(np.uint32, copy=False)


def chain(nodes, chained, thresholds, missing_left):
    """Replace each of some nodes by three nodes in a row that share its children.

    A row goes to the left child if it is at most the first threshold, else to the
    right one if at most the second, else to the left one if at most the third, and
    to the right one otherwise.

    Parameters
    ----------
    nodes : Nodes
        All nodes.
    chained : ndarray of shape (n_chained,), int
        Those to replace.
    thresholds, missing_left : ndarray of shape (n_chained, 3)
        Of the three nodes.

    Returns
    -------
    nodes : Nodes
        The new nodes, parents still before their children.
    positions : ndarray of shape (n_nodes,), int
        Where the old ones are now; a chain is where its first node is.
    """
    repeats = np.ones(len(nodes.features), np.int64)
    repeats[chained] = 3
    positions = np.cumsum(repeats) - repeats
    children = np.where(
        nodes.children >= 0, positions[np.maximum(nodes.children, 0)], nodes.children
    )
    new = {
        name: np.repeat(getattr(nodes, name), repeats, axis=0)
        for name in ("features", "sets", "thresholds", "missing_left")
    }
    at = positions[chained][:, None] + np.arange(3)
    new["thresholds"][at] = thresholds
    new["missing_left"][at] = missing_left
    left, right = children[chained].T
    children = np.repeat(children, repeats, axis=0)
    children[at, 0] = np.stack([left, right, left], axis=1)
    children[at, 1] = np.stack([at[:, 1], at[:, 2], right], axis=1)
    return replace(nodes, children=children, **new), positions
