"""What to draw: the frozen descriptions of finger, ulcers, reference, camera, light and photo.

World coordinates, in mm: ``x`` across the finger, ``y`` along it with the fingertip at ``y = 0`` and the hand at
positive ``y``, ``h`` the height above the table (towards the camera). A camera without tilt and roll sees ``x`` to
the right and ``y`` down, so the fingertip points up in the photo.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class UlcerSpec:
    """One ulcer on the skin.

    ``diameter_mm`` is the longest straight 3-D caliper between two points of the edge; the outline is scaled until it
    is exactly that. ``s_mm`` is the distance from the fingertip along the axis. ``t_mm`` is the arc length around the
    finger from the mid-line that faces the camera, positive towards +x: the right side of an unrolled photo in which
    the fingertip points up. ``aspect`` is width over length of the underlying ellipse (0.3 to 1), ``angle_deg`` turns
    its long side from +x towards the hand, ``irregularity`` (0 to 1) adds lobes. ``wound_bed`` is what fills it,
    ``depth_mm`` the crater, ``halo`` (0 to 1) the redness around, ``rim`` (0 to 1) a pale callous edge outside it,
    ``crust`` (0 to 1) the share of the bed that a crust covers.
    """

    diameter_mm: float
    s_mm: float = 9.0
    t_mm: float = 0.0
    irregularity: float = 0.3
    aspect: float = 0.8
    angle_deg: float = 0.0
    wound_bed: str = "granulation"
    depth_mm: float = 0.5
    halo: float = 0.5
    rim: float = 0.3
    crust: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class FissureSpec:
    """One crack of the skin, which is no ulcer.

    ``s_mm`` and ``t_mm`` are its middle as for an ulcer, ``length_mm`` its length along the skin and ``width_mm`` its
    width in the middle; it ends in points. ``angle_deg`` turns it from across the finger (0) to along it (90). ``red``
    0 draws it dark, 1 red, ``callus`` (0 to 1) the pale hard skin beside it.
    """

    length_mm: float
    width_mm: float = 0.4
    s_mm: float = 9.0
    t_mm: float = 0.0
    angle_deg: float = 0.0
    red: float = 0.5
    callus: float = 0.4
    seed: int = 0


@dataclass(frozen=True)
class FingerSpec:
    """The finger: ``radius_mm`` at the middle of the end phalanx, ``taper`` (relative growth of the radius per 100 mm).

    ``side`` faces the camera: 'nail', 'pulp', 'radial' or 'ulnar'. ``skin_tone`` runs from 1 to 6 (Fitzpatrick).
    ``length_mm`` is what shows before a cloth covers the hand. ``mottling``, ``creases`` and ``tightness`` (0 to 1)
    set blotches, folds at the joints, and the waxy shine of tight skin. ``nail`` False leaves the nail's bed bare.
    """

    radius_mm: float = 8.0
    taper: float = 0.25
    length_mm: float = 75.0
    side: str = "pulp"
    skin_tone: float = 2.0
    mottling: float = 0.4
    creases: float = 0.6
    tightness: float = 0.4
    seed: int = 0
    nail: bool = True
    fissures: tuple[FissureSpec, ...] = ()


@dataclass(frozen=True)
class ReferenceSpec:
    """The printed thing of known size.

    ``kind``: 'aruco' or 'apriltag' (``size_mm`` the side of the black square), 'disc' (its diameter), 'id1' (a bank
    card; size fixed at 85.60 × 53.98 mm), 'ruler' (its length), 'card' (``texture``, a uint8 grey, RGB or RGBA picture
    of ``texture_size_mm`` (width, height); clear where A is 0) or 'none'. ``place`` 'skin' holds it level with the
    first ulcer, 'table' lays it on the table. ``offset_mm`` (x, y) goes from the first ulcer (from the finger's end
    phalanx when there is none) to the reference's centre, in the plane; ``rotation_deg`` turns it clockwise as seen by
    the camera. ``lift_mm`` raises it above where ``place`` would put it. ``tick_mm`` is a ruler's period (every fifth
    and tenth tick is longer), ``curve_radius_mm`` bends it in its plane, ``colour`` is of discs and bank cards.
    """

    kind: str = "aruco"
    size_mm: float = 10.0
    dictionary: str = "DICT_4X4_50"
    marker_id: int = 7
    place: str = "skin"
    offset_mm: tuple[float, float] = (0.0, 15.0)
    rotation_deg: float = 0.0
    lift_mm: float = 0.0
    colour: str = "blue"
    tick_mm: float = 1.0
    curve_radius_mm: float | None = None
    texture: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    texture_size_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class CameraSpec:
    """The pinhole camera and its faults.

    ``focal_35mm_mm`` is the EXIF value: the focal length in px is it × diagonal of the photo in px / 43.267 (CIPA
    DCG-001, the diagonal of 36 × 24 mm). ``px_per_mm`` is the scale at the first ulcer for a length seen square on
    (focal length over depth); ``distance_mm``, the depth of that ulcer, replaces it when given. ``tilt_deg`` is the
    angle between optical axis and table normal, leaning towards ``azimuth_deg`` (0 = +x, 90 = +y), ``roll_deg`` turns
    the camera. ``aim_mm`` (x, y) is what the optical axis hits, from the ulcer. ``k1``, ``k2`` are radial distortion
    as in OpenCV. ``blur_px`` is the sd of the lens's blur in linear light, ``noise_sd`` the sd of noise in 8-bit
    levels, ``vignetting`` the loss of light in the corners, ``white_balance`` the gains of red and blue.
    ``jpeg_quality`` and ``exif_orientation`` (1, 3, 6, 8) are for the file. Width and height are of the upright photo.
    """

    width_px: int = 1600
    height_px: int = 1200
    focal_35mm_mm: float = 52.0
    px_per_mm: float = 15.0
    distance_mm: float | None = None
    tilt_deg: float = 0.0
    azimuth_deg: float = 0.0
    roll_deg: float = 0.0
    aim_mm: tuple[float, float] = (3.0, 8.0)
    k1: float = 0.0
    k2: float = 0.0
    blur_px: float = 0.7
    noise_sd: float = 1.5
    vignetting: float = 0.15
    white_balance: tuple[float, float] = (1.0, 1.0)
    exposure_ev: float = 0.0
    jpeg_quality: int = 92
    exif_orientation: int = 1


@dataclass(frozen=True)
class LightSpec:
    """One lamp and the light from all around: where the lamp stands, the share of ambient light, shadow softness."""

    azimuth_deg: float = -120.0
    elevation_deg: float = 55.0
    ambient: float = 0.45
    softness: float = 0.25
    glare: float = 1.0


@dataclass(frozen=True)
class PhantomSpec:
    """One photo to draw: its finger, ulcers, reference, camera, light, table and what its EXIF says.

    ``finger`` None leaves the table bare (and the ulcers out). ``background`` is 'drape', 'green',
    'towel' (cloths), 'paper', 'wood', 'black' or 'grey'. ``seed`` drives the noise and the table.
    """

    finger: FingerSpec | None = field(default_factory=FingerSpec)
    ulcers: tuple[UlcerSpec, ...] = (UlcerSpec(diameter_mm=3.0),)
    reference: ReferenceSpec = field(default_factory=ReferenceSpec)
    camera: CameraSpec = field(default_factory=CameraSpec)
    light: LightSpec = field(default_factory=LightSpec)
    background: str = "drape"
    taken_at: dt.datetime | None = dt.datetime(2024, 1, 15, 10, 30, 0)
    make: str = "Phantom"
    model: str = "Pinhole 1"
    seed: int = 0
