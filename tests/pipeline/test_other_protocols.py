"""The protocols that ship beside MANUS, each on a whole study of three subjects: verdicts and outcomes worked by hand.

S01 has an ulcer of 4 mm near the tip that heals between day 56 and the next visit after it. S02's lies over the knuckle
and stays at 3 mm. S03's is 1.6 mm, crusted at the last visits: indeterminate.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ulcermeter.datatypes import Study
from ulcermeter.pipeline.assemble import FROM_THE_STUDY, Gathered, tables_of
from ulcermeter.protocol import Protocol, read_protocol
from ulcermeter.tables import columns, from_rows

ZERO = date(2024, 5, 24)
INDEX, RING = {"hand": "left", "finger": "index"}, {"hand": "left", "finger": "ring"}
SIZES: dict[str, dict[int, float | None]] = {
    "S01": {-14: 4.0, 0: 4.0, 28: 3.0, 56: 2.0, 84: 0.0, 112: 0.0},
    "S02": {-14: 3.0, 0: 3.0, 28: 3.0, 56: 3.0, 84: 3.0, 112: 3.0},
    "S03": {-14: 1.6, 0: 1.6, 28: 1.6, 56: 1.6, 84: None, 112: None},
}
FINGER, FROM_TIP = {"S01": INDEX, "S02": RING, "S03": INDEX}, {"S01": 8.0, "S02": 70.0, "S03": 8.0}
PERSON = {"consent_date": "2024-05-01", "screening_date": "2024-05-10", "inclusion_date": "2024-05-17"}
PERSON |= {"treatment_date": "2024-05-24", "sex": "male", "birth_date": "1960-02-14", "ssc_established": "yes"}
PERSON |= {"skin_thickening_proximal_mcp": "yes", "life_expectancy_under_1y": "no", "injected_limb": "left"}
PERSON |= {"uncontrolled_infection_systemic": "no", "follow_up_impossible": "no"}
LOOK = {"assessed_on": "2024-05-10", "painful": "yes", "visible_depth": "yes", "loss_of_dermis": "yes"}
LOOK |= {"calcinosis_on_xray": "no", "xray_date": "2024-05-11"}
ADDED: dict[str, dict[str, dict[str, str]]] = {
    "rescue": {
        "S01": {"activity": "active", "ischaemic": "yes", "developed_or_worsened_on": "2024-04-10"},
        "S02": {"activity": "active", "ischaemic": "yes", "developed_or_worsened_on": "2024-04-10"},
        "S03": {"activity": "indeterminate", "ischaemic": "", "developed_or_worsened_on": "2024-03-15"},  # 56 days
    },
    "aduse": {
        name: {"active": "yes", "ischaemic": "yes", "over_bone_relief": "no", "refractory_standard_care": "yes"}
        | {"standard_care_since": since}
        for name, since in (("S01", "2024-03-01"), ("S02", "2024-03-01"), ("S03", "2024-04-01"))  # 77, 77, 46 days
    },
    "generic": {"S01": {}, "S02": {}, "S03": {}},
}


def visits_of(protocol: Protocol) -> dict[int, str]:
    return {-14: "screening"} | {visit.day: visit.name for visit in protocol.visits if visit.day is not None}


def shots(protocol: Protocol) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of photos and of measurements: one photo of the ulcer's finger a visit of the protocol."""
    photos, measured = [], []
    for subject, sizes in SIZES.items():
        for day, mm in ((d, mm) for d, mm in sizes.items() if d in visits_of(protocol)):
            head = {"photo": f"{subject}_{day}.jpg", "subject_id": subject, "visit": visits_of(protocol)[day]}
            head |= {"date": (ZERO + timedelta(days=day)).isoformat(), "view": "palmar", **FINGER[subject]}
            status = "indeterminate" if mm is None else "measured" if mm else "no ulcer"
            photos.append(head | {"status": status, "detection_limit_mm": 0.8, "px_per_mm": 20.0, "ulcer_no": ""})
            if mm:
                area = math.pi / 4 * mm**2
                place = {"finger_s_mm": FROM_TIP[subject], "finger_s_sd_mm": 1.0, "finger_t_mm": 0.0}
                size = {"diameter_mm": mm, "diameter_low_mm": mm - 0.1, "diameter_high_mm": mm + 0.1, "width_mm": mm}
                size |= {"area_mm2": area, "area_low_mm2": 0.9 * area, "area_high_mm2": 1.1 * area}
                size |= {"perimeter_mm": math.pi * mm, "over_threshold": "yes" if mm > 2.1 else "no"}
                measured.append(
                    head | place | size | {"label": 1, "day": day, "finger_t_sd_mm": 1.0, "reader": "machine"}
                )
    return photos, measured


