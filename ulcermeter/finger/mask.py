"""Finger or ground, by colour, on a coarse copy of the photo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import RectifiedPhoto
from ulcermeter.geometry import shrunken

__all__ = ["CoarsePhoto", "coarse_photo", "extend_mask", "finger_masks"]

Floats = NDArray[np.float64]

# Of the coarse photo, mm a pixel: a finger is some 40 px broad; and what is looked at round the point, its end half.
_SPACING_MM = 0.45
_REACH_MM = 45.0
# Colours of k-means, and sectors round the point: finger, nail, ground, shadow and print have one or two (assumption).
_CLUSTERS = 10
_SECTORS = 16
# Least scale at which a photo is looked at, px/mm: under it a finger is no 10 px broad.
_LEAST_PX_PER_MM = 0.5
# Smoothing of the colours, and how far from the reference what is painted over it comes, coarse px (assumption).
_BLUR_PX, _INPAINT_PX = 0.8, 3
# Round the point, mm: sd of what counts as the finger's colours and where that ends; what is surely finger; where the
# finger must be found, in what share of it; and from where on the ground begins: past the breadth of a finger, if
# clicked off its middle (assumption).
_HERE_SD_MM, _HERE_MM, _SURE_MM, _CLOSE_MM, _LEAST_CLOSE, _GROUND_MM = 3.5, 9, 2.5, 6, 0.25, 12
# Share of a colour that must be round the point for it to be the finger's, and what greyness leaves of it (assumption).
_FINGER_SHARE, _GREY_LEFT = 0.45, 0.2
# Pixels in a sector, over the usual number, from which on it says what ground is (assumption).
_LEAST_SECTOR = 0.2
# Added to OpenCV's L* of 8 bits under a colour: in the dark a* and b* are noise (assumption).
_LIGHTNESS = 30
# Of k-means: one pixel of so many is enough; its rounds, and the change of a colour at which it rests.
_SAMPLED, _KMEANS_ENDS = 5, (12, 0.5)
# What is tried in turn: the weight of lightness (0..255) beside colour over lightness, low first so that a shadow does
# not part the ground; and the share of sectors that count as ground, low first for a finger that fills the photo,
# all of them where neighbouring fingers do.
_TRIES = ((0.4, (2 / 3, 1.0)), (1.2, (1.0,)))
_COLOUR_WEIGHT = 220.0
# a* over (lightness + 30): skin of every tone and nails lie over 0.04 in the photos at hand, grey, blue, green below.
_GREY_REDNESS, _SKIN_REDNESS = 0.01, 0.04


@dataclass(frozen=True)
class _Frame:
    """Where a coarse photo's pixels lie on the photo."""

    corner_px: Floats
    step: Floats

    def from_photo_px(self, points_px: NDArray[np.floating]) -> Floats:
        """Photo pixels (K, 2) to coarse pixels (K, 2) as (x, y)."""
        return (np.asarray(points_px, dtype=np.float64) + 0.5 - self.corner_px) / self.step - 0.5

    def to_photo_px(self, points: NDArray[np.floating]) -> Floats:
        """Coarse pixels (K, 2) as (x, y) to photo pixels (K, 2)."""
        return (np.asarray(points, dtype=np.float64) + 0.5) * self.step + self.corner_px - 0.5

    def filled(self, outline_px: Floats, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return where a photo's outline (K, 2) lies, and one pixel round it, uint8 0 or 1."""
        inside = np.zeros(shape[:2], dtype=np.uint8)
        if len(outline_px) > 2:
            cv2.fillPoly(inside, [np.round(self.from_photo_px(outline_px)).astype(np.int32)], 1)
            inside = cv2.dilate(inside, np.ones((3, 3), dtype=np.uint8)).astype(np.uint8)
        return inside


@dataclass(frozen=True)
class CoarsePhoto(_Frame):
    """A part of the photo, smaller.

    Attributes
    ----------
    rgb : uint8 (M, N, 3)
        sRGB, the reference painted over.
    lab : uint8 (M, N, 3)
        CIE Lab as OpenCV scales it, slightly smoothed, the reference painted over.
    reference : bool (M, N)
        Where the reference lies.
    corner_px : float64 (2,)
        Photo (x, y) of the left upper corner of pixel [0, 0] (its corner, not its centre).
    step : float64 (2,)
        Photo pixels (x, y) per coarse pixel.
    near : float64 (2,)
        The given point, in coarse pixels.
    px_per_mm : float
        Coarse pixels per mm at that point.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    lab: NDArray[np.uint8] = field(repr=False)
    reference: NDArray[np.bool_] = field(repr=False)
    near: Floats
    px_per_mm: float

    def hides(self, points_px: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Say at which photo pixels (K, 2) nothing of finger or ground shows: the reference, or past the border."""
        at = np.round(self.from_photo_px(points_px))
        limit = np.array(self.reference.shape[::-1]) - 1
        x, y = np.clip(at, 0, limit).astype(int).T
        return np.asarray(self.reference[y, x] | ((at < 0) | (at > limit)).any(axis=1))


def coarse_photo(rectified: RectifiedPhoto, near_px: Floats) -> CoarsePhoto | None:
    """Cut out what lies 45 mm round a photo pixel, at about 0.45 mm a pixel; None where the scale is not usable.

    Parameters
    ----------
    rectified : RectifiedPhoto
        Its photo is cut, not its window.
    near_px : float64 (2,)
        Photo px (x, y).

    Returns
    -------
    CoarsePhoto or None
        None where the scale is not usable.
    """
    photo, calibration = rectified.photo.pixels, rectified.calibration
    scale = calibration.px_per_mm(near_px)
    if not (np.isfinite(scale) and scale > _LEAST_PX_PER_MM):
        return None
    limit = np.array(photo.shape[1::-1])
    low = np.clip(np.floor(near_px - _REACH_MM * scale), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(near_px + _REACH_MM * scale) + 1, low + 1, limit).astype(int)
    # Sides that can be halved twice: see `shrunken`.
    high = np.where(high - low >= 8, low + (high - low) // 4 * 4, high)
    part = photo[low[1] : high[1], low[0] : high[0]]
    size = np.maximum(np.round((high - low) / max(1.0, _SPACING_MM * scale)), 8).astype(int)
    small = shrunken(part, (int(size[0]), int(size[1])))
    step = (high - low) / size
    frame = _Frame(low.astype(np.float64), step)
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), _BLUR_PX)
    hidden = frame.filled(calibration.reference_outline_px, small.shape)
    if hidden.any():
        # Painted over with what is round it, so that a finger runs on straight under the reference.
        small, lab = (cv2.inpaint(each, hidden, _INPAINT_PX, cv2.INPAINT_TELEA) for each in (small, lab))
    near = frame.from_photo_px(near_px[None])[0]
    return CoarsePhoto(
        corner_px=frame.corner_px,
        step=step,
        rgb=small,
        lab=lab,
        reference=hidden > 0,
        near=near,
        px_per_mm=scale / float(step.mean()),
    )


