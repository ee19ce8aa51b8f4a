"""Models as files: data, never code."""

import errno
import os
from contextlib import contextmanager

from ._archive import LARGEST_FILE, pack, unpack
from ._header import decode, encode, parse
from ._model import ModelSpec
from ._scorer import Scorer


def save(spec, path, certificate=None):
    """Write a model to a file.

    The file is written under another name in the same folder first, so that there is
    the old file or the new one at any time. The same model gives the same bytes with
    the same version of zlib. ``docs/skd_format.md`` describes the format.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    path : str or os.PathLike
        File to write; one that exists is replaced. Its usual suffix is ``.skd``.
    certificate : dict, default=None
        What is known of the model: a dict of str to dicts, lists, str, int, finite
        float, bool and None. `read_header` hands it back.

    Raises
    ------
    OSError
        If the file cannot be written.
    TypeError
        If `spec` is no ModelSpec.
    ValueError
        If class labels are other than integers, floats, booleans or strings, an array
        holds what the format's type does not, or the certificate other values.

    See Also
    --------
    load_spec : Reads it.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.runtime import load_spec, save
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> spec = MLPStudentClassifier((8,), n_steps=20).fit(X, y).to_spec()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skd")
    ...     save(spec, path)
    ...     loaded = load_spec(path)
    >>> bool((loaded.probabilities(X) == spec.probabilities(X)).all())
    True
    """
    if not isinstance(spec, ModelSpec):
        raise TypeError(f"Got a {type(spec).__name__}, but expected a ModelSpec.")
    if certificate is not None and type(certificate) is not dict:
        raise ValueError(f"Got certificate={certificate!r}, but expected a dict.")
    archive = pack(*encode(spec, certificate))
    # Arrays can be changed after the spec has checked them.
    read_archive(archive)
    write_whole(path, archive)


def load_spec(path):
    """Read the model of a file.

    Parameters
    ----------
    path : str or os.PathLike
        What `save` has written.

    Returns
    -------
    ModelSpec
        Its arrays are read-only.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, was damaged, or was written by a newer version of
        skdistill than can be understood. Files from elsewhere do no harm: nothing in
        them is executed, and memory for arrays is at most 8 times the file's size.

    See Also
    --------
    read_header : Reads what the file says about itself.

    Examples
    --------
    >>> from skdistill.runtime import load_spec
    >>> load_spec(__file__)
    Traceback (most recent call last):
    ValueError: Got a file that does not end as a zip archive ...
    """
    return _read_named(path)[1]


def load(path, **options):
    """Read the model of a file, ready to score rows.

    Parameters
    ----------
    path : str or os.PathLike
        What `save` has written.
    **options : dict
        Parameters of `Scorer`.

    Returns
    -------
    Scorer

    Raises
    ------
    OSError, ValueError
        As `load_spec`.

    See Also
    --------
    load_spec : Reads the model as plain arrays.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.runtime import load, save
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.skd")
    ...     save(student.to_spec(), path)
    ...     scorer = load(path)
    >>> bool((scorer.predict_proba(X) == student.predict_proba(X)).all())
    True
    """
    return Scorer(load_spec(path), **options)


def read_header(path):
    """Read what a model's file says about itself.

    Parameters
    ----------
    path : str or os.PathLike
        What `save` has written.

    Returns
    -------
    dict
        The JSON header: among others ``"certificate"`` as given to `save`,
        ``"written_by"`` and ``"version"``.

    Raises
    ------
    OSError, ValueError
        As `load_spec`.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdistill.runtime import ModelSpec, NumberColumn, TreeEnsembleSpec
    >>> from skdistill.runtime import read_header, save
    >>> none = np.empty(0, np.int32)
    >>> constant = TreeEnsembleSpec(
    ...     columns=(NumberColumn("x", 0.0, 1.0),),
    ...     base=np.zeros(1),
    ...     roots=none,
    ...     outputs=none,
    ...     features=none,
    ...     thresholds=np.empty(0),
    ...     missing_left=np.empty(0, bool),
    ...     sets=none,
    ...     children=np.empty((0, 2), np.int32),
    ...     leaves=np.empty((0, 1)),
    ...     level_sets=np.empty((0, 1), np.uint32),
    ...     probabilities=False,
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "constant.skd")
    ...     save(ModelSpec(constant, np.array(["a", "b"])), path, {"rows": 3})
    ...     read_header(path)["certificate"]
    {'rows': 3}
    """
    return _read_named(path)[0]


def read_archive(archive):
    """Return header and model of the bytes of a file.

    Parameters
    ----------
    archive : bytes
        What is in the file.

    Returns
    -------
    header : dict
    spec : ModelSpec

    Raises
    ------
    ValueError
        As `load_spec`.
    """
    header, arrays = unpack(archive)
    fields = parse(header)
    return fields, decode(fields, arrays)


def _read_named(path):
    """Return header and model of a file; errors say of which."""
    try:
        return read_archive(_read(path))
    except ValueError as error:
        raise ValueError(f"{error} The file is {str(path)!r}.") from error


def _read(path):
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise ValueError(
                f"Got a file of {size} bytes, but expected at most {LARGEST_FILE}."
            )
        # What has no end, such as a device, says that it has no size.
        return file.read(size)


def write_whole(path, content):
    """Write a file so that no half of it can be met under its name.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file shall be. One that is there is replaced.
    content : bytes
        What it shall hold.

    Raises
    ------
    OSError
        If it cannot be written; what was there is as it was.
    """
    with replaced(path) as temporary, open(temporary, "wb") as file:
        file.write(content)


@contextmanager
def replaced(path):
    """Yield the name of a file to write, which then gets the right name.

    A device or a pipe cannot be replaced, and is written itself.

    Parameters
    ----------
    path : str or os.PathLike
        Where the file shall be. One that is there is replaced.

    Yields
    ------
    str
        Name of an empty file in the same folder.

    Raises
    ------
    OSError
        If it cannot be written. As after any other error, what was there is as it was.
    """
    path = os.path.realpath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if os.path.exists(path) and not os.path.isfile(path):
        yield path
        return
    temporary = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.tmp")
    try:
        # Unlike those of tempfile it has the permissions that the user's files have.
        with open(temporary, "xb"):
            pass
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
