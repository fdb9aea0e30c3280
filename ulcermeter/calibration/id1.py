"""A bank card: ISO/IEC 7810 ID-1, 85.60 × 53.98 mm, corners rounded by 3.18 mm.

Its four sides are fitted as straight lines and its corners are where these would meet. Paper, screens and rulers have
four sides too: a card is told by its proportions before the camera and by its rounded corners, or it is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.camera import CameraPrior, camera_prior
from ulcermeter.calibration.disc import cropped
from ulcermeter.calibration.homography import fit_homography
from ulcermeter.calibration.pose import solve_poses
from ulcermeter.calibration.references import FoundReference, Reference, Region
from ulcermeter.calibration.straight_edges import Quad, find_quads, fit_quad
from ulcermeter.datatypes import LensProfile, Photo, Points, transform_points
from ulcermeter.errors import Refusal

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["ID1_CORNER_MM", "ID1_MM", "find_id1"]

ID1_MM = (85.60, 53.98)
"""ISO/IEC 7810:2019, ID-1: width and height, mm."""
ID1_CORNER_MM = 3.18
"""ISO/IEC 7810:2019, ID-1: radius of the corners, mm (2.88 to 3.48)."""
_ASPECTS = (1.15, 2.2)
_MOST_GUESSES = 16
"""Outlines tried among clear borders, and as many among faint ones where those show no card."""
_LEAST_SEEN = 0.45
_MOST_SKEW = 0.15
"""Of a guess before its sides are fitted. Guesses at 40 drawn cards, tilted to 45 degrees, reach 0.02 and at two
photographed ones 0.04; of 42 guesses on photos of coins, 40 are beyond 0.15."""
_LARGEST_CHI2 = 30.0
_CLEAR_CHI2 = 15.0
_LEAST_ROUNDED = 3
_LEAST_PX_PER_MM = 3.0
"""Coarser, the rounding of a corner (1.3 mm deep) is a few px and cannot be told from blur."""
_LEAST_STEP = 8
"""Between what lies within and without a corner, sRGB levels."""
_POINT_SD_MM = 0.06
"""Of a corner: the tolerance of a card's size is 0.13 mm from side to side, and its edges are chamfered."""


@dataclass(frozen=True)
class _Card:
    quad: Quad
    corners_px: Points
    covariance_px2: NDArray[Any]
    rounded: int


def find_id1(
    photo: Photo, reference: Reference, *, region: Region | None, protocol: Protocol, lens: LensProfile | None = None
) -> FoundReference | None:
    """Find the one bank card on a photo, or inside the region.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind ``id1``.
    region : Region or None
    protocol : Protocol
    lens : LensProfile or None

    Returns
    -------
    FoundReference or None
        None where nothing has four straight sides in the right proportion and rounded corners.

    Raises
    ------
    Refusal
        Two cards; one of which it cannot be told which side is the longer.
    """
    camera = camera_prior(photo, protocol=protocol, lens=lens)
    tilt_scale_deg = float(protocol["tilt_scale_deg"])
    patch, origin = cropped(photo.pixels, region)
    cards: list[_Card] = []
    for faint in (False, True):
        for guess in find_quads(patch, aspects=_ASPECTS, most=_MOST_GUESSES, faint=faint):
            if any(_overlap(guess + origin, card.corners_px) for card in cards):
                continue
            card = _card(photo.pixels, guess + origin, camera, tilt_scale_deg)
            if card is not None and not any(_overlap(card.corners_px, other.corners_px) for other in cards):
                cards.append(card)
        if cards:
            break
    if not cards:
        return None
    if len(cards) > 1:
        places = "; ".join(f"({c.corners_px[:, 0].mean():.0f}, {c.corners_px[:, 1].mean():.0f})" for c in cards)
        raise Refusal(
            f"reference id1: expected one bank card, got {len(cards)} (at {places}); draw a reference box round one, "
            "or photograph one alone."
        )
    return _found(cards[0])


