"""A fitted model as one file of C."""

import ctypes
import re
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np

from .._parameters import check_number
from .._version import __version__
from ..runtime import NetworkSpec
from ..runtime._file import write_whole
from ._c_literals import comment, unique_name
from ._c_network import network_source
from ._c_trees import trees_source
from ._parity import TOLERANCE, certify, parity_rows, warn_of_rounding

_DECLARATIONS = """
/* Class probabilities of a row, in the order of the classes. */
void $prefix_predict_proba(const float *row, float *probabilities);

/* Position of the most probable class of a row. */
int $prefix_predict(const float *row);
"""

_EXPONENTIAL = """
/* exp(x) of x <= 0: a polynomial around 0, then halved as often as it takes. */
static float exponential(float x)
{
    static const float halvings[7] = {
        5.0e-1f, 2.5e-1f, 6.25e-2f, 3.90625e-3f, 1.52587890625e-5f,
        2.32830644e-10f, 5.42101086e-20f
    };
    float power;
    int32_t n, i;
    if (!(x > -87.0f))
        return 0.0f;
    n = (int32_t)(0.5f - x * 1.44269504f);
    /* log(2) in two parts, so that the product with n is exact. */
    x = (x + (float)n * 0.693359375f) - (float)n * 2.12194440e-4f;
    power = 1.0f + x * (1.0f + x * (0.5f + x * (0.166666667f + x * (0.0416666667f
        + x * (0.00833333333f + x * 0.00138888889f)))));
    for (i = 0; n > 0; n /= 2, i++)
        if (n % 2)
            power *= halvings[i];
    return power;
}
"""

_SOFTMAX = """
static void normalise(float *outputs)
{
    float largest = outputs[0], sum = 0.0f;
    int32_t k;
    for (k = 1; k < $classes; k++)
        if (outputs[k] > largest)
            largest = outputs[k];
    for (k = 0; k < $classes; k++) {
        outputs[k] = exponential(outputs[k] - largest);
        sum += outputs[k];
    }
    for (k = 0; k < $classes; k++)
        outputs[k] /= sum;
}
"""

_FUNCTIONS = """
void $prefix_predict_proba(const float *row, float *probabilities)
{
    outputs_of(row, probabilities);
$normalise}

int $prefix_predict(const float *row)
{
    float outputs[$classes];
    int k, best = 0;
    outputs_of(row, outputs);
    for (k = 1; k < $classes; k++)
        if (outputs[k] > outputs[best])
            best = k;
    return best;
}
"""

_NUMBERS = """
/* What is predicted of a row. */
void $prefix_predict(const float *row, float *predictions)
{
    outputs_of(row, predictions);
$invert}
"""

_INVERT = """    int k;
    for (k = 0; k < $classes; k++)
        predictions[k] = predictions[k] > 0.0f ? 1.0f / exponential(-predictions[k])
            : exponential(predictions[k]);
"""

_COMPILE = ("-std=c99", "-O2", "-shared", "-fPIC")


def export_c(spec, path, X=None, *, tolerance=TOLERANCE):
    r"""Write a model as one C99 file that depends on nothing.

    The file defines, for a path that ends in ``fraud.c``,
    ``void fraud_predict_proba(const float *row, float *probabilities)`` and
    ``int fraud_predict(const float *row)``, which returns the position of the most
    probable class, with ``FRAUD_N_COLUMNS`` and ``FRAUD_N_CLASSES``. Of a regressor it
    defines ``void fraud_predict(const float *row, float *predictions)`` and
    ``FRAUD_N_OUTPUTS``. It computes with ``float`` alone, takes nothing from the heap,
    and its data are constants, which may stay in flash. A comment at its top lists the
    columns, the classes, the stack it needs and the parity certificate.

    A row holds finite numbers, NaN where they are missing. A category is the position
    of its level, for which there are constants, -1 or NaN if it is missing, and -2 if
    it is unseen. Do not compile it with ``-ffast-math``, which knows no NaN.

    Numbers are rounded to float32 on their way in. The comparison is of rows that
    float32 can represent: others may lie on another side of a threshold once rounded,
    such as times in seconds, and a warning says if that is so in `X`.

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
    ParityCertificate or None
        What the comparison with `ModelSpec.probabilities`, or `predictions`, found.
        ``None`` if there is no compiler ``cc`` to compile the file for it: the file
        then says that it was not compared.

    Raises
    ------
    ValueError
        If the compiled file differs by more than the tolerance, or numbers of the
        model overflow float32. Nothing is written then.
    RuntimeError
        If the compiler fails.

    Warns
    -----
    UserWarning
        If there is no compiler, or rounding to float32 alone changes what the model
        says of `X` by more than the tolerance.

    See Also
    --------
    export_onnx : The same for ONNX Runtime.

    Examples
    --------
    >>> import shutil, tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.export import export_c
    >>> from skdistill.students import MLPStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "iris.c"
    ...     certificate = export_c(student.to_spec(), path, X)
    ...     source = path.read_text()
    >>> "void iris_predict_proba(const float *row, float *probabilities)" in source
    True
    """
    check_number("tolerance", tolerance, 0)
    path = Path(path)
    prefix = _prefix(path)
    body = _body(spec, prefix)
    certificate = None
    compiler = shutil.which("cc")
    if compiler is None:
        warnings.warn(
            "Got no C compiler 'cc', but expected one to compare the exported source "
            "with the model: the file says that it was not compared.",
            UserWarning,
            stacklevel=2,
        )
    else:
        rows = parity_rows(spec, X)
        with tempfile.TemporaryDirectory() as folder:
            library = _compiled(compiler, body, Path(folder))
            score = _scorer(library, prefix, spec)
            certificate = certify(spec, score, rows, tolerance)
    warn_of_rounding(spec, X, tolerance)
    source = _header(spec, prefix, certificate) + body
    write_whole(path, source.encode("ascii"))
    return certificate


