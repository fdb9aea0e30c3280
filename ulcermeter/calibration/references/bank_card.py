"""A bank card: ISO/IEC 7810 ID-1, 85.60 × 53.98 mm, corners rounded by 3.18 mm.

Its four sides are fitted as straight lines and its corners are where these would meet. Paper, screens and rulers have
four sides too: a card is told by its proportions before the camera and by its rounded corners, or it is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.corner_radius import border_beyond, corner_radii
from ulcermeter.calibration.features.quadrilateral_candidates import find_quads
from ulcermeter.calibration.features.quadrilateral_fit import Quad, fit_quad
from ulcermeter.calibration.geometry.camera import CameraPrior, camera_prior
from ulcermeter.calibration.geometry.homography import fit_homography
from ulcermeter.calibration.geometry.pose import solve_poses
from ulcermeter.calibration.references.reference import FoundReference, KindOfReference
from ulcermeter.calibration.references.search_region import cropped
from ulcermeter.datatypes import Box, LensProfile, Photo, Points, transform_points
from ulcermeter.datatypes.arrays import Matrix
from ulcermeter.errors import Problem, Refusal
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["ID1", "ID1_CORNER_MM", "ID1_MM", "find_id1"]

ID1_MM = (85.60, 53.98)
"""ISO/IEC 7810:2019, ID-1: width and height, mm."""
ID1_CORNER_MM = 3.18
"""ISO/IEC 7810:2019, ID-1: radius of the corners, mm (2.88 to 3.48)."""
_MOST_GUESSES = 100
"""Outlines tried among clear borders, and as many among faint ones where those show no card."""
_LEAST_VISIBLE = 0.45
"""Share of each side: a finger or two may cover the rest (assumption)."""
_LARGEST_SKEW = 0.15
"""Of a guess before its sides are fitted. Guesses at 40 drawn cards, tilted to 45 degrees, reach 0.02 and at two
photographed ones 0.04; of 42 guesses on photos of coins, 40 are beyond 0.15."""
_LARGEST_CHI2 = 30.0
"""Of a card's corners and the camera's priors: right cards stay far under it, paper of other proportions does not
(assumption)."""
_CLEAR_CHI2 = 15.0
"""By which the other way round must be worse: odds of 1800 to 1."""
_LEAST_PX_PER_MM = 3.0
"""Coarser, the rounding of a corner (1.3 mm deep) is a few px and cannot be told from blur."""
_RADIUS_OFF_MM = 1.0
"""Between a corner's radius as seen and a card's: blur and print shift it by a step of 0.4 or two; assumption."""
_GUESS_RADIUS_OFF_MM, _GUESS_LEAST_ROUNDED = 2.0, 2
"""Of a guess: its sides lie within a pixel or two of the shrunken photo."""
_GOES_ON = (0.6, 1.4)
"""Change of light across a side beyond its corner over the side's own: the border of something larger; assumption."""
_LARGER = 1.015
"""Area of an outline round another: a frame printed 3 mm within one side makes 1.035."""
_SHADOW_MM = 1.0
"""The widest dark shadow beside a card: of one bent up by a millimetre in light from 45 degrees; assumption."""
_POINT_SD_MM = 0.06
"""Of a corner: the tolerance of a card's size is 0.13 mm from side to side, and its edges are chamfered."""
_SIZE_SD_PCT = 0.05
"""Of all cards: ISO/IEC 7810 holds their sides to some 0.15 %; as a standard deviation, assumption."""
_ALL_CORNERS, _LEAST_ROUNDED, _LEAST_ROUNDED_HIDDEN = 4, 3, 2
"""Corners of a card, those that must be rounded as a card's are, and where the others cannot be seen (assumption)."""
_TRIM = 1.3
"""Left out at either end of a side, over a corner's radius: the rounding and the blur of its end."""
_OVERLAP = 0.3
"""Share of an outline's area that lies in the other: cards side by side share nothing, outlines of one nearly all
(assumption)."""


@dataclass(frozen=True)
class _Card:
    corners_px: Points
    covariance_px2: Matrix
    n_rounded: int
    """Corners seen to be rounded as a card's are."""


