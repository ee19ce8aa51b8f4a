"""Docstrings of public objects follow numpydoc."""

import inspect

import pytest
from numpydoc.validate import validate

import skdistill
import skdistill.augmentation
import skdistill.conversion
import skdistill.datasets
import skdistill.export
import skdistill.inspection
import skdistill.losses
import skdistill.runtime
import skdistill.students
import skdistill.teachers

MODULES = [
    skdistill,
    skdistill.losses,
    skdistill.students,
    skdistill.teachers,
    skdistill.augmentation,
    skdistill.datasets,
    skdistill.inspection,
    skdistill.runtime,
    skdistill.conversion,
    skdistill.export,
]

# Beside each code: why it is not asked for.
IGNORED = {
    "GL01",  # text may start on the line of the quotes
    "GL08",  # what scikit-learn's base classes define is theirs to describe
    "ES01",  # a good first line may need no second
    "EX01",  # classes and functions have examples (below), their methods need none
    "SA01",  # "See Also" where it helps
    "SA04",
    "SS06",  # checked by ruff
    "RT02",  # scikit-learn's form names `self`
    "RT03",  # `self` and arrays say it in their type
    "YD01",
}


def public_objects():
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(thing):
                for method, member in vars(thing).items():
                    if not method.startswith("_") and callable(member):
                        yield f"{module.__name__}.{name}.{method}"


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_docstring_is_numpydoc(name):
    errors = [
        (code, text) for code, text in validate(name)["errors"] if code not in IGNORED
    ]
    assert not errors


# What users meet only through other objects, and what is no object.
WITHOUT_EXAMPLE = {
    "StudentClassifier",
    "StudentRegressor",
    "Labelling",
    "label_rows",
    "Predictions",
    "predict_rows",
    "blended_predictions",
    "blended_log_odds",
    "undo_prior_shift",
    "__version__",
}


@pytest.mark.parametrize(
    "name", [f"{m.__name__}.{n}" for m in MODULES for n in m.__all__]
)
def test_public_objects_have_an_example(name):
    has_example = "EX01" not in {code for code, _ in validate(name)["errors"]}
    assert has_example != (name.split(".")[-1] in WITHOUT_EXAMPLE)
