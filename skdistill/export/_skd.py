"""A fitted model as a file for `skdistill.runtime`."""

import tempfile
from pathlib import Path

from .._parameters import check_number
from ..runtime import load, save
from ._parity import TOLERANCE, certify, parity_rows


def export_skd(spec, path, X=None, *, tolerance=TOLERANCE):
    """Write a model as a file that `skdistill.runtime.load` scores with numpy alone.

    The file is read back and scored in float32, as it will be, and compared with the
    model in float64. The certificate is in the file's header.

    Parameters
    ----------
    spec : skdistill.runtime.ModelSpec
        The model.
    path : str or path-like
        Where the file is written. One that is there is replaced.
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns), default=None
        Rows like those of training to compare on, beside those of `parity_rows`.
    tolerance : float, default=1e-5
        Largest difference of a probability allowed, or of a number as a share of the
        largest one of its output.

    Returns
    -------
    ParityCertificate

    Raises
    ------
    ValueError
        If a probability differs by more than the tolerance. Nothing is written then.

    See Also
    --------
    skdistill.runtime.save : Writes without a comparison.
    skdistill.runtime.read_header : Hands the certificate back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.export import export_skd
    >>> from skdistill.runtime import load
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = TreeStudentClassifier(random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "iris.skd"
    ...     certificate = export_skd(student.to_spec(), path, X)
    ...     scorer = load(path)
    >>> bool((scorer.predict(X) == student.predict(X)).all())
    True
    """
    check_number("tolerance", tolerance, 0)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "model.skd"
        save(spec, draft)
        scorer = load(draft)
    certificate = certify(spec, _score(scorer), parity_rows(spec, X), tolerance)
    save(spec, path, certificate.as_dict())
    return certificate


def _score(scorer):
    if not scorer.spec.is_regressor:
        return scorer.predict_proba
    return lambda rows: scorer.predict(rows).reshape(len(rows), -1)
