"""The gates a photo must pass at the ulcer before its millimetres count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Note, NoteKind, Photo, Points
from ulcermeter.errors import Problem
from ulcermeter.quality.focus import measure_focus
from ulcermeter.reference import Reference, ReferenceKind

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["GateReport", "check_gates", "check_gates_along", "check_scale", "tilt_limit_deg"]

_MARGIN_MM = 2.0
"""Skin round the ulcer that is judged with it, mm: the edge and what it is told apart from."""
_LEAST_HALF_MM = 3.0
"""Half of the least window, mm: an ulcer of 2 mm with its margin."""
_BURNT, _BLACK = 250, 16
"""8-bit levels. Skin burns out in red first, which hides no edge: green decides. Black: even the brightest channel."""


_SURROUNDINGS_MM = 20.0
"""Half of what is looked at round the ulcer for the brightest parts: finger, ground and the reference's paper."""
_BRIGHTEST_PCT, _BRIGHT_PCT, _DARKEST_PCT = 99.0, 95.0, 1.0
"""Percentiles: of pixels, so that a few burnt or dead ones do not decide (assumption)."""


@dataclass(frozen=True)
class GateReport:
    """How a photo does at the ulcer.

    Attributes
    ----------
    px_per_mm : float
    tilt_deg : float
        NaN for a stated scale.
    scale_se_pct : float
        Relative standard error of length there, %; NaN for a stated scale.
    focus : float
        1/mm, see `ulcermeter.quality.focus.measure_focus`; NaN where it cannot be judged.
    exposure : float
        Share of pixels there, 0..1, that are neither burnt out nor black; 0 where the light is too dim.
    brightest : float
        Of the brightest channel within 20 mm, reference included, the 99th percentile; 8-bit level. Skin tone hardly
        matters to it: nails, gloss and paper are bright on every hand that is lit.
    finger_bright, finger_contrast : float
        On the finger round the ulcer: the 95th percentile, and the 99th less the 1st; 8-bit levels.
    failures : tuple of Problem
        One for each gate not passed: value, limit, what to do.
    warnings : tuple of Note
        What could not be judged.
    """

    px_per_mm: float
    tilt_deg: float
    scale_se_pct: float
    focus: float
    exposure: float
    brightest: float
    finger_bright: float
    finger_contrast: float
    failures: tuple[Problem, ...] = ()
    warnings: tuple[Note, ...] = ()


def check_gates(
    photo: Photo,
    calibration: Calibration,
    place_px: NDArray[np.floating],
    *,
    protocol: Protocol,
    finger_mask: NDArray[np.bool_] | None = None,
) -> GateReport:
    """Judge a photo at the ulcer.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
    place_px : float (K, 2) or (2,)
        The ulcer's outline, or, where none was found, the click, the middle of the box or of the photo; photo pixels.
    protocol : Protocol
        For `px_per_mm_min`, `tilt_max_deg`, `disc_tilt_max_deg`, `scale_se_max_pct`, `focus_min`, `exposure_min`,
        `brightest_min`, `finger_contrast_levels_min`.
    finger_mask : bool (M, N) or None
        True on the finger, photo pixels; the background's focus and exposure then do not count.

    Returns
    -------
    GateReport
    """
    return _judged(_measured(photo, calibration, place_px, finger_mask), protocol, calibration)


