from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_outlines import calibration, cylinder, ellipse, on_cylinder, projected, segmentation

from ulcermeter import tables
from ulcermeter.datatypes import Calibration, Finger, OutlineSource, Rim
from ulcermeter.errors import Refusal
from ulcermeter.planimetry import diameter_line, measure
from ulcermeter.planimetry.interval import outline_offset_mm
from ulcermeter.protocol import read_protocol

PROTOCOL = read_protocol()


STILL = PROTOCOL.changed(
    slope_unknown_sd_deg=0.0, slope_finger_sd_deg=0.0, height_skin_sd_mm=0.0, height_table_sd_mm=0.0
)


def at_height(outline: np.ndarray, height_mm: float = 0.0) -> np.ndarray:
    return np.column_stack([outline, np.full(len(outline), height_mm)])


def row(outline_px: np.ndarray, found: Calibration, *, finger: Finger | None = None, protocol=PROTOCOL, **how):
    return measure(segmentation([outline_px], found, **how), finger=finger, protocol=protocol).iloc[0]


@pytest.mark.parametrize("tilt", [0.0, 12.0, 25.0])
def test_a_flat_ulcer_level_with_the_reference(tilt: float) -> None:
    found = row(projected(at_height(ellipse(4.0, 2.6)), tilt), calibration(tilt))
    assert found.diameter_mm == pytest.approx(4.0, abs=2e-3)
    assert found.width_mm == pytest.approx(2.6, abs=5e-3)
    assert found.area_mm2 == pytest.approx(np.pi * 2.6, rel=1e-3)
    assert found.equivalent_diameter_mm == pytest.approx(np.sqrt(4 * 2.6), rel=1e-3)
    assert found.method == "truth" and found.touches_border == "no"
    assert np.isnan(found.surface_area_mm2) and np.isnan(found.finger_s_mm)


@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_height_over_a_table_is_taken_out_exactly(tilt: float) -> None:
    # At 12 mm over the plane and 120 mm of camera height lengths look 11 % too long: 1.8 mm would read 2.0.
    found = row(projected(at_height(ellipse(1.8, 1.5), 12.0), tilt), calibration(tilt, on="table"))
    assert found.diameter_mm == pytest.approx(1.8, abs=1e-3)
    assert found.dominant_error == "height"


def test_a_stated_scale_is_not_corrected_for_height() -> None:
    outline = projected(at_height(ellipse(3.0, 2.0)), 0.0)
    table = row(outline, calibration(known=False, on="table"), protocol=STILL)
    assert table.diameter_mm == pytest.approx(3.0, abs=1e-3)
    assert table.diameter_high_mm - table.diameter_low_mm == pytest.approx(0.0, abs=1e-6)
    assert table.dominant_error == ""


def test_a_stated_scale_still_knows_the_skins_slope() -> None:
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    edge = on_cylinder(14 + 0.8 * np.cos(angle), 3 + 2.0 * np.sin(angle))
    found = calibration(known=False)
    seen = found.to_px(edge[:, :2])
    sloped = row(seen, found, finger=cylinder(found))
    assert sloped.diameter_mm == pytest.approx(16 * np.sin(2 / 8), rel=1e-3)
    assert row(seen, found).diameter_mm < 0.95 * sloped.diameter_mm


def test_an_outline_over_the_fingers_tip_stays_sane() -> None:
    found = calibration(15.0, on="table")
    round_end = 8 * np.sqrt(1 - np.maximum(1 - np.arange(0, 30, 0.5) / 8, 0) ** 2)
    finger = replace(cylinder(found), radii_mm=round_end)
    outline = projected(at_height(ellipse(4.0, 3.0, at=(1.0, -11.5)), 8.0), 15.0)
    got = row(outline, found, finger=finger)
    assert 3.5 < got.diameter_mm < 6.5 and got.over_threshold == "uncertain"


