"""What all commands have in common: how they are declared, and wrong arguments."""

import argparse
import os
import textwrap
from pathlib import Path


class UsageError(ValueError):
    """Arguments that do not go together: exit code 2 instead of 1."""


class Parser(argparse.ArgumentParser):
    """Tells wrong arguments in one line."""

    def error(self, message):
        """Exit with code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_command(commands, name, run, *, purpose, description, examples):
    """Declare a command, with what all have in common.

    Parameters
    ----------
    commands : subparsers of argparse
        Where it is added.
    name : str
        Name of the command.
    run : callable
        What is called with the options.
    purpose : str
        A line for the list of commands.
    description : str
        A paragraph for its own help.
    examples : list of str
        Command lines for its own help.

    Returns
    -------
    Parser
        To be given the arguments of the command.
    """
    lines = "\n".join(f"  {example}" for example in examples)
    parser = commands.add_parser(
        name,
        help=purpose,
        description=textwrap.fill(description, 78),
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )
    parser.set_defaults(run=run)
    return parser


def positive_integer(text):
    """Return an argument as an integer of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"Got {text}, but expected an integer of at least 1."
        )
    return number


def check_folder(path):
    """Raise FileNotFoundError if there is no folder for a file to be written.

    Parameters
    ----------
    path : str
        The file.
    """
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"Got {path}, but there is no folder {folder}.")


def check_report(option, path):
    """Raise UsageError if a report would be written under the name of another format.

    Parameters
    ----------
    option : str
        How the file is given.
    path : str
        The file.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"Got {option} {path}, but expected a file that ends in .html or .htm."
        )


def check_student(path):
    """Raise UsageError if a student is a file of another format than is read.

    Parameters
    ----------
    path : str
        What should be a .skd file; any suffix will do that is not another format's.
    """
    if Path(path).suffix.lower() in (".onnx", ".c"):
        raise UsageError(
            f"Got the student {path}, but expected one that was exported as .skd."
        )


def check_written(written, read):
    """Raise UsageError if a file would be written that is read, or written twice.

    Parameters
    ----------
    written : dict of str to str or None
        Paths by the names of their options; None where nothing is written.
    read : list of str or None
        Paths of inputs.
    """
    seen = {_real(path): "which is read as well" for path in filter(None, read)}
    for option, path in written.items():
        if path is None or path == "-":
            continue
        if _real(path) in seen:
            raise UsageError(
                f"Got {option} {path}, {seen[_real(path)]}, but expected a file of its "
                "own."
            )
        seen[_real(path)] = f"which {option} is as well"


def _real(path):
    """A name that a file has however it is reached; devices are never the same."""
    real = os.path.realpath(path)
    is_other = os.path.exists(real) and not os.path.isfile(real)
    return object() if is_other else real