def find_id1(
    photo: Photo, reference: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None = None
) -> FoundReference | None:
    """Find the one bank card on a photo, or inside the region.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind `ID1`.
    region : Box or None
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
    cards = _cards(photo.pixels, region, camera, protocol.calibration.tilt_scale_deg)
    if not cards:
        return None
    if len(cards) > 1:
        places = "; ".join(f"({c.corners_px[:, 0].mean():.0f}, {c.corners_px[:, 1].mean():.0f})" for c in cards)
        raise Refusal(
            Problem(
                where="reference id1",
                expected="one bank card",
                got=f"{len(cards)} (at {places})",
                action="draw a reference box round one, or photograph one alone",
            )
        )
    return _found(cards[0])


def _cards(pixels: NDArray[np.uint8], region: Box | None, camera: CameraPrior, tilt_scale_deg: float) -> list[_Card]:
    """Return all cards among the clear borders, else among faint ones; of overlapping ones the outermost."""
    patch, origin = cropped(pixels, region)

    def skew_of(quads: Matrix) -> Matrix:
        return _card_skew(quads + origin, camera)

    cards: list[_Card] = []
    for faint in (False, True):
        guesses = [g + origin for g in find_quads(patch, skew_of=skew_of, most=_MOST_GUESSES, faint=faint)]
        rounded = [_n_rounded_roughly(pixels, _in_reading_order(g, camera)) for g in guesses]
        for k in np.argsort([-n for n in rounded], kind="stable"):
            if rounded[k] < _GUESS_LEAST_ROUNDED:
                break
            if any(_cannot_replace(guesses[k], rounded[k], card) for card in cards):
                continue
            card = _card(pixels, guesses[k], camera, tilt_scale_deg)
            if card is not None:
                cards = _outermost(card, cards)
        if cards:
            break
    return cards


def _cannot_replace(guess: Points, rounded: int, card: _Card) -> bool:
    """Say whether a guess cannot take an outline's place: no larger, or all corners of the outline are a card's."""
    whole = card.n_rounded == _ALL_CORNERS and rounded < _ALL_CORNERS
    return _overlap(guess, card.corners_px) and (whole or not _larger(guess, card.corners_px))


def _outermost(card: _Card, others: list[_Card]) -> list[_Card]:
    """Return the cards with one more; of outlines that overlap the outer one, as a card's print lies within its rim.

    An outline with all four corners of a card stays where a larger one lacks some; where both do, the larger may be a
    shadow's as well.
    """
    overlapping = [other for other in others if _overlap(card.corners_px, other.corners_px)]
    if any(
        not _larger(card.corners_px, o.corners_px) or card.n_rounded < o.n_rounded == _ALL_CORNERS for o in overlapping
    ):
        return others
    if overlapping and card.n_rounded < _ALL_CORNERS:
        raise Refusal(
            Problem(
                where="reference id1",
                expected="one outline of a bank card",
                got=f"two, one in the other ({_place(card)} and {_place(overlapping[0])})",
                action="photograph the card alone on a plain ground",
            )
        )
    return [*(other for other in others if not any(other is r for r in overlapping)), card]


def _larger(first: Points, second: Points) -> bool:
    areas = [cv2.contourArea(c.astype(np.float32)) for c in (first, second)]
    return bool(areas[0] > _LARGER * areas[1])


def _place(card: _Card) -> str:
    """Return an outline's corner to corner box as words for a sentence."""
    low, high = card.corners_px.min(axis=0), card.corners_px.max(axis=0)
    return f"{high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} px at ({low[0]:.0f}, {low[1]:.0f})"


def _card(pixels: NDArray[np.uint8], guess: Points, camera: CameraPrior, tilt_scale_deg: float) -> _Card | None:
    trims = tuple(_TRIM * ID1_CORNER_MM / side for side in ID1_MM)
    quad = fit_quad(pixels, guess, trim=(trims[0], trims[1]), shadow=_SHADOW_MM / ID1_MM[0])
    if quad is None or quad.visible.min() < _LEAST_VISIBLE:
        return None
    rounded = _n_rounded_corners(pixels, _in_reading_order(quad.corners_px, camera))
    if not rounded:
        return None
    turned = [(quad.corners_px, quad.covariance_px2), _quarter_turned(quad)]
    fits = [
        solve_poses(c, _corners_mm(), v, camera=camera, point_sd_mm=_POINT_SD_MM, tilt_scale_deg=tilt_scale_deg).chi2
        for c, v in turned
    ]
    best = int(np.argmin(fits))
    if fits[best] > _LARGEST_CHI2:
        return None
    if fits[1 - best] - fits[best] < _CLEAR_CHI2:
        raise Refusal(
            Problem(
                where="reference id1",
                expected="a bank card whose longer side can be told",
                got="one seen so slanted that either could be",
                action="hold the phone parallel to the card",
            )
        )
    return _Card(*turned[best], rounded)


def _in_reading_order(corners: Points, camera: CameraPrior) -> Points:
    """Return the outline's corners from the one on where it looks more like a card."""
    turned = np.roll(corners, -1, axis=0)
    return corners if _skew(corners, camera) <= _skew(turned, camera) else turned