@pytest.mark.parametrize("tilt", [0.0, 15.0, 25.0])
@pytest.mark.parametrize("on", ["skin", "table"])
def test_the_caliper_on_a_finger_is_straight_and_on_the_skin(tilt: float, on: str) -> None:
    # A ring of skin round (s, t) = (14, 3): its slope is 21 degrees.
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    axis_height = 8.0 if on == "table" else -8.0 * np.cos(3 / 8) + 0.1
    s, t = 14 + 2.0 * np.cos(angle), 3 + 2.0 * np.sin(angle)
    edge = on_cylinder(s, t, axis_height_mm=axis_height)
    found = calibration(tilt, on=on)
    finger = cylinder(found, axis_height_mm=axis_height)
    got = row(projected(edge, tilt), found, finger=finger)
    truth = max(np.linalg.norm(edge[:, None] - edge[None], axis=2).ravel())
    # For a reference on the skin the edge's mean height is level with it by definition, here to within 0.1 mm.
    assert got.diameter_mm == pytest.approx(truth, rel=1e-3 if on == "table" else 2e-3)
    assert got.surface_diameter_mm == pytest.approx(4.0, rel=3e-3)
    assert got.surface_area_mm2 == pytest.approx(np.pi * 4, rel=4e-3)
    assert got.finger_s_mm == pytest.approx(14.0, abs=0.05)
    assert got.finger_t_mm == pytest.approx(3.0, abs=0.1)
    assert got.finger_t_sd_mm > 0


def test_steep_skin_cannot_be_decided() -> None:
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    found = calibration(on="table")
    for arc, answer in ((0.0, "yes"), (5.0, "uncertain")):
        edge = on_cylinder(14 + 2.5 * np.cos(angle), arc + 2.5 * np.sin(angle))
        assert row(projected(edge, 0.0), found, finger=cylinder(found)).over_threshold == answer


def test_a_two_millimetre_circle_does_not_read_more() -> None:
    """A circle on skin that may slope is rather longer than it looks; wander of an outline must not add to that."""
    for source in (OutlineSource.NETWORK, OutlineSource.READER):
        got = row(projected(at_height(ellipse(2.0, 2.0)), 0.0), calibration(), source=source, protocol=STILL)
        assert got.diameter_mm == pytest.approx(2.0, abs=2e-3)
        middle = (got.diameter_low_mm + got.diameter_high_mm) / 2
        assert middle == pytest.approx(2.0, abs=0.03)
        assert got.over_threshold == "uncertain" and got.dominant_error == "outline"


@pytest.mark.parametrize(("size", "answer"), [(1.4, "no"), (2.0, "uncertain"), (2.8, "yes")])
def test_the_three_way_answer(size: float, answer: str) -> None:
    outline = projected(at_height(ellipse(size, 0.8 * size)), 10.0)
    got = row(outline, calibration(10.0, rel_sd=0.01), source=OutlineSource.NETWORK)
    assert got.over_threshold == answer
    assert (got.probability_over_threshold > 0.5) == (size > 2.0) or size == 2.0


@pytest.mark.parametrize(("size", "answer"), [(1.4, "uncertain"), (2.8, "yes")])
def test_what_the_border_cuts_off_may_be_longer_but_never_shorter(size: float, answer: str) -> None:
    found = calibration(10.0)
    whole = segmentation([projected(at_height(ellipse(size, 0.8 * size)), 10.0)], found)
    got = measure(replace(whole, touches_border=(True,)), protocol=PROTOCOL).iloc[0]
    assert (got.over_threshold, got.touches_border) == (answer, "yes")
    assert got.diameter_mm == pytest.approx(size, abs=2e-3)


def test_exactly_the_threshold_is_not_over_it() -> None:
    got = row(projected(at_height(ellipse(2.0, 1.0)), 0.0), calibration(), protocol=STILL)
    strict = STILL.changed(threshold_diameter_mm=float(got.diameter_mm))
    assert row(projected(at_height(ellipse(2.0, 1.0)), 0.0), calibration(), protocol=strict).over_threshold == "no"


@settings(max_examples=10)
@given(st.floats(0.5, 9), st.floats(0.4, 1), st.floats(0, 25), st.floats(0.6, 1), st.booleans())
def test_the_interval_holds_its_estimate(size: float, thin: float, tilt: float, sure: float, table: bool) -> None:
    found = calibration(tilt, on="table" if table else "skin", rel_sd=0.01)
    got = row(
        projected(at_height(ellipse(size, thin * size)), tilt),
        found,
        source=OutlineSource.NETWORK,
        spread=0.25 * (1 - sure),
    )
    assert got.diameter_low_mm <= got.diameter_mm <= got.diameter_high_mm
    assert got.area_low_mm2 <= got.area_mm2 <= got.area_high_mm2
    assert 0 <= got.probability_over_threshold <= 1
    assert got.width_mm <= got.diameter_mm


def wide(got) -> float:
    return got.diameter_high_mm - got.diameter_low_mm


