"""Which kind a model is of."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules


def known(table, model):
    """Return what a table says about the kind of a model.

    Parameters
    ----------
    table : str
        Name of a table, see `skdistill._kinds`.
    model : estimator
        Of any kind.

    Returns
    -------
    object or None
        Of its class or the nearest one that it derives from; ``None`` for a kind that
        the table does not hold.
    """
    entries = _entries(table)
    for cls in type(model).__mro__:
        # By name, so that nothing need be imported that the model is not of.
        name = f"{cls.__module__.partition('.')[0]}.{cls.__name__}"
        if name in entries:
            return entries[name]
    return None


def unwrap(model, X=None):
    """Return the model inside all wrappers, and the rows that it gets.

    Parameters
    ----------
    model : fitted estimator
        Of any kind.
    X : array-like or frame of shape (n_samples, n_features), default=None
        Rows for the outermost model.

    Returns
    -------
    model : fitted estimator
        The same one where nothing is wrapped.
    X : array-like or frame, or None
        Rows for that model.
    """
    while (inner := known("WRAPPERS", model)) is not None:
        model, X = inner(model, X)
    return model, X


def as_given(model):
    """Return the model that the user knows, of which errors and tables should speak.

    Parameters
    ----------
    model : fitted estimator
        Of any kind.

    Returns
    -------
    fitted estimator
        The same one unless a fit has put it into another.
    """
    while (inner := known("STANDS_FOR", model)) is not None:
        model = inner(model)
    return model


@cache
def _entries(table):
    """Return the entries that the tables of this name have in all files."""
    package = import_module(__package__)
    return {
        name: entry
        for module in iter_modules(package.__path__)
        if module.name.startswith("_of_")
        for name, entry in getattr(
            import_module(f"{__package__}.{module.name}"), table, {}
        ).items()
    }
