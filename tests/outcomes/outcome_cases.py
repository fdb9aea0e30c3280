"""Courses of ulcers by hand: day and area, healed where the area is 0."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import ulcermeter as um
from ulcermeter.datatypes import Outcomes, Study
from ulcermeter.healing import change
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.tables import empty, from_rows

PROTOCOL = um.read_protocol("manus")
DAY_ZERO = date(2016, 5, 24)
VISITS = {-21: "screening", 0: "baseline", 2: "48h", 14: "week 2", 28: "week 4", 56: "week 8", 84: "week 12"}
VISITS |= {168: "week 24", 364: "week 52"}


def on(day: int) -> str:
    return (DAY_ZERO + timedelta(days=day)).isoformat()


def ulcer(*seen: Any, subject: str = "S01", name: str = "left-index-1", **changes: Any) -> list[dict[str, Any]]:
    """Rows of trajectories; each of `seen` is (day, area) or (day, area, changes of the row)."""
    hand, finger, _ = name.split("-")
    rows, base, closed = [], None, False
    for day, area, *more in seen:
        state = "healed" if area == 0 else "recurrent" if closed else "persistent" if rows else "first seen"
        closed = closed or area == 0
        row = {"subject_id": subject, "ulcer_id": f"{subject}-{name}", "hand": hand, "finger": finger}
        row |= {"visit": VISITS.get(day, "unscheduled"), "date": on(day), "day": day, "state": state, "n_photos": 1}
        row |= {"area_mm2": area, "diameter_mm": (4 * (area or 0.0) / 3.14159) ** 0.5}
        if -28 <= day <= 0:
            base = area
        elif base and area is not None:
            row["change_from_baseline"] = change(base, area, PROTOCOL)
            row["area_reduction_pct"] = 100 * (base - area) / base
        rows.append(row | changes | (more[0] if more else {}))
    return rows


@cache
def nothing(name: str) -> pd.DataFrame:
    return empty(f"study/{name}")


def study(**changes: Any) -> Study:
    subjects = sorted({row["subject_id"] for row in changes.get("trajectories", [])} or {"S01"})
    person = {"treatment_date": on(0), "injected_limb": "left"}
    rows: dict[str, Any] = {"subjects": [{"subject_id": s} | person for s in subjects]}
    rows |= {k: v for k, v in changes.items() if k != "trajectories"}
    names = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")
    tables = {name: from_rows(f"study/{name}", rows[name]) if rows.get(name) else nothing(name) for name in names}
    return Study(root=Path("."), protocol=PROTOCOL, **tables)


def tabulate(*ulcers: list[dict[str, Any]], censor_at_rescue: bool = False, **changes: Any) -> Outcomes:
    rows = [row for one in ulcers for row in one]
    rules = PROTOCOL.changed(censor_at_rescue=censor_at_rescue)
    whole = replace(study(trajectories=rows, **changes), protocol=rules)
    return tabulate_outcomes(whole, from_rows("trajectories", rows))


def only(table: pd.DataFrame) -> dict[str, Any]:
    assert len(table) == 1
    return {str(k): v for k, v in table.iloc[0].items()}