def test_more_noise_widens_the_interval() -> None:
    outline = projected(at_height(ellipse(3.0, 2.0)), 10.0)
    by_reference = [wide(row(outline, calibration(10.0, rel_sd=r))) for r in (0.0, 0.02, 0.05)]
    by_doubt = [
        wide(row(outline, calibration(10.0), source=OutlineSource.NETWORK, spread=s)) for s in (0.005, 0.05, 0.1)
    ]
    as_truth = wide(row(outline, calibration(10.0)))
    by_reader = wide(row(outline, calibration(10.0), source=OutlineSource.READER, confidence=1.0))
    assert by_reference == sorted(by_reference) and by_doubt == sorted(by_doubt)
    assert as_truth < by_doubt[0] < by_reader


@pytest.mark.parametrize(
    ("term", "how", "rules"),
    [
        ("reference", {"rel_sd": 0.04}, {}),
        ("height", {}, {"height_skin_sd_mm": 8.0}),
        ("slope", {}, {"slope_unknown_sd_deg": 20.0}),
    ],
)
def test_the_dominant_term_is_named(term: str, how: dict, rules: dict) -> None:
    got = row(
        projected(at_height(ellipse(3.0, 2.0)), 15.0), calibration(15.0, **how), protocol=PROTOCOL.changed(**rules)
    )
    assert got.dominant_error == term


@pytest.mark.parametrize(
    ("tilt", "how", "size"),
    [
        (5.0, {}, 3.0),
        (20.0, {"rel_sd": 0.02}, 2.0),
        (25.0, {"on": "table"}, 5.0),
        (10.0, {"on": "table", "rel_sd": 0.01}, 1.5),
    ],
)
@pytest.mark.parametrize("spread", [0.01, 0.06])
def test_the_combined_uncertainty_gives_the_interval(tilt: float, how: dict, size: float, spread: float) -> None:
    height = 12.0 if how.get("on") == "table" else 0.0
    outline = projected(at_height(ellipse(size, 0.7 * size), height), tilt)
    got = row(outline, calibration(tilt, **how), source=OutlineSource.NETWORK, spread=spread)
    assert wide(got) / 2 == pytest.approx(1.96 * got.u_combined_mm, rel=0.06)
    terms = {term: got[f"u_{term}_mm"] for term in ("reference", "height", "outline", "slope")}
    assert got.u_combined_mm == pytest.approx(math.sqrt(sum(u**2 for u in terms.values())), rel=1e-9)
    assert got.dominant_error == max(terms, key=lambda term: terms[term])


def test_each_term_of_the_budget_is_its_own() -> None:
    """Sizes worked out by hand: a circle level with its reference, seen from 120 mm."""
    outline = projected(at_height(ellipse(4.0, 4.0)), 0.0)
    bare = STILL.changed(boundary_smooth_sd_mm=0.0, outline_spread_factor=5.0)
    found = calibration(rel_sd=0.02)
    assert row(outline, calibration(), protocol=bare).u_combined_mm == pytest.approx(0.0, abs=1e-6)
    reference = row(outline, found, protocol=bare)
    assert reference.u_reference_mm == pytest.approx(0.02 * 4.0, rel=0.1)
    assert (reference.u_height_mm, reference.u_outline_mm, reference.u_slope_mm) == pytest.approx((0, 0, 0), abs=1e-6)
    height = row(outline, calibration(), protocol=bare.changed(height_skin_sd_mm=3.0))
    assert height.u_height_mm == pytest.approx(4.0 * 3.0 / 120, rel=0.06)
    edge = row(outline, calibration(), protocol=bare, source=OutlineSource.NETWORK, spread=0.02)
    # Half the interval is the factor times the spread: 5 * 0.02 * 4 mm.
    assert edge.u_outline_mm == pytest.approx(0.4 / 1.96, rel=0.06)


@pytest.mark.parametrize(
    ("spread", "pixel", "half"),
    [(0.05, 0.0, 0.05), (0.05, 0.02, 0.04), (0.01, 0.01, 0.005), (0.0, 0.02, 0.01), (-0.01, 0.0, 0.0)],
)
def test_a_rims_doubt_is_its_spread_less_what_a_sharp_edge_spreads(spread: float, pixel: float, half: float) -> None:
    """With half a pixel taken off, and half a pixel at least: half the interval over the factor and the diameter."""
    rules = PROTOCOL.changed(outline_spread_factor=4.0, outline_sharp_px=0.5, outline_least_px=0.5)
    offset = outline_offset_mm(Rim(spread, pixel), 3.0, protocol=rules)
    assert 2 * 1.96 * offset == pytest.approx(4.0 * half * 3.0, rel=1e-4)