def of_table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a table, without the columns that it does not have."""
    return from_rows(name, [{key: cell for key, cell in row.items() if key in columns(name)} for row in rows])


def whole_study(name: str) -> dict[str, pd.DataFrame]:
    protocol = read_protocol(name)
    photos, measured = shots(protocol)
    own = [column for column in protocol.columns if column.table == "ulcers"]
    looks = [{"subject_id": subject, **FINGER[subject], **LOOK} for subject in SIZES]
    examined = [visit for visit in protocol.visits if visit.day is not None]
    visits = [
        {"subject_id": subject, "visit": visit.name, "attended": "yes", "all_fingers_examined": "yes"}
        | {"date": (ZERO + timedelta(days=visit.day or 0)).isoformat()}
        for subject in SIZES
        for visit in examined
    ]
    tables = {file: from_rows(f"study/{file}", []) for file in ("treatments", "refractory", "events")}
    tables |= {"subjects": from_rows("study/subjects", [{"subject_id": subject, **PERSON} for subject in SIZES])}
    tables |= {"visits": from_rows("study/visits", visits), "photos": of_table("study/photos", photos)}
    added = {c.name: [ADDED[name][subject].get(c.name, "") for subject in SIZES] for c in own}
    tables["ulcers"] = from_rows("study/ulcers", looks).assign(**added)
    study = Study(root=Path("."), protocol=protocol, **tables)
    results = of_table("photos", photos)
    told = results.assign(**{cell: study.photos[cell].to_numpy() for cell in FROM_THE_STUDY})
    return tables_of(study, Gathered(results, told, from_rows("measurements", measured)))


VERDICTS = {
    # S02 lies over the knuckle. S03: indeterminate and painful, 8 weeks to the day; 46 days of care; under 2 mm.
    "rescue": {"S01": ("eligible", ""), "S02": ("not eligible", "at_or_beyond_pip"), "S03": ("eligible", "")},
    "aduse": {"S01": ("eligible", ""), "S02": ("not eligible", "beyond_pip"), "S03": ("not eligible", "standard_care")},
    "generic": {
        "S01": ("eligible", ""),
        "S02": ("not eligible", "at_or_beyond_pip"),
        "S03": ("not eligible", "size_2mm"),
    },
}
# The primary visit; by ulcer healed by it, its interval and whether that was confirmed; by subject active then, change.
OUTCOMES = {
    "rescue": (
        "week_16",
        {"S01": ("yes", 84.0, "yes"), "S02": ("no", None, "unknown"), "S03": ("unknown", None, "unknown")},
    ),
    "aduse": (
        "week_16",
        {"S01": ("yes", 112.0, "unknown"), "S02": ("no", None, "unknown"), "S03": ("unknown", None, "unknown")},
    ),
    "generic": (
        "week_12",
        {"S01": ("yes", 84.0, "unknown"), "S02": ("no", None, "unknown"), "S03": ("unknown", None, "unknown")},
    ),
}
# RESCUE's burden counts what cannot be judged; the others do not know it then, and their change is up to week 8.
BURDEN = {"rescue": {"S03": (1, 0)}, "aduse": {"S03": (None, 0)}, "generic": {"S03": (None, 0)}}


@pytest.mark.parametrize("name", ["rescue", "aduse", "generic"])
def test_a_whole_study(name: str) -> None:
    tables = whole_study(name)
    summary = tables["eligibility_summary"].set_index("subject_id")
    assert {s: (summary.at[s, "verdict"], summary.at[s, "failed"]) for s in SIZES} == VERDICTS[name]
    assert {s: summary.at[s, "missing"] for s in SIZES} == dict.fromkeys(SIZES, "")
    visit, wanted = OUTCOMES[name]
    ulcers = tables["outcomes"].set_index("subject_id")
    for subject, (healed, high, confirmed) in wanted.items():
        row = ulcers.loc[subject]
        assert (row[f"healed_by_{visit}"], row["healing_confirmed"]) == (healed, confirmed), subject
        assert (
            (row["healing_day_low"], row["healing_day_high"]) == (56, high)
            if high
            else pd.isna(row["healing_day_high"])
        )
        assert row[f"worsened_by_{visit}"] == ("unknown" if subject == "S03" else "no"), subject
    subjects = tables["outcomes_by_subject"].set_index("subject_id")
    burden = {"S01": (0, -1), "S02": (1, 0), **BURDEN[name]}
    found = {s: (subjects.at[s, f"n_active_{visit}"], subjects.at[s, "net_burden_change"]) for s in SIZES}
    assert {s: tuple(None if pd.isna(cell) else cell for cell in pair) for s, pair in found.items()} == burden
    assert (subjects["n_active_baseline"] == 1).all()
