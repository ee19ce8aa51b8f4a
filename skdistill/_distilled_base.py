"""What distilled classifiers and regressors have in common."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from ._fitting import last_step, takes_weights
from ._validation import check_table
from .augmentation import Munge
from .conversion import to_spec
from .export import export
from .students._base import copy_input_tags


class BaseDistilled(BaseEstimator):
    """A teacher, a student, and what is done to get from one to the other.

    A subclass has the parameters `teacher`, `student`, `cv`, `augmenter`,
    `random_state` and `verbose`, the splitter `_folds` for an integer `cv`, and
    `_student()`, which returns the student, not yet cloned.
    """

    def export(self, path, X=None, *, tolerance=1e-5):
        """Write the student to a file that scores without this library's requirements.

        The suffix says how: ``.skd`` is scored by `skdistill.runtime.load` with numpy
        alone, ``.onnx`` by ONNX Runtime, ``.c`` is C source that depends on nothing.
        What was written is run and compared with the student, and holds a certificate
        of the comparison.

        Parameters
        ----------
        path : str or path-like
            Where the file is written. One that is there is replaced.
        X : array-like or frame of shape (n_samples, n_features), default=None
            Rows to compare on, beside drawn ones and those at every threshold.
        tolerance : float, default=1e-5
            Largest difference of a probability allowed, or of a number as a share of
            the largest one of its output.

        Returns
        -------
        skdistill.export.ParityCertificate or None
            What the comparison found; ``None`` where it needs a compiler that is not
            there.

        Raises
        ------
        ImportError
            If a library that the format needs is not installed.
        TypeError
            If the student is of a kind that cannot be exported.
        ValueError
            If no format has this suffix, or a probability differs by more than the
            tolerance. Nothing is written then.
        """
        check_is_fitted(self)
        return export(to_spec(self.student_), path, X, tolerance=tolerance)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        return copy_input_tags(tags, self.teacher, self._student())

    def _check_rows(self, X):
        accepted = get_tags(self).input_tags
        return check_table(
            self,
            X,
            reset=False,
            accept_sparse=accepted.sparse,
            allow_nan=accepted.allow_nan,
        )

    def _check_road(self):
        """Return the student; raise if what leads to it is not as described."""
        if isinstance(self.teacher, type) or not hasattr(self.teacher, "fit"):
            raise TypeError(
                f"Got teacher={self.teacher!r}, but expected an estimator object."
            )
        if self.cv == "prefit":
            raise ValueError(
                "Got cv='prefit', but expected an integer, a splitter or None: wrap a "
                "fitted teacher as FrozenEstimator(teacher)."
            )
        if not (
            self.augmenter is None
            or _is_auto(self.augmenter)
            or hasattr(self.augmenter, "sample")
        ):
            raise ValueError(
                f"Got augmenter={self.augmenter!r}, but expected a sampler of "
                "skdistill.augmentation, 'auto' or None."
            )
        student = self._student()
        # Before the teacher is fitted, which may take hours.
        last_step(student).check_parameters()
        return student

    def _generator(self):
        if self.random_state is None:
            return None
        return check_random_state(self.random_state)

    def _splitter(self, random_state):
        """Shuffled folds for an integer; anything else as it is."""
        if isinstance(self.cv, int | np.integer) and not isinstance(self.cv, bool):
            seed = draw_seed(random_state)
            return self._folds(self.cv, shuffle=True, random_state=seed)
        return self.cv

    def _sampler(self, X, student):
        """Maker of new rows, or None."""
        if not _is_auto(self.augmenter):
            return self.augmenter
        return Munge() if takes_weights(student) and not issparse(X) else None

    def _say(self, message):
        if self.verbose:
            print(f"[skdistill] {message}")


def draw_seed(random_state):
    """Return an integer seed, drawn from a generator or, from None, at random."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _is_auto(augmenter):
    return isinstance(augmenter, str) and augmenter == "auto"
