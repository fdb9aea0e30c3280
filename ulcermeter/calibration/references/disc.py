"""A disc: an adhesive dot or a coin of known diameter.

Its picture is an ellipse exactly, whatever the perspective. With the focal length an ellipse gives scale and tilt, but
two tilts, mirrored, look the same: both go into the interval. The ellipse's middle is not the picture of the disc's
centre; that is the pole of the plane's horizon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.calibration.features.coin_face import face_of
from ulcermeter.calibration.features.ellipses import Ellipse, EllipseFit, find_ellipses, fit_ellipse
from ulcermeter.calibration.geometry.camera import CameraPrior, camera_prior
from ulcermeter.calibration.references.reference import FoundReference, KindOfReference
from ulcermeter.calibration.references.search_region import cropped
from ulcermeter.datatypes import Box, LensProfile, Photo, Points
from ulcermeter.datatypes.arrays import Matrix, Reals
from ulcermeter.errors import Problem, Refusal
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["DISC", "cropped", "disc_poses", "find_disc", "find_discs"]

_POINTS = 8
"""On the rim: more than the eight numbers of a homography need."""
_SLIDE_RAD = 0.3
"""How far the points may lie along the rim from where they are written down: no constraint for any tilt."""
_HIDDEN_SD = 0.06
"""Error of a rim, as a share of its radius, where none of it is seen on the ellipse."""
_COIN_MM, _COIN_SD = 15.0, 0.010
"""From this diameter a disc may be a coin (the smallest in use are about 16 mm), whose embossed edge, wall and shadow
leave each half axis of its rim this uncertain, as a share of its radius, however clear it is: on three photos of euro
coins lying flat their axes differ by 1.3 % (one standard deviation of a difference of two)."""
_LEAST_DIAMETER_PX = 40.0
"""A dot of 5 mm at the least px/mm that any photo may have; smaller circles are everywhere."""
_LEAST_SUPPORT, _LEAST_SUPPORT_BOXED, _LEAST_SUPPORT_FAINT = 0.65, 0.50, 0.85
"""Share of a rim that must be seen: less where a person points at it, more of a faint one, as texture has many
(assumption)."""
_LARGEST_RMS = (0.30, 0.012)
"""How far a rim may wander from an ellipse: px, and as a share of its radius."""
_LEAST_CONTRAST = 0.015
"""Across a rim, linear light 0..1: two 8-bit levels among bright ones (assumption)."""
_LEAST_QUALITY = 0.60
"""Of a rim that no box points at. On 164 photos of wounds without a disc (fuseg/train) rims over 40 px reach 0.54, on
photos of euro coins the worst coin has 0.64."""
_MOST_TRIED = 20
"""Guesses that are fitted at full resolution, best first (assumption)."""
_BETTER_OBSERVED = 0.15
"""By how much more of a rim may be seen at full resolution than on the shrunken photo."""
_CLEARLY_BETTER = 0.12
"""Lead in quality by which one candidate is chosen over another without being asked."""
_SAME_RIM = 0.88
"""Of radii: rims nearer than this may be a coin's face and its wall (assumption)."""
_LONG_SIDES_PX, _LONG_SIDES_BOXED_PX = (900, 360), (420, 210)
"""Of the shrunken photos: small discs show on the first, large ones on the second; a box is mostly disc."""
_BOX_FITS = (0.6, 1.4)
"""Of a disc's diameter over the box drawn round it: hands draw somewhat too large or too small (assumption)."""
_CENTRE_WITHIN, _LESS_VISIBLE = 0.95, 0.25
"""A disc lies in another where its centre does, in the other's radii, and the other is not seen so much less
(assumption)."""
_WANDER_COUNTS, _CONTRAST_COUNTS, _CLEAR_CONTRAST, _OFF_COUNTS, _ROUND_COUNTS = 0.3, 0.1, 0.2, 2.0, 3.0
"""Weights beside the share of the rim that is seen: how far it wanders, over the most it may; its contrast, up to a
clear one (linear light); its distance from a box's middle, in boxes; and, of rims that nearly coincide, how round it
is. They order candidates, and decide with `_LEAST_QUALITY` (assumption)."""
_POINT_SD_MM = 0.003
"""A disc is cut or struck round to a few micrometres (assumption); its error is the rim's."""
_OUTLINE_POINTS, _OUTLINE_SHARE = 72, 1.03
"""Of the outline that is kept off the skin: every five degrees, and its radius over the rim's, for blur."""


