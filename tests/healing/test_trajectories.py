"""The table of trajectories, from tracked rows written by hand."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter import follow_healing, read_protocol
from ulcermeter.healing import healing_interval, is_confirmed
from ulcermeter.tables import columns
from ulcermeter.tables.cells import records
from ulcermeter.tables.flags import Flag, FlagKind, read_flags, write_flags

PROTOCOL = read_protocol("manus")
ZERO = date(2016, 5, 2)
VISIT_ON = {visit.day: visit.name for visit in PROTOCOL.visits if visit.day is not None} | {-14: "screening"}


def row(day: int, state: str, diameter: float | None = None, *, ulcer: int = 1, photo: str = "", **more: Any) -> dict:
    """One tracked row of a round ulcer; without a diameter a row where nothing was outlined."""
    near = min(VISIT_ON, key=lambda planned: abs(planned - day))
    cells: dict[str, Any] = {
        "subject_id": "S01",
        "ulcer_id": f"S01-left-index-{ulcer}",
        "hand": "left",
        "finger": "index",
        "visit": VISIT_ON[near],
        "date": (ZERO + timedelta(days=day)).isoformat(),
        "day": day,
        "photo": photo or f"{day}.jpg",
        "view": "palmar",
        "state": state,
        "flags": "",
    }
    if diameter is not None:
        area = math.pi / 4 * diameter**2
        cells |= {"label": ulcer, "diameter_mm": diameter, "perimeter_mm": math.pi * diameter, "area_mm2": area}
        cells |= {"diameter_low_mm": 0.95 * diameter, "diameter_high_mm": 1.05 * diameter}
        cells |= {"area_low_mm2": 0.92 * area, "area_high_mm2": 1.08 * area}
    return cells | more


def follow(*rows: dict, limit: float = 0.8) -> pd.DataFrame:
    tracked = pd.DataFrame(list(rows))
    photos = tracked[["photo", "subject_id", "visit", "date", "hand", "finger", "view"]].drop_duplicates()
    photos = photos[photos["photo"] != ""].assign(status="measured", detection_limit_mm=limit)
    return follow_healing(tracked, photos, protocol=PROTOCOL)


def test_one_ulcer_from_baseline_to_healed() -> None:
    table = follow(
        row(-14, "first seen", 4.0), row(0, "persistent", 4.0), row(28, "persistent", 2.0), row(56, "healed")
    )
    assert list(table.columns) == columns("trajectories")
    assert list(table["area_reduction_pct"].round(6))[1:] == [0.0, 75.0, 100.0]
    assert np.isnan(table["area_reduction_pct"][0])
    assert list(table["margin_advance_mm_per_week"].round(6))[1:] == [0.0, 0.25, 0.25]
    assert list(table["change_from_baseline"]) == ["", "", "better", "better"]
    assert list(table["change_from_previous"]) == ["", "same", "better", "better"]
    healed = table.iloc[3]
    assert (healed["diameter_mm"], healed["diameter_low_mm"], healed["diameter_high_mm"]) == (0.0, 0.0, 0.8)
    assert healed["area_high_mm2"] == pytest.approx(math.pi / 4 * 0.64)
    assert set(table["detection_limit_mm"]) == {0.8}
    assert "56.jpg" in healed["evidence"]


@pytest.mark.parametrize(
    ("second", "view", "told", "change"),
    [
        (1.5, "palmar", True, "uncertain"),  # 2.85-3.15 and 1.43-1.58: one of the two is of something else
        (2.8, "palmar", False, "same"),  # 2.66-2.94 meets 2.85-3.15
        (1.5, "tip", False, "better"),  # seen from its end an ulcer is shorter
    ],
)
def test_photos_of_a_visit_that_exclude_each_other(second: float, view: str, told: bool, change: str) -> None:
    rows = [row(0, "first seen", 3.0), row(28, "persistent", 3.0, photo="a.jpg")]
    table = follow(*rows, row(28, "persistent", second, photo="b.jpg", view=view))
    at_28 = table.iloc[1]
    kinds = {flag.kind for flag in read_flags(at_28["flags"])}
    assert (FlagKind.PHOTOS_DISAGREE in kinds) == told
    assert at_28["change_from_baseline"] == change


def test_photos_of_a_visit_are_averaged_and_so_are_their_ends() -> None:
    table = follow(row(0, "first seen", 3.0, photo="a.jpg"), row(0, "first seen", 3.2, photo="b.jpg"))
    assert len(table) == 1 and table["n_photos"][0] == 2
    assert table["diameter_mm"][0] == pytest.approx(3.1)
    assert table["diameter_low_mm"][0] == pytest.approx(3.1 * 0.95)
    assert table["area_mm2"][0] == pytest.approx(math.pi / 4 * (9 + 3.2**2) / 2)
    assert table["evidence"][0] == "photos a.jpg, b.jpg"


def test_an_outline_drawn_twice_on_a_photo_does_not_count_twice() -> None:
    once = follow(row(0, "first seen", 3.0))
    twice = follow(row(0, "first seen", 3.0), row(0, "first seen", 3.0, label=2))
    assert twice["area_mm2"][0] == pytest.approx(once["area_mm2"][0]) and twice["n_photos"][0] == 1


def test_parts_of_a_split_add_areas_and_give_the_longest_diameter() -> None:
    parts = [row(28, "split", 2.5, photo="x.jpg"), row(28, "split", 1.5, photo="x.jpg", label=2)]
    table = follow(row(0, "first seen", 5.0), *parts, row(28, "split", 2.5, photo="only one part.jpg"))
    now = table.iloc[1]
    assert now["area_mm2"] == pytest.approx(math.pi / 4 * (2.5**2 + 1.5**2)) and now["diameter_mm"] == 2.5
    assert now["n_photos"] == 1 and now["diameter_low_mm"] <= 2.5 <= now["diameter_high_mm"]
    lost = (25 - 2.5**2 - 1.5**2) / ((5 + 4) / 2) / 4
    assert now["margin_advance_mm_per_week"] == pytest.approx(lost / 4)


def test_after_a_merge_both_former_areas_stand_before_it() -> None:
    gone = row(28, "merged", ulcer=1, photo="", merged_into="S01-left-index-2")
    table = follow(row(0, "first seen", 2.0), row(0, "first seen", 4.0, ulcer=2), gone, row(28, "merged", 4.5, ulcer=2))
    host = table[(table["ulcer_id"] == "S01-left-index-2") & (table["day"] == 28)].iloc[0]
    assert host["area_reduction_pct"] == pytest.approx(100 * (20 - 4.5**2) / 20)
    assert host["change_from_baseline"] == host["change_from_previous"] == "same"
    lost = table[(table["ulcer_id"] == "S01-left-index-1") & (table["day"] == 28)].iloc[0]
    assert np.isnan(lost["area_mm2"]) and lost["change_from_previous"] == "uncertain"


@pytest.mark.parametrize("state", ["indeterminate", "not photographed", "amputated"])
def test_what_was_not_seen_has_no_number(state: str) -> None:
    now = follow(row(0, "first seen", 3.0), row(28, state, photo="" if state != "indeterminate" else "x.jpg")).iloc[1]
    assert now[["diameter_mm", "diameter_high_mm", "area_mm2", "area_reduction_pct"]].isna().all()
    assert now["change_from_baseline"] == now["change_from_previous"] == "uncertain" and now["n_photos"] == 0


def test_an_unsure_outline_has_no_number() -> None:
    now = follow(row(0, "first seen", 3.0), row(28, "indeterminate", 3.0)).iloc[1]
    assert np.isnan(now["area_mm2"]) and now["change_from_baseline"] == "uncertain"


def test_ambiguous_identity_is_compared_with_nothing() -> None:
    flag = write_flags([Flag(FlagKind.AMBIGUOUS_IDENTITY, ulcers=("S01-left-index-2",))])
    table = follow(row(0, "first seen", 3.0), row(14, "persistent", 5.0, flags=flag), row(28, "persistent", 3.0))
    assert list(table["change_from_previous"]) == ["", "uncertain", "same"]
    assert np.isnan(table["area_reduction_pct"][1]) and table["diameter_mm"][1] == 5.0
    assert table["flags"][1] == flag
    assert table["evidence"][1] == "photos 14.jpg; ambiguous identity: also S01-left-index-2"


def test_baseline_is_the_last_before_treatment_and_not_too_old() -> None:
    old = follow(row(-40, "first seen", 3.0), row(28, "persistent", 2.0))
    assert old["area_reduction_pct"].isna().all() and list(old["change_from_baseline"]) == ["", "uncertain"]
    late = follow(row(-14, "first seen", 2.0), row(-3, "persistent", 4.0), row(28, "persistent", 2.0))
    assert late["area_reduction_pct"][2] == pytest.approx(75)
    new = follow(row(28, "new", 2.0), row(56, "persistent", 3.0))
    assert list(new["change_from_baseline"]) == ["", ""] and list(new["change_from_previous"]) == ["", "worse"]


def test_open_again_is_worse() -> None:
    table = follow(row(0, "first seen", 3.0), row(28, "healed"), row(56, "healed"), row(84, "recurrent", 1.0))
    assert list(table["change_from_previous"]) == ["", "better", "same", "worse"]
    assert list(table["change_from_baseline"]) == ["", "better", "better", "better"]


@settings(max_examples=20)
@given(sizes=st.lists(st.floats(1, 9), min_size=2, max_size=5), factor=st.floats(0.2, 5), seed=st.integers(0, 999))
def test_laws_of_the_table(sizes: list[float], factor: float, seed: int) -> None:
    days = [0, 14, 28, 56, 84][: len(sizes)]
    rows = [row(d, "persistent", size) for d, size in zip(days, sizes, strict=True)]
    scaled = [row(d, "persistent", size * factor) for d, size in zip(days, sizes, strict=True)]
    plain = follow(*rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    pd.testing.assert_frame_equal(plain, follow(*[rows[k] for k in order]))
    larger = follow(*scaled)
    np.testing.assert_allclose(larger["area_reduction_pct"], plain["area_reduction_pct"], atol=1e-6)
    np.testing.assert_allclose(
        larger["margin_advance_mm_per_week"], factor * plain["margin_advance_mm_per_week"], atol=1e-9
    )
    radii = [-(b - a) / 2 / ((d1 - d0) / 7) for a, b, d0, d1 in zip(sizes, sizes[1:], days, days[1:], strict=False)]
    np.testing.assert_allclose(plain["margin_advance_mm_per_week"][1:], radii, atol=1e-9)


def healed_in(table: pd.DataFrame) -> tuple[float, float, bool]:
    return healing_interval(records(table), PROTOCOL)


def confirmed(table: pd.DataFrame) -> str:
    return is_confirmed(records(table), PROTOCOL)


# --- when it healed -------------------------------------------------------------------------------------------------


def test_healing_is_between_the_last_open_and_the_first_healed_day() -> None:
    seen = [row(0, "first seen", 3.0), row(28, "persistent", 2.0), row(56, "not photographed", photo="")]
    assert healed_in(follow(*seen, row(84, "healed"), row(168, "healed"))) == (28, 84, True)
    low, high, observed = healed_in(follow(*seen, row(84, "indeterminate")))
    assert (low, observed) == (28, False) and math.isnan(high)
    low, high, observed = healed_in(follow(*seen, row(84, "amputated")))
    assert (low, observed) == (28, False) and math.isnan(high)


@pytest.mark.parametrize("closed_at", ["unscheduled", "week 2"])
def test_a_day_on_which_it_was_also_seen_open_is_no_day_of_healing(closed_at: str) -> None:
    open_at = {"unscheduled": "week 2", "week 2": "unscheduled"}[closed_at]
    same_day = [row(14, "healed", visit=closed_at), row(14, "persistent", 2.0, visit=open_at, photo="open.jpg")]
    seen = [row(0, "first seen", 3.0), *same_day]
    low, _, observed = healed_in(follow(*seen))
    assert (low, observed) == (14, False)
    assert healed_in(follow(*seen, row(28, "healed"), row(84, "healed"))) == (14, 28, True)
    assert confirmed(follow(*seen, row(28, "healed"), row(84, "healed"))) == "yes"
    again = [row(84, "healed", visit=closed_at), row(84, "persistent", 2.0, visit=open_at, photo="late.jpg")]
    assert confirmed(follow(*seen, row(28, "healed"), *again)) == "no"


def test_a_baseline_day_with_an_open_and_a_healed_row_is_open() -> None:
    same_day = [row(0, "healed", visit="baseline"), row(0, "first seen", 4.0, visit="screening", photo="open.jpg")]
    table = follow(*same_day, row(28, "persistent", 2.0))
    assert table.set_index("day").loc[28, "area_reduction_pct"] == pytest.approx(75)


def test_healing_before_treatment_is_no_event() -> None:
    low, _, observed = healed_in(follow(row(-60, "first seen", 3.0), row(-3, "healed"), row(28, "healed")))
    assert math.isnan(low) and not observed
    again = follow(row(-60, "first seen", 3.0), row(-14, "healed"), row(0, "recurrent", 2.0), row(14, "healed"))
    assert healed_in(again) == (0, 14, True)


@pytest.mark.parametrize(
    ("later", "answer"),
    [
        ([(28, "healed")], "yes"),
        ([(23, "healed")], "yes"),  # week 4 may be 5 days early
        ([(22, "healed")], "unknown"),  # 8 days are less than 14 less 5
        ([(17, "healed"), (28, "healed")], "yes"),
        ([(28, "recurrent")], "no"),
        ([(17, "recurrent"), (28, "healed")], "no"),
        ([(28, "indeterminate"), (56, "healed")], "yes"),
        ([(28, "not photographed")], "unknown"),
        ([], "unknown"),
    ],
)
def test_confirmed_by_the_next_passing_photo_two_weeks_later_less_the_window(later: list, answer: str) -> None:
    first = [row(0, "first seen", 3.0), row(14, "healed")]
    rest = [row(day, state, 2.0 if state == "recurrent" else None) for day, state in later]
    for cells in rest:
        cells["visit"] = "week 4" if cells["day"] in (22, 23, 28) else "unscheduled"
    assert confirmed(follow(*first, *rest)) == answer


def test_a_possible_ulcer_before_the_second_look_leaves_healing_unconfirmed() -> None:
    seen = [row(0, "first seen", 3.0), row(14, "healed"), row(17, "indeterminate", 2.0), row(28, "healed")]
    assert confirmed(follow(*seen)) == "yes"
    seen[2] |= {"presence": "possible", "flags": write_flags([Flag(FlagKind.POSSIBLE_ULCER, photos=("17.jpg",))])}
    assert confirmed(follow(*seen)) == "unknown"


def test_a_possible_outline_gives_a_visit_no_size() -> None:
    weak = row(0, "persistent", 1.0, photo="b.jpg", presence="possible")
    assert follow(row(0, "persistent", 3.0), weak)["diameter_mm"].iloc[0] == pytest.approx(3.0)


def vague(day: int, state: str, diameter: float | None = None, **more: Any) -> dict:
    """A row dated to the month, of which no day is known."""
    dated = row(day, state, diameter)
    return dated | {"date": dated["date"][:7], "day": None} | more


def test_a_partial_date_does_not_put_a_visit_before_baseline() -> None:
    rows = [row(-14, "first seen", 4.0), row(0, "persistent", 4.0), vague(14, "healed"), row(28, "recurrent", 2.5)]
    table = follow(*rows).set_index("visit")
    assert table.loc["baseline", "change_from_previous"] == "same"
    assert table.loc["week 2", ["change_from_previous", "change_from_baseline"]].tolist() == ["better", "better"]
    assert table.loc["week 4", "change_from_previous"] == "worse"
    # 2016-05 is at latest day 29.
    assert healed_in(follow(*rows)) == (0, 29, True)
    assert confirmed(follow(*rows)) == "no"
    assert confirmed(follow(*rows[:3], row(28, "healed"))) == "unknown"


def test_a_partial_date_before_baseline_is_no_follow_up() -> None:
    before = [vague(-90, "first seen", 5.0, visit="history"), vague(-40, "healed", visit="history")]
    rows = [*before, row(0, "recurrent", 4.0), row(28, "healed"), row(84, "healed")]
    table = follow(*rows).set_index("date")
    assert table.loc["2016-02", ["change_from_baseline"]].tolist() == [""]
    assert healed_in(follow(*rows)) == (0, 28, True)
    assert confirmed(follow(*rows)) == "yes"


def test_an_ulcer_open_on_the_last_day_that_a_date_can_mean_had_not_healed_by_it() -> None:
    rows = [row(0, "first seen", 4.0), row(29, "persistent", 3.0, visit="week 2"), vague(28, "healed")]
    low, _, observed = healed_in(follow(*rows))
    assert (low, observed) == (29, False)


def test_a_merge_in_a_month_is_after_the_baseline_of_that_month() -> None:
    """Dates as text put 2016-05 before 2016-05-02, and what went into the other then had no area at baseline."""
    gone = vague(14, "merged", photo="", merged_into="S01-left-index-2")
    gone |= {"ulcer_id": "S01-left-index-1"}
    host = vague(14, "merged", 4.5) | {"ulcer_id": "S01-left-index-2"}
    table = follow(row(0, "first seen", 2.0), row(0, "first seen", 4.0, ulcer=2), gone, host)
    now = table[(table["ulcer_id"] == "S01-left-index-2") & (table["visit"] == "week 2")].iloc[0]
    assert now["area_reduction_pct"] == pytest.approx(100 * (20 - 4.5**2) / 20)
    start = table[(table["ulcer_id"] == "S01-left-index-2") & (table["visit"] == "baseline")].iloc[0]
    assert start["area_reduction_pct"] == 0


def test_what_never_healed_is_not_confirmed() -> None:
    assert confirmed(follow(row(0, "first seen", 3.0), row(14, "persistent", 2.0))) == "unknown"


def test_a_row_without_an_outline_adds_no_view_and_no_photo() -> None:
    elsewhere = row(28, "not photographed") | {"view": "dorsal", "photo": ""}
    tracked = pd.DataFrame([row(0, "first seen", 3.0), elsewhere, row(56, "healed")])
    photos = tracked[["photo", "subject_id", "visit", "date", "hand", "finger", "view"]].query("photo != ''")
    other_side = photos.iloc[[-1]].assign(photo="56-dorsal.jpg", view="dorsal")
    photos = pd.concat([photos, other_side]).assign(status="no ulcer", detection_limit_mm=0.8)
    healed = follow_healing(tracked, photos, protocol=PROTOCOL).iloc[2]
    assert healed["n_photos"] == 1 and "dorsal" not in healed["evidence"]


def test_what_went_into_another_ulcer_rests_on_no_photo() -> None:
    into = Flag(FlagKind.MERGED_INTO, ulcers=("S01-left-index-1",))
    gone = row(28, "merged", ulcer=2) | {"flags": write_flags([into]), "merged_into": into.ulcers[0], "photo": ""}
    table = follow(row(0, "first seen", 3.0), row(0, "first seen", 2.0, ulcer=2), row(28, "merged", 5.0), gone)
    last = table.iloc[-1]
    assert (last["n_photos"], last["evidence"]) == (0, "merged into S01-left-index-1")
