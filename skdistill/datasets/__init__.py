"""Small real data sets that ship with the package."""

from ._loaders import load_adult, load_letter, load_magic

__all__ = ["load_adult", "load_letter", "load_magic"]
