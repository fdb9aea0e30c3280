"""An outcome that rests on a cell in doubt is unknown and names it; one that is the same without it stands."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from outcome_cases import VISITS, on, only, study, ulcer

from ulcermeter.datatypes import Outcomes
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.study.plausibility import plausibility_findings
from ulcermeter.tables import from_rows

HEALS = ((0, 8.0), (14, 6.0), (56, 0), (84, 0))


def photos(*days: int, dates: dict[int, str] | None = None, **changes: Any) -> list[dict[str, Any]]:
    row = {"subject_id": "S01", "hand": "left", "finger": "index"} | changes
    given = dates or {}
    return [row | {"photo": f"p{day}.jpg", "visit": VISITS[day], "date": given.get(day, on(day))} for day in days]


def tabulate(rows: list[dict[str, Any]], **changes: Any) -> Outcomes:
    whole = study(trajectories=rows, **changes)
    whole = replace(whole, findings=tuple(plausibility_findings(whole)))
    return tabulate_outcomes(whole, from_rows("trajectories", rows))


def test_nothing_in_doubt_changes_nothing() -> None:
    row = only(tabulate(ulcer(*HEALS), photos=photos(0, 14, 56, 84)).outcomes)
    assert (row["healed"], row["healing_confirmed"], row["in_doubt"]) == ("yes", "yes", "")


def test_healing_seen_on_photos_after_death() -> None:
    """Dead on day 40: that it closed by day 56 rests on photos of nobody alive."""
    events = [{"subject_id": "S01", "event": "death", "date": on(40)}]
    got = tabulate(ulcer(*HEALS), photos=photos(0, 14, 56, 84), events=events)
    row = only(got.outcomes)
    assert (row["healed"], row["healing_confirmed"], row["event_observed"]) == ("unknown", "unknown", 0)
    assert row["healing_day_low"] == 14 and math.isnan(row["healing_day_high"])
    assert row["baseline_area_mm2"] == 8.0, "the baseline does not rest on them"
    assert row["in_doubt"] == "photos.csv row 4, date; photos.csv row 5, date"
    assert only(got.outcomes_by_subject)["in_doubt"] == "photos.csv row 4, date; photos.csv row 5, date"


def test_a_visit_in_doubt_whose_loss_changes_nothing_but_the_confirmation() -> None:
    visits = [{"subject_id": "S01", "visit": "week 12", "date": on(84), "attended": "no"}]
    row = only(tabulate(ulcer(*HEALS), photos=photos(0, 14, 56, 84), visits=visits).outcomes)
    assert (row["healed"], row["healing_day_high"], row["healing_confirmed"]) == ("yes", 56, "unknown")
    assert row["in_doubt"] == "photos.csv row 5, visit"


def test_a_baseline_in_doubt_leaves_no_comparison_with_it() -> None:
    """Baseline and week 2 exchanged: neither the baseline's size nor what got worse since is known."""
    rows = ulcer((-21, 5.0), (14, 9.0, {"visit": "baseline"}), (0, 4.0, {"visit": "week 2"}), (84, 20.0))
    rows[3]["change_from_baseline"] = "worse"
    shown = photos(-21, 0, 14, 84, dates={0: on(14), 14: on(0)})
    row = only(tabulate(rows, photos=shown).outcomes)
    assert math.isnan(row["baseline_area_mm2"]) and row["worsened_by_week_12"] == "unknown"
    cells = ("photos.csv row 3, date", "photos.csv row 4, date", "subjects.csv row 2, treatment_date")
    assert all(cell in row["in_doubt"] for cell in cells), "each of the three goes with neither other"


def test_day_zero_in_doubt_leaves_nothing_known() -> None:
    person = {"subject_id": "S01", "treatment_date": on(0), "screening_date": on(20), "injected_limb": "left"}
    got = tabulate(ulcer(*HEALS), subjects=[person], photos=photos(0))
    row = only(got.outcomes)
    assert (row["healed"], row["worsened_by_week_12"], row["recurred"]) == ("unknown",) * 3
    assert row["injected_limb"] == "yes" and "subjects.csv row 2, treatment_date" in row["in_doubt"]
    assert only(got.outcomes_by_subject)["largest_ulcer"] == ""


def test_another_subject_is_as_before() -> None:
    events = [{"subject_id": "S01", "event": "death", "date": on(40)}]
    rows = ulcer(*HEALS) + ulcer(*HEALS, subject="S02")
    shown = photos(0, 14, 56, 84) + photos(0, 14, 56, 84, subject_id="S02")
    got = tabulate(rows, photos=shown, events=events).outcomes.set_index("subject_id")
    assert list(got["healed"]) == ["unknown", "yes"] and got.loc["S02", "in_doubt"] == ""
