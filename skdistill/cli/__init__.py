"""The command line: ``skdistill demo | distill | score | inspect | report``.

Every command is a module with a function `add_to`, which says what arguments there are,
and imports what its job needs only when it runs: scoring a file takes numpy and
pyarrow, and starts as quickly as they do.
"""

from ._main import main

__all__ = ["main"]
