"""What distilled classifiers and regressors have in common."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ._columns import (
    as_dense_as,
    is_frame,
    kind_of_table,
    learn_columns,
    take_columns,
    with_kinds_of,
)
from ._fitting import (
    clone_seeded,
    fit_with_weights,
    is_frozen,
    last_step,
    routing_is_enabled,
    table_readers,
    takes_weights,
)
from ._kinds import known
from ._metadata import leave_out_weightless, route
from ._parameters import is_auto
from ._regression_targets import RegressionTargets
from ._student_columns import choose_columns, select_columns
from ._task import Task
from ._validation import (
    check_groups,
    check_student_columns,
    check_table,
    check_weights,
    holds_missing,
)
from .augmentation import Munge
from .augmentation._base import Sampler
from .conversion import to_spec
from .export import export
from .students._base import copy_input_tags
from .students._scored import ScoredStudent
from .targets import SoftTargets
from .teachers._cache import cached


class BaseDistilled(BaseEstimator):
    """A teacher, a student, and what is done to get from one to the other.

    A subclass has the parameters `teacher`, `student`, `cv`, `augmenter`, `memory`,
    `random_state` and `verbose`, the splitters `_folds` and, where rows have groups,
    `_group_folds` for an integer `cv`, `_check_y(y, X)`, `_check_parameters()`, and
    `_student()`, which returns the student, not yet cloned.
    """

    _group_folds = GroupKFold
    student_columns_ = None

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
            If no format has this suffix, X has other columns than the rows given to
            `fit`, or a probability differs by more than the tolerance. Nothing is
            written then.
        """
        check_is_fitted(self)
        if X is not None:
            X = self._student_rows(X)
        return export(to_spec(self.student_), path, X, tolerance=tolerance)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        return copy_input_tags(tags, self.teacher, self._student())

    def _check_rows(self, X):
        return check_table(
            self,
            X,
            reset=False,
            accept_sparse=get_tags(self).input_tags.sparse,
            allow_nan=self._allows_missing,
        )

    def _student_rows(self, X):
        """Return checked rows to score, with the columns of the student."""
        if self.student_columns_ is None:
            return self._check_rows(X)
        return select_columns(self, X)

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
            or is_auto(self.augmenter)
            or (
                hasattr(self.augmenter, "sample")
                and not isinstance(self.augmenter, type)
            )
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

    def get_metadata_routing(self):
        """Return who asks for which metadata: teacher, student, splitter and itself.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
            `fit` hands the metadata of the rows to ``fit`` of the teacher and of the
            student, and to ``split`` of the splitter; weights that it requests itself
            are those by which the teacher is judged.
        """
        fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(teacher=self.teacher, method_mapping=fit)
        router.add(student=self._requesting_student(), method_mapping=fit)
        splitter = self._group_folds() if self._has_integer_cv() else self.cv
        if hasattr(splitter, "split") and self._splits_rows():
            split = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=splitter, method_mapping=split)
        return router

    def _requesting_student(self):
        """The student as it came, or in our adapter if it has no say about weights."""
        given = last_step(self.student)
        if given is not None and has_fit_parameter(given, "sample_weight"):
            return self.student
        student = clone(self._student())
        last = last_step(student)
        if routing_is_enabled() and hasattr(last, "set_fit_request"):
            last.set_fit_request(sample_weight=True)
        return student

    def _has_integer_cv(self):
        return isinstance(self.cv, int | np.integer) and not isinstance(self.cv, bool)

    def _splitter(self, random_state, groups=None):
        """Shuffled folds for an integer; anything else as it is."""
        if groups is not None and (
            is_frozen(self.teacher)
            or not (self._has_integer_cv() or hasattr(self.cv, "split"))
        ):
            raise ValueError(
                f"Got groups with cv={self.cv!r} and the teacher "
                f"{type(self.teacher).__name__}, but expected a splitter that keeps "
                "them together and a teacher that is not frozen: nothing is split."
            )
        if self._has_integer_cv():
            folds = self._folds if groups is None else self._group_folds
            return folds(self.cv, shuffle=True, random_state=draw_seed(random_state))
        return self.cv

    def _read(self, X, y, sample_weight, X_unlabeled, groups, fit_params):
        """Check all that ``fit`` is given, and return it as a `Task`."""
        student = self._check_parameters()
        random_state = self._generator()
        teacher = clone_seeded(self.teacher, random_state)
        cv, seed = self._splitter(random_state, groups), draw_seed(random_state)
        student = clone_seeded(student, random_state)

        accepted = get_tags(self).input_tags
        X = check_table(self, X, reset=True, accept_sparse=accepted.sparse)
        # A pipeline need not know that it imputes.
        self._allows_missing = accepted.allow_nan or holds_missing(X)
        if isinstance(y, SoftTargets | RegressionTargets):
            raise TypeError(
                f"Got {type(y).__name__} as y, but expected what the teacher is fitted "
                "to: targets that are there already go to fit of a student itself."
            )
        weights, groups = check_weights(sample_weight, X), check_groups(groups, X)
        y = self._check_y(y, X)
        if X_unlabeled is not None:
            X_unlabeled = self._check_unlabeled(X_unlabeled, X)
        columns = choose_columns(self.student_columns, X)
        metadata = route(self, weights, groups, fit_params)
        by_position = self._splits_rows() and not self._has_integer_cv()
        X, y, cv, metadata = leave_out_weightless(
            X, y, cv, metadata, splits_by_position=by_position
        )
        self._check_columns(X, X_unlabeled, columns, student)
        return Task(teacher, student, cv, seed, X, y, metadata, X_unlabeled, columns)

    def _check_unlabeled(self, X_unlabeled, X):
        """Return rows that can stand below those of the checked table `X`."""
        given, expected = kind_of_table(X_unlabeled), kind_of_table(X)
        if given != expected:
            raise TypeError(
                f"Got {given} as X_unlabeled, but expected {expected} like X."
            )
        if issparse(X_unlabeled):
            # First of all: an estimator need not take sparse rows to take dense ones.
            X_unlabeled = as_dense_as(X_unlabeled, X)
        X_unlabeled = self._check_rows(X_unlabeled)
        if is_frame(X):
            return with_kinds_of(X_unlabeled, X)
        return as_dense_as(X_unlabeled, X)

    def _check_columns(self, X, X_unlabeled, columns, student):
        """Raise if a column cannot be read, or no rows can be made of `X`."""
        seen = X if columns is None else take_columns(X, columns)
        for estimator, table in ((self.teacher, X), (student, seen)):
            for reader in table_readers(estimator):
                check = known("CHECK_TABLE", reader)
                if check is not None:
                    check(table)
        if isinstance(student, ScoredStudent):
            if columns is not None and X_unlabeled is not None:
                X_unlabeled = take_columns(X_unlabeled, columns)
            check_student_columns(seen, X_unlabeled)
            if columns is None:
                return  # New rows are made of nothing else.
        sampler = self._sampler(X, student)
        if not is_frame(X) or not (is_auto(sampler) or isinstance(sampler, Sampler)):
            return
        try:
            learn_columns(X)
        except TypeError as error:
            raise TypeError(
                f"{error} New rows would have to be made of it, too: with "
                "augmenter=None there are none."
            ) from error

    def _splits_rows(self):
        """Whether the splitter is asked at all."""
        return not is_frozen(self.teacher)

    def _cached(self, function, sampler):
        """Return a function that looks for its results in the cache first."""
        folds_are_drawn = self._has_integer_cv() and self._splits_rows()
        is_drawn = folds_are_drawn or sampler is not None
        if self.memory is not None and self.random_state is None and is_drawn:
            warnings.warn(
                "Got memory with random_state=None: folds and new rows are drawn anew "
                "in each fit, so nothing will be found in the cache. Give random_state "
                "an integer.",
                UserWarning,
                stacklevel=4,
            )
        return cached(function, self.memory, ignore=["n_jobs", "progress"])

    def _sampler(self, X, student):
        """Maker of new rows, "auto" or None."""
        if not is_auto(self.augmenter):
            return self.augmenter
        if not takes_weights(student) or issparse(X):
            return None
        far = getattr(last_step(student), "learns_far_from_rows", False)
        return "auto" if far else Munge()


def fit_student(student, X, targets, weights, progress):
    """Return a student that is fitted, and tell so."""
    stage = f"fitting {type(student).__name__} to {len(targets):,} rows"
    with progress.fitting(last_step(student), stage):
        return fit_with_weights(student, X, targets, weights)


def draw_seed(random_state):
    """Return an integer seed, drawn from a generator or, from None, at random."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
