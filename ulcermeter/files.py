"""The one way in and out for the bytes of a file.

In: regular files only, and never more than what is expected there. Out: whole or not at all.

A named pipe waits for a writer that may never come, and a device never ends: both are refused by their kind before
they are opened, whatever names them: a table's cell, a protocol's ``extends`` or the command line. A file that is
exchanged for one of them meanwhile is opened without waiting and its kind is looked at again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Json", "check_regular", "read_file", "write_file", "write_parts"]

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a JSON file can hold."""

JsonObject = dict[str, Any]
"""A JSON object while it is put together or taken apart; what it holds by name its maker's docstring says."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
# Opening a pipe waits for its writer and opening a terminal may take it over, unless told not to (POSIX open).
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_READ_AT_A_TIME = 1 << 20
"""Bytes asked for at once: a file that states no size is not given room for all that it may hold."""


def check_regular(path: str | Path) -> int:
    """Return the size of a regular file in bytes; links are followed.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    int

    Raises
    ------
    OSError
        There is none, or something else stands there; its ``strerror`` says what, in words.
    """
    return _size_of(os.stat(path), path)


def read_file(path: str | Path, *, most_mb: float) -> bytes:
    """Return the bytes of a regular file.

    Parameters
    ----------
    path : str or Path
    most_mb : float
        What is expected there at most, million bytes.

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        None there, no regular file, larger than expected, or not readable; its ``strerror`` says which, in words.
    """
    most = round(most_mb * 1e6)
    too_large = OSError(errno.EFBIG, f"a file of over {most_mb:g} MB", str(path))
    if check_regular(path) > most:
        raise too_large
    with open(os.open(path, _WITHOUT_WAITING), "rb", buffering=0) as file:
        if _size_of(os.fstat(file.fileno()), path) > most:
            raise too_large
        parts, size = [], 0
        while part := file.read(_READ_AT_A_TIME):
            parts.append(part)
            # Some systems' own files (under /proc) state no size and may be long: it is what is read that counts.
            size += len(part)
            if size > most:
                raise too_large
    return b"".join(parts)


def write_file(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all: beside its place first and down to the disk, then renamed.

    Without the sync a power cut may leave the new name with nothing in it.

    Parameters
    ----------
    path : str or Path
        Where it is to stand; its folder is made where it is not there.
    content : bytes
        What is to be written.

    Raises
    ------
    OSError
        It cannot be written; its ``filename`` is the file, also where the system names none, as on a full disk.
    """
    write_parts(path, (content,))


def write_parts(path: str | Path, parts: Iterable[bytes]) -> None:
    """Write a file as `write_file` does, part by part, none of them held.

    Parameters
    ----------
    path : str or Path
        Where it is to stand; its folder is made where it is not there.
    parts : iterable of bytes
        What is to be written.

    Raises
    ------
    OSError
        As of `write_file`.
    """
    whole = Path(path)
    beside = whole.with_name(f".{whole.name}.part")
    whole.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, whole)
    except OSError as error:
        with contextlib.suppress(OSError):  # what was written of it takes room on a disk that has none
            beside.unlink()
        raise OSError(error.errno, error.strerror, str(whole)) from error


def _size_of(found: os.stat_result, path: str | Path) -> int:
    if stat.S_ISREG(found.st_mode):
        return found.st_size
    kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "something else")
    number = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
    raise OSError(number, f"{kind}, not a file", str(path))
