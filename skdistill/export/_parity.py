"""How far an exported model is from the one that it was made from."""

import warnings
from dataclasses import asdict, dataclass

import numpy as np

from .._parameters import check_integer, check_number

TOLERANCE = 1e-5
"""Largest difference of a probability: what sums in float32 may differ by."""

ROWS_AT_ONCE = 1024
"""Rows scored together: a network's code of many columns takes much memory."""

MOST_CHANGES = 600
"""Values at which a model changes that are tried in a column: forests may have a
threshold for each row of training."""


@dataclass(frozen=True)
class ParityCertificate:
    """What a comparison of class probabilities, or of a regressor's numbers, found.

    Differences of numbers are shares of the largest one of their output, by its
    absolute value: that is what float32 resolves.

    Parameters
    ----------
    rows : int
        Number of rows compared.
    largest : float
        Largest absolute difference of a probability or number.
    mean : float
        Mean absolute difference.
    label_flips : int
        Number of rows whose most probable class differs; 0 of a regressor.
    tolerance : float
        Largest difference that was allowed.

    Raises
    ------
    ValueError
        If a number is negative or not finite.

    Examples
    --------
    >>> from skdistill.export import ParityCertificate
    >>> certificate = ParityCertificate(100, 3e-7, 2e-8, 0, 1e-5)
    >>> ParityCertificate.from_dict(certificate.as_dict()) == certificate
    True
    """

    rows: int
    largest: float
    mean: float
    label_flips: int
    tolerance: float

    def __post_init__(self):
        for name, value in asdict(self).items():
            check_number(f"{name} of a parity certificate", value, 0)

    def as_dict(self):
        """Return the fields as a dictionary that JSON can hold.

        Returns
        -------
        dict of str to int or float
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, fields):
        """Make a certificate of what `as_dict` returned.

        Parameters
        ----------
        fields : dict of str to int or float
            The fields by their names.

        Returns
        -------
        ParityCertificate

        Raises
        ------
        ValueError
            If a field is missing, unknown or out of range.
        """
        expected = set(cls.__dataclass_fields__)
        if not isinstance(fields, dict) or set(fields) != expected:
            raise ValueError(
                f"Got {fields!r} as parity certificate, but expected a dictionary of "
                f"{sorted(expected)}."
            )
        return cls(**fields)


def compare(
    expected,
    got,
    *,
    classes=None,
    rows=None,
    names=None,
    tolerance=TOLERANCE,
    is_regressor=False,
):
    """Compare class probabilities, and refuse those that differ too much.

    Parameters
    ----------
    expected : ndarray of shape (n_samples, n_classes)
        Probabilities of the model itself.
    got : ndarray of shape (n_samples, n_classes)
        Those of the exported one.
    classes : array-like of shape (n_classes,), default=None
        Labels of the classes for the error; ``None``: their positions.
    rows : ndarray of shape (n_samples, n_columns), default=None
        What was scored, for the error.
    names : sequence of str, default=None
        Names of the columns, for the error.
    tolerance : float, default=1e-5
        Largest absolute difference allowed.
    is_regressor : bool, default=False
        Whether these are numbers, whose differences are shares of the largest one of
        their column.

    Returns
    -------
    ParityCertificate

    Raises
    ------
    ValueError
        If the shapes differ or there is nothing to compare, or a difference is beyond
        the tolerance or not a number: the error says of which row and class the
        largest one is.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.export import compare
    >>> compare(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])).largest
    0.0
    """
    check_number("tolerance", tolerance, 0)
    expected, got = np.asarray(expected), np.asarray(got)
    if expected.ndim != 2 or not expected.size or expected.shape != got.shape:
        what = "numbers" if is_regressor else "probabilities"
        raise ValueError(
            f"Got {what} of shape {got.shape} for {expected.shape}, but "
            "expected the same (n_samples, n_classes), and at least one row."
        )
    unit = _largest(expected) if is_regressor else np.ones(expected.shape[1])
    with np.errstate(invalid="ignore"):  # infinity less infinity
        difference = np.abs(expected - got) / unit
    difference[np.isnan(difference)] = np.inf
    row, k = np.unravel_index(difference.argmax(), difference.shape)
    largest = float(difference[row, k])
    if not largest <= tolerance:
        what, of = ("number", "output") if is_regressor else ("probability", "class")
        raise ValueError(
            f"Got a {what} of {float(got[row, k])!r} instead of "
            f"{float(expected[row, k])!r} from the exported model, of {of} "
            f"{k if classes is None else classes[k]} in row {row}"
            f"{_describe(row, rows, names)}, but expected a difference of at most "
            f"{tolerance * unit[k]}."
        )
    flips = 0
    if not is_regressor:
        flips = int((expected.argmax(axis=1) != got.argmax(axis=1)).sum())
    mean = float(difference.mean())
    return ParityCertificate(len(expected), largest, mean, flips, float(tolerance))


def parity_rows(spec, X=None, *, n_rows=1000, random_state=0):
    """Choose rows on which an exported model is compared with its source.

    Rows like those of `X`, or within the training range if there are none, then rows
    with values at which something changes: knots, edges and thresholds with the
    floats beside them, missing values, unseen levels, and values out of range. Each
    comes at least once beside values like those of `X`, and once beside other such
    values. Of more than 600 knots, edges and thresholds of a column, so many are drawn.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns), default=None
        Rows of a table like that of training, categories as strings.
    n_rows : int, default=1000
        Number of rows like those of `X`; fewer if `X` has fewer.
    random_state : int or numpy.random.Generator, default=0
        Seeds the choice.

    Returns
    -------
    ndarray of shape (n_compared, n_columns), float64
        Numbers that float32 can represent, and codes of categories, as
        `ModelSpec.probabilities` takes them.

    Raises
    ------
    ValueError
        If `X` has another number of columns or `n_rows` is no positive integer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.export import parity_rows
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, y)
    >>> rows = parity_rows(student.to_spec(), X)
    >>> rows.shape[1], bool((rows.astype("float32") == rows)[:150].all())
    (4, True)
    """
    check_integer("n_rows", n_rows, 1)
    rng = np.random.default_rng(random_state)
    usual = _usual_rows(spec, X, n_rows, rng)
    if not spec.columns:
        return usual
    special = [
        _special_values(spec.predictor, j, rng) for j in range(len(spec.columns))
    ]
    n_special = max(map(len, special))
    among_usual = usual[rng.integers(len(usual), size=4 * n_special)]
    together = np.empty((n_special, len(special)))
    for j, values in enumerate(special):
        rows = rng.permutation(len(among_usual))[: len(values)]
        among_usual[rows, j] = values
        together[:, j] = rng.permutation(np.resize(values, n_special))
    return np.concatenate([usual, among_usual, together])


def certify(spec, score, rows, tolerance):
    """Compare what an exported model computes with its source.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    score : callable
        Returns the probabilities of rows, an ndarray of shape (n_samples, n_columns),
        or the numbers of a regressor, in two dimensions even of one output.
    rows : ndarray of shape (n_samples, n_columns), float64
        What to compare on.
    tolerance : float
        Largest absolute difference allowed.

    Returns
    -------
    ParityCertificate

    Raises
    ------
    ValueError
        If a difference is beyond the tolerance.
    """
    starts = range(0, len(rows), ROWS_AT_ONCE)
    parts = [rows[start : start + ROWS_AT_ONCE] for start in starts]
    names = [column.name for column in spec.columns]
    return compare(
        np.concatenate([_reference(spec)(part) for part in parts]),
        np.concatenate([score(part) for part in parts]),
        classes=spec.classes,
        rows=rows,
        names=names,
        tolerance=tolerance,
        is_regressor=spec.is_regressor,
    )


def warn_of_rounding(spec, X, tolerance):
    """Warn if rounding numbers to float32 alone moves what a model says of rows.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns), or None
        Rows like those of training, of which 1024 are looked at.
    tolerance : float
        Largest difference of a probability, or of a number as a share of the largest
        one of its output, that is no matter.

    Warns
    -----
    UserWarning
        If there is a larger one: says of which column it is.
    """
    if X is None or not spec.columns:
        return
    reference = _reference(spec)
    rows = _read_rows(spec, X, ROWS_AT_ONCE, np.random.default_rng(0))
    exact, rounded = reference(rows), reference(_as_float32(rows))
    unit = _largest(exact) if spec.is_regressor else np.ones(exact.shape[1])
    with np.errstate(invalid="ignore"):  # infinity less infinity
        moved = np.abs(exact - rounded) / unit
    row, k = np.unravel_index(moved.argmax(), moved.shape)
    if not moved[row, k] > tolerance:
        return
    # The same row with each of its columns rounded alone.
    alone = np.repeat(rows[row : row + 1], len(spec.columns), axis=0)
    np.fill_diagonal(alone, _as_float32(rows[row]))
    worst = np.abs(reference(alone) - exact[row])[:, k].argmax()
    what = "number" if spec.is_regressor else "probability"
    share = (moved.max(axis=1) > tolerance).mean()
    warnings.warn(
        f"Got {float(rows[row, worst])!r} in column {spec.columns[worst].name!r}, but "
        "expected numbers that float32 can hold, as which the exported model reads "
        f"them: the {what} of this row becomes {float(rounded[row, k]):.6g} instead "
        f"of {float(exact[row, k]):.6g}, and {share:.1%} of the rows change by more "
        f"than {tolerance:g}, which the certificate cannot tell.",
        UserWarning,
        stacklevel=3,
    )


def _reference(spec):
    return spec.predictions if spec.is_regressor else spec.probabilities


def _largest(numbers):
    largest = np.abs(numbers).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def _describe(row, rows, names):
    if rows is None:
        return ""
    values = np.asarray(rows)[row].tolist()
    if names is None:
        names = [f"x{j}" for j in range(len(values))]
    cells = zip(names, values, strict=True)
    return " (" + ", ".join(f"{name}={value!r}" for name, value in cells) + ")"


def _usual_rows(spec, X, n_rows, rng):
    if X is None:
        predictor = spec.predictor
        cells = [_draw(predictor, j, n_rows, rng) for j in range(len(spec.columns))]
        return _as_float32(np.array(cells).reshape(-1, n_rows).T)
    return _as_float32(_read_rows(spec, X, n_rows, rng))


def _read_rows(spec, X, n_rows, rng):
    """Rows of a table as they are."""
    # Takes scipy along, which an export without a table does not need.
    from .._columns import (
        column_names,
        is_frame,
        read_columns,
        take_columns,
        take_rows,
    )

    if hasattr(X, "tocsr"):  # Not every sparse matrix can take rows.
        X = X.tocsr()
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2 or X.shape[1] != len(spec.columns) or not X.shape[0]:
        raise ValueError(
            f"Got X of shape {X.shape}, but expected at least one row of "
            f"{len(spec.columns)} columns."
        )
    if is_frame(X):
        names = [str(name) for name in column_names(X)]
        own = [column.name for column in spec.columns]
        if names != own and sorted(names) == sorted(set(own)):
            X = take_columns(X, [names.index(name) for name in own])
    chosen = take_rows(X, np.sort(rng.permutation(X.shape[0])[:n_rows]))
    table = read_columns(chosen, spec.columns)
    return np.stack(table, axis=1, dtype=np.float64)


def _draw(predictor, j, n_rows, rng):
    """Values of column j within the training range, or any level."""
    column = predictor.columns[j]
    if not column.is_numeric:
        return rng.integers(-2, len(column.levels), size=n_rows)
    low, high = column.low, column.high
    if np.isinf([low, high]).any():
        low, high = _range_of_thresholds(predictor, j, column.fill)
    if np.isnan(low):
        return np.full(n_rows, column.fill)
    # Not rng.uniform, whose range may be too large for a float.
    share = rng.random(n_rows)
    return low * (1 - share) + high * share


def _range_of_thresholds(predictor, j, fill):
    """Numbers on both sides of every threshold: trees do not know their own range."""
    thresholds = _thresholds(predictor, j)
    thresholds = _as_float32(thresholds[np.isfinite(thresholds)])
    if not len(thresholds):
        return fill, fill
    low, high = thresholds.min(), thresholds.max()
    margin = high / 2 - low / 2 or max(1.0, abs(low))
    limit = np.finfo(np.float64).max / 4
    return max(low - margin, -limit), min(high + margin, limit)


def _special_values(predictor, j, rng):
    """Values of column j at which the model may change, and unusual ones."""
    column = predictor.columns[j]
    if not column.is_numeric:
        return np.array([*range(-2, len(column.levels)), np.nan])
    ends = np.array([column.low, column.high])
    middle = [column.knots, column.edges, _thresholds(predictor, j), ends]
    changes = np.concatenate(middle)
    changes = np.unique(_as_float32(changes[np.isfinite(changes)])).astype(np.float32)
    changes = rng.permutation(changes)[:MOST_CHANGES]
    with np.errstate(over="ignore", under="ignore"):
        beside = [np.nextafter(changes, np.float32(side)) for side in (-np.inf, np.inf)]
        beyond = 2 * ends - ends[::-1]
    far = [0.0, 1e30, -1e30, column.fill, *beyond[np.isfinite(beyond)]]
    values = np.concatenate([changes, *beside, _as_float32(np.array(far))])
    # The largest floats have infinity beside them, which no table may hold.
    values = values[np.isfinite(values)].astype(np.float64)
    return np.append(np.unique(values), np.nan)


def _thresholds(predictor, j):
    if not hasattr(predictor, "thresholds"):
        return np.empty(0)
    nodes = (predictor.features == j) & (predictor.sets < 0)
    return predictor.thresholds[nodes]


def _as_float32(values):
    """Nearest numbers that float32 can represent, as float64."""
    limit = np.finfo(np.float32).max
    return values.clip(-limit, limit).astype(np.float32).astype(np.float64)