def _prefix(path):
    """C name made of the name of a file."""
    name = re.sub(r"[^A-Za-z0-9]", "_", path.stem)
    # Names that begin with an underscore belong to the compiler.
    return name if name[:1].isalpha() else f"model_{name}".rstrip("_")


def _header(spec, prefix, certificate):
    """Comment on what the file holds."""
    parity = None if certificate is None else certificate.as_dict()
    what = "predictions" if spec.is_regressor else "class probabilities"
    lines = [
        f"{prefix}.c: {what} of a model, by skdistill {__version__}.",
        "",
        "C99 without libraries. A row holds finite numbers, NaN where one is missing;",
        "a category is the position of its level, -1 if missing and -2 if unseen.",
        f"Stack: {_stack_bytes(spec)} bytes of arrays. Do not use -ffast-math.",
        "",
        "Columns of a row:",
    ]
    for j, column in enumerate(spec.columns):
        kind = "number" if column.is_numeric else f"{len(column.levels)} levels"
        lines.append(f"  {j} {comment(column.name)}: {kind}")
    lines.append("")
    if not spec.is_regressor:
        lines.append(f"Classes: {comment(spec.classes.tolist())}")
    lines.append(
        "Parity: not compared"
        if parity is None
        else f"Parity of {what.split()[-1]}: {comment(parity)}"
    )
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _stack_bytes(spec):
    """Size of the arrays that the functions have at once."""
    sizes = [spec.n_scores]
    if isinstance(spec.predictor, NetworkSpec):
        hidden = [len(biases) for biases in spec.predictor.biases[:-1]]
        sizes += [max(hidden[i::2]) for i in range(min(len(hidden), 2))]
    return 4 * sum(sizes)


def _body(spec, prefix):
    """All of the file but its first comment."""
    capitals = prefix.upper()
    count = f"{capitals}_N_{'OUTPUTS' if spec.is_regressor else 'CLASSES'}"
    taken = {f"{capitals}_N_COLUMNS": 1, count: 1}
    first_output = spec.n_scores - spec.predictor.n_outputs
    is_network = isinstance(spec.predictor, NetworkSpec)
    write = network_source if is_network else trees_source
    model = write(spec.predictor, first_output)
    parts = [
        "#include <stdint.h>\n",
        "#include <math.h>\n" if "HUGE_VALF" in model else "",
        f"\n#define {capitals}_N_COLUMNS {len(spec.columns)}\n",
        f"#define {count} {spec.n_scores}\n",
        *_level_constants(spec.columns, capitals, taken),
        *(part.replace("$prefix", prefix) for part in _functions(spec, model)),
    ]
    return "".join(parts).replace("$classes", count)


def _functions(spec, model):
    """The model's own code and what is made of its outputs."""
    if spec.is_regressor:
        is_log = spec.link == "log"
        invert = _INVERT if is_log else ""
        return [
            "\n",
            model,
            _EXPONENTIAL if is_log else "",
            _NUMBERS.replace("$invert", invert),
        ]
    normalise = "" if spec.averages else "    normalise(probabilities);\n"
    return [
        _DECLARATIONS,
        "\n",
        model,
        "" if spec.averages else _EXPONENTIAL + _SOFTMAX,
        _FUNCTIONS.replace("$normalise", normalise),
    ]


def _level_constants(columns, capitals, taken):
    """Codes of the levels of each categorical column, as constants."""
    for column in columns:
        if not column.levels:
            continue
        lines = [
            f"    {unique_name((capitals, column.name, level), taken)} = {code}"
            f" /* {comment(level)} */"
            for code, level in enumerate(column.levels)
        ]
        body = ",\n".join(lines)
        yield f"\n/* Levels of {comment(column.name)}. */\nenum {{\n{body}\n}};\n"


def _compiled(compiler, source, folder):
    """Compile source; return the library."""
    (folder / "model.c").write_text(source, encoding="ascii")
    library = folder / "model.so"
    command = [compiler, *_COMPILE, "-o", str(library), "model.c"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"Got exit status {done.returncode} from {compiler}, but expected it to "
            f"compile the exported source: {done.stderr[-2000:]}"
        )
    return ctypes.CDLL(str(library))


def _scorer(library, prefix, spec):
    """Return what scores rows with a compiled file."""
    suffix = "predict" if spec.is_regressor else "predict_proba"
    predict = getattr(library, f"{prefix}_{suffix}")
    predict.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    predict.restype = None

    def score(rows):
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        answers = np.empty((len(rows), spec.n_scores), dtype=np.float32)
        for row, out in zip(rows, answers, strict=True):
            predict(row.ctypes.data, out.ctypes.data)
        return answers

    return score
