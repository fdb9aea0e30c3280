"""Where a photo may show skin, by colour alone: what is looked at closely lies there, and ground and table do not."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Box, Calibration, Photo
from ulcermeter.geometry import shrunken

__all__ = ["LikelySkin", "likely_skin"]

# Of the map, mm a pixel: a finger is some 16 wide (assumption).
_SPACING_MM = 1.0
# a* over (lightness + 30), both as OpenCV scales them for 8 bits: two thirds of the protocol's `skin_redness_min`,
# under which no finger's skin is taken for clear. Of the ends of 83 outlined fingers on 49 real photos 79 lie over it
# for 72 % of their pixels or more, the other four, in odd light, for 8 % or more.
_LEAST_REDNESS = 0.02
# Skin as large as this is a part of a finger's end; print, wood grain and noise are smaller. And how far from likely
# skin the rest of a finger may lie: nails, black tips, what is dark or burnt out. Both assumption.
_LEAST_MM2, _REACH_MM = 20.0, 4.0
# Five end phalanges of 16 by 25 mm; one finger as far as it shows has less.
_HAND_MM2 = 2000.0


@dataclass(frozen=True)
class LikelySkin:
    """A photo's likely skin.

    Attributes
    ----------
    skin : uint8 (M, N)
        1 where it may be.
    step : int
        Photo pixels per pixel of the map.
    mm : float
        Millimetres per pixel of the map, in the photo's middle.
    """

    skin: NDArray[np.uint8] = field(repr=False)
    step: int
    mm: float

    def near(self, points_px: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Say at which photo pixels (K, 2) or within 4 mm of them skin may be, bool (K,)."""
        side = 2 * round(_REACH_MM / self.mm) + 1
        reached = cv2.dilate(self.skin, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        limit = np.array(self.skin.shape[::-1]) - 1
        x, y = np.clip((np.asarray(points_px) + 0.5) / self.step, 0, limit).astype(int).T
        return np.asarray(reached[y, x] > 0)

    @property
    def may_be_a_hand(self) -> bool:
        """Whether it is as large as the ends of five fingers."""
        return float(self.skin.sum()) * self.mm**2 >= _HAND_MM2

    def box(self) -> Box | None:
        """Return the box (x, y, width, height; photo px) of all likely skin; None where there is none."""
        if not self.skin.any():
            return None
        left, top, wide, high = cv2.boundingRect(self.skin)
        return left * self.step - 0.5, top * self.step - 0.5, wide * self.step, high * self.step


def likely_skin(photo: Photo, calibration: Calibration) -> LikelySkin:
    """Map where a photo may show skin.

    Parameters
    ----------
    photo : Photo
        Its colours brought to a standard, where they can be.
    calibration : Calibration
        For the scale, and for the reference, which is no skin.

    Returns
    -------
    LikelySkin
        Skin everywhere where the scale is not usable.
    """
    rows, cols = photo.pixels.shape[:2]
    scale = calibration.px_per_mm(np.array([cols / 2, rows / 2]))
    if not (np.isfinite(scale) and scale > 0):
        return LikelySkin(np.ones((rows, cols), np.uint8), 1, 1.0)
    step = int(np.clip(_SPACING_MM * scale, 1, min(rows, cols)))
    # Whole blocks: averaging over parts of pixels takes five times as long.
    whole = photo.pixels[: rows // step * step, : cols // step * step]
    small = shrunken(whole, (cols // step, rows // step))
    lab = cv2.cvtColor(cv2.blur(small, (3, 3)), cv2.COLOR_RGB2LAB).astype(np.float32)
    red = ((lab[..., 1] - 128) / (lab[..., 0] + 30) > _LEAST_REDNESS).astype(np.uint8)
    if len(calibration.reference_outline_px) > 2:
        outline = np.rint((calibration.reference_outline_px + 0.5) / step - 0.5).astype(np.int32)
        cv2.fillPoly(red, [outline], 0)
    return LikelySkin(_large(red, _LEAST_MM2 * (scale / step) ** 2), step, step / scale)


def _large(red: NDArray[np.uint8], least_px: float) -> NDArray[np.uint8]:
    """Leave out parts of fewer pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(red, connectivity=8)
    kept = (stats[:, cv2.CC_STAT_AREA] >= least_px).astype(np.uint8)
    kept[0] = 0
    return np.asarray(kept[labels])
