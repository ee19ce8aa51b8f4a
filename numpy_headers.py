"""Build step: where the headers of numpy are, which pyproject.toml cannot say."""

import numpy
from setuptools.command.build_ext import build_ext


class BuildWithNumpyHeaders(build_ext):
    """Compile extensions with the headers of the numpy that is installed."""

    def finalize_options(self):
        """Add the headers to the path of every extension."""
        super().finalize_options()
        self.include_dirs.append(numpy.get_include())
