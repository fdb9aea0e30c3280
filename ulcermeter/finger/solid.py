"""From a finger as seen to a solid: perspective undone by the rays that touch it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger
from ulcermeter.finger.edges import read_edges
from ulcermeter.finger.mask import CoarsePhoto
from ulcermeter.finger.shape import ObservedFinger
from ulcermeter.finger.silhouette import BLUNT, FAR_MM, LENGTH, TAPER, Silhouette, Solid, fit_solid, silhouette

__all__ = ["stand_up"]

Floats = NDArray[np.float64]

# Between radii along the finger, and how far they go, mm: past the end two phalanges.
_STEP_MM = 0.5
_LENGTH_MM = 60.0
# Colour difference (CIE 1976) across the round end from which on it is the finger's own edge: assumption.
_CLEAR_TIP = 18.0
# sd, mm, of a tip whose edge is clear, of one that may be a shadow's or lie under the reference, and, beside the spread
# of the outline, of the radius and the mid-line: assumption.
_TIP_SD_MM, _UNCLEAR_TIP_SD_MM, _RADIUS_SD_MM, _MIDLINE_SD_MM = 0.8, 2.5, 0.2, 0.3
# Where behind the tip the finger's radius is read, mm, and what edges read off the photo are known to: assumption.
_RADIUS_AT_MM, _EDGE_SD_MM = (10, 24), 0.1
# Edge points that a solid is fitted to at least (assumption).
_LEAST_POINTS = 20
# Median absolute deviation of normal errors to their sd, rounded.
_MAD_TO_SD = 1.48
# What lies farther outside is a nail or a gap and no joint, mm; and weight of no joint at all, in points (assumption).
_MOST_JOINT_MM, _NO_JOINT = 1.0, 2.0
# How far from the outline its edge is looked for, mm: first round a mask's outline, then round what that gave.
_REACHES_MM = (2.0, 1.0)
# Share of the outline whose edge must be found for it to count instead of the mask's, and the widest spread of the
# outline about the solid, mm: assumption.
_LEAST_SHARE, _MOST_SPREAD_MM = 0.5, 0.5
# Joints and the network's own raggedness make its outline wander more: assumption.
_MOST_SPREAD_OF_NETWORK_MM = 1.0
_JOINT_MM, _BEHIND_CAP_MM = 4.0, 6.0


def stand_up(
    observed: ObservedFinger,
    coarse: CoarsePhoto,
    pixels: NDArray[np.uint8],
    calibration: Calibration,
    *,
    near_mm: Floats,
    side: str,
    read: bool = True,
) -> Finger | None:
    """Fit a surface of revolution over the reference's plane to the finger's outline.

    On the table it lies on its thickest part; with a reference on the skin its top is level with that (all about it
    but its size is the same whatever its height, as the camera sees the same rays). Without a known camera it is
    taken to be seen from straight above. First fitted to the mask's outline, then to edges of the photo itself.

    Parameters
    ----------
    observed : ObservedFinger
        The finger's outline, tip and direction to begin with.
    coarse : CoarsePhoto
        Which says where the reference hides the finger.
    pixels : uint8 (M, N, 3)
        The photo.
    calibration : Calibration
        From photo pixels to millimetres.
    near_mm : float64 (2,)
        The given point on the plane, for the height.
    side : str
        The view, passed through.
    read : bool
        Whether edges are read off the photo; an outline by colour stands where too few are found, a network's does
        not.

    Returns
    -------
    Finger or None
        None where the outline is not such a solid's.
    """
    viewpoint = calibration.viewpoint_mm()
    known = bool(np.isfinite(viewpoint[2]))
    camera = np.array([*observed.from_plane(viewpoint[:2]), viewpoint[2]]) if known else np.array([0.0, 0.0, FAR_MM])
    near, on_table = float(observed.from_plane(near_mm)[0]), calibration.reference_on == "table"
    shown = float(observed.edge_mm[:, 0].max())
    first = Solid(0.0, 0.0, 0.0, observed.radius_mm, TAPER, LENGTH * observed.radius_mm, BLUNT)
    solid, off = fit_solid(observed.edge_mm, camera, first=first, near=near, on_table=on_table)
    edge, supported = observed.edge_mm, False

    def height(of: Solid) -> float:
        return of.height(near=near - of.start, shown=shown - of.start, on_table=on_table)

    for reach in _REACHES_MM if read else ():
        points, share = read_edges(
            pixels,
            lambda points: calibration.to_px(observed.to_plane(points)),
            coarse.hides,
            silhouette(solid, camera, height(solid)),
            shown_mm=shown - solid.start,
            reach_mm=reach,
        )
        if share < _LEAST_SHARE or len(points) < _LEAST_POINTS:
            break
        edge, supported = points, True
        solid, off = fit_solid(edge, camera, first=solid, near=near, on_table=on_table, edge_sd_mm=_EDGE_SD_MM)
    if read and observed.pointed_out and not supported:
        return None
    if np.median(np.abs(off)) > (_MOST_SPREAD_MM if read else _MOST_SPREAD_OF_NETWORK_MM):
        return None
    above = height(solid) if known else 0.0
    place = _Standing(solid, edge, off, camera=camera, height=above, viewpoint=viewpoint)
    return _finger(observed, place, side=side, supported=supported)


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """A fitted solid, the edge it was fitted to, how far each point of that lies outside, and from where it is seen."""

    solid: Solid = field(kw_only=False)
    edge: Floats = field(kw_only=False)
    off: Floats = field(kw_only=False)
    camera: Floats
    height: float
    viewpoint: Floats


def _radii(solid: Solid, edge: Floats, off: Floats) -> Floats:
    """Return the radius at every half millimetre from the tip: the solid's, and its joints behind the cap.

    What lies outside the solid on both sides is averaged over about 4 mm, and drawn to 0 where few points are.
    """
    steps = np.arange(int(_LENGTH_MM / _STEP_MM), dtype=np.float64) * _STEP_MM
    weight = np.exp(-0.5 * ((steps[:, None] - (edge[:, 0] - solid.start)) / _JOINT_MM) ** 2) * (
        np.abs(off) < _MOST_JOINT_MM
    )
    joints = (weight * off).sum(axis=1) / (weight.sum(axis=1) + _NO_JOINT)
    fade = np.clip((steps - solid.length) / _BEHIND_CAP_MM, 0.0, 1.0)
    return np.asarray(solid.radius(steps) + fade * joints)


def _finger(observed: ObservedFinger, place: _Standing, *, side: str, supported: bool) -> Finger:
    solid, viewpoint = place.solid, place.viewpoint
    radii = _radii(solid, place.edge, place.off)
    outline = silhouette(solid, place.camera, place.height)
    tip = observed.to_plane(np.array([[solid.start, solid.offset]]))[0]
    ahead = np.array([[np.cos(solid.lean), np.sin(solid.lean)]])
    axis = (observed.to_plane(ahead) - observed.tip_mm)[0]
    spread = _MAD_TO_SD * float(np.median(np.abs(place.off)))
    # Where the photo's edges do not bear it, what it began with is all that is known.
    unsure = (0.0, 0.0) if supported else (observed.tip_sd_mm, observed.midline_sd_mm)
    return Finger(
        outline_mm=observed.to_plane(_as_far_as_shown(outline, float(place.edge[:, 0].max()))),
        tip_mm=(float(tip[0]), float(tip[1])),
        axis=(float(axis[0]), float(axis[1])),
        radius_mm=float(np.median(radii[slice(*(int(at / _STEP_MM) for at in _RADIUS_AT_MM))])),
        radius_sd_mm=float(np.hypot(np.hypot(_RADIUS_SD_MM, spread), unsure[1])),
        side=side,
        radii_mm=radii,
        step_mm=_STEP_MM,
        axis_height_mm=place.height,
        viewpoint_mm=(float(viewpoint[0]), float(viewpoint[1]), float(viewpoint[2])),
        tip_sd_mm=float(np.hypot(_tip_sd_mm(observed), unsure[0])),
        midline_sd_mm=float(np.hypot(np.hypot(_MIDLINE_SD_MM, spread), unsure[1])),
    )


def _tip_sd_mm(observed: ObservedFinger) -> float:
    """Return what the tip's edge is known to; a faint round end may be a shadow's, or hide under the reference."""
    if observed.tip_contrast > _CLEAR_TIP:
        return _TIP_SD_MM
    return float(np.hypot(_TIP_SD_MM, observed.tip_sd_mm)) if observed.pointed_out else _UNCLEAR_TIP_SD_MM


def _as_far_as_shown(outline: Silhouette, shown: float) -> Floats:
    """Return the closed outline (K, 2) as far as a side shows, straight across what the reference hides."""
    return np.vstack([side[side[:, 0] <= shown] for side in (outline.left[::-1], outline.right)])