def check_gates_along(
    photo: Photo,
    calibration: Calibration,
    places_px: Sequence[NDArray[np.floating]],
    *,
    protocol: Protocol,
    finger_mask: NDArray[np.bool_] | None = None,
) -> GateReport:
    """Judge a photo along a finger without an ulcer: light and focus of one place, the scale of the middle of all.

    The place is that of the middling focus: one bare spot, or one sharp one, does not speak for a finger. The scale is
    not taken from it, or a little more light on another place would change the millimetres that are judged.

    Parameters
    ----------
    photo : Photo
    calibration : Calibration
    places_px : sequence of float (K, 2) or (2,)
        At least one; see `check_gates`.
    protocol : Protocol
        As for `check_gates`.
    finger_mask : bool (M, N) or None
        As for `check_gates`.

    Returns
    -------
    GateReport
        ``px_per_mm`` and ``scale_se_pct`` are medians over the places.
    """
    reports = [_measured(photo, calibration, place, finger_mask) for place in places_px]
    in_focus = sorted((r for r in reports if np.isfinite(r.focus)), key=lambda report: report.focus)
    middling = in_focus[(len(in_focus) - 1) // 2] if in_focus else reports[0]
    px_per_mm, scale_se_pct = np.median([(r.px_per_mm, r.scale_se_pct) for r in reports], axis=0)
    report = replace(middling, px_per_mm=float(px_per_mm), scale_se_pct=float(scale_se_pct))
    return _judged(report, protocol, calibration)


def _measured(
    photo: Photo, calibration: Calibration, place_px: NDArray[np.floating], finger_mask: NDArray[np.bool_] | None
) -> GateReport:
    """Return what is measured at a place, not yet judged."""
    places = np.atleast_2d(np.asarray(place_px, dtype=np.float64))
    centre = (places.min(axis=0) + places.max(axis=0)) / 2
    px_per_mm = calibration.px_per_mm(centre)
    left, top, right, bottom = _window(photo, places, px_per_mm)
    counted = _counted(calibration, (left, top, right, bottom), finger_mask)
    pixels = photo.pixels[top:bottom, left:right]
    bright, contrast = _finger_light(pixels, counted)
    return GateReport(
        px_per_mm=px_per_mm,
        tilt_deg=calibration.tilt_deg,
        scale_se_pct=100 * calibration.scale_se(centre),
        focus=measure_focus(pixels, px_per_mm=px_per_mm, counted=counted),
        exposure=_exposure(pixels, counted),
        brightest=_brightest(photo, centre, px_per_mm),
        finger_bright=bright,
        finger_contrast=contrast,
    )


def check_scale(calibration: Calibration, place_px: NDArray[np.floating], *, protocol: Protocol) -> tuple[Problem, ...]:
    """Judge what needs no pixels at an ulcer: resolution, tilt, and how sure the scale is there.

    Parameters
    ----------
    calibration : Calibration
    place_px : float (K, 2)
        The ulcer's outline, photo px.
    protocol : Protocol
        As for `check_gates`.

    Returns
    -------
    tuple of Problem
        One for each gate not passed.
    """
    centre = (place_px.min(axis=0) + place_px.max(axis=0)) / 2
    px_per_mm, scale_se_pct = calibration.px_per_mm(centre), 100 * calibration.scale_se(centre)
    return tuple(_too_far_or_tilted(px_per_mm, scale_se_pct, calibration, protocol))


def tilt_limit_deg(reference: Reference, protocol: Protocol) -> float:
    """Return the largest tilt at which a kind of reference is used, degrees.

    A disc's is smaller: which of two mirrored tilts it has decides how steep the skin is to the camera.

    Parameters
    ----------
    reference : Reference
        The reference.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    float
    """
    is_disc = reference.kind is ReferenceKind.DISC
    return protocol.gates.disc_tilt_max_deg if is_disc else protocol.gates.tilt_max_deg


def _window(photo: Photo, places: Points, px_per_mm: float) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the ulcer's surroundings, on the photo."""
    rows, cols = photo.pixels.shape[:2]
    centre = (places.min(axis=0) + places.max(axis=0)) / 2
    half = np.maximum(np.ptp(places, axis=0) / 2 + _MARGIN_MM * px_per_mm, _LEAST_HALF_MM * px_per_mm)
    low = np.clip(np.floor(centre - half), 0, [cols - 1, rows - 1]).astype(int)
    high = np.clip(np.ceil(centre + half) + 1, low + 1, [cols, rows]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _counted(
    calibration: Calibration, window: tuple[int, int, int, int], finger_mask: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Return which pixels of the window count: on the finger, and not on the reference."""
    left, top, right, bottom = window
    counted = np.ones((bottom - top, right - left), dtype=np.uint8)
    if len(calibration.reference_outline_px):
        polygon = np.rint(calibration.reference_outline_px - [left, top]).astype(np.int32)
        cv2.fillPoly(counted, [polygon], 0)
    if finger_mask is not None:
        counted &= finger_mask[top:bottom, left:right].astype(np.uint8)
    return counted.astype(bool)


def _exposure(pixels: NDArray[np.uint8], counted: NDArray[np.bool_]) -> float:
    if not counted.any():
        return float("nan")
    usable = (pixels[:, :, 1] < _BURNT) & (pixels.max(axis=2) > _BLACK)
    return float(usable[counted].mean())


def _brightest(photo: Photo, centre: NDArray[np.float64], px_per_mm: float) -> float:
    rows, cols = photo.pixels.shape[:2]
    low = np.clip(centre - _SURROUNDINGS_MM * px_per_mm, 0, [cols - 1, rows - 1]).astype(int)
    high = np.clip(centre + _SURROUNDINGS_MM * px_per_mm + 1, low + 1, [cols, rows]).astype(int)
    # Every third pixel tells a percentile as well.
    return float(np.percentile(photo.pixels[low[1] : high[1] : 3, low[0] : high[0] : 3].max(axis=2), _BRIGHTEST_PCT))


def _finger_light(pixels: NDArray[np.uint8], counted: NDArray[np.bool_]) -> tuple[float, float]:
    if not counted.any():
        return float("nan"), float("nan")
    levels = pixels[counted].max(axis=1)
    dark, bright, brightest = np.percentile(levels, (_DARKEST_PCT, _BRIGHT_PCT, _BRIGHTEST_PCT))
    return float(bright), float(brightest - dark)


def _judged(report: GateReport, protocol: Protocol, calibration: Calibration) -> GateReport:
    """Return the report with what failed; where it is too dim, nothing of the exposure is usable."""
    dim = _too_dim(report, protocol)
    if dim is not None:
        report = replace(report, exposure=0.0)
    found = (
        *_too_far_or_tilted(report.px_per_mm, report.scale_se_pct, calibration, protocol),
        _out_of_focus(report, protocol),
        dim or _badly_exposed(report, protocol),
    )
    notes = {
        NoteKind.SCALE_NOT_VERIFIED: math.isnan(report.scale_se_pct),
        NoteKind.FOCUS_NOT_JUDGED: math.isnan(report.focus),
    }
    return replace(
        report,
        failures=tuple(problem for problem in found if problem is not None),
        warnings=tuple(Note(kind) for kind, holds in notes.items() if holds),
    )


def _too_far_or_tilted(
    px_per_mm: float, scale_se_pct: float, calibration: Calibration, protocol: Protocol
) -> Iterator[Problem]:
    """Judge what the calibration says: scale, tilt, and how sure the scale is."""
    gates, reference, tilt_deg = protocol.gates, calibration.reference, calibration.tilt_deg
    if px_per_mm < gates.px_per_mm_min:
        yield Problem(
            f"{px_per_mm:.1f} px/mm at the ulcer (least {gates.px_per_mm_min:g})",
            action="go nearer, or set the camera to its full resolution",
        )
    if tilt_deg > (limit := tilt_limit_deg(reference, protocol)):
        yield Problem(f"tilt {tilt_deg:.0f}° (limit {limit:g}°)", action="hold the phone parallel to the reference")
    if scale_se_pct > gates.scale_se_max_pct:
        # A disc's mirrored tilts differ by distance × sin(tilt) / height of the camera: going nearer makes it worse.
        is_disc = reference.kind is ReferenceKind.DISC
        surer = " and hold the phone parallel to it" if is_disc else ", or go nearer"
        yield Problem(
            f"scale uncertain by {scale_se_pct:.1f} % at the ulcer (limit {gates.scale_se_max_pct:g} %)",
            action=f"lay the reference closer to the ulcer{surer}",
        )


def _out_of_focus(report: GateReport, protocol: Protocol) -> Problem | None:
    if not report.focus < protocol.gates.focus_min:
        return None
    got = f"edges {1 / report.focus:.2f} mm wide" if report.focus > 0 else "no edge to be seen"
    return Problem(
        f"{got} at the ulcer (limit {1 / protocol.gates.focus_min:.2f} mm)",
        action="tap on the ulcer to focus, hold the phone still and not too near",
    )


def _too_dim(report: GateReport, protocol: Protocol) -> Problem | None:
    """Return why there is too little light; None where there is enough.

    Judged by the brightest parts, and for a finger that is dark among bright things by whether anything stands out on
    it: never by how bright the skin is on average, which is a person's and not the light's.
    """
    least, contrast = protocol.gates.brightest_min, protocol.gates.finger_contrast_levels_min
    if report.brightest < least:
        return Problem(
            f"too dark: the brightest parts within {_SURROUNDINGS_MM:g} mm of the ulcer reach level "
            f"{report.brightest:.0f} of 255 (least {least:g})",
            action="use more light, by a lamp or a window",
        )
    if report.finger_bright < least and report.finger_contrast < contrast:
        return Problem(
            f"the finger lies in the dark: its brightest parts reach level {report.finger_bright:.0f} of 255 and what "
            f"is on it differs by {report.finger_contrast:.0f} (least {contrast:g})",
            action="use light that falls on the finger",
        )
    return None


def _badly_exposed(report: GateReport, protocol: Protocol) -> Problem | None:
    least = protocol.gates.exposure_min
    if not report.exposure < least:
        return None
    return Problem(
        f"only {100 * report.exposure:.0f} % of the skin round the ulcer is neither burnt out nor black (least "
        f"{100 * least:.0f} %)",
        action="use even light without flash",
    )