def find_disc(
    photo: Photo, reference: Reference, *, region: Box | None, protocol: Protocol, lens: LensProfile | None = None
) -> FoundReference | None:
    """Find the one disc on a photo, or the one that the region is drawn round.

    Parameters
    ----------
    photo : Photo
    reference : Reference
        Of kind `DISC`, with its diameter.
    region : Box or None
    protocol : Protocol
    lens : LensProfile or None

    Returns
    -------
    FoundReference or None
        None where no round rim is seen.

    Raises
    ------
    Refusal
        Several discs that could be meant; one whose rim is cut by the photo's edge.
    """
    discs = find_discs(photo.pixels, region=region)
    if not discs:
        return None
    if len(discs) > 1 and _quality(discs[1], region) > _quality(discs[0], region) - _CLEARLY_BETTER:
        raise _ambiguous(discs)
    camera = camera_prior(photo, protocol=protocol, lens=lens)
    assert reference.size_mm is not None
    # A dot is flat: round it are only its ground's edges.
    disc = face_of(photo.pixels, discs[0], camera) if reference.size_mm >= _COIN_MM else discs[0]
    _refuse_small(disc)
    return _found(reference.size_mm, disc, camera, protocol.calibration.disc_size_sd_pct)


def find_discs(pixels: NDArray[np.uint8], *, region: Box | None = None) -> list[EllipseFit]:
    """Return the discs on a picture, the likeliest first; of concentric rims only the outermost.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    region : Box or None
        Only discs whose centre lies inside.

    Returns
    -------
    list of EllipseFit
        Photo px.
    """
    fits = _fits(pixels, region, faint=False) or _fits(pixels, region, faint=True)
    return sorted(_outermost(fits), key=lambda fit: -_quality(fit, region))


def _fits(pixels: NDArray[np.uint8], region: Box | None, *, faint: bool) -> list[EllipseFit]:
    patch, origin = cropped(pixels, region)
    sides = _LONG_SIDES_PX if region is None else _LONG_SIDES_BOXED_PX
    least = _LEAST_SUPPORT_FAINT if faint else 0.0
    guesses = [
        g for g in find_ellipses(patch, long_sides_px=sides, faint=faint) if g.support > least - _BETTER_OBSERVED
    ]
    fits = []
    for guess in guesses[:_MOST_TRIED]:
        fitted = fit_ellipse(pixels, Ellipse(guess.centre_px + origin, guess.shape_px, guess.support))
        if fitted is None or fitted.ellipse.support < least:
            continue
        if _is_disc(fitted, region) and _inside(fitted, region):
            fits.append(fitted)
    return fits


def _is_disc(fit: EllipseFit, region: Box | None) -> bool:
    wander = max(_LARGEST_RMS[0], _LARGEST_RMS[1] * fit.ellipse.radius_px)
    least = _LEAST_SUPPORT if region is None else _LEAST_SUPPORT_BOXED
    if region is None and _quality(fit, None) < _LEAST_QUALITY:
        return False
    return fit.ellipse.support >= least and fit.rms_px <= wander and fit.contrast >= _LEAST_CONTRAST


def _inside(fit: EllipseFit, region: Box | None) -> bool:
    if region is None:
        return True
    x, y, width, height = region
    if not _BOX_FITS[0] < 2 * fit.ellipse.radius_px / max(width, height) < _BOX_FITS[1]:
        return False
    return bool(x <= fit.ellipse.centre_px[0] <= x + width and y <= fit.ellipse.centre_px[1] <= y + height)


def _outermost(fits: list[EllipseFit]) -> list[EllipseFit]:
    """Leave out what lies inside another disc; of rims that nearly coincide keep the one most like a disc's.

    A coin has its face's rim and, where its wall is seen, an outline that is no ellipse.
    """
    kept: list[EllipseFit] = []
    for fit in sorted(fits, key=lambda f: -f.ellipse.radius_px):
        at = next((i for i, k in enumerate(kept) if _within(fit, k)), None)
        if at is None:
            kept.append(fit)
        elif fit.ellipse.radius_px > _SAME_RIM * kept[at].ellipse.radius_px and _purity(fit) > _purity(kept[at]):
            kept[at] = fit
    return kept