def finger_masks(coarse: CoarsePhoto) -> Iterator[NDArray[np.bool_]]:
    """Yield where the finger may be (M, N): what has the colours found round the point and seldom elsewhere.

    One try after another; those that begin as an earlier one are left out. Nothing where no skin is near. The reference
    counts neither way and is no finger here.

    Parameters
    ----------
    coarse : CoarsePhoto

    Yields
    ------
    bool (M, N)
        In pixels of the coarse photo.
    """
    tried: list[NDArray[np.uint8]] = []
    for lightness, grounds in _TRIES:
        colours = _clusters(coarse, lightness)
        for ground in grounds:
            state = _likely(coarse, *colours, ground=ground)
            if not any(np.array_equal(state, earlier) for earlier in tried):
                tried.append(state)
                yield _cut(coarse, state, rounds=2)


def _likely(coarse: CoarsePhoto, cluster: NDArray[np.intp], redness: Floats, *, ground: float) -> NDArray[np.uint8]:
    """Return GrabCut's beginning (M, N); `ground` is the share of sectors that count as ground (see `_TRIES`)."""
    rows, cols = coarse.lab.shape[:2]
    y, x = np.mgrid[0:rows, 0:cols]
    away = np.hypot(x - coarse.near[0], y - coarse.near[1]) / coarse.px_per_mm
    open_ = ~coarse.reference
    weight = np.exp(-0.5 * (away / _HERE_SD_MM) ** 2) * (away < _HERE_MM)
    here = np.bincount(cluster[open_], weight[open_], _CLUSTERS)
    here = here / max(here.sum(), 1e-9)
    sector = ((np.arctan2(y - coarse.near[1], x - coarse.near[0]) / np.pi + 1) * _SECTORS / 2).astype(int) % _SECTORS
    share = here / (here + _elsewhere(cluster, sector, open_ & (away > _GROUND_MM), ground) + 1e-9)
    share *= np.clip((redness - _GREY_REDNESS) / (_SKIN_REDNESS - _GREY_REDNESS), _GREY_LEFT, 1.0)
    state = np.where(share[cluster] > _FINGER_SHARE, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    close = open_ & (away < _CLOSE_MM)
    if not close.any() or (state[close] == cv2.GC_PR_FGD).mean() < _LEAST_CLOSE:
        return np.full(state.shape, cv2.GC_BGD, dtype=np.uint8)
    state[away < _SURE_MM] = cv2.GC_FGD
    return state


def _elsewhere(cluster: NDArray[np.intp], sector: NDArray[np.intp], far: NDArray[np.bool_], ground: float) -> Floats:
    """Return each colour's share (10,) of the ground: its mean over the sectors that have least of it.

    A finger fills a few of the sectors round the point, the ground all others; so the finger's own rest, which may
    be a large part of the photo, does not make its colour a ground's.
    """
    table = np.bincount(sector[far] * _CLUSTERS + cluster[far], minlength=_SECTORS * _CLUSTERS)
    table = table.reshape(_SECTORS, _CLUSTERS).astype(np.float64)
    observed = table.sum(axis=1) > _LEAST_SECTOR * table.sum() / _SECTORS
    shares = np.sort(table[observed] / table[observed].sum(axis=1, keepdims=True), axis=0)
    return shares[: max(1, int(np.ceil(ground * len(shares))))].mean(axis=0) if len(shares) else np.zeros(_CLUSTERS)


def extend_mask(mask: NDArray[np.bool_], coarse: CoarsePhoto, strip: Floats) -> NDArray[np.bool_]:
    """Cut again with the polygon `strip` (K, 2), coarse pixels, as likely finger.

    Parameters
    ----------
    mask : bool (M, N)
        In pixels of the coarse photo.
    coarse : CoarsePhoto
    strip : float64 (K, 2)
        Corners (x, y), coarse pixels.

    Returns
    -------
    bool (M, N)
    """
    likely = mask.astype(np.uint8)
    cv2.fillPoly(likely, [np.round(strip).astype(np.int32)], 1)
    return _cut(coarse, np.where(likely > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8), rounds=1)


def _clusters(coarse: CoarsePhoto, lightness: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest of ten k-means colours of every pixel (M, N), and the redness (10,) of each."""
    lab = coarse.lab.reshape(-1, 3).astype(np.float32)
    relative = _COLOUR_WEIGHT * (lab[:, 1:] - 128) / (lab[:, :1] + _LIGHTNESS)
    colours = np.column_stack([lightness * lab[:, 0], relative])
    sample = np.ascontiguousarray(colours[~coarse.reference.ravel()][::_SAMPLED])
    cv2.setRNGSeed(1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, *_KMEANS_ENDS)
    centres = cv2.kmeans(sample, _CLUSTERS, None, stop, 1, cv2.KMEANS_PP_CENTERS)[2]
    apart = (centres**2).sum(axis=1) - 2 * colours @ centres.T
    return apart.argmin(axis=1).reshape(coarse.lab.shape[:2]), centres[:, 1].astype(np.float64) / _COLOUR_WEIGHT


def _cut(coarse: CoarsePhoto, state: NDArray[np.uint8], *, rounds: int) -> NDArray[np.bool_]:
    state = state.copy()
    finger = (state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)
    if not finger.any() or finger.all():
        return np.asarray(finger)
    cv2.setRNGSeed(1)
    cv2.grabCut(coarse.lab, state, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray(((state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)) & ~coarse.reference)