def test_relative_width_of_the_reference_term() -> None:
    got = row(projected(at_height(ellipse(5.0, 4.0)), 0.0), calibration(rel_sd=0.02), protocol=STILL)
    assert wide(got) / got.diameter_mm == pytest.approx(2 * 1.96 * 0.02, rel=0.15)


def test_the_same_photo_gives_the_same_bytes_and_rows_keep_their_order() -> None:
    found = calibration(10.0, rel_sd=0.01)
    outlines = [projected(at_height(ellipse(d, 0.7 * d, at=(3 * d, 1))), 10.0) for d in (3.0, 2.0)]
    both = segmentation(outlines, found, source=OutlineSource.NETWORK)
    first = measure(both, protocol=PROTOCOL)
    assert first.to_csv() == measure(both, protocol=PROTOCOL).to_csv()
    assert list(first["label"]) == [1, 2] and list(first.columns) == tables.columns("measurements")
    assert (first["subject_id"] == "").all()


def test_nothing_found_is_an_empty_table() -> None:
    empty = measure(segmentation([], calibration()), protocol=PROTOCOL)
    assert len(empty) == 0 and list(empty.columns) == tables.columns("measurements")


def test_the_diameter_line_lies_on_the_outline() -> None:
    found = calibration(20.0)
    outline = projected(at_height(ellipse(4.0, 1.5, turn=0.0)), 20.0)
    ends = np.array(diameter_line(segmentation([outline], found), 1))
    assert np.linalg.norm(np.diff(found.to_mm(ends), axis=0)) == pytest.approx(4.0, abs=2e-3)
    assert all(np.linalg.norm(outline - end, axis=1).min() < 1e-9 for end in ends)


def test_intervals_cover_the_truth() -> None:
    """A known 3 x 2 mm ulcer, seen with an error of every term as large as the rules say, 150 times."""
    rng = np.random.default_rng(3)
    rules = PROTOCOL.changed(slope_unknown_sd_deg=6.0, outline_spread_factor=5.0, monte_carlo_draws=400)
    edge_sd_mm = 0.08
    outline, found = ellipse(3.0, 2.0), calibration(15.0, rel_sd=0.01)
    middle = outline.mean(axis=0)
    normal = (outline - middle) / np.linalg.norm(outline - middle, axis=1, keepdims=True)
    seen, truth = [], []
    for _ in range(150):
        height = rng.standard_normal() + (outline - middle) @ (np.tan(np.radians(6.0)) * rng.standard_normal(2))
        edge = np.column_stack([outline + rng.uniform(-8, 8, 2), height])
        truth.append(np.linalg.norm(edge[:, None] - edge[None], axis=2).max())
        drawn = edge + np.column_stack([edge_sd_mm * rng.standard_normal() * normal, np.zeros(len(edge))])
        # A scale that is 1 % off puts every point 1 % off in the plane.
        seen.append(found.to_px(found.to_mm(projected(drawn, 15.0)) * (1 + 0.01 * rng.standard_normal())))
    spread = edge_sd_mm * 2 * 1.96 / (5.0 * 3.0)
    got = measure(segmentation(seen, found, source=OutlineSource.NETWORK, spread=spread), protocol=rules)
    inside = (got["diameter_low_mm"] <= truth) & (truth <= got["diameter_high_mm"])
    # 95 % less twice the binomial error of 150.
    assert inside.mean() >= 0.914


def square(side: float, *, at: tuple = (-1.0, -6.0)) -> np.ndarray:
    return np.array([[0, 0], [side, 0], [side, side], [0, side]], dtype=float) + at


@pytest.mark.parametrize("source", [OutlineSource.READER, OutlineSource.NETWORK, OutlineSource.TRUTH])
@pytest.mark.parametrize(("side", "with_finger"), [(29.0, False), (31.0, False), (9.0, True), (16.0, True)])
def test_only_a_reader_traces_what_is_larger_than_the_finger(source, side, with_finger) -> None:
    """The finger is 16 mm broad and 30 mm of it in view, 480 mm²: 16 x 16 mm covers more than half of it."""
    found = calibration()
    finger = replace(cylinder(found), outline_mm=square(1.0) * (16, 30)) if with_finger else None
    traced = segmentation([found.to_px(square(side))], found, source=source)
    if source is OutlineSource.READER and side in (31.0, 16.0):
        with pytest.raises(Refusal, match="larger than an ulcer"):
            measure(traced, finger=finger, protocol=PROTOCOL)
    else:
        assert len(measure(traced, finger=finger, protocol=PROTOCOL)) == 1