def _within(fit: EllipseFit, other: EllipseFit) -> bool:
    apart = float(np.hypot(*(fit.ellipse.centre_px - other.ellipse.centre_px)))
    near = apart < _CENTRE_WITHIN * other.ellipse.radius_px
    return near and other.ellipse.support > fit.ellipse.support - _LESS_VISIBLE


def _purity(fit: EllipseFit) -> float:
    low, high = np.linalg.eigvalsh(fit.ellipse.shape_px)
    return _quality(fit, None) + _ROUND_COUNTS * float(low / high)


def _quality(fit: EllipseFit, region: Box | None) -> float:
    """Return how much a rim looks like a disc's: how much of it is seen, how round, how clear, how well boxed."""
    wander = fit.rms_px / max(_LARGEST_RMS[0], _LARGEST_RMS[1] * fit.ellipse.radius_px)
    clear = min(fit.contrast / _CLEAR_CONTRAST, 1.0)
    quality = fit.ellipse.support - _WANDER_COUNTS * wander + _CONTRAST_COUNTS * clear
    if region is not None:
        off = fit.ellipse.centre_px - np.array([region[0] + region[2] / 2, region[1] + region[3] / 2])
        size = max(region[2], region[3])
        quality -= _OFF_COUNTS * float(np.hypot(*off)) / size + abs(np.log(2 * fit.ellipse.radius_px / size))
    return quality


def _ambiguous(discs: list[EllipseFit]) -> Refusal:
    places = "; ".join(
        f"{2 * d.ellipse.radius_px:.0f} px across at ({d.ellipse.centre_px[0]:.0f}, {d.ellipse.centre_px[1]:.0f})"
        for d in discs[:6]
    )
    return Refusal(
        Problem(
            where="reference",
            expected="one disc",
            got=f"{len(discs)} that could be meant ({places})",
            action="draw a reference box round the right one, or photograph it alone",
        )
    )


def _refuse_small(disc: EllipseFit) -> None:
    if 2 * disc.ellipse.radius_px < _LEAST_DIAMETER_PX:
        raise Refusal(
            Problem(
                where="reference disc",
                expected=f"at least {_LEAST_DIAMETER_PX:g} px across",
                got=f"{2 * disc.ellipse.radius_px:.0f}",
                action="go nearer, or set the camera to its full resolution",
            )
        )


def _found(size_mm: float, disc: EllipseFit, camera: CameraPrior, size_sd_pct: float) -> FoundReference:
    angles = np.arange(_POINTS) * (2 * np.pi / _POINTS)
    circle = np.column_stack([np.cos(angles), np.sin(angles)]) * size_mm / 2
    many = np.arange(_OUTLINE_POINTS) * (2 * np.pi / _OUTLINE_POINTS)
    outline = Ellipse(disc.ellipse.centre_px, disc.ellipse.shape_px * _OUTLINE_SHARE).rim(many)
    poses = disc_poses(disc.ellipse, size_mm, camera)
    return FoundReference(
        reference=Reference(ReferenceKind.DISC, size_mm),
        points_px=disc.ellipse.rim(angles),
        points_mm=circle,
        covariance_px2=_covariance(disc, angles, rim_sd=_COIN_SD if size_mm >= _COIN_MM else 0.0),
        outline_px=outline,
        starts_px=tuple(_projected(pose, circle, camera) for pose in poses),
        size_sd_pct=size_sd_pct,
        point_sd_mm=_POINT_SD_MM,
    )


