"""What a decoder written in C says on standard error, and nowhere else."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["messages_on_stderr"]

_LOCK = threading.Lock()
_STDERR = 2
"""File descriptor, by POSIX."""


@contextlib.contextmanager
def messages_on_stderr(*starts: str) -> Iterator[list[str]]:
    """Collect the lines on standard error that begin so; all others are passed on behind the block.

    One decoder at a time: standard error belongs to the whole process. Without one, none are collected.

    Parameters
    ----------
    *starts : str
        How the lines begin.

    Yields
    ------
    list of str
        Filled when the block ends.
    """
    found: list[str] = []
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            saved = os.dup(_STDERR)
        except OSError:
            yield found
            return
        stack.callback(os.close, saved)
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), _STDERR)
            try:
                yield found
            finally:
                os.dup2(saved, _STDERR)
                file.seek(0)
                for line in file.read().splitlines(keepends=True):
                    text = line.decode(errors="replace").strip()
                    if text.startswith(starts):
                        found.append(text)
                    else:
                        os.write(saved, line)
