"""Where the finger lies: its outline, axis, tip and thickness, and so the place of an ulcer on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Finger
from ulcermeter.finger.candidates import FingerEnd, finger_ends
from ulcermeter.finger.likely_skin import LikelySkin, likely_skin
from ulcermeter.finger.locate import Absence, FingerSearch, locate_finger, search_finger
from ulcermeter.finger.naming import NamedEnd, end_of_finger

__all__ = [
    "Absence",
    "FingerEnd",
    "FingerSearch",
    "LikelySkin",
    "NamedEnd",
    "end_of_finger",
    "finger_coordinates",
    "finger_ends",
    "likely_skin",
    "locate_finger",
    "search_finger",
]


def finger_coordinates(
    finger: Finger, points_mm: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return s, its sd, t, its sd (each (K,), mm) of plane points (K, 2) as seen: see `Finger.coordinates`.

    Parameters
    ----------
    finger : Finger
        Where it lies, from `locate_finger`.
    points_mm : float (K, 2)
        Points of the plane as seen, mm.

    Returns
    -------
    tuple of float64 (K,)
        s, its sd, t, its sd, mm.
    """
    s, s_sd, t, t_sd = finger.coordinates(points_mm)
    return s, s_sd, t, t_sd