def _covariance(disc: EllipseFit, angles: Reals, *, rim_sd: float) -> Matrix:
    """Return the covariance of points at these angles: they go where the ellipse goes, and along its rim anywhere.

    An ellipse fixes five of a homography's eight numbers: moved, stretched or sheared, it takes its points along as
    another tilt of the disc would, not only across the rim. Of the other three, a turn means nothing; two slide the
    points along the rim, as sine and cosine of the angle. These are left to the camera's prior.
    """
    x, y, one, none = np.cos(angles), np.sin(angles), np.ones(len(angles)), np.zeros(len(angles))
    carried = np.stack(
        [np.column_stack([one, none, x, y, none]), np.column_stack([none, one, none, x, y])], axis=1
    ).reshape(-1, 5)
    along = np.column_stack([-y, x]) @ disc.ellipse.shape_px
    slides = np.stack([along * x[:, None], along * y[:, None]], axis=-1).reshape(-1, 2)
    # What a rim departs from an ellipse in detail it may also depart as an ellipse; and where it is not seen on the
    # ellipse it is seen elsewhere: a coin's wall, a shadow.
    loose = max(_HIDDEN_SD * (1 - disc.ellipse.support), rim_sd)
    loose_px = float(np.hypot(disc.rms_px, loose * disc.ellipse.radius_px))
    shared = disc.covariance + loose_px**2 * np.diag([1.0, 1.0, 1.0, 0.5, 1.0])
    covariance = carried @ shared @ carried.T + (_SLIDE_RAD**2) * (slides @ slides.T)
    return np.asarray(covariance + 1e-6 * np.eye(len(covariance)), dtype=np.float64)


def _projected(frame: Matrix, points_mm: Points, camera: CameraPrior) -> Points:
    inside = np.column_stack([points_mm, np.ones(len(points_mm))]) @ frame.T
    return np.asarray(inside[:, :2] / inside[:, 2:] * camera.focal_px + np.asarray(camera.centre_px))


def disc_poses(ellipse: Ellipse, size_mm: float, camera: CameraPrior) -> tuple[Matrix, Matrix]:
    """Return the two poses of a circle that is seen as this ellipse.

    Parameters
    ----------
    ellipse : Ellipse
    size_mm : float
        The circle's diameter.
    camera : CameraPrior

    Returns
    -------
    two float64 (3, 3)
        [r1 r2 t]: from plane mm about the circle's centre to the camera's mm; r1 along the photo's x.

    Notes
    -----
    The rays through the ellipse are a cone xᵀQx = 0. With Q's eigenvalues l1 ≥ l2 > 0 > l3 the planes that cut it in
    circles have normals ± sqrt((l1-l2)/(l1-l3)) e1 + sqrt((l2-l3)/(l1-l3)) e3 (Kanatani & Liu 1993, 3D
    interpretation of conics and orthogonality); the circle's centre is seen at the pole of the plane's horizon, Q⁻¹n.
    """
    inverse = np.linalg.inv(ellipse.shape_px)
    half = inverse @ inverse
    moved = np.asarray(camera.centre_px) - ellipse.centre_px
    cone = np.zeros((3, 3))
    cone[:2, :2] = half * camera.focal_px**2
    cone[:2, 2] = cone[2, :2] = half @ moved * camera.focal_px
    cone[2, 2] = moved @ half @ moved - 1
    values, vectors = np.linalg.eigh(cone)
    (l3, l2, l1), (e3, e1) = values, (vectors[:, 0], vectors[:, 2])
    along, transverse = np.sqrt((l2 - l3) / (l1 - l3)), np.sqrt(max(l1 - l2, 0.0) / (l1 - l3))
    e3 = e3 * np.sign(e3[2])
    first, second = (_frame(along * e3 + sign * transverse * e1, cone, size_mm / 2) for sign in (1, -1))
    return first, second


def _frame(normal: Matrix, cone: Matrix, radius_mm: float) -> Matrix:
    normal = normal / np.linalg.norm(normal) * np.sign(normal[2])
    centre = np.linalg.solve(cone, normal)
    centre = centre / centre[2]
    x_axis = np.array([1.0, 0, 0]) - normal[0] * normal
    x_axis /= np.linalg.norm(x_axis)
    # Where the cone meets the plane through (centre) along x: (centre + s x)' Q (centre + s x) = 0.
    a, b, c = x_axis @ cone @ x_axis, x_axis @ cone @ centre, centre @ cone @ centre
    reach = float((-b + np.sqrt(max(b * b - a * c, 0.0))) / a)
    return np.column_stack([x_axis, np.cross(normal, x_axis), centre * radius_mm / reach])


DISC = KindOfReference(
    find_disc,
    "stick the dot beside the ulcer so that all of its edge can be seen",
    held_against=(ReferenceKind.CARD, ReferenceKind.ID1),
)
