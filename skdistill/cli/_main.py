"""The entry point, and how commands end."""

import os
import sys
import warnings
from contextlib import contextmanager

from .._version import __version__
from . import _demo, _distill, _inspect, _report, _score
from ._commands import Parser, UsageError
from ._text import tell
from ._threads import abandoned

COMMANDS = (_demo, _distill, _score, _inspect, _report)

EXPECTED = (ImportError, OSError, TypeError, ValueError)
"""Errors that tell by themselves what is wrong."""

INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit codes of programs that Ctrl-C and a reader that has gone away have ended."""


def main(arguments=None):
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, default=None
        ``None``: those of the process.

    Returns
    -------
    int
        0 on success, 1 if the job failed, 2 if the arguments are wrong (argparse exits
        by itself), 130 after Ctrl-C, 141 if nobody reads standard output any more.
    """
    options = _parser().parse_args(arguments)
    code = _run(options)
    if abandoned:
        sys.stderr.flush()
        os._exit(code)
    return code


def _run(options):
    try:
        with _told_warnings():
            options.run(options)
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except Exception as error:
        if options.debug:
            raise
        tell(_line(error))
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _parser():
    parser = Parser(
        prog="skdistill",
        description="Distil any trained model into a small and fast student.",
        epilog="skdistill COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser


def _line(error):
    """What an error says, in one line."""
    text = str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        text = f"{error.filename}: {error.strerror}"
    text = " ".join(text.split())
    if isinstance(error, EXPECTED) and text:
        return text
    return f"{type(error).__name__}: {text} (--debug shows where)"


@contextmanager
def _told_warnings():
    """Print warnings as lines, without the code that they come from."""

    def show(message, *_):
        tell(f"warning: {' '.join(str(message).split())}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
