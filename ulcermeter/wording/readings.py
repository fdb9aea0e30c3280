"""Readings in words."""

from __future__ import annotations

__all__ = ["reading_not_kept"]


def reading_not_kept(reader: str, place: tuple[str, str, str], why: str) -> str:
    """Say that a reading could not be used.

    Parameters
    ----------
    reader : str
    place : (str, str, str)
        Photo, hand and finger.
    why : str

    Returns
    -------
    str
    """
    photo, hand, finger = place
    return f"the reading of {photo} ({hand} {finger}) by {reader} is not used: {why}"
