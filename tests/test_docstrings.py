"""Docstrings of all public objects follow numpydoc."""

import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import ERROR_MSGS, validate

import skdistill


def public_modules():
    """All modules without an underscore that say what is public in them."""
    modules = [skdistill]
    for found in pkgutil.walk_packages(skdistill.__path__, "skdistill."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            modules.append(importlib.import_module(found.name))
    return [module for module in modules if hasattr(module, "__all__")]


def is_ours(member):
    """Whether a method or property was written in this package.

    Scikit-learn adds `set_fit_request` and others to every estimator.
    """
    member = member.fget if isinstance(member, property) else member
    is_code = callable(member) or hasattr(member, "__wrapped__")
    return is_code and (member.__module__ or "").startswith("skdistill")


def has_own_docstring(member):
    """Whether a method or property is described where it is defined."""
    member = member.fget if isinstance(member, property) else member
    return bool(member.__doc__)


def public_members(thing):
    """Names of public methods and properties, those of private bases among them.

    One that overrides another without a word is described by that one.
    """
    for member in inspect.classify_class_attrs(thing):
        if member.name[0] != "_" and is_ours(member.object):
            inherited = inspect.getdoc(getattr(thing, member.name))
            if has_own_docstring(member.object) or not inherited:
                yield member.name


MODULES = public_modules()
NAMES = [f"{module.__name__}.{name}" for module in MODULES for name in module.__all__]


def public_objects():
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(thing):
                for member in public_members(thing):
                    yield f"{module.__name__}.{name}.{member}"


# Why each is not asked for.
IGNORED = {
    "ES01": "a good first line may need no second",
    "EX01": "classes and functions have examples (below), their methods need none",
    "RT02": "scikit-learn's form names `self` and gives its type",
    "RT03": "`self` and an array of a given shape need no sentence more",
    "SA01": "'See Also' stands where it helps",
}


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_docstring_is_numpydoc(name):
    errors = [
        (code, text) for code, text in validate(name)["errors"] if code not in IGNORED
    ]
    assert not errors


def test_ignored_checks_exist_and_have_a_reason():
    assert IGNORED.keys() <= ERROR_MSGS.keys()
    assert all(IGNORED.values())


def test_public_objects_are_found():
    found = set(public_objects())
    assert {
        "skdistill.DistilledClassifier",
        "skdistill.DistilledClassifier.export",  # of a private base class
        "skdistill.SoftTargets.from_proba",  # a class method
        "skdistill.teachers.FunctionTeacher.decision_function",  # not always there
        "skdistill.runtime.load",
    } <= found
    assert "skdistill.DistilledClassifier.set_fit_request" not in found


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
    "main",  # is tried out on the command line
}


@pytest.mark.parametrize("name", NAMES)
def test_public_objects_have_an_example(name):
    has_example = "EX01" not in {code for code, _ in validate(name)["errors"]}
    assert has_example != (name.split(".")[-1] in WITHOUT_EXAMPLE)
