"""The one way in for the bytes of a file: regular files only, and never more than what is expected there.

A named pipe waits for a writer that may never come, and a device never ends: both are refused by their kind before
they are opened, whatever names them: a table's cell, a protocol's ``extends`` or the command line.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["check_regular", "read_file"]

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_regular(path: str | Path) -> int:
    """Return the size of a regular file in bytes; links are followed.

    Raises
    ------
    OSError
        There is none, or something else stands there; its ``strerror`` says what, in words.
    """
    found = os.stat(path)
    if stat.S_ISREG(found.st_mode):
        return found.st_size
    kind = next((words for is_kind, words in _KINDS if is_kind(found.st_mode)), "something else")
    number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
    raise OSError(number, f"{kind}, not a file", str(path))


def read_file(path: str | Path, *, most_mb: float) -> bytes:
    """Return the bytes of a regular file.

    Parameters
    ----------
    path : str or Path
    most_mb : float
        What is expected there at most, million bytes.

    Raises
    ------
    OSError
        None there, no regular file, larger than expected, or not readable; its ``strerror`` says which, in words.
    """
    most = round(most_mb * 1e6)
    size = check_regular(path)
    if size <= most:
        with open(path, "rb") as file:
            # Some systems' own files (under /proc) state no size and may be long: it is what is read that counts.
            data = file.read(most + 1)
        size = len(data)
    if size > most:
        raise OSError(errno.EFBIG, f"a file of over {most_mb:g} MB", str(path))
    return data
