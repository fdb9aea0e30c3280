"""Two readings of the same photos."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter.agreement import agreement, dice
from ulcermeter.agreement.overlap import common_area
from ulcermeter.errors import TableError
from ulcermeter.geometry import area


def disc(x: float, y: float, radius: float, *, n: int = 90, aspect: float = 1.0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), y + aspect * radius * np.sin(angle)])


def lens(radius: float, apart: float) -> float:
    """Area two equal discs share."""
    half = apart / 2
    return 2 * (radius**2 * math.acos(half / radius) - half * math.sqrt(radius**2 - half**2))


def test_dice_of_discs() -> None:
    a, b = disc(40, 30, 10, n=720), disc(47, 30, 10, n=720)
    assert dice(a, b) == pytest.approx(lens(10, 7) / (math.pi * 100), abs=0.001)
    assert dice(a, a) == pytest.approx(1, abs=5e-4) and dice(a, disc(80, 30, 10)) == 0


def test_common_area_of_a_shape_with_a_bay() -> None:
    horseshoe = np.array([[0, 0], [9, 0], [9, 6], [6, 6], [6, 2], [3, 2], [3, 6], [0, 6]], dtype=float)
    bar = np.array([[-1, 3], [12, 3], [12, 5], [-1, 5]], dtype=float)
    assert common_area(horseshoe, bar) == pytest.approx(12, rel=1e-3)
    assert area(horseshoe) == 42


@settings(max_examples=30)
@given(x=st.floats(-8, 8), y=st.floats(-8, 8), r=st.floats(2, 9), angle=st.floats(0, 6))
def test_dice_is_symmetric_and_does_not_turn(x: float, y: float, r: float, angle: float) -> None:
    a, b = disc(3, 5, 6, aspect=0.6), disc(3 + x, 5 + y, r, aspect=1.3)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    assert dice(a, b) == pytest.approx(dice(b, a), abs=1e-9)
    assert dice(a @ turn.T, b @ turn.T) == pytest.approx(dice(a, b), abs=0.004)


def reading(*ulcers: tuple[str, str, int, float, float, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measurements and outlines from (subject, photo, label, x, y, radius in px) at 10 px/mm."""
    rows, vertices = [], []
    for subject, photo, label, x, y, radius in ulcers:
        where = {"photo": photo, "hand": "left", "finger": "ring", "label": label}
        d = radius / 5
        rows.append(
            where
            | {"subject_id": subject, "centroid_x_px": x, "centroid_y_px": y, "diameter_mm": d, "width_mm": d}
            | {
                "reader": "R1",
                "area_mm2": math.pi / 4 * d**2,
                "perimeter_mm": math.pi * d,
                "over_threshold": "yes" if d > 2 else "no",
            }
        )
        points = disc(x, y, radius)
        vertices += [where | {"vertex": k, "x_px": px, "y_px": py} for k, (px, py) in enumerate(points)]
    return pd.DataFrame(rows), pd.DataFrame(vertices)


A = reading(("S01", "a.jpg", 1, 100, 80, 20), ("S01", "a.jpg", 2, 300, 90, 12), ("S02", "b.jpg", 1, 50, 70, 9))
B = reading(("S01", "a.jpg", 1, 301, 90, 14), ("S01", "a.jpg", 2, 101, 80, 13), ("S02", "b.jpg", 1, 50, 170, 9))


def test_ulcers_are_paired_by_overlap_and_not_by_label() -> None:
    got = agreement(A[0], B[0], outlines_a=A[1], outlines_b=B[1])
    pairs = got["pairs"]
    both = pairs[pairs["dice"].notna()]
    assert list(zip(both["label_a"], both["label_b"], strict=True)) == [(1, 2), (2, 1)]
    alone = pairs[pairs["photo"] == "b.jpg"]
    assert len(alone) == 2 and alone["dice"].isna().all()
    sizes = got["sizes"].set_index("measure")
    assert sizes.loc["diameter_mm", "n"] == 2
    assert sizes.loc["diameter_mm", "bias"] == pytest.approx(((4 - 2.6) + (2.4 - 2.8)) / 2)
    assert got["confusion"].loc["yes", "yes"] == 2
    assert got["overlap"]["n_photos"][0] == 2
    assert got["overlap"]["dice_mean"][0] < got["overlap"]["dice_pooled"][0]


