"""Fitted models of other libraries as plain arrays that the runtime scores."""

from ._dispatch import to_spec

__all__ = ["to_spec"]
