"""From a finger as seen to a solid: perspective undone by the rays that touch it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger
from ulcermeter.finger.edges import read_edges
from ulcermeter.finger.mask import CoarsePhoto
from ulcermeter.finger.shape import AsSeen
from ulcermeter.finger.silhouette import FAR_MM, Silhouette, Solid, fit_solid, silhouette

__all__ = ["stand_up"]

Floats = NDArray[np.float64]

_STEP_MM = 0.5
_LENGTH_MM = 60.0
_CLEAR_TIP = 18.0
# How far from the outline its edge is looked for, mm: first round a mask's outline, then round what that gave.
_REACHES_MM = (2.0, 1.0)
# Share of the outline whose edge must be found for it to count instead of the mask's, and the widest spread of the
# outline about the solid, mm: assumption.
_LEAST_SHARE, _MOST_SPREAD_MM = 0.5, 0.5
_JOINT_MM, _BEHIND_CAP_MM = 4.0, 6.0


def stand_up(
    observed: AsSeen,
    coarse: CoarsePhoto,
    pixels: NDArray[np.uint8],
    calibration: Calibration,
    *,
    near_mm: Floats,
    side: str,
) -> Finger | None:
    """Fit a surface of revolution over the reference's plane to the finger's outline.

    On the table it lies on its thickest part; with a reference on the skin its top is level with that (all about it
    but its size is the same whatever its height, as the camera sees the same rays). Without a known camera it is
    taken to be seen from straight above. First fitted to the mask's outline, then to edges of the photo itself.
    None where the outline is not such a solid's.
    """
    viewpoint = calibration.viewpoint_mm()
    known = bool(np.isfinite(viewpoint[2]))
    camera = np.array([*observed.from_plane(viewpoint[:2]), viewpoint[2]]) if known else np.array([0.0, 0.0, FAR_MM])
    near, on_table = float(observed.from_plane(near_mm)[0]), calibration.reference_on == "table"
    shown = float(observed.edge_mm[:, 0].max())
    first = Solid(0.0, 0.0, 0.0, observed.radius_mm, 0.02, 1.2 * observed.radius_mm, 2.3)
    solid, off = fit_solid(observed.edge_mm, camera, first=first, near=near, on_table=on_table)
    edge = observed.edge_mm

    def height(of: Solid) -> float:
        return of.height(near=near - of.start, shown=shown - of.start, on_table=on_table)

    for reach in _REACHES_MM:
        points, share = read_edges(
            pixels,
            lambda points: calibration.to_px(observed.to_plane(points)),
            coarse.hides,
            silhouette(solid, camera, height(solid)),
            shown_mm=shown - solid.start,
            reach_mm=reach,
        )
        if share < _LEAST_SHARE or len(points) < 20:
            break
        edge = points
        solid, off = fit_solid(edge, camera, first=solid, near=near, on_table=on_table, edge_sd_mm=0.1)
    if np.median(np.abs(off)) > _MOST_SPREAD_MM:
        return None
    above = height(solid) if known else 0.0
    return _finger(observed, solid, edge, off, camera=camera, height=above, viewpoint=viewpoint, side=side)


def _radii(solid: Solid, edge: Floats, off: Floats) -> Floats:
    """Return the radius at every half millimetre from the tip: the solid's, and its joints behind the cap.

    What lies outside the solid on both sides is averaged over about 4 mm, and drawn to 0 where few points are.
    """
    steps = np.arange(int(_LENGTH_MM / _STEP_MM), dtype=np.float64) * _STEP_MM
    weight = np.exp(-0.5 * ((steps[:, None] - (edge[:, 0] - solid.start)) / _JOINT_MM) ** 2) * (np.abs(off) < 1.0)
    joints = (weight * off).sum(axis=1) / (weight.sum(axis=1) + 2.0)
    fade = np.clip((steps - solid.length) / _BEHIND_CAP_MM, 0.0, 1.0)
    return np.asarray(solid.radius(steps) + fade * joints)


def _finger(
    observed: AsSeen,
    solid: Solid,
    edge: Floats,
    off: Floats,
    *,
    camera: Floats,
    height: float,
    viewpoint: Floats,
    side: str,
) -> Finger:
    radii = _radii(solid, edge, off)
    outline = silhouette(solid, camera, height)
    tip = observed.to_plane(np.array([[solid.start, solid.offset]]))[0]
    ahead = np.array([[np.cos(solid.lean), np.sin(solid.lean)]])
    axis = (observed.to_plane(ahead) - observed.tip_mm)[0]
    spread = 1.48 * float(np.median(np.abs(off)))
    return Finger(
        outline_mm=observed.to_plane(_as_far_as_shown(outline, float(edge[:, 0].max()))),
        tip_mm=(float(tip[0]), float(tip[1])),
        axis=(float(axis[0]), float(axis[1])),
        radius_mm=float(np.median(radii[int(10 / _STEP_MM) : int(24 / _STEP_MM)])),
        radius_sd_mm=float(np.hypot(0.2, spread)),
        side=side,
        radii_mm=radii,
        step_mm=_STEP_MM,
        axis_height_mm=height,
        viewpoint_mm=(float(viewpoint[0]), float(viewpoint[1]), float(viewpoint[2])),
        # Where the round end is faint, it may be a shadow's.
        tip_sd_mm=0.8 if observed.tip_contrast > _CLEAR_TIP else 2.5,
        midline_sd_mm=float(np.hypot(0.3, spread)),
    )


def _as_far_as_shown(outline: Silhouette, shown: float) -> Floats:
    """Return the closed outline (K, 2) as far as a side shows, straight across what the reference hides."""
    return np.vstack([side[side[:, 0] <= shown] for side in (outline.left[::-1], outline.right)])