def test_a_possible_ulcer_that_nobody_drew_is_no_disagreement() -> None:
    ulcer, elsewhere = ("S01", "a.jpg", 1, 100.0, 80.0, 14.0), ("S01", "a.jpg", 2, 300.0, 80.0, 9.0)
    person, machine = reading(ulcer), reading(ulcer, elsewhere)
    machine[0]["reader"] = "machine"
    for presence, alone in (("ulcer", 1), ("possible", 0)):
        machine[0].loc[1, "presence"] = presence
        pairs = agreement(person[0], machine[0], outlines_a=person[1], outlines_b=machine[1])["pairs"]
        assert (len(pairs), pairs["label_a"].isna().sum()) == (1 + alone, alone)
    machine[0]["presence"] = "possible"
    both = agreement(person[0], machine[0], outlines_a=person[1], outlines_b=machine[1])["pairs"]
    assert len(both) == 1 and both["dice"].iloc[0] == pytest.approx(1.0, abs=1e-3)


def test_without_outlines_the_nearest_centroids_are_paired() -> None:
    pairs = agreement(A[0], B[0])["pairs"]
    assert list(pairs["paired_by"]) == ["centroid"] * 3
    assert set(zip(pairs["label_a"], pairs["label_b"], strict=True)) == {(1, 2), (2, 1), (1, 1)}


def test_a_reading_agrees_with_itself_and_measures_nothing() -> None:
    got = agreement(A[0], A[0], outlines_a=A[1], outlines_b=A[1])
    assert got["counts"].iloc[0].to_dict() == {"n_read": 0, "n_accepted": 3, "n_machine": 0}
    assert got["sizes"]["sem"].isna().all() and got["calls"]["n"][0] == 0 and got["overlap"]["n_photos"][0] == 0


def test_two_runs_are_compared_in_their_sizes() -> None:
    runs = [frame.assign(reader="machine") for frame in (A[0], B[0])]
    got = agreement(runs[0], runs[1], outlines_a=A[1], outlines_b=B[1])
    sizes = got["sizes"].set_index("measure")
    assert sizes.loc["diameter_mm", "n"] == 2 and sizes.loc["diameter_mm", "bias"] == pytest.approx(0.5)
    assert sizes["sem"].isna().all() and sizes["smallest_detectable_change"].isna().all()


@pytest.mark.parametrize(("moved_px", "kind"), [(0.0, "accepted"), (0.01, "accepted"), (0.2, "read"), (2.0, "read")])
def test_the_same_outline_begun_elsewhere_is_the_same(moved_px: float, kind: str) -> None:
    """As a file that was handed back: another first vertex, the other way round, a hundredth of a pixel off."""
    machine = A[0].assign(reader="machine")
    turned = []
    for _, drawn in A[1].groupby(["photo", "label"]):
        x, y = (np.roll(drawn[axis].to_numpy()[::-1], 7) for axis in ("x_px", "y_px"))
        turned.append(drawn.assign(x_px=x + moved_px, y_px=y))
    got = agreement(machine, A[0], outlines_a=A[1], outlines_b=pd.concat(turned))
    assert set(got["pairs"]["comparison"]) == {kind}


def empty(photo: str, **said: object) -> pd.DataFrame:
    return pd.DataFrame([{"photo": photo, "hand": "left", "finger": "ring", "subject_id": "S01", "label": None} | said])


@pytest.mark.parametrize("drawn", [True, False])
def test_a_row_without_a_label_is_a_photo_on_which_nothing_was_found(drawn: bool) -> None:
    """As `measure` prints them: each reader missed one that the other drew."""
    a = pd.concat([A[0], empty("c.jpg", status="no ulcer"), empty("d.jpg"), empty("e.jpg", status="refused")])
    more = reading(("S01", "c.jpg", 1, 90, 90, 15), ("S01", "e.jpg", 1, 90, 90, 15))
    b = pd.concat([A[0][:2], more[0], empty("b.jpg"), empty("d.jpg")])
    outlines = {"outlines_a": A[1], "outlines_b": pd.concat([A[1], more[1]])[lambda t: t["photo"] != "b.jpg"]}
    got = agreement(a, b, **(outlines if drawn else {}))
    pairs = got["pairs"]
    assert list(pairs.loc[pairs["label_b"].isna(), "photo"]) == ["b.jpg"]
    assert list(pairs.loc[pairs["label_a"].isna(), "photo"]) == ["c.jpg"], "a photo that A refused was not read"
    assert got["counts"]["n_accepted"][0] == 2, "the two that both have are one outline"
    # b.jpg and c.jpg, on which one has drawn nothing, and d.jpg, on which neither has.
    assert (got["overlap"]["n_photos"][0], got["overlap"]["n_both_empty"][0]) == (3 if drawn else 0, 1)


def test_readings_of_other_photos_are_refused() -> None:
    with pytest.raises(TableError, match="same photos"):
        agreement(A[0][:2], B[0][2:])
