"""What is known about classifiers of each library, none of which is imported for it.

A kind is a class of a library or one derived from it. Each file ``_of_*.py`` may have
these tables, from names of kinds such as ``"lightgbm.LGBMClassifier"``:

``MARGINS``
    ``margins(model, X)`` returns raw scores that are natural log-odds: of shape
    (n_samples,) those of the second of two classes, of shape (n_samples, n_classes)
    up to a constant in each row; or ``None`` where the model has no such scores. They
    are used if their softmax is what the model predicts.
``WITHOUT_PROBA``
    ``without_proba(model)`` says that what `predict_proba` returns is no distribution,
    so that margins are used as they are.
``VOTES``
    ``votes(model, X)`` returns how many votes each probability is the mean of: one
    number, an array of shape (n_samples,), or ``None`` where it is no such mean.
``WRAPPERS``
    ``inner(model, X)`` returns the model inside and the rows that it gets, where the
    model predicts the same as the one inside; rows may be ``None``.
``STANDS_FOR``
    ``inner(model)`` returns the model that the user has given, where a fit has put it
    into another one; ``None``: this is the given one.
``CHECK_TABLE``
    ``check(X)`` raises `TypeError` for a table that would end the process.
``NEEDS_CODES``
    ``True``: the model can be fitted to the labels 0 to n_classes - 1 only. ``False``:
    it takes any, whatever is inside.
``EVALUATION``
    ``evaluation(model, X, y, sample_weight)`` returns the keyword arguments of `fit`
    that hand over rows for early stopping, and raises `ValueError` for a model that
    would not stop early.
"""

from ._dispatch import as_given, known, unwrap

__all__ = ["as_given", "known", "unwrap"]
