# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Binding of src/network_kernel.hpp.

With the C interface of numpy: acquiring a buffer of a row takes as long as scoring it.
"""

import numpy as np

from ._first_layer import first_layer
from ._input import as_table, check_finite
from ._table import TableReader

cimport numpy as cnp
from libc.stdint cimport int32_t, int64_t
from libcpp cimport bool as cpp_bool
from libcpp.memory cimport unique_ptr
from libcpp.utility cimport move
from libcpp.vector cimport vector

cnp.import_array()


cdef extern from "src/network_kernel.hpp" namespace "skdistill::runtime" nogil:
    cdef enum class InstructionSet(int):
        kPortable
        kBaseline
        kAvx2
        kAvx512

    cdef enum class Wanted(int):
        kLogOdds
        kProbabilities
        kFloatProbabilities

    cdef cppclass Lines:
        vector[int32_t] columns
        vector[double] lows
        vector[double] highs
        vector[double] offsets
        vector[double] scales
        vector[float] fills

    cdef cppclass Search:
        int32_t column
        cpp_bool in_float
        double offset
        double scale
        double low
        double high
        vector[double] points
        vector[double] reciprocals

    cdef cppclass Curve:
        Search search
        vector[float] values

    cdef cppclass Table:
        Search search
        vector[float] rows

    cdef cppclass Categories:
        int32_t column
        int32_t n_levels
        vector[float] rows

    cdef cppclass Layer:
        int n_inputs
        int n_units
        vector[float] weights
        vector[float] biases

    cdef cppclass Network:
        int n_columns
        int n_classes
        Lines lines
        vector[Curve] curves
        vector[Table] tables
        vector[Categories] categories
        vector[Layer] layers

    cdef cppclass CppKernel "skdistill::runtime::NetworkKernel":
        CppKernel(Network, InstructionSet) except +
        void score(const float*, int64_t, Wanted, void*, int) except +
        void score(const double*, int64_t, Wanted, void*, int) except +

    cpp_bool is_available(InstructionSet)


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

# With fewer rows others would not get far before the interpreter is wanted back.
cdef enum:
    _ROWS_WITHOUT_INTERPRETER = 16


cdef vector[double] _doubles(array):
    cdef double[::1] numbers = np.array(array, dtype=np.float64).ravel()
    cdef vector[double] copy
    if numbers.shape[0]:
        copy.assign(&numbers[0], &numbers[0] + numbers.shape[0])
    return copy


cdef vector[float] _floats(array):
    cdef float[::1] numbers = np.array(array, dtype=np.float32).ravel()
    cdef vector[float] copy
    if numbers.shape[0]:
        copy.assign(&numbers[0], &numbers[0] + numbers.shape[0])
    return copy


cdef vector[int32_t] _integers(array):
    cdef int32_t[::1] numbers = np.array(array, dtype=np.int32).ravel()
    cdef vector[int32_t] copy
    if numbers.shape[0]:
        copy.assign(&numbers[0], &numbers[0] + numbers.shape[0])
    return copy


cdef Search _search(search):
    cdef Search copy
    copy.column = search.column
    copy.in_float = search.in_float
    copy.offset = search.offset
    copy.scale = search.scale
    copy.low = search.low
    copy.high = search.high
    copy.points = _doubles(search.points)
    copy.reciprocals = _doubles(search.reciprocals)
    return copy


cdef Layer _layer(weights, biases):
    cdef Layer copy
    copy.n_inputs, copy.n_units = weights.shape
    copy.weights = _floats(weights)
    copy.biases = _floats(biases)
    return copy


cdef Network _network(spec, extrapolate):
    cdef Network copy
    cdef Curve curve
    cdef Table table
    cdef Categories categories
    predictor = spec.predictor
    first = first_layer(predictor, extrapolate)
    copy.n_columns = len(predictor.columns)
    copy.n_classes = spec.n_scores
    copy.lines.columns = _integers(first.lines.columns)
    copy.lines.lows = _doubles(first.lines.lows)
    copy.lines.highs = _doubles(first.lines.highs)
    copy.lines.offsets = _doubles(first.lines.offsets)
    copy.lines.scales = _doubles(first.lines.scales)
    copy.lines.fills = _floats(first.lines.fills)
    for search, values in first.curves:
        curve.search = _search(search)
        curve.values = _floats(values)
        copy.curves.push_back(curve)
    for search, rows in first.tables:
        table.search = _search(search)
        table.rows = _floats(rows)
        copy.tables.push_back(table)
    for column, rows in first.categories:
        categories.column = column
        categories.n_levels = len(rows) - 2
        categories.rows = _floats(rows)
        copy.categories.push_back(categories)
    copy.layers.push_back(_layer(first.weights, first.biases))
    for weights, biases in zip(predictor.weights[1:], predictor.biases[1:]):
        copy.layers.push_back(_layer(weights, biases))
    return copy


cdef class NetworkKernel:
    """A network that scores rows; see `skdistill.runtime._kernel.kernel_for`."""

    cdef unique_ptr[CppKernel] _kernel
    cdef object _columns
    cdef object _reader
    cdef int64_t _n_columns
    cdef int64_t _n_classes
    cdef int _n_threads
    cdef bint _refuses_infinite
    cdef bint _gives_floats

    def __init__(self, instruction_set, spec, bint extrapolate, int n_threads, dtype):
        number = _NUMBERS.get(instruction_set)
        if number is None:
            raise ValueError(
                f"Got instruction_set={instruction_set!r}, but expected one of "
                f"{INSTRUCTION_SETS}."
            )
        self._columns = spec.columns
        self._reader = TableReader(spec.columns)
        self._n_columns = len(spec.columns)
        self._n_classes = spec.n_scores
        self._n_threads = n_threads
        self._refuses_infinite = extrapolate
        self._gives_floats = dtype == "float32"
        self._kernel.reset(
            new CppKernel(_network(spec, extrapolate), <InstructionSet><int>number)
        )

    def probabilities(self, X):
        """Compute the class probabilities of rows."""
        if self._gives_floats:
            return self._score(X, Wanted.kFloatProbabilities, cnp.NPY_FLOAT)
        return self._score(X, Wanted.kProbabilities, cnp.NPY_DOUBLE)

    def log_odds(self, X):
        """Compute the log-odds of rows, or of a regressor the outputs."""
        return self._score(X, Wanted.kLogOdds, cnp.NPY_DOUBLE)

    cdef object _score(self, X, Wanted wanted, int out_type):
        cdef cnp.ndarray table, out
        cdef cnp.npy_intp shape[2]
        cdef void* values
        cdef void* results
        cdef bint is_float
        if not _is_fast(X):
            X = as_table(self._reader, X)
        table = <cnp.ndarray>X
        if cnp.PyArray_DIM(table, 1) != self._n_columns:
            raise ValueError(
                f"Got {cnp.PyArray_DIM(table, 1)} columns, but expected "
                f"{self._n_columns}."
            )
        if self._refuses_infinite:
            check_finite(self._columns, table)
        shape[0] = cnp.PyArray_DIM(table, 0)
        shape[1] = self._n_classes
        out = <cnp.ndarray>cnp.PyArray_SimpleNew(2, shape, out_type)
        if shape[0] == 0:
            return out
        values = cnp.PyArray_DATA(table)
        results = cnp.PyArray_DATA(out)
        is_float = cnp.PyArray_TYPE(table) == cnp.NPY_FLOAT
        if shape[0] < _ROWS_WITHOUT_INTERPRETER:
            self._run(values, is_float, shape[0], wanted, results)
        else:
            with nogil:
                self._run(values, is_float, shape[0], wanted, results)
        return out

    cdef int _run(self, void* values, bint is_float, int64_t n_rows, Wanted wanted,
                  void* results) except -1 nogil:
        cdef CppKernel* kernel = self._kernel.get()
        if is_float:
            kernel.score(<const float*>values, n_rows, wanted, results, self._n_threads)
        else:
            kernel.score(<const double*>values, n_rows, wanted, results, self._n_threads)
        return 0


cdef inline bint _is_fast(X):
    if not cnp.PyArray_CheckExact(X):
        return False
    cdef cnp.ndarray array = <cnp.ndarray>X
    cdef int kind = cnp.PyArray_TYPE(array)
    return (
        (kind == cnp.NPY_FLOAT or kind == cnp.NPY_DOUBLE)
        and cnp.PyArray_NDIM(array) == 2
        and cnp.PyArray_ISCARRAY_RO(array)
    )
