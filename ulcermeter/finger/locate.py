"""The finger at a point of a photo: pointed out by the network, or by colour, and fitted to the photo's edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, RectifiedPhoto
from ulcermeter.finger.by_colour import CLEAR, see_by_colour
from ulcermeter.finger.from_network import direction_mm, observed_finger, tip_mm, width_mm
from ulcermeter.finger.mask import CoarsePhoto, coarse_photo
from ulcermeter.finger.pointed import (
    MIDDLE_OF_END,
    PointedFinger,
    is_named_again,
    is_named_all_round,
    point_out_finger,
)
from ulcermeter.finger.shape import ObservedFinger
from ulcermeter.finger.solid import stand_up
from ulcermeter.protocol import Protocol, read_protocol

__all__ = ["Absence", "FingerSearch", "locate_finger", "search_finger"]

Floats = NDArray[np.float64]

# Two fingers are one where tips lie within this share of the width and directions within these degrees: those that
# count as right for the network itself (`tests/studies/fingers.py`), doubled for two errors; not doubled where the
# network sees a tip and colour only has to better it.
_SAME, _CLOSE = (0.5, 30.0), (0.25, 15.0)
# So far edges of the photo may move the tip that the network names. Of 272 drawn fingers held out five were moved
# further: by a nail or a neighbour, all wrongly, four of them from a tip that was right.
_UNMOVED = (0.2, 30.0)
# Share of the network's width. Under a shadow to the middle of a drawn finger the fit is .85 of it, in full light 1.49;
# fingers of the sample study have .94 to 1.43: assumption between the two.
_NARROW = 0.9
# Under this confidence the network may have taken a nail's edge for the tip, and is not believed where no edge of the
# photo bears it out: of 429 drawn fingers so found that keeps 384 of 387 right ones, 7 of 9 grossly wrong ones.
_SURE = 0.35
# How far the network sees from a point, in widths. Where its mask must show a finger and where none, for a tip that
# colour found and the network does not see: widths behind the tip; its own tips are right within a quarter.
_VIEW_WIDTHS = 2.0
_INSIDE, _OUTSIDE = (0.35, 0.75), (-0.35, -0.6)


class Absence(Enum):
    """Why no finger was located at a point."""

    NO_FINGER = "no finger is there"
    NO_TIP = "a finger is there, its tip is not in view"
    NOT_FITTED = "a finger is there, but its sides or tip cannot be made out"


@dataclass(frozen=True)
class FingerSearch:
    """What was found at a point of a photo.

    Attributes
    ----------
    finger : Finger or None
    absence : Absence or None
        Why there is none.
    network_mm : float64 (K, 2)
        Outline of what the network takes for the finger, within its view, mapped to the reference's plane, to about
        half a millimetre; empty where it sees another or none.
    rough : Finger or None
        Where none could be fitted, the finger as the network alone sees it, tip included: good enough to look at its
        skin, not for coordinates.
    """

    finger: Finger | None = None
    absence: Absence | None = None
    rough: Finger | None = None
    network_mm: Floats = field(default_factory=lambda: np.empty((0, 2)), repr=False)


def locate_finger(
    rectified: RectifiedPhoto,
    *,
    near_px: tuple[float, float] | NDArray[np.floating] | None = None,
    side: str = "",
    protocol: Protocol | None = None,
    pointed_at: bool = True,
) -> Finger | None:
    """Find the finger under a point of the photo.

    A network says which pixels round the point are that one finger's, apart from its neighbours, the own hand and the
    ground, and where its tip is and which way it points. A tapered solid with a round cap, under the camera, is then
    fitted to the edges of the photo itself; where none are to be seen, to the network's outline, whose error its
    position then carries. Where the network cannot make out a tip, colour is tried: what it finds counts only where
    the network, asked at the end that colour found, sees the same finger. It lies on the table, or its top is level
    with a reference on the skin.

    Parameters
    ----------
    rectified : RectifiedPhoto
    near_px : (float, float), optional
        A point on the finger in photo pixels: the ulcer, a click. Default the photo's centre.
    side : str
        The view, passed through.
    protocol : Protocol, optional
        Limits of a plausible finger (``finger_...``); default MANUS.
    pointed_at : bool
        Whether a person says that a finger is there. Where nobody does, its tip must lie on the photo, and the network
        must name it again from right behind it, from further up and from either side: the hand's end of a finger, a
        ring's edge or a piece of ground is now and then taken for a tip from one place.

    Returns
    -------
    Finger or None
        None rather than a wild one: no finger or no tip in view, width or length that no finger has.
    """
    return search_finger(rectified, near_px=near_px, side=side, protocol=protocol, pointed_at=pointed_at).finger


def search_finger(
    rectified: RectifiedPhoto,
    *,
    near_px: tuple[float, float] | NDArray[np.floating] | None = None,
    side: str = "",
    protocol: Protocol | None = None,
    pointed_at: bool = True,
) -> FingerSearch:
    """Find the finger under a point of the photo as `locate_finger` does, and say why where there is none.

    Parameters
    ----------
    rectified, near_px, side, protocol, pointed_at
        See `locate_finger`.

    Returns
    -------
    FingerSearch
    """
    rules = protocol or read_protocol()
    rows, cols = rectified.photo.pixels.shape[:2]
    near = np.array([(cols - 1) / 2, (rows - 1) / 2]) if near_px is None else np.asarray(near_px, dtype=np.float64)
    coarse = coarse_photo(rectified, near)
    if coarse is None:
        return FingerSearch(absence=Absence.NO_FINGER)
    place = _Place(rectified, coarse, near, side, rules)
    pointed = place.ask(near)
    trusted = place.named_again(pointed)
    finger = place.fit_pointed(trusted)
    if finger is None or place.is_narrow(finger, trusted):
        finger = place.fit_by_colour(pointed) or finger or place.fit_pointed(trusted, read=False)
    if finger is None:
        return FingerSearch(absence=_absence(pointed), rough=place.rough_finger(pointed))
    if not pointed_at and not place.is_borne_out(finger):
        return FingerSearch(absence=Absence.NOT_FITTED)
    return FingerSearch(finger, network_mm=place.network_outline(finger, pointed))


def _absence(pointed: PointedFinger | None) -> Absence:
    if pointed is None:
        return Absence.NO_FINGER
    return Absence.NOT_FITTED if pointed.tip_in_view else Absence.NO_TIP


@dataclass(frozen=True)
class _Place:
    """A point of a photo and what is known round it."""

    rectified: RectifiedPhoto
    coarse: CoarsePhoto
    near: Floats
    side: str
    rules: Protocol

    @property
    def calibration(self) -> Calibration:
        return self.rectified.calibration

    def ask(self, at_px: Floats) -> PointedFinger | None:
        """Ask the network for the finger at a photo pixel (2,); what it returns is in the coarse photo's pixels."""
        x, y = (float(v) for v in self.coarse.from_photo_px(at_px[None])[0])
        return point_out_finger(self.coarse.rgb, at_px=(x, y), spacing_mm=1 / self.coarse.px_per_mm)

    def fit_pointed(self, pointed: PointedFinger | None, *, read: bool = True) -> Finger | None:
        """Fit the solid to the photo's edges from what the network says; without `read` to its own outline alone.

        Edges of one side alone fit no solid: where the photo's border cuts the finger lengthwise, its outline counts,
        if the network is sure.
        """
        if pointed is None or (not read and pointed.confidence < _SURE):
            return None
        observed = observed_finger(pointed, self.coarse, self.calibration, protocol=self.rules, one_sided=not read)
        finger = None if observed is None else self._stand_up(observed, read=read)
        limits = _UNMOVED if read else _SAME
        return finger if finger is not None and self._same(finger, pointed, limits=limits) else None

    def is_narrow(self, finger: Finger, pointed: PointedFinger | None) -> bool:
        """Say whether a fit is much narrower than the network says: a shadow's edge may stand for one of its sides."""
        return pointed is not None and 2 * finger.radius_mm < _NARROW * width_mm(pointed, self.coarse)

    def named_again(self, pointed: PointedFinger | None) -> PointedFinger | None:
        """Return a finger whose tip the network names again when it is asked there; else None."""
        spacing_mm = 1 / self.coarse.px_per_mm
        return pointed if pointed and is_named_again(self.coarse.rgb, pointed, spacing_mm=spacing_mm) else None

    def is_borne_out(self, finger: Finger) -> bool:
        """Say whether a finger's tip lies on the photo and the network, asked at its end, names it from all round."""
        tip_px = self.calibration.to_px(np.asarray(finger.tip_mm)[None])[0]
        if (tip_px < 0).any() or (tip_px > np.array(self.rectified.photo.pixels.shape[1::-1]) - 1).any():
            return False
        seen = self.ask(self.calibration.to_px(self._middle_of_end(finger)[None])[0])
        if seen is None or not seen.tip_in_view or not self._same(finger, seen):
            return False
        return is_named_all_round(self.coarse.rgb, seen, spacing_mm=1 / self.coarse.px_per_mm)

    def network_outline(self, finger: Finger, pointed: PointedFinger | None) -> Floats:
        """Return the outline (K, 2) on the plane of a fitted finger as the network sees it; empty where it does not."""
        return np.empty((0, 2)) if pointed is None or not self._same(finger, pointed) else self._outline(pointed)

    def rough_finger(self, pointed: PointedFinger | None) -> Finger | None:
        """Return a finger as the network sees it, if its tip is in view: flat, and with none of the photo's edges."""
        tip = None if pointed is None else tip_mm(pointed, self.coarse, self.calibration)
        if pointed is None or tip is None:
            return None
        outline, way = self._outline(pointed), direction_mm(pointed, self.coarse, self.calibration)
        if not len(outline):
            return None
        radius = width_mm(pointed, self.coarse) / 2
        place = (float(tip[0]), float(tip[1])), (float(way[0]), float(way[1]))
        return Finger(outline, *place, radius, radius, side=self.side)

    def _outline(self, pointed: PointedFinger) -> Floats:
        """Return the outline (K, 2) on the plane of the network's mask; empty where it is sure of no pixel."""
        outlines = cv2.findContours(pointed.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        if not outlines:
            return np.empty((0, 2))
        largest = max(outlines, key=len).reshape(-1, 2).astype(np.float64)
        return np.asarray(self.calibration.to_mm(self.coarse.to_photo_px(largest)))

    def _middle_of_end(self, finger: Finger) -> Floats:
        """Return the plane point (2,) in the middle of a finger's end phalanx."""
        return np.asarray(finger.tip_mm) + 2 * MIDDLE_OF_END * finger.radius_mm * np.asarray(finger.axis)

    def fit_by_colour(self, pointed: PointedFinger | None) -> Finger | None:
        """Fit it from colour: where that parts finger and ground clearly all round, or the network sees the same."""
        observed = see_by_colour(self.coarse, self.calibration, near_px=self.near, protocol=self.rules)
        finger = None if observed is None else self._stand_up(observed, read=True)
        if observed is None or finger is None:
            return None
        clear = observed.faintest > CLEAR and self._is_clearly(finger, pointed)
        return finger if clear or self._is_seen_too(finger, pointed) else None

    def _is_clearly(self, finger: Finger, pointed: PointedFinger | None) -> bool:
        """Say whether a finger whose colour parts it from the ground clearly all round is what the network sees."""
        if pointed is None or not pointed.tip_in_view or not self._same_way(finger, pointed, degrees=_SAME[1]):
            return False
        # A network that is unsure of the tip may take a nail's edge for it; clear edges all round do not.
        return pointed.confidence < _SURE or self._same(finger, pointed)

    def _is_seen_too(self, finger: Finger, pointed: PointedFinger | None) -> bool:
        """Say whether the network sees the finger that colour found, at the point or at the end found."""
        tip_in_view = pointed is not None and pointed.tip_in_view
        if pointed is not None and tip_in_view and self._same(finger, pointed, limits=_CLOSE):
            return True
        if pointed is not None and tip_in_view and not self._reference_near(pointed):
            return False
        again = self.ask(self.calibration.to_px(self._middle_of_end(finger)[None])[0])
        if again is None or not self._same(finger, again):
            return False
        return again.tip_in_view or (not tip_in_view and self._ends_there(finger, again))

    def _reference_near(self, pointed: PointedFinger) -> bool:
        """Say whether the reference lies in the network's view, so that it may have taken its edge for the finger's."""
        rows, cols = np.nonzero(self.coarse.reference)
        reach = _VIEW_WIDTHS * pointed.width_px
        x, y = self.coarse.near
        return bool(((np.abs(cols - x) < reach) & (np.abs(rows - y) < reach)).any())

    def _ends_there(self, finger: Finger, pointed: PointedFinger) -> bool:
        """Say whether the network's mask, where it shows, lies behind a fitted tip and not before it."""
        along = 2 * finger.radius_mm * np.array([*_INSIDE, *_OUTSIDE])
        line = np.asarray(finger.tip_mm) + along[:, None] * np.asarray(finger.axis)
        at = self.calibration.to_px(line)
        x, y = np.rint(self.coarse.from_photo_px(at)).astype(int).T
        rows, cols = pointed.mask.shape
        open_ = ~self.coarse.hides(at) & (x >= 0) & (x < cols) & (y >= 0) & (y < rows)
        inside = along > 0
        network_mask = pointed.mask[y[open_], x[open_]]
        return bool((network_mask == inside[open_]).all()) if open_.any() else True

    def _stand_up(self, observed: ObservedFinger, *, read: bool) -> Finger | None:
        near_mm, pixels = self.calibration.to_mm(self.near)[0], self.rectified.photo.pixels
        return stand_up(observed, self.coarse, pixels, self.calibration, near_mm=near_mm, side=self.side, read=read)

    def _same_way(self, finger: Finger, pointed: PointedFinger, *, degrees: float) -> bool:
        way = direction_mm(pointed, self.coarse, self.calibration)
        return bool(np.asarray(finger.axis) @ way >= np.cos(np.radians(degrees)))

    def _same(self, finger: Finger, pointed: PointedFinger, *, limits: tuple[float, float] = _SAME) -> bool:
        """Say whether a fitted finger is the one pointed out: direction, and tip where the network sees one."""
        widths, degrees = limits
        if not self._same_way(finger, pointed, degrees=degrees):
            return False
        network_tip = tip_mm(pointed, self.coarse, self.calibration)
        if network_tip is None:
            return True
        # The fitted tip is a true place, the network's as seen: both are taken on the fitted skin.
        along, across = finger.axial_and_transverse(finger.on_skin(network_tip)[:, :2])[0]
        reach = widths * width_mm(pointed, self.coarse)
        return bool(abs(along) < reach and abs(across) < reach)
