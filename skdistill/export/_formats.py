"""The formats of exported models, by the suffixes of their files."""

from pathlib import Path

from ._c_source import export_c
from ._onnx import export_onnx
from ._parity import TOLERANCE
from ._skd import export_skd

WRITERS = {".c": export_c, ".onnx": export_onnx, ".skd": export_skd}
"""For each suffix what writes such a file: takes a spec, a path, rows and, by keyword,
a tolerance; returns a certificate."""


def export(spec, path, X=None, *, tolerance=TOLERANCE):
    """Write a model as a file of the format that its suffix says.

    What was written is run on the rows of `parity_rows` and compared with
    `ModelSpec.probabilities`, or `predictions` of a regressor; the certificate becomes
    a part of the file.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    path : str or path-like
        Where the file is written, with the suffix ``.skd``, ``.onnx`` or ``.c``. One
        that is there is replaced.
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns), default=None
        Rows like those of training to compare on, beside those of `parity_rows`.
    tolerance : float, default=1e-5
        Largest difference of a probability allowed, or of a number as a share of the
        largest one of its output.

    Returns
    -------
    ParityCertificate or None
        What the comparison found; ``None`` if nothing could be compared.

    Raises
    ------
    ValueError
        If no format has this suffix, or a probability differs by more than the
        tolerance. Nothing is written then.
    ImportError
        If a library that the format needs is not installed.

    See Also
    --------
    export_skd : The format for `skdistill.runtime`.
    export_onnx : The format for ONNX Runtime.
    export_c : C source without dependencies.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.export import export
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     certificate = export(student.to_spec(), Path(folder) / "iris.skd", X)
    >>> certificate.largest < 1e-5
    True
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise ValueError(
            f"Got the suffix {suffix!r} of {str(path)!r}, but expected one of "
            f"{sorted(WRITERS)}."
        )
    return WRITERS[suffix](spec, path, X, tolerance=tolerance)
