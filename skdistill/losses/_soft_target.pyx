# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Binding of src/soft_target.hpp: buffers in, the GIL released, no copies.

Buffers instead of typed memoryviews: acquiring six of these costs more than the
loss of a small batch.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython cimport floating
from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memset
from libcpp cimport bool as cpp_bool


cdef extern from "src/soft_target.hpp" namespace "skdistill" nogil:
    cdef enum class InstructionSet(int):
        kPortable
        kBaseline
        kAvx2
        kAvx512

    cdef struct SoftTargetResult:
        double total
        int64_t invalid_row

    cdef cppclass SoftTargetProblem[Real]:
        const Real* logits
        const Real* targets
        const int64_t* labels
        const Real* weights
        Real* losses
        Real* gradient
        int64_t n_rows
        int64_t n_classes
        double temperature
        double alpha
        double gradient_scale
        cpp_bool from_log_odds

    cpp_bool is_available(InstructionSet)
    void exponentials(InstructionSet, const float*, float*, int64_t)
    void exponentials(InstructionSet, const double*, double*, int64_t)
    void logarithms(InstructionSet, const float*, float*, int64_t)
    void logarithms(InstructionSet, const double*, double*, int64_t)
    SoftTargetResult soft_target_loss_gradient(
        const SoftTargetProblem[float]&, InstructionSet, int) except +
    SoftTargetResult soft_target_loss_gradient(
        const SoftTargetProblem[double]&, InstructionSet, int) except +


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


cdef int _instruction_set(name) except -1:
    number = _NUMBERS.get(name)
    if number is None:
        raise ValueError(
            f"Got instruction_set={name!r}, but expected one of {INSTRUCTION_SETS}."
        )
    return number


# Memory of the arrays of a call: logits, targets, labels, weights, losses, gradient.
cdef enum:
    _LOGITS
    _TARGETS
    _LABELS
    _WEIGHTS
    _LOSSES
    _GRADIENT
    _N_ARRAYS

cdef struct _Arrays:
    Py_buffer views[6]
    int n_open


cdef int _open(_Arrays* arrays, array, char format, Py_ssize_t n_items,
               bint writable) except -1:
    """Open the next array of a call; None is an open array without memory."""
    cdef Py_buffer* view = &arrays.views[arrays.n_open]
    if array is None:
        memset(view, 0, sizeof(Py_buffer))
    else:
        PyObject_GetBuffer(
            array,
            view,
            PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0),
        )
    arrays.n_open += 1
    if array is not None and not _is_like(view, format, n_items):
        raise ValueError(
            f"Got an array of {view.len} bytes and format {view.format!r}, but "
            f"expected {n_items} numbers of format {chr(format)!r}."
        )
    return 0


cdef inline bint _is_like(Py_buffer* view, char format, Py_ssize_t n_items) noexcept:
    cdef char found = view.format[0]
    # int64 is a C long or a long long by platform.
    if format == b"q" and found == b"l" and view.itemsize == 8:
        found = b"q"
    return found == format and view.format[1] == 0 and (
        view.len == n_items * view.itemsize)


cdef int _check_separate(_Arrays* arrays) except -1:
    """Raise if the gradient overlaps another array than exactly the logits."""
    cdef Py_buffer* out = &arrays.views[_GRADIENT]
    cdef uintptr_t begin = <uintptr_t>out.buf, end = begin + <uintptr_t>out.len
    cdef uintptr_t other
    cdef int i
    if out.len == 0:
        return 0
    for i in range(_GRADIENT):
        other = <uintptr_t>arrays.views[i].buf
        if other == 0 or (i == _LOGITS and other == begin):
            continue
        if other < end and begin < other + <uintptr_t>arrays.views[i].len:
            raise ValueError(
                "Got an out that overlaps another argument, but expected memory of "
                "its own or exactly that of logits."
            )
    return 0


cdef tuple _run(_Arrays* arrays, floating kind, InstructionSet instruction_set,
                Py_ssize_t n_rows, Py_ssize_t n_classes, double temperature,
                double alpha, bint from_log_odds, double gradient_scale,
                int n_threads):
    cdef SoftTargetProblem[floating] problem
    cdef SoftTargetResult result
    problem.logits = <const floating*>arrays.views[_LOGITS].buf
    problem.targets = <const floating*>arrays.views[_TARGETS].buf
    problem.labels = <const int64_t*>arrays.views[_LABELS].buf
    problem.weights = <const floating*>arrays.views[_WEIGHTS].buf
    problem.losses = <floating*>arrays.views[_LOSSES].buf
    problem.gradient = <floating*>arrays.views[_GRADIENT].buf
    problem.n_rows = n_rows
    problem.n_classes = n_classes
    problem.temperature = temperature
    problem.alpha = alpha
    problem.gradient_scale = gradient_scale
    problem.from_log_odds = from_log_odds
    with nogil:
        result = soft_target_loss_gradient(problem, instruction_set, n_threads)
    return result.total, result.invalid_row


def loss_gradient(
    instruction_set,                       # one of INSTRUCTION_SETS
    logits,                                # IN  (n_rows, n_classes), float or double
    targets,                               # IN  (n_rows, n_classes)
    labels,                                # IN  (n_rows,) int64, may be None
    weights,                               # IN  (n_rows,), may be None
    double temperature,
    double alpha,
    bint from_log_odds,
    double gradient_scale,
    losses,                                # OUT (n_rows,), may be None
    gradient,                              # OUT (n_rows, n_classes), may be logits
    int n_threads=1,
):
    """Fill `losses` and `gradient`; return (sum of losses, first invalid row or -1).

    The same contract as `skdistill.losses._reference.loss_gradient`, for one of
    `INSTRUCTION_SETS`. All arrays are C-contiguous and of one dtype but the labels.
    """
    cdef InstructionSet set_ = <InstructionSet>_instruction_set(instruction_set)
    cdef Py_ssize_t n_rows, n_classes, n_items
    cdef char format
    cdef _Arrays arrays
    n_rows, n_classes = logits.shape
    n_items = n_rows * n_classes
    format = b"f" if logits.itemsize == 4 else b"d"
    arrays.n_open = 0
    try:
        _open(&arrays, logits, format, n_items, False)
        _open(&arrays, targets, format, n_items, False)
        _open(&arrays, labels, b"q", n_rows, False)
        _open(&arrays, weights, format, n_rows, False)
        _open(&arrays, losses, format, n_rows, True)
        _open(&arrays, gradient, format, n_items, True)
        _check_separate(&arrays)
        if format == b"f":
            return _run(&arrays, <float>0, set_, n_rows, n_classes, temperature, alpha,
                        from_log_odds, gradient_scale, n_threads)
        return _run(&arrays, <double>0, set_, n_rows, n_classes, temperature, alpha,
                    from_log_odds, gradient_scale, n_threads)
    finally:
        while arrays.n_open > 0:
            arrays.n_open -= 1
            PyBuffer_Release(&arrays.views[arrays.n_open])


def _vector_exp(instruction_set, const floating[::1] values, floating[::1] out):
    """Write exp(values) as the kernel computes it, for values <= 0."""
    cdef InstructionSet set_ = <InstructionSet>_instruction_set(instruction_set)
    if values.shape[0]:
        exponentials(set_, &values[0], &out[0], values.shape[0])


def _vector_log(instruction_set, const floating[::1] values, floating[::1] out):
    """Write log(values) as the kernel computes it, for positive normal values."""
    cdef InstructionSet set_ = <InstructionSet>_instruction_set(instruction_set)
    if values.shape[0]:
        logarithms(set_, &values[0], &out[0], values.shape[0])
