"""What the teacher and the student inside a fitted model say about rows."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._columns import is_frame
from .._fitting import is_frozen
from .._log_odds import classifier_log_odds
from ..losses._reference import log_softmax
from ..targets import log_proba


def as_table(X):
    """Return rows as a frame, as it came, a sparse matrix of rows, or an array."""
    if hasattr(X, "tocsr"):  # Not every sparse matrix can take rows.
        return X.tocsr()
    if is_frame(X):
        return X
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"Got X of shape {X.shape}, but expected (n_samples, n_columns)."
        )
    return X


def check_model(model):
    """Raise unless `model` is a fitted model that holds a teacher and a student."""
    if isinstance(model, type) or not hasattr(model, "predict"):
        raise TypeError(f"Got {model!r}, but expected a fitted DistilledClassifier.")
    if hasattr(model, "fit"):
        check_is_fitted(model)
    if not (hasattr(model, "teacher_") and hasattr(model, "student_")):
        raise TypeError(
            f"Got {type(model).__name__} without teacher_ and student_, but expected a "
            "fitted DistilledClassifier."
        )


def paired_probabilities(model, X):
    """Probabilities of teacher and student, columns in the order of `classes_`.

    The teacher's are its own, without the temperature that calibrates it.
    """
    X = as_table(X)
    logits = classifier_log_odds(model.teacher_, X, model.classes_, smooths=False)
    return np.exp(log_softmax(logits)), np.asarray(model.predict_proba(X))


def is_function(teacher):
    """Whether a teacher is no model that was fitted: its calls may cost money."""
    return is_frozen(teacher) and not isinstance(teacher, FrozenEstimator)


def smoothed_log_odds(model, X, teacher_proba):
    """Log-odds of the teacher as a student gets them: frequencies are smoothed.

    A function is not asked again, since its probabilities are no frequencies.
    """
    if is_function(model.teacher_):
        return log_proba(teacher_proba)
    return classifier_log_odds(model.teacher_, as_table(X), model.classes_)


def paired_scores(model, X, pos_label):
    """Return a number per row of teacher and student, and the positive class or None.

    Predictions of a regressor, probabilities of the positive class of a classifier.
    """
    check_model(model)
    if is_regressor(model):
        X = as_table(X)
        scores = [np.asarray(m.predict(X)) for m in (model.teacher_, model)]
        return *scores, None
    position = positive_position(model.classes_, pos_label)
    teacher, student = paired_probabilities(model, X)
    return teacher[:, position], student[:, position], model.classes_[position]


def positive_position(classes, pos_label):
    """Position of the positive class: by default the second of two."""
    labels = np.asarray(classes).tolist()
    if pos_label is None and len(labels) == 2:
        return 1
    if pos_label not in labels:
        raise ValueError(
            f"Got pos_label={pos_label!r}, but expected one of the classes {labels}."
        )
    return labels.index(pos_label)
