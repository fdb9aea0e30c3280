"""The error of a photo whose process died on it; see `ulcermeter.isolation`."""

from __future__ import annotations

import errno

import cv2

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.isolation import Fate, Lost

__all__ = ["lost_photo", "too_little_memory", "wants_memory"]


def lost_photo(name: str, lost: Lost) -> PhotoError:
    """Return the error of a photo that crashed its process, or that took longer than it may.

    Parameters
    ----------
    name : str
        The photo as the study names it.
    lost : Lost
        What ended the process.

    Returns
    -------
    PhotoError
    """
    if lost.fate is Fate.TOOK_TOO_LONG:
        return PhotoError(
            Problem(
                where=name,
                expected=f"a photo that is read and measured within {lost.limits.time_s:g} s of computing",
                got="one that is not, as files made by hand or damaged can be",
                action="save it as an ordinary JPEG, or give more time with --photo-time-limit-s",
            )
        )
    return PhotoError(
        Problem(
            where=name,
            expected="a photo that can be read and measured",
            got=f"one that ends the process it is read in ({lost.ended_by}), as damaged files make a decoder do",
            action="copy it from the camera again, or export it as JPEG",
        )
    )


def too_little_memory(name: str) -> PhotoError:
    """Return the error of a photo that asks for more memory than there is, or than it may have.

    Parameters
    ----------
    name : str
        The photo as the study names it.

    Returns
    -------
    PhotoError
    """
    return PhotoError(
        Problem(
            where=name,
            expected="a photo that is read and measured in the memory it may have",
            got="one that asks for more",
            action="save it as an ordinary JPEG of 12 megapixels, or give more memory with --photo-memory-limit-mb",
        )
    )


def wants_memory(error: Exception) -> bool:
    """Tell whether a library asked for memory in vain: each says it in its own way.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    bool
    """
    if isinstance(error, cv2.error):
        return bool(getattr(error, "code", 0) == cv2.Error.StsNoMem)
    if isinstance(error, OSError):  # what maps memory itself
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or "bad_alloc" in str(error) or "Failed to allocate memory" in str(error)
