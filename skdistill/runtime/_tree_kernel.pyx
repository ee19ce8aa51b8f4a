# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Binding of src/tree_scorer.hpp: buffers in, the GIL released, no copies."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libcpp cimport bool as cpp_bool

import numpy as np

from skdistill.runtime._model import ModelSpec
from skdistill.runtime._trees import TreeEnsembleSpec


cdef extern from "src/tree_scorer.hpp" namespace "skdistill::trees" nogil:
    cdef enum class InstructionSet(int):
        kPortable
        kBaseline
        kAvx2
        kAvx512

    cdef struct Arrays:
        int64_t n_columns
        int64_t n_outputs
        int64_t n_trees
        int64_t n_nodes
        int64_t n_leaves
        int64_t leaf_width
        int64_t n_sets
        int64_t n_words
        const int64_t* n_levels
        const uint8_t* categorical
        const double* base
        const int32_t* roots
        const int32_t* outputs
        const int32_t* features
        const double* thresholds
        const uint8_t* missing_left
        const int32_t* sets
        const int32_t* children
        const double* leaves
        const uint32_t* level_sets

    cpp_bool is_available(InstructionSet)

    cdef cppclass Scorer:
        Scorer(const Arrays&, int64_t, cpp_bool, InstructionSet) except +
        int64_t n_trees()
        void score_row(const float*, double*, cpp_bool) except +
        void score_row(const double*, double*, cpp_bool) except +
        void score(const float*, int64_t, double*, cpp_bool, int) except +
        void score(const double*, int64_t, double*, cpp_bool, int) except +


cdef dict _NUMBERS = {
    name: number
    for name, number in (
        ("portable", <int>InstructionSet.kPortable),
        ("baseline", <int>InstructionSet.kBaseline),
        ("avx2", <int>InstructionSet.kAvx2),
        ("avx512", <int>InstructionSet.kAvx512),
    )
    if is_available(<InstructionSet><int>number)
}

INSTRUCTION_SETS = tuple(_NUMBERS)
"""Names of those that this machine runs, in ascending order of speed."""

cdef object _empty = np.empty
cdef object _ndarray = np.ndarray

# A row of so many trees takes less time than giving up the GIL and getting it back may.
cdef enum:
    _FEW_TREES = 100


cdef class TreeKernel:
    """Scores rows by an ensemble of trees.

    Results are those of the `ModelSpec`, whose log-odds it equals bit by bit, and the
    same for every instruction set, number of rows and number of threads. An object may
    be used by several threads at once.

    Parameters
    ----------
    spec : ModelSpec
        Its predictor is a `TreeEnsembleSpec`.
    instruction_set : str, default=None
        One of `INSTRUCTION_SETS`; ``None``: the fastest.
    """

    cdef Scorer* _scorer
    cdef readonly object spec
    cdef readonly str instruction_set
    cdef int64_t _n_columns, _n_classes
    cdef tuple _shape_of_one

    def __cinit__(self, spec, instruction_set=None):
        if not isinstance(spec, ModelSpec):
            raise TypeError(
                f"Got a model of type {type(spec).__name__}, but expected ModelSpec."
            )
        if not isinstance(spec.predictor, TreeEnsembleSpec):
            raise TypeError(
                f"Got a predictor of type {type(spec.predictor).__name__}, but "
                "expected TreeEnsembleSpec."
            )
        name = INSTRUCTION_SETS[len(INSTRUCTION_SETS) - 1] if instruction_set is None else instruction_set
        if name not in _NUMBERS:
            raise ValueError(
                f"Got instruction_set={name!r}, but expected one of {INSTRUCTION_SETS}."
            )
        self.spec = spec
        self.instruction_set = name
        self._n_columns = len(spec.columns)
        self._n_classes = spec.n_scores
        self._shape_of_one = (1, self._n_classes)
        self._scorer = _make(spec.predictor, self._n_classes, _NUMBERS[name])

    def __dealloc__(self):
        del self._scorer

    def __reduce__(self):
        return TreeKernel, (self.spec, None)

    def log_odds(self, X, int n_threads=1):
        """Compute the log-odds of rows, or of a regressor the outputs.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns), float32 or float64, C-contiguous
            Numbers, NaN where they are missing, and codes of categories.
        n_threads : int, default=1
            Threads that share the rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64

        Raises
        ------
        TypeError
            If `X` is no ndarray.
        ValueError
            If `X` is of another shape, dtype or memory order, or `n_threads` < 1.
        """
        return _score(self, X, False, n_threads)

    def probabilities(self, X, int n_threads=1):
        """Compute the class probabilities of rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns), float32 or float64, C-contiguous
            Numbers, NaN where they are missing, and codes of categories.
        n_threads : int, default=1
            Threads that share the rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64

        Raises
        ------
        TypeError
            If `X` is no ndarray.
        ValueError
            If `X` is of another shape, dtype or memory order, or `n_threads` < 1.
        """
        return _score(self, X, True, n_threads)


