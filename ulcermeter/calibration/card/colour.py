"""Colour brought to a standard by the card's neutral patches; where there is no card nothing is invented."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.card.layout import patch_box_mm
from ulcermeter.datatypes import Calibration, Note, NoteKind, Photo
from ulcermeter.datatypes.light import SRGB_TO_LINEAR, linear_to_srgb
from ulcermeter.reference import ReferenceKind

__all__ = ["standardise_colour"]

_NEUTRAL = ("white", "grey", "dark")
_WHITE_LIGHT = 0.75
"""Linear light that the white patch is brought to: sRGB 225, paper that is not burnt out."""
_GAINS = (0.4, 2.5)
"""Beyond these the light is not one that a photo can be brought back from, or the patches are not the card's
(assumption)."""
_BURNT = 250
"""8-bit level from which a patch is clipped in part: noise of a few levels below 255 (assumption)."""
_LARGEST_SPREAD = 0.15
"""Spread of a patch's light over its middle, as a share: beyond it there is glare or a shadow's edge."""
_SIDE = 15
"""Places over each side of a patch that are read."""
_MIDDLE, _BLOCKS = (0.25, 0.75), 3
"""Part of a patch's side that is read, clear of its border; blocks over it, whose spread is glare and not noise."""
_DARKEST = 0.05
"""Linear light that a darker patch's spread is held against: of black a share says nothing (assumption)."""


def standardise_colour(photo: Photo, calibration: Calibration) -> tuple[Photo, Note | None]:
    """Balance a photo's white and exposure by the card's neutral patches.

    One gain for each channel, in linear light: so that the grey and white patches are neutral and the white one is as
    bright as standard. Only for segmentation and eyes: lengths do not depend on it.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
        Of the same photo.

    Returns
    -------
    photo : Photo
        The same object where nothing could be done.
    record : Note or None
        What was done, or why not; None where the reference is no card.
    """
    if calibration.reference.kind is not ReferenceKind.CARD:
        return photo, None
    patches = {name: light for name in _NEUTRAL if (light := _patch_light(photo, calibration, name)) is not None}
    if "white" not in patches:
        return photo, Note(NoteKind.WHITE_PATCH_UNUSABLE)
    # The grey patches say the light's colour too, and are never clipped; all agree where the light is even.
    tint = np.mean([light / light.mean() for light in patches.values()], axis=0)
    gains = _WHITE_LIGHT / (patches["white"].mean() * tint)
    if not ((gains > _GAINS[0]) & (gains < _GAINS[1])).all():
        return photo, Note(NoteKind.GAINS_TOO_LARGE, tuple(gains.tolist()))
    balanced = replace(photo, pixels=_amplified(photo.pixels, gains))
    return balanced, Note(NoteKind.COLOUR_STANDARDISED, tuple(gains.tolist()))


def _patch_light(photo: Photo, calibration: Calibration, name: str) -> NDArray[np.float64] | None:
    """Return the median linear light (3,) over the middle of a patch; None where it cannot be used."""
    x, y, wide, high = patch_box_mm(name)
    t = np.linspace(*_MIDDLE, _SIDE)
    u, v = np.meshgrid(x + t * wide, y + t * high)
    places = calibration.to_px(np.column_stack([u.ravel(), v.ravel()])).astype(np.float32)
    edge = np.array([photo.pixels.shape[1], photo.pixels.shape[0]]) - 1
    if (places < 0).any() or (places > edge).any():
        return None
    observed = cv2.remap(photo.pixels, places[None], None, cv2.INTER_NEAREST)[0]
    if np.median(observed, axis=0).max() >= _BURNT:
        return None
    light = SRGB_TO_LINEAR[observed].astype(np.float64)
    middle = np.median(light, axis=0)
    blocks = light.reshape(_BLOCKS, _SIDE // _BLOCKS, _BLOCKS, _SIDE // _BLOCKS, 3).mean(axis=(1, 3, 4))
    even = np.ptp(blocks) < _LARGEST_SPREAD * max(float(middle.mean()), _DARKEST) * 2
    return middle if even and middle.min() > 0 else None


def _amplified(pixels: NDArray[np.uint8], gains: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Apply gains in linear light by a table for each channel."""
    light = np.clip(SRGB_TO_LINEAR.astype(np.float64)[:, None] * gains, 0, 1)
    return np.asarray(cv2.LUT(pixels, np.rint(255 * linear_to_srgb(light)).astype(np.uint8)[None]), dtype=np.uint8)
