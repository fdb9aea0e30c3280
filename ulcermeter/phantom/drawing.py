"""draw_phantom: from a description to a photo and its truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.camera import Camera, place_camera
from ulcermeter.phantom.references import PlacedReference, place_reference
from ulcermeter.phantom.render import Scene, render
from ulcermeter.phantom.solid import Solid, build_solid
from ulcermeter.phantom.specs import PhantomSpec
from ulcermeter.phantom.truth import PlacedUlcer, UlcerTruth, place_ulcer, ulcer_truth


@dataclass(frozen=True)
class PhantomTruth:
    """What is true of a drawn photo.

    ``pixel_to_plane`` (3, 3) takes *undistorted* upright photo pixels (x, y, 1) to mm in the reference's plane (x
    right, y down, origin under the fingertip); exact for the photo itself when k1 = k2 = 0. ``plane_height_mm`` is
    that plane's height above the table (without a reference: the skin at the first ulcer). ``reference_px`` (K, 2)
    are the reference's points in the photo: a marker's or card's corners from its upper left, clockwise; a disc's
    centre; a ruler's tick ends; ``reference_mm`` (K, 2) the same points in the plane. ``tilt_deg`` is the angle
    between optical axis and plane normal, ``distance_mm`` the camera's height above the plane (the Z of × 1 − h/Z),
    ``focal_px`` the true focal length.
    """

    ulcers: tuple[UlcerTruth, ...]
    reference_px: NDArray[np.float64]
    reference_mm: NDArray[np.float64]
    pixel_to_plane: NDArray[np.float64]
    plane_height_mm: float
    tilt_deg: float
    distance_mm: float
    focal_px: float
    finger_radius_mm: float
    finger_thickness_mm: float
    tip_px: tuple[float, float]
    camera: Camera
    reference: PlacedReference | None
    solid: Solid | None

    def plane_to_pixel(self, points_mm: Reals) -> NDArray[np.float64]:
        """Return photo pixels (K, 2), lens distortion included, of plane points (K, 2) in mm."""
        level = np.full((len(points_mm), 1), self.plane_height_mm)
        return self.camera.project(np.hstack([np.asarray(points_mm, dtype=float), level]))


@dataclass(frozen=True)
class Phantom:
    """A drawn photo: ``pixels`` uint8 (M, N, 3) RGB, upright, before JPEG; what was asked for; what is true."""

    pixels: NDArray[np.uint8]
    spec: PhantomSpec
    truth: PhantomTruth


def draw_phantom(spec: PhantomSpec) -> Phantom:
    """Draw one photo of known truth; the same spec gives the same pixels.

    Parameters
    ----------
    spec : PhantomSpec
        What to draw.

    Returns
    -------
    Phantom
        Pixels before JPEG, the spec, and the truth from its geometry.

    Raises
    ------
    UlcermeterError
        A spec that describes nothing that can be drawn.
    """
    scene = build_scene(spec)
    return Phantom(pixels=render(scene), spec=spec, truth=scene_truth(scene))


def build_scene(spec: PhantomSpec) -> Scene:
    """Put finger, ulcers, reference and camera in place.

    Parameters
    ----------
    spec : PhantomSpec
        What to draw.

    Returns
    -------
    Scene
        World mm: origin under the fingertip on the table, x across the finger, y towards the hand, h upwards.

    Raises
    ------
    UlcermeterError
        A reference or camera that cannot be placed.
    """
    solid = build_solid(spec.finger) if spec.finger is not None else None
    ulcers = tuple(place_ulcer(u, solid) for u in spec.ulcers) if solid is not None else ()
    anchor = _anchor(solid, ulcers)
    reference = place_reference(spec.reference, anchor, level_mm=float(anchor[2]))
    camera = place_camera(spec.camera, anchor)
    scale = camera.focal_px / float((anchor - camera.centre_mm) @ camera.rotation[2])
    return Scene(spec, solid, ulcers, reference, camera, px_per_mm=scale)


def _anchor(solid: Solid | None, ulcers: tuple[PlacedUlcer, ...]) -> NDArray[np.float64]:
    """Return the world point that everything is placed from: the first ulcer, else the finger's end phalanx."""
    if solid is None:
        return np.zeros(3)
    if not ulcers:
        return solid.point(1.2 * solid.spec.radius_mm, 0.0)
    edge = ulcers[0].edge(solid)
    return np.array([*ulcers[0].centre_mm[:2], edge[:, 2].mean()])


def scene_truth(scene: Scene) -> PhantomTruth:
    """Work out what is true of a scene.

    Parameters
    ----------
    scene : Scene
        Everything in place.

    Returns
    -------
    PhantomTruth
        Lengths in mm, places in photo px (x, y).
    """
    camera, solid, reference = scene.camera, scene.solid, scene.reference
    plane_mm = reference.height_mm if reference else float(_anchor(solid, scene.ulcers)[2])
    known = reference.points_paper_mm() if reference else np.zeros((0, 2))
    world = reference.to_world(known[:, 0], known[:, 1]) if reference else np.zeros((0, 3))
    inverse = np.linalg.inv(camera.plane_homography(plane_mm))
    tip = np.zeros(3) if solid is None else np.array([0.0, 0.0, solid.axis_height_mm])
    return PhantomTruth(
        ulcers=tuple(ulcer_truth(u, solid, camera, plane_height_mm=plane_mm) for u in scene.ulcers) if solid else (),
        reference_px=camera.project(world),
        reference_mm=world[:, :2],
        pixel_to_plane=inverse / inverse[2, 2],
        plane_height_mm=plane_mm,
        tilt_deg=float(np.rad2deg(np.arccos(np.clip(-camera.rotation[2, 2], -1, 1)))),
        distance_mm=float(camera.centre_mm[2] - plane_mm),
        focal_px=camera.focal_px,
        finger_radius_mm=solid.spec.radius_mm if solid else float("nan"),
        finger_thickness_mm=2 * solid.axis_height_mm if solid else float("nan"),
        tip_px=tuple(camera.project(tip).tolist()),
        camera=camera,
        reference=reference,
        solid=solid,
    )


def ulcer_mask(phantom: Phantom) -> NDArray[np.int32]:
    """Return the label picture: k where a pixel's centre is inside the k-th ulcer of the spec (even-odd rule).

    Parameters
    ----------
    phantom : Phantom
        A drawn photo.

    Returns
    -------
    int32 (M, N)
        0 for none, then 1, 2, ... in the spec's order.
    """
    rows, cols = phantom.pixels.shape[0], phantom.pixels.shape[1]
    labels = np.zeros((rows, cols), dtype=np.int32)
    columns = np.arange(cols)
    for number, ulcer in enumerate(phantom.truth.ulcers, start=1):
        x1, y1 = ulcer.outline_px[:, 0], ulcer.outline_px[:, 1]
        x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
        for row in range(max(int(y1.min()), 0), min(int(y1.max()) + 2, rows)):
            cut = (y1 <= row) != (y2 <= row)
            crossings = np.sort(x1[cut] + (row - y1[cut]) / (y2[cut] - y1[cut]) * (x2[cut] - x1[cut]))
            labels[row, np.searchsorted(crossings, columns) % 2 == 1] = number
    return labels


def without_reference(spec: PhantomSpec) -> PhantomSpec:
    """Return the same photo with nothing of known size in it.

    Parameters
    ----------
    spec : PhantomSpec
        Any photo.

    Returns
    -------
    PhantomSpec
        Its reference of kind ``none``.
    """
    return replace(spec, reference=replace(spec.reference, kind="none"))
