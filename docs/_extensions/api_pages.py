"""One page of the public names, and one page for each of them, from ``__all__``."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import skdistill

MAIN_HEADING = "API reference"
NO_OBJECTS = {"__version__"}


def setup(app):
    """Write the list of public names before Sphinx looks for pages."""
    app.config.autosummary_context["own_members"] = own_members
    # Sphinx looks for pages next, and autosummary reads those that were found.
    app.connect("config-inited", write_list)
    # Before numpydoc, which listens at 500.
    app.connect("autodoc-process-docstring", escape_shapes, priority=100)
    return {"parallel_read_safe": True}


def public_modules():
    """Return all modules without an underscore that say what is public in them."""
    modules = [skdistill]
    for found in pkgutil.walk_packages(skdistill.__path__, "skdistill."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            modules.append(importlib.import_module(found.name))
    return [module for module in modules if hasattr(module, "__all__")]


def public_names(module):
    """Return the names in ``__all__`` that are documented, sorted."""
    return sorted(set(module.__all__) - NO_OBJECTS)


def own_members(name):
    """Return the public methods and properties of a class that are ours.

    What scikit-learn's base classes define is described in its documentation.
    """
    module, _, name = name.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    members = []
    for member in inspect.classify_class_attrs(thing):
        if not member.name.startswith("_") and is_ours(member.object):
            is_property = member.kind == "property"
            members.append(("property" if is_property else "method", member.name))
    return members


def is_ours(member):
    """Tell whether a method or property was written in this package.

    Scikit-learn adds `set_fit_request` and others to every estimator.
    """
    if isinstance(member, property):
        member = member.fget
    is_code = callable(member) or hasattr(member, "__wrapped__")
    return is_code and (member.__module__ or "").startswith("skdistill")


def escape_shapes(app, what, name, thing, options, lines):
    """Escape the underscore of shapes such as ``(n_features_in_,)``: it is a link."""
    lines[:] = [re.sub(r"\((\w+)_,\)", r"(\1\\_,)", line) for line in lines]


def write_list(app, config):
    """Write ``api/index.rst``."""
    lines = [MAIN_HEADING, "=" * len(MAIN_HEADING), ""]
    for module in public_modules():
        name = module.__name__
        summary = inspect.getdoc(module).splitlines()[0]
        lines += [name, "-" * len(name), "", summary, ""]
        lines += [f".. currentmodule:: {name}", "", ".. autosummary::"]
        lines += ["   :toctree: generated", "   :nosignatures:", ""]
        lines += [f"   {public}" for public in public_names(module)] + [""]
    folder = Path(app.srcdir, "api")
    folder.mkdir(exist_ok=True)
    (folder / "index.rst").write_text("\n".join(lines))