def _skew(corners: Matrix, camera: CameraPrior) -> Matrix:
    """Return by how much corners (..., 4, 2) are no picture of a card, whatever the tilt; 0 for a perfect one.

    The two columns that turn a plane's axes into the camera's are at right angles and equally long (Zhang 2000).
    What is returned is the larger of the logarithm of their lengths' ratio and the cosine between them.
    """
    columns = _plane_axes(corners) / ID1_MM
    x, y = np.moveaxis(np.linalg.inv(camera.matrix) @ columns, -1, 0)
    lengths = np.linalg.norm(x, axis=-1), np.linalg.norm(y, axis=-1)
    return np.asarray(
        np.maximum(np.abs(np.log(lengths[0] / lengths[1])), np.abs((x * y).sum(axis=-1)) / (lengths[0] * lengths[1]))
    )


def _plane_axes(corners: Matrix) -> Matrix:
    """Return the first two columns (..., 3, 2) of the homography from the unit square to corners (Heckbert 1989)."""
    first, second, third, fourth = np.moveaxis(corners, -2, 0)
    a, b, s = second - third, fourth - third, first - second + third - fourth
    det = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    g = (s[..., 0] * b[..., 1] - s[..., 1] * b[..., 0]) / det
    h = (a[..., 0] * s[..., 1] - a[..., 1] * s[..., 0]) / det
    x = np.concatenate([second - first + g[..., None] * second, g[..., None]], axis=-1)
    y = np.concatenate([fourth - first + h[..., None] * fourth, h[..., None]], axis=-1)
    return np.stack([x, y], axis=-1)


def _card_skew(corners: Matrix, camera: CameraPrior) -> Matrix:
    """Return the skew (Q,) of outlines (Q, 4, 2) read the better way round; infinite where none can be a card."""
    skew = np.minimum(_skew(corners, camera), _skew(np.roll(corners, -1, axis=1), camera))
    x, y = corners[..., 0], corners[..., 1]
    around = np.hypot(np.roll(x, -1, axis=1) - x, np.roll(y, -1, axis=1) - y).sum(axis=1)
    small = around < _LEAST_PX_PER_MM * 2 * sum(ID1_MM)
    return np.where((skew > _LARGEST_SKEW) | small, np.inf, skew)


def _corners_mm() -> Points:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * ID1_MM


def _quarter_turned(quad: Quad) -> tuple[Points, Matrix]:
    """Return the corners and covariance of the same outline, read from the next corner on."""
    order = np.roll(np.arange(8), -2)
    return np.roll(quad.corners_px, -1, axis=0), quad.covariance_px2[np.ix_(order, order)]


def _n_rounded_corners(pixels: NDArray[np.uint8], corners: Points) -> int:
    """Return how many corners are rounded as a card's are; 0 where too few are or a side goes on beyond one.

    Three must be, or two where the others cannot be seen. Whether a side goes on is asked unless all four are.
    """
    radii = corner_radii(pixels, corners, ID1_MM)
    off = np.abs(radii[np.isfinite(radii)] - ID1_CORNER_MM) > _RADIUS_OFF_MM
    n = int(np.sum(~off))
    if n < (_LEAST_ROUNDED if off.any() else _LEAST_ROUNDED_HIDDEN):
        return 0
    if n == len(radii):
        return n
    beyond = border_beyond(pixels, corners, ID1_MM)
    return 0 if np.any((beyond > _GOES_ON[0]) & (beyond < _GOES_ON[1])) else n


def _n_rounded_roughly(pixels: NDArray[np.uint8], guess: Points) -> int:
    """Return how many corners of a guess may be rounded as a card's are."""
    off = np.abs(corner_radii(pixels, guess, ID1_MM, guessed=True) - ID1_CORNER_MM)
    return int(np.sum(off <= _GUESS_RADIUS_OFF_MM))


def _overlap(first: Points, second: Points) -> bool:
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return bool(area > _OVERLAP * cv2.contourArea(first.astype(np.float32)))


def _found(card: _Card) -> FoundReference:
    to_px = fit_homography(_corners_mm(), card.corners_px)
    enlarged = _corners_mm() + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    return FoundReference(
        reference=Reference(ReferenceKind.ID1),
        points_px=card.corners_px,
        points_mm=_corners_mm(),
        covariance_px2=card.covariance_px2,
        outline_px=transform_points(to_px, enlarged),
        size_sd_pct=_SIZE_SD_PCT,
        point_sd_mm=_POINT_SD_MM,
    )


ID1 = KindOfReference(
    find_id1, "lay the bank card beside the ulcer so that all four edges can be seen on a plain ground"
)
