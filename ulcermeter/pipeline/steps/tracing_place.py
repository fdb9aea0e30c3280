"""Whether a tracing lies where an ulcer can be: a mask turned upside down has its photo's own size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Photo, Points, Segmentation

__all__ = ["follows_edge", "lies_elsewhere"]

# How far to either side of a rim the skin is compared, mm: past a photo's blur and a reader's error, within an ulcer
# (assumption).
_BESIDE_MM = 0.3
# At least, px: a rim is rounded to whole ones.
_LEAST_BESIDE_PX = 2.0
# Two colours that an eye just tells apart (Mahy, Van Eycken and Oosterlinck, 1994), CIE76.
_JUST_NOTICED = 2.3
# Where skin is held against skin, and what is cut out, in steps of that: two beyond the rim's outer side, and one more
# (assumption).
_FARTHER, _MARGIN = 3, 4
# An edge stands out when the rim's two sides differ by this many times what two places of the skin outside do
# (assumption).
_STANDS_OUT = 1.5
# Share of a rim along which the step is at least that (assumption): a reader cuts a corner here and there.
_SHARE_OF_RIM = 0.7


def follows_edge(photo: Photo, calibration: Calibration, outline: Points) -> bool:
    """Say whether an outline (K, 2), photo pixels, parts two colours: within and without, along most of its rim.

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    calibration : Calibration
        From photo pixels to millimetres.
    outline : Points
        A polygon (K, 2), in any unit; it closes itself.

    Returns
    -------
    bool
    """
    beside = max(_LEAST_BESIDE_PX, _BESIDE_MM * calibration.px_per_mm(outline.mean(axis=0)))
    colour, points = _colours_round(photo, outline, margin=_MARGIN * beside, blur=beside / 2)
    rows, cols = colour.shape[:2]
    filled = cv2.fillPoly(np.zeros((rows, cols), np.uint8), [np.rint(points).astype(np.int32)], 1)
    depth = cv2.distanceTransform(np.pad(filled, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    away = cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5)
    downward, rightward = np.gradient(cv2.GaussianBlur(away - depth, (0, 0), beside / 2))
    rim = np.clip(np.rint(points).astype(int), 0, [cols - 1, rows - 1])
    outward = np.column_stack([rightward[rim[:, 1], rim[:, 0]], downward[rim[:, 1], rim[:, 0]]])
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)

    def beside_rim(times: float) -> NDArray[np.float32]:
        x, y = np.rint(points + times * beside * outward).astype(int).T
        return np.asarray(colour[np.clip(y, 0, rows - 1), np.clip(x, 0, cols - 1)])

    # All round an ulcer the step is of one colour; a rim across a marker or a finger's side steps here up, there down.
    steps = beside_rim(-1) - beside_rim(1)
    common = np.median(steps, axis=0)
    along_common = steps @ common / max(float(np.linalg.norm(common)), 1e-9)
    edge = np.percentile(along_common, 100 * (1 - _SHARE_OF_RIM))
    skin = np.median(np.linalg.norm(beside_rim(1) - beside_rim(_FARTHER), axis=1))
    return bool(edge > max(_JUST_NOTICED, _STANDS_OUT * skin))


def _colours_round(photo: Photo, outline: Points, *, margin: float, blur: float) -> tuple[NDArray[np.float32], Points]:
    """Return the CIELAB colours (M, N, 3) round an outline, blurred, and the outline in that cut's pixels."""
    rows, cols = photo.pixels.shape[:2]
    left, top = np.clip(np.floor(outline.min(axis=0) - margin).astype(int), 0, [cols - 1, rows - 1])
    right, bottom = np.clip(np.ceil(outline.max(axis=0) + margin).astype(int) + 1, 1, [cols, rows])
    cut = photo.pixels[top:bottom, left:right].astype(np.float32) / 255
    return cv2.GaussianBlur(cv2.cvtColor(cut, cv2.COLOR_RGB2LAB), (0, 0), blur), outline - (left, top)


def lies_elsewhere(traced: Segmentation, own: Segmentation) -> bool:
    """Say whether a photo's own ulcers were found and none of them shares skin with any outline of a tracing.

    Parameters
    ----------
    traced : Segmentation
        The reader's tracing.
    own : Segmentation
        What was found without it.

    Returns
    -------
    bool
    """
    shape = traced.rectified.calibration.shape
    both = [_filled(one.outlines, shape) for one in (traced, own)]
    return bool(own.outlines) and not bool((both[0] & both[1]).any())


def _filled(outlines: tuple[Points, ...], shape: tuple[int, int]) -> NDArray[np.uint8]:
    drawn = np.zeros(shape, np.uint8)
    for outline in outlines:
        cv2.fillPoly(drawn, [np.rint(outline).astype(np.int32)], 1)
    return drawn
