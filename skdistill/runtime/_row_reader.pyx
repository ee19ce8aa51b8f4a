# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Rows of plain Python values -> numbers and codes, as `_rows.RowReader` reads them.

Dictionary look-ups are all that it costs: cells of exact built-in types are read here,
whatever else through the functions of `_levels`, which decide what a cell means.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bool cimport PyBool_Check
from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.ref cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_CheckExact
from libc.math cimport NAN

import sys

from ._levels import Levels
from ._rows import cell_readers, check_out, without, wrong_length

cdef extern from "Python.h":
    # Fails for integers beyond float64, which the slow path reports.
    double PyLong_AsDouble(PyObject*) except? -1.0


cdef class RowReader:
    """The compiled form of `_rows.RowReader`."""

    cdef readonly tuple names
    cdef tuple _codes  # for each column level -> code as a float, None of a numeric one
    cdef tuple _readers
    cdef tuple _columns

    # Not __init__: without these tuples the methods would read invalid memory.
    def __cinit__(self, columns):
        self._columns = tuple(columns)
        # Most keys of dictionaries are interned: the same object needs no comparison.
        self.names = tuple([_interned(column.name) for column in columns])
        self._readers = tuple(cell_readers(columns))
        self._codes = tuple([
            None if column.is_numeric else {
                level: float(code)
                for level, code in Levels(column.name, column.levels).plain.items()
            }
            for column in columns
        ])

    def __reduce__(self):
        return RowReader, (self._columns,)

    def mappings(self, list rows not None, out):
        """Write rows that are mappings from names to cells."""
        cdef Py_ssize_t n_rows = PyList_GET_SIZE(rows), i
        cdef Py_ssize_t n_columns = PyTuple_GET_SIZE(self.names)
        cdef Py_buffer view
        self._open(out, &view, n_rows, n_columns)
        try:
            for i in range(n_rows):
                # The list may be shortened by what a look-up calls.
                if i >= PyList_GET_SIZE(rows):
                    raise ValueError("Got rows that changed while they were read.")
                row = <object>PyList_GET_ITEM(rows, i)
                self._mapping(row, i, <double*>view.buf + i * n_columns, n_columns)
        finally:
            PyBuffer_Release(&view)

    def sequences(self, list rows not None, out):
        """Write rows that are sequences of cells in the order of the columns."""
        cdef Py_ssize_t n_rows = PyList_GET_SIZE(rows), i, j
        cdef Py_ssize_t n_columns = PyTuple_GET_SIZE(self.names)
        cdef Py_buffer view
        cdef double* values
        cdef tuple row
        self._open(out, &view, n_rows, n_columns)
        try:
            for i in range(n_rows):
                if i >= PyList_GET_SIZE(rows):
                    raise ValueError("Got rows that changed while they were read.")
                given = <object>PyList_GET_ITEM(rows, i)
                row = tuple(given)
                if PyTuple_GET_SIZE(row) != n_columns:
                    raise wrong_length(len(row), i, n_columns)
                values = <double*>view.buf + i * n_columns
                for j in range(n_columns):
                    values[j] = self._cell(j, <object>PyTuple_GET_ITEM(row, j))
        finally:
            PyBuffer_Release(&view)

    cdef int _open(self, out, Py_buffer* view, Py_ssize_t n_rows,
                   Py_ssize_t n_columns) except -1:
        cdef bint fits
        PyObject_GetBuffer(
            out, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE
        )
        fits = (
            view.ndim == 2
            and view.shape[0] == n_rows
            and view.shape[1] == n_columns
            and view.format[0] == b"d"
            and view.format[1] == 0
        )
        if not fits:
            PyBuffer_Release(view)
            check_out(out, n_rows, n_columns)
            raise ValueError("Got out that is no array of float64.")
        return 0

    cdef int _mapping(self, row, Py_ssize_t i, double* values,
                      Py_ssize_t n_columns) except -1:
        cdef Py_ssize_t j
        cdef PyObject* found
        if not PyDict_CheckExact(row):
            return self._other_mapping(row, i, values, n_columns)
        for j in range(n_columns):
            found = PyDict_GetItemWithError(
                row, <object>PyTuple_GET_ITEM(self.names, j)
            )
            if found is NULL:
                raise without([name for name in self.names if name not in row], i)
            values[j] = self._cell(j, <object>found)
        return 0

    cdef int _other_mapping(self, row, Py_ssize_t i, double* values,
                            Py_ssize_t n_columns) except -1:
        cdef Py_ssize_t j
        for j in range(n_columns):
            if self.names[j] not in row:
                raise without([name for name in self.names if name not in row], i)
            values[j] = self._cell(j, row[self.names[j]])
        return 0

    cdef inline double _cell(self, Py_ssize_t j, value) except? -3.0:
        cdef object codes = <object>PyTuple_GET_ITEM(self._codes, j)
        cdef PyObject* code
        cdef double number
        if codes is None:
            if PyFloat_Check(value):
                return PyFloat_AS_DOUBLE(value)
            if value is None:
                return NAN
            if PyLong_CheckExact(value):
                try:
                    return PyLong_AsDouble(<PyObject*>value)
                except OverflowError:
                    pass
            elif PyBool_Check(value):
                return 1.0 if value is True else 0.0
            return self._slow_cell(j, value)
        if PyFloat_CheckExact(value):
            number = PyFloat_AS_DOUBLE(value)
            if number != number:
                return -1.0
        elif not (PyUnicode_CheckExact(value) or PyLong_CheckExact(value)
                  or value is None):
            return self._slow_cell(j, value)
        code = PyDict_GetItemWithError(codes, value)
        return -2.0 if code is NULL else PyFloat_AS_DOUBLE(<object>code)

    cdef double _slow_cell(self, Py_ssize_t j, value) except? -3.0:
        # What this calls may drop the value from where it was found.
        held = value
        return <double>self._readers[j](held)


cdef str _interned(name):
    # Strings of a subclass cannot be interned.
    return sys.intern(str(name))
