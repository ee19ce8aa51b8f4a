"""A file that is there as a whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path, content):
    """Write a file so that no half of it can be met under its name.

    Parameters
    ----------
    path : str or path-like
        Where the file shall be. One that is there is replaced.
    content : bytes
        What it shall hold.

    Raises
    ------
    OSError
        If it cannot be written; what was there is as it was.
    """
    path = Path(path)
    # In the same folder: only within a file system is a file replaced at once.
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
