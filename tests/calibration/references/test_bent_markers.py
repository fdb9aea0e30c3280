"""A marker bent round a finger is refused or carries an error that covers; a flat one stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bent_markers import Bent, chance, draw_bent, project, true_px_per_mm, ulcer_px

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.features.marker_bending import fit_bending
from ulcermeter.calibration.features.marker_fit import fit_marker
from ulcermeter.calibration.references.aruco import find_aruco, find_markers
from ulcermeter.datatypes import NoteKind
from ulcermeter.errors import Refusal
from ulcermeter.protocol import read_protocol
from ulcermeter.reference import parse_reference

PROTOCOL = read_protocol()
SQUARE_ON = Bent(None, 0.0, 17.0, 0.0, 0.0, 15.0, 26.0, (15.0, 4.0))


def scale_error(bent: Bent) -> tuple[float, float] | str:
    """Return the error of the scale at the ulcer and its standard error, relative; or the refusal."""
    try:
        calibration = calibrate(draw_bent(bent), reference="aruco:10", protocol=PROTOCOL)
    except Refusal as refusal:
        return str(refusal)
    at = ulcer_px(bent)
    return calibration.px_per_mm(at) / true_px_per_mm(bent) - 1, calibration.scale_se(at)


def test_the_drawn_marker_lies_where_the_camera_sees_it() -> None:
    """The renderer against its own projection: corners of a flat marker, and the ends of a bent one by hand."""
    photo = draw_bent(SQUARE_ON)
    fit = fit_marker(photo.pixels, find_markers(photo, dictionary=None, region=None)[0])
    cos, sin = np.cos(np.deg2rad(17)), np.sin(np.deg2rad(17))
    unit = np.array([[-5, -5], [5, -5], [5, 5], [-5, 5.0]]) @ np.array([[cos, sin], [-sin, cos]])
    assert fit is not None
    assert np.abs(fit.corners_px - project(SQUARE_ON, np.column_stack([unit, np.zeros(4)]))).max() < 0.06
    # Round 20 mm half a side spans 0.25 rad: it ends at 20 sin .25 = 4.948 mm, 20 (1 - cos .25) = 0.622 mm lower.
    bent = replace(SQUARE_ON, radius_mm=20.0, turn_deg=0.0, away_mm=(0.001, 0.0))
    dark = draw_bent(bent).pixels.max(axis=2) < 130
    rows = np.flatnonzero(dark.sum(axis=1) > 60)
    ends = project(bent, np.array([[0, -4.948, -0.622], [0, 4.948, -0.622]]))[:, 1]
    assert (rows[0] - 0.5, rows[-1] + 0.5) == pytest.approx(tuple(ends), abs=1.2)


def test_displacements_of_bent_paper_are_told_from_noise_and_from_perspective() -> None:
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1, (120, 2))
    normals = np.where(rng.random((120, 1)) < 0.5, (1.0, 0.0), (0.0, 1.0))
    axes = np.broadcast_to(np.eye(2) * 150, (120, 2, 2))
    x, y = (2 * places - 1).T
    zero, one = np.zeros(120), np.ones(120)
    flat = [(x, zero), (y, zero), (one, zero), (zero, x), (zero, y), (zero, one), (x * x, x * y), (x * y, y * y)]
    plane = np.column_stack([np.sum(normals * np.column_stack(pair), axis=1) for pair in flat])
    noise = rng.normal(0, 0.02, 120)
    seen = plane @ rng.normal(0, 3, 8) + noise
    assert fit_bending(places, axes, normals, plane, seen).ratio < 3
    # A cylinder of twice the side's length: u - R sin(u / R) of its half side 1/2, in sides.
    shortened = (x / 2 - 2 * np.sin(x / 4)) * 150
    bent = fit_bending(places, axes, normals, plane, seen - normals[:, 0] * shortened)
    # Its cubic part, x³ / 192 in half-side units, less the best line under it: rms of x³ - 3x/5 is 0.151.
    assert bent.share == pytest.approx(0.151 / 192, rel=0.2) and bent.ratio > 3


@pytest.mark.parametrize("seed", range(6))
def test_flat_markers_are_neither_refused_nor_widened(seed: int) -> None:
    bent = chance(seed, radius_mm=None)
    photo = draw_bent(bent)
    found = find_aruco(photo, parse_reference("aruco:10"), region=None, protocol=PROTOCOL)
    assert found is not None and (found.point_sd_mm, found.size_sd_pct, found.warnings) == (None, None, ())
    error = scale_error(bent)
    assert not isinstance(error, str) and abs(error[0]) < 1.96 * error[1]


@pytest.mark.parametrize("seed", range(12))
def test_bent_markers_are_refused_or_their_error_covers(seed: int) -> None:
    error = scale_error(chance(seed, radius_mm=8.0 + 4.0 * seed))
    if isinstance(error, str):
        assert "flat" in error
    else:
        assert abs(error[0]) < 1.96 * error[1]


def test_a_tightly_bent_marker_is_refused_with_what_to_do() -> None:
    errors = [scale_error(replace(SQUARE_ON, radius_mm=9.0, axis_deg=axis, tilt_deg=8.0)) for axis in (0, 45, 90)]
    assert all(isinstance(error, str) and "lay" in error and "flat" in error for error in errors)


def test_a_slightly_bent_marker_says_so() -> None:
    bent = replace(SQUARE_ON, radius_mm=45.0, axis_deg=30.0, tilt_deg=12.0, azimuth_deg=120.0)
    calibration = calibrate(draw_bent(bent), reference="aruco:10", protocol=PROTOCOL)
    assert NoteKind.MARKER_BENT in [note.kind for note in calibration.warnings]
    assert calibration.px_per_mm(ulcer_px(bent)) == pytest.approx(true_px_per_mm(bent), rel=0.03)
