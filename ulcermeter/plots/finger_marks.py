"""The finger drawn on a photo: its outline, mid-line and tip, and what of its skin was seen clear or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, Points
from ulcermeter.plots import canvas
from ulcermeter.plots.canvas import Pixels

__all__ = ["FingerMarks", "draw_finger", "finger_marks"]

# How far the mid-line is drawn from the tip, mm: to the middle joint.
_MIDLINE_MM = 28.0
_GREEN, _AMBER = (60, 200, 90), (255, 150, 30)
_CLEAR_SHARE = 0.16


@dataclass(frozen=True)
class FingerMarks:
    """What is drawn of a finger; photo px.

    Attributes
    ----------
    outline_px : float64 (K, 2)
        From one side's end round the tip to the other's.
    midline_px : float64 (2, 2)
        The tip as seen, and a point of the axis further up.
    clear_px, doubtful_px : tuple of float64 (K, 2)
        Outlines of skin that was seen clear, and of areas that a reader must judge.
    """

    outline_px: Points = field(repr=False)
    midline_px: Points = field(repr=False)
    clear_px: tuple[Points, ...] = field(default=(), repr=False)
    doubtful_px: tuple[Points, ...] = field(default=(), repr=False)


def finger_marks(
    calibration: Calibration,
    finger: Finger | None,
    *,
    clear_px: tuple[Points, ...] = (),
    doubtful_px: tuple[Points, ...] = (),
) -> FingerMarks | None:
    """Return what is to be drawn of a finger; None without one.

    Parameters
    ----------
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger or None
    clear_px, doubtful_px : tuple of float64 (K, 2)
        See `FingerMarks`.

    Returns
    -------
    FingerMarks or None
    """
    if finger is None or len(finger.outline_mm) < 3:
        return None
    outline_px = calibration.to_px(finger.outline_mm)
    return FingerMarks(outline_px, calibration.to_px(_midline_mm(finger)), clear_px, doubtful_px)


def _midline_mm(finger: Finger) -> Points:
    """Return the line half-way between the sides as seen, (2, 2) from the tip; the axis itself lies below the skin."""
    s, u = finger.axial_and_transverse(finger.outline_mm).T
    tip = int(s.argmin())
    ends = s[tip] + np.array([0.2, 0.9]) * min(_MIDLINE_MM, float(np.ptp(s)))
    sides = [
        np.interp(ends, s[part][order], u[part][order])
        for part in (slice(0, tip + 1), slice(tip, None))
        for order in [np.argsort(s[part])]
    ]
    middle = (sides[0] + sides[1]) / 2
    start = middle[0] + (s[tip] - ends[0]) * (middle[1] - middle[0]) / max(float(np.diff(ends)[0]), 1e-6)
    axis = np.asarray(finger.axis)
    transverse = np.array([axis[1], -axis[0]])
    return np.asarray(
        np.asarray(finger.tip_mm)
        + np.array([[s[tip]], [ends[1]]]) * axis
        + np.array([[start], [middle[1]]]) * transverse
    )


def draw_finger(
    pixels: Pixels, marks: FingerMarks | None, place: Callable[[NDArray[np.floating]], NDArray[np.float64]]
) -> None:
    """Draw a finger's outline, mid-line and tip on a picture, tint its clear skin, and ring what is not.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        Changed in place.
    marks : FingerMarks or None
        Nothing is drawn without.
    place : callable
        From photo px (K, 2) to the picture's.
    """
    if marks is None:
        return
    if marks.clear_px:
        tinted = pixels.copy()
        cv2.fillPoly(tinted, [np.rint(place(one)).astype(np.int32) for one in marks.clear_px], _GREEN)
        pixels[:] = cv2.addWeighted(tinted, _CLEAR_SHARE, pixels, 1 - _CLEAR_SHARE, 0)
    canvas.line(pixels, place(marks.outline_px), colour=_GREEN, width_px=1, closed=False, halo_px=1)
    midline = place(marks.midline_px)
    canvas.line(pixels, midline, colour=_GREEN, width_px=1, closed=False, halo_px=0)
    x, y = (int(round(float(v))) for v in midline[0])
    cv2.circle(pixels, (x, y), 6, canvas.WHITE, -1, cv2.LINE_AA)
    cv2.circle(pixels, (x, y), 4, _GREEN, -1, cv2.LINE_AA)
    for outline in marks.doubtful_px:
        canvas.line(pixels, place(outline), colour=_AMBER, width_px=2, closed=True, halo_px=1)
