"""The main job on real data: an ensemble distilled, with honest numbers beside it."""

import math
import pickle
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from ._columns import take_rows
from ._default_teacher import N_ESTIMATORS, default_classifier
from ._distilled import DistilledClassifier
from ._progress import Progress
from .inspection import agreement
from .inspection._classifier_pair import ClassifierPair
from .runtime import load, save
from .students import MLPStudentClassifier, TreeStudentClassifier

TEST_SHARE = 0.25
LATENCY_REPEATS = 200
SMALLEST_TABLE = 100


@dataclass(frozen=True)
class Settings:
    """How large the demonstration is.

    Parameters
    ----------
    n_estimators : int
        Trees of the teacher.
    max_rows : int or None
        Rows drawn from the table; ``None``: all.
    cv : int
        Folds for the teacher's out-of-fold log-odds.
    n_steps : int or "auto"
        Optimiser steps of the network.
    """

    n_estimators: int = N_ESTIMATORS
    max_rows: int | None = None
    cv: int = 5
    n_steps: int | str = "auto"


FULL = Settings()
QUICK = Settings(n_estimators=150, max_rows=10_000, cv=3, n_steps=2000)


@dataclass(frozen=True)
class Score:
    """One line of the table: a model on the held-out rows.

    Losses are in nats, sizes in units of 1000 bytes: of a student's exported file, of
    the pickled teacher.
    """

    model: str
    trained_on: str
    accuracy: float
    log_loss: float
    auc: float
    agreement: float
    skill_retention: float
    size_kb: float
    one_row_us: float
    rows_per_second: float
    fit_seconds: float


def run_demo(X, y, settings, random_state=0, progress=None):
    """Distil a LightGBM ensemble into a network and a tree, and score them.

    Parameters
    ----------
    X : frame or array of shape (n_samples, n_features)
        Rows, of which a quarter is held out.
    y : array-like of shape (n_samples,)
        Class labels.
    settings : Settings
        How large the demonstration is.
    random_state : int, default=0
        Seeds the split and every model.
    progress : Progress, default=None
        Is told of each stage.

    Returns
    -------
    dict
        With the sizes of the parts and, under ``"scores"``, a `Score` for the teacher,
        each distilled student, and the same students trained on plain labels.
    """
    progress = Progress() if progress is None else progress
    X, y = _draw(X, np.asarray(y), settings.max_rows, random_state)
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, random_state=random_state, stratify=y
    )
    parts = take_rows(X, train), y[train], take_rows(X, test), y[test]
    teacher = default_classifier(X, settings.n_estimators, random_state)
    students = {
        "network 3x64": MLPStudentClassifier(
            n_steps=settings.n_steps, random_state=random_state
        ),
        "tree of 64 leaves": TreeStudentClassifier(random_state=random_state),
    }
    models = _fit_models(teacher, students, parts, settings, random_state, progress)
    with progress.stage("scoring the held-out rows"):
        scores = _score_models(models, parts)
    return {
        "rows_train": len(train),
        "rows_test": len(test),
        "columns": X.shape[1],
        "classes": [str(label) for label in models[0][2].classes_],
        "teacher": f"LightGBM, {settings.n_estimators} trees",
        "scores": scores,
    }


def scores_as_dicts(result):
    """Return a result with plain dictionaries in place of scores, for JSON."""
    return {**result, "scores": [asdict(score) for score in result["scores"]]}


def _draw(X, y, max_rows, random_state):
    if len(y) < SMALLEST_TABLE:
        raise ValueError(
            f"Got {len(y)} rows, but expected at least {SMALLEST_TABLE} to hold some "
            "out."
        )
    if max_rows is None or len(y) <= max_rows:
        return X, y
    rows, _ = train_test_split(
        np.arange(len(y)), train_size=max_rows, random_state=random_state, stratify=y
    )
    return take_rows(X, rows), y[rows]


def _fit_models(teacher, students, parts, settings, random_state, progress):
    """Return (name, trained on, model, seconds); the teacher is fitted once."""
    X, y, _, _ = parts
    models: list[tuple] = []
    with tempfile.TemporaryDirectory() as cache:
        for name, student in students.items():
            model = DistilledClassifier(
                teacher,
                student,
                cv=settings.cv,
                memory=cache,
                random_state=random_state,
                verbose=progress.verbose,
            )
            with progress.stage(f"distilling {settings.n_estimators} trees, {name}"):
                seconds = _timed(lambda model=model: model.fit(X, y))
            if not models:
                models.append(("teacher", "labels", model.teacher_, seconds))
            models.append((name, "teacher + labels", model, seconds))
            alone = clone(student)
            with progress.fitting(alone, f"training the same {name} on plain labels"):
                seconds = _timed(lambda alone=alone: alone.fit(X, y))
            models.append((name, "labels", alone, seconds))
    return models


def _score_models(models, parts):
    _, _, X, y = parts
    distilled = models[1][2]
    pair, _ = ClassifierPair.of(distilled, X, y, None, None)
    return [
        Score(
            model=name,
            trained_on=trained_on,
            **quality(replace(pair, student=model.predict_proba(X))),
            **_cost(model, X),
            fit_seconds=seconds,
        )
        for name, trained_on, model, seconds in models
    ]


def quality(pair):
    """Say how good the student of a pair is, and how close to its teacher.

    Parameters
    ----------
    pair : ClassifierPair
        Both models on held-out rows.

    Returns
    -------
    dict
        ``accuracy``, ``log_loss`` in nats, ``auc`` (with more than two classes the mean
        of each against the rest; NaN if a class has no row), ``agreement`` and
        ``skill_retention`` as in a report (NaN if the teacher has no skill).
    """
    found = pair.statistics(pair.weights[None])
    labels = (proba.argmax(axis=1) for proba in (pair.teacher, pair.student))
    has_all = len(np.unique(pair.labels)) == len(pair.classes)
    return {
        "accuracy": float(found["accuracy_student"][0]),
        "log_loss": float(found["log_loss_student"][0]),
        "auc": float(found["auc_student"][0]) if has_all else math.nan,
        "agreement": agreement(*labels, sample_weight=pair.weights),
        "skill_retention": float(found["retention"][0]),
    }


def _cost(model, X):
    """Size and speed in production: a student's exported file, read by the runtime.

    It gets a row as a dictionary, as a service would, the teacher as a frame.
    """
    row = take_rows(X, np.arange(1))
    if isinstance(model, DistilledClassifier):
        model = model.student_
    if hasattr(model, "to_spec"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "student.skd"
            save(model.to_spec(), path)
            size, model = path.stat().st_size, load(path)
        if hasattr(row, "columns"):
            row = dict(zip(row.columns, next(row.itertuples(index=False)), strict=True))
    else:
        size = len(pickle.dumps(model))
    one = [_timed(lambda: model.predict_proba(row)) for _ in range(LATENCY_REPEATS)]
    many = [_timed(lambda: model.predict_proba(X)) for _ in range(3)]
    return {
        "size_kb": size / 1000,
        "one_row_us": float(np.median(one) * 1e6),
        "rows_per_second": float(X.shape[0] / np.median(many)),
    }


def _timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
