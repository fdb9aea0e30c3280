"""One finger seen from several sides: where a place on one view lies on another."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ulcermeter.protocol import Protocol

__all__ = ["Spot", "visible_share", "on_view", "opposite", "turn_variances"]

# Which way the camera looks at the finger, degrees round its axis from the palm, to the right with the tip up. The
# thumb's side is on the right of a right hand whose palm faces the camera, and on the left of a left hand.
_ROUND_DEG = {"palmar": 0.0, "tip": 0.0, "dorsal": 180.0}
_THUMB_SIDE_DEG = {"right": 90.0, "left": -90.0}
# Skin more than about 70 degrees from the middle of a view is too foreshortened to be outlined; softly, by 10 degrees
# [assumption: a third of its width is left there].
_VISIBLE_DEG, _VISIBLE_SOFT_DEG = 70.0, 10.0
# A photo of the tip shows about a finger's radius of it; softly, by 2 mm [assumption: as far as it is round].
_TIP_SOFT_MM = 2.0
# Beyond it a share is 0 anyhow, and the exponential far from overflow.
_LARGEST_EXPONENT = 50.0


@dataclass(frozen=True, slots=True)
class Spot:
    """An estimate of an ulcer's centre on one view: finger coordinates in mm and their variances in mm²."""

    s_mm: float
    t_mm: float
    s_var: float
    t_var: float


def _round_deg(view: str, hand: str) -> float | None:
    if view in ("radial", "ulnar"):
        side = _THUMB_SIDE_DEG.get(hand)
        return None if side is None else side if view == "radial" else -side
    return _ROUND_DEG.get(view)


def on_view(spot: Spot, from_view: str, view: str, hand: str, protocol: Protocol) -> Spot:
    """Say where a place known from one view lies on another.

    Parameters
    ----------
    spot : Spot
        As known from `from_view`.
    from_view, view : str
        Sides of the finger; an empty one is not known.
    hand : str
        Which hand it is, for the radial and ulnar sides.
    protocol : Protocol
        ``finger_radius_mm``.

    Returns
    -------
    Spot
        `t_mm` along the skin from that view's mid-line, within half the finger's girth; its variance is infinite where
        either side is not known. How far the finger may be turned is not in it, see `turn_variances`.
    """
    if from_view == view:
        return spot
    here, there = _round_deg(from_view, hand), _round_deg(view, hand)
    if here is None or there is None:
        return Spot(spot.s_mm, 0.0, spot.s_var, math.inf)
    radius = protocol.identity.finger_radius_mm
    girth = 2 * math.pi * radius
    t = spot.t_mm + radius * math.radians(here - there)
    return Spot(spot.s_mm, (t + girth / 2) % girth - girth / 2, spot.s_var, spot.t_var)


def turn_variances(from_view: str, view: str, protocol: Protocol) -> tuple[float, float]:
    """Return how far all places of a photo may be off together against another view: variances of s and t, mm².

    Parameters
    ----------
    from_view, view : str
        Sides of the finger.
    protocol : Protocol
        ``finger_radius_mm``, ``view_turn_sd_deg``, ``tip_view_sd_mm``.

    Returns
    -------
    tuple of float
        Zeros for one and the same side, but that photos of the tip are turned to each other too.
    """
    rules = protocol.identity
    if from_view == view != "tip":
        return 0.0, 0.0
    if from_view == view:
        return 0.0, (rules.finger_radius_mm * math.radians(rules.view_turn_sd_deg)) ** 2
    along = rules.tip_view_sd_mm**2 if "tip" in (from_view, view) else 0.0
    return along, (rules.finger_radius_mm * math.radians(rules.view_turn_sd_deg)) ** 2


def visible_share(spot: Spot, view: str, protocol: Protocol) -> float:
    """Return how far a place, given in a view's own coordinates, can be expected to show on it, 0..1.

    Parameters
    ----------
    spot : Spot
        The place on that view.
    view : str
        The side that faces the camera.
    protocol : Protocol
        ``finger_radius_mm``.

    Returns
    -------
    float
    """
    radius = protocol.identity.finger_radius_mm
    shown = _falling((spot.s_mm - radius) / _TIP_SOFT_MM) if view == "tip" else 1.0
    if not math.isfinite(spot.t_var):
        return shown / 2
    return shown * _falling((math.degrees(abs(spot.t_mm) / radius) - _VISIBLE_DEG) / _VISIBLE_SOFT_DEG)


def _falling(value: float) -> float:
    return 1 / (1 + math.exp(min(value, _LARGEST_EXPONENT)))


def opposite(view: str, other: str) -> bool:
    """Say whether no place can be seen on both views.

    Parameters
    ----------
    view, other : str
        Sides of the finger.

    Returns
    -------
    bool
    """
    return {view, other} in ({"palmar", "dorsal"}, {"radial", "ulnar"})
