"""What computes the scores of a model: a compiled kernel, or numpy."""

import functools
import os
from collections.abc import Callable

from ._network import NetworkSpec
from ._numpy_kernel import NumpyKernel
from ._tree_scores import INSTRUCTION_SETS as TREE_INSTRUCTION_SETS
from ._tree_scores import TreeScores
from ._trees import TreeEnsembleSpec

try:
    from ._network_kernel import INSTRUCTION_SETS, NetworkKernel
except ImportError:  # installed without a compiler
    INSTRUCTION_SETS, NetworkKernel = (), None

VARIABLE = "SKDISTILL_RUNTIME"
"""Environment variable that forces an implementation of every scorer made after."""

COMPILED = {
    NetworkSpec: (NetworkKernel, INSTRUCTION_SETS),
    TreeEnsembleSpec: (TreeScores, TREE_INSTRUCTION_SETS),
}
"""For each kind of predictor the class of its compiled kernels and the names of the
instruction sets that this machine runs, the fastest last."""


def implementations(predictor):
    """Return what makes kernels of a predictor, by name, the fastest last.

    Parameters
    ----------
    predictor : NetworkSpec or TreeEnsembleSpec
        The predictor of a model.

    Returns
    -------
    dict of str to callable
        Each takes the `ModelSpec`, `extrapolate`, `n_threads` and `dtype`, and returns
        an object with the methods ``probabilities(X)`` and ``log_odds(X)``.
    """
    found: dict[str, Callable] = {"numpy": NumpyKernel}
    kernel, instruction_sets = COMPILED.get(type(predictor), (None, ()))
    for name in instruction_sets:
        found[name] = functools.partial(kernel, name)
    return found


def kernel_for(spec, *, extrapolate=False, n_threads=1, dtype="float64"):
    """Return what computes the scores of a model.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    extrapolate : bool, default=False
        Whether scores of numbers continue beyond the training range.
    n_threads : int, default=1
        Threads that share the rows of a call.
    dtype : {"float64", "float32"}, default="float64"
        Type of the probabilities.

    Returns
    -------
    object
        With the methods ``probabilities(X)`` and ``log_odds(X)``.

    Raises
    ------
    ValueError
        If the environment asks for an implementation that there is not.
    """
    available = implementations(spec.predictor)
    name = os.environ.get(VARIABLE) or list(available)[-1]
    if name not in available:
        raise ValueError(
            f"Got {VARIABLE}={name!r}, but expected one of {list(available)}."
        )
    return available[name](spec, extrapolate, n_threads, dtype)