cdef Scorer* _make(trees, int64_t n_classes, int number) except NULL:
    cdef Arrays arrays
    cdef int64_t[::1] n_levels = np.array(
        [len(column.levels or ()) for column in trees.columns], np.int64)
    cdef uint8_t[::1] categorical = np.array(
        [not column.is_numeric for column in trees.columns], np.uint8)
    cdef const double[::1] base = np.ascontiguousarray(trees.base)
    cdef const int32_t[::1] roots = np.ascontiguousarray(trees.roots)
    cdef const int32_t[::1] outputs = np.ascontiguousarray(trees.outputs)
    cdef const int32_t[::1] features = np.ascontiguousarray(trees.features)
    cdef const double[::1] thresholds = np.ascontiguousarray(trees.thresholds)
    cdef const uint8_t[::1] missing_left = np.ascontiguousarray(
        trees.missing_left).view(np.uint8)
    cdef const int32_t[::1] sets = np.ascontiguousarray(trees.sets)
    cdef const int32_t[::1] children = np.ascontiguousarray(trees.children).reshape(-1)
    cdef const double[::1] leaves = np.ascontiguousarray(trees.leaves).reshape(-1)
    cdef const uint32_t[::1] level_sets = np.ascontiguousarray(
        trees.level_sets).reshape(-1)
    arrays.n_columns = n_levels.shape[0]
    arrays.n_outputs = base.shape[0]
    arrays.n_trees = roots.shape[0]
    arrays.n_nodes = features.shape[0]
    arrays.n_leaves, arrays.leaf_width = trees.leaves.shape
    arrays.n_sets, arrays.n_words = trees.level_sets.shape
    arrays.n_levels = &n_levels[0] if n_levels.shape[0] else NULL
    arrays.categorical = &categorical[0] if categorical.shape[0] else NULL
    arrays.base = &base[0] if base.shape[0] else NULL
    arrays.roots = &roots[0] if roots.shape[0] else NULL
    arrays.outputs = &outputs[0] if outputs.shape[0] else NULL
    arrays.features = &features[0] if features.shape[0] else NULL
    arrays.thresholds = &thresholds[0] if thresholds.shape[0] else NULL
    arrays.missing_left = &missing_left[0] if missing_left.shape[0] else NULL
    arrays.sets = &sets[0] if sets.shape[0] else NULL
    arrays.children = &children[0] if children.shape[0] else NULL
    arrays.leaves = &leaves[0] if leaves.shape[0] else NULL
    arrays.level_sets = &level_sets[0] if level_sets.shape[0] else NULL
    return new Scorer(arrays, n_classes, trees.probabilities,
                      <InstructionSet><int>number)


cdef _score(TreeKernel self, X, bint probabilities, int n_threads):
    cdef Py_buffer rows, out
    if n_threads < 1:
        raise ValueError(
            f"Got n_threads={n_threads}, but expected a positive integer."
        )
    # Not of a subclass, such as a masked array, whose buffer is not all of it.
    if type(X) is not _ndarray:
        raise _refusal(X, self._n_columns)
    try:
        PyObject_GetBuffer(X, &rows, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    except (TypeError, ValueError, BufferError) as error:
        raise _refusal(X, self._n_columns) from error
    try:
        if not _is_table(&rows, self._n_columns):
            raise _refusal(X, self._n_columns)
        if rows.shape[0] == 1:
            result = _empty(self._shape_of_one)
        else:
            result = _empty((rows.shape[0], self._n_classes))
        PyObject_GetBuffer(result, &out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        try:
            _run(self._scorer, &rows, <double*>out.buf, probabilities, n_threads)
        finally:
            PyBuffer_Release(&out)
    finally:
        PyBuffer_Release(&rows)
    return result


cdef inline bint _is_table(Py_buffer* rows, int64_t n_columns) noexcept:
    return (
        rows.ndim == 2
        and rows.shape[1] == n_columns
        and (rows.format[0] == c"f" or rows.format[0] == c"d")
        and rows.format[1] == 0
    )


cdef _refusal(X, int64_t n_columns):
    expected = f"a C-contiguous array of (n_samples, {n_columns}) float32 or float64"
    if type(X) is not np.ndarray:
        return TypeError(f"Got {type(X).__name__}, but expected {expected}.")
    return ValueError(
        f"Got an array of shape {X.shape}, strides {X.strides} and type {X.dtype}, "
        f"but expected {expected}."
    )


cdef int _run(Scorer* scorer, Py_buffer* rows, double* out, bint probabilities,
              int n_threads) except -1:
    cdef int64_t n_rows = rows.shape[0]
    cdef bint is_float = rows.format[0] == c"f"
    if n_rows == 1 and scorer.n_trees() <= _FEW_TREES:
        if is_float:
            scorer.score_row(<const float*>rows.buf, out, probabilities)
        else:
            scorer.score_row(<const double*>rows.buf, out, probabilities)
        return 0
    with nogil:
        if is_float:
            scorer.score(<const float*>rows.buf, n_rows, out, probabilities, n_threads)
        else:
            scorer.score(<const double*>rows.buf, n_rows, out, probabilities, n_threads)
    return 0