def _card(pixels: NDArray[np.uint8], guess: Points, camera: CameraPrior, tilt_scale_deg: float) -> _Card | None:
    if cv2.arcLength(guess.astype(np.float32), True) < _LEAST_PX_PER_MM * 2 * sum(ID1_MM):
        return None
    if min(_skew(guess, camera), _skew(np.roll(guess, -1, axis=0), camera)) > _MOST_SKEW:
        return None
    trims = tuple(1.3 * ID1_CORNER_MM / side for side in ID1_MM)
    quad = fit_quad(pixels, guess, trim=(trims[0], trims[1]))
    if quad is None or quad.seen.min() < _LEAST_SEEN:
        return None
    turned = [(quad.corners_px, quad.covariance_px2), _turned(quad)]
    fits = [
        solve_poses(c, _corners_mm(), v, camera=camera, point_sd_mm=_POINT_SD_MM, tilt_scale_deg=tilt_scale_deg).chi2
        for c, v in turned
    ]
    best = int(np.argmin(fits))
    if fits[best] > _LARGEST_CHI2:
        return None
    corners, covariance = turned[best]
    rounded = _rounded(pixels, corners)
    if rounded < _LEAST_ROUNDED:
        return None
    if fits[1 - best] - fits[best] < _CLEAR_CHI2:
        raise Refusal(
            "reference id1: expected a bank card whose longer side can be told, got one seen so slanted that either "
            "could be; hold the phone parallel to the card."
        )
    return _Card(quad, corners, covariance, rounded)


def _skew(corners: Points, camera: CameraPrior) -> float:
    """Return by how much corners are no picture of a card, whatever the tilt; 0 for a perfect one.

    The two columns that turn a plane's axes into the camera's are at right angles and equally long (Zhang 2000).
    What is returned is the larger of the logarithm of their lengths' ratio and the cosine between them.
    """
    x, y = np.linalg.solve(camera.matrix, fit_homography(_corners_mm(), corners))[:, :2].T
    lengths = np.linalg.norm(x), np.linalg.norm(y)
    return float(max(abs(np.log(lengths[0] / lengths[1])), abs(x @ y) / (lengths[0] * lengths[1])))


def _corners_mm() -> Points:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * ID1_MM


def _turned(quad: Quad) -> tuple[Points, NDArray[Any]]:
    """Return the corners and covariance of the same outline, read from the next corner on."""
    order = np.roll(np.arange(8), -2)
    return np.roll(quad.corners_px, -1, axis=0), quad.covariance_px2[np.ix_(order, order)]


def _rounded(pixels: NDArray[np.uint8], corners: Points) -> int:
    """Return how many corners are rounded as a card's are.

    On the bisector of a corner rounded by r the edge lies r (√2 - 1) inside where the sides meet. Its place is where
    the picture, along the bisector, changes from what lies well outside to what lies well inside.
    """
    to_px = fit_homography(_corners_mm(), corners)
    inside = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1.0]]) / np.sqrt(2)
    depths = np.arange(-1.6, 4.2, 0.1)
    count = 0
    for corner, way in zip(_corners_mm(), inside, strict=True):
        beside = np.array([-way[1], way[0]]) * np.linspace(-0.25, 0.25, 5)[:, None]
        at = transform_points(to_px, (corner + depths[:, None, None] * way + beside).reshape(-1, 2))
        count += _depth_mm(pixels, at.reshape(len(depths), 5, 2), depths)
    return count


def _depth_mm(pixels: NDArray[np.uint8], at: NDArray[Any], depths: NDArray[Any]) -> bool:
    low = np.floor(at.min(axis=(0, 1))).astype(int) - 2
    high = np.ceil(at.max(axis=(0, 1))).astype(int) + 3
    if (low < 0).any() or high[0] > pixels.shape[1] or high[1] > pixels.shape[0]:
        return False
    patch = cv2.GaussianBlur(pixels[low[1] : high[1], low[0] : high[0]], (0, 0), 0.8).astype(np.float32)
    where = (at - low).astype(np.float32)
    seen = cv2.remap(patch, where, None, cv2.INTER_LINEAR).mean(axis=1)
    out, inner = np.median(seen[:12], axis=0), np.median(seen[-12:], axis=0)
    apart = inner - out
    if np.abs(apart).max() < _LEAST_STEP:
        return False
    share = (seen - out) @ apart / (apart @ apart)
    crossed = np.flatnonzero(share > 0.5)
    expected = ID1_CORNER_MM * (np.sqrt(2) - 1)
    return bool(len(crossed) and abs(depths[crossed[0]] - expected) < 0.55)


def _overlap(first: Points, second: Points) -> bool:
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return bool(area > 0.3 * cv2.contourArea(first.astype(np.float32)))


def _found(card: _Card) -> FoundReference:
    to_px = fit_homography(_corners_mm(), card.corners_px)
    grown = _corners_mm() + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    return FoundReference(
        text="id1",
        points_px=card.corners_px,
        points_mm=_corners_mm(),
        covariance_px2=card.covariance_px2,
        outline_px=transform_points(to_px, grown),
        size_sd_pct=0.05,
        point_sd_mm=_POINT_SD_MM,
    )
