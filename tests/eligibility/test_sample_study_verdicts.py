"""The sample study with its true measurements in place of photos: every criterion and verdict as worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ulcermeter.eligibility import assess_eligibility
from ulcermeter.healing import follow_healing
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.study import read_study
from ulcermeter.tables import conform, from_rows
from ulcermeter.tables.dates import day_number
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

STUDY = Path(__file__).parents[2] / "sample_images" / "study"
# Half the width of the interval given to the true diameters, mm: 1.6 and 2.4 are decided, 2.0 is not.
HALF_MM = 0.2

pytestmark = pytest.mark.skipif(not (STUDY / "truth.csv").is_file(), reason="the sample study is not drawn")


def truth(name: str) -> pd.DataFrame:
    return pd.read_csv(STUDY / name, dtype=str, keep_default_na=False)


def measured(row: dict[str, Any]) -> dict[str, Any]:
    """One row of tracked as a perfect instrument would give it."""
    same = ("photo", "subject_id", "visit", "date", "hand", "finger", "ulcer_id", "state", "merged_into")
    out: dict[str, Any] = {name: row[name] for name in same} | {"view": "palmar"}
    out["flags"] = write_flags([Flag(FlagKind(row["flag"]))] if row["flag"] else [])
    if row["diameter_mm"] and row["expected_status"] == "measured":
        diameter, area = float(row["diameter_mm"]), float(row["area_plane_mm2"])
        low, high = diameter - HALF_MM, diameter + HALF_MM
        out |= {"label": 1, "diameter_mm": diameter, "diameter_low_mm": low, "diameter_high_mm": high}
        out |= {"area_mm2": area, "area_low_mm2": 0.9 * area, "area_high_mm2": 1.1 * area, "perimeter_mm": 3 * diameter}
        over = "yes" if low > 2 else "no" if high <= 2 else "uncertain"
        out |= {"width_mm": float(row["width_mm"]), "over_threshold": over}
        out |= {name: float(row[name]) for name in ("centroid_x_px", "centroid_y_px")}
    return out


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    study = read_study(STUDY)
    zero = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    known = truth("truth.csv").to_dict("records")
    rows = [measured(row) | {"day": day_number(row["date"], zero[row["subject_id"]])} for row in known]
    names = ["photo", "subject_id", "visit", "date", "hand", "finger"]
    photos = pd.DataFrame(
        [{n: row[n] for n in names} | {"status": row["expected_status"]} for row in known if row["photo"]]
    )
    photos = conform("photos", photos.drop_duplicates().assign(view="palmar", detection_limit_mm=0.7))
    tracked = from_rows("tracked", rows)
    course = follow_healing(tracked, photos, protocol=study.protocol)
    return {"eligibility": assess_eligibility(study, tracked, course), "outcomes": tabulate_outcomes(study, course)}


def test_every_criterion(tables: dict[str, Any]) -> None:
    keys = ["subject_id", "criterion"]
    got = tables["eligibility"].eligibility.set_index(keys)[["result", "effect"]]
    want = truth("truth_eligibility.csv").set_index(keys)
    pd.testing.assert_frame_equal(got.sort_index(), want.sort_index(), check_dtype=False)


def test_every_verdict(tables: dict[str, Any]) -> None:
    names = ["verdict", "qualifying_ulcer"]
    got = tables["eligibility"].eligibility_summary.set_index("subject_id")[names]
    pd.testing.assert_frame_equal(got, truth("truth_verdicts.csv").set_index("subject_id")[names], check_dtype=False)


def test_what_became_of_them(tables: dict[str, Any]) -> None:
    ulcers = tables["outcomes"].outcomes.set_index("ulcer_id")
    words = ["healed", "healing_confirmed", "recurred"]
    assert ulcers.loc["S01-right-index-1", words].tolist() == ["yes", "yes", "no"]
    assert ulcers.loc["S02-left-middle-1", words].tolist() == ["yes", "no", "yes"]
    assert ulcers.loc["S03-right-ring-1", "worsened_by_week_12"] == "yes"
    subjects = tables["outcomes"].outcomes_by_subject.set_index("subject_id")
    assert subjects.loc["S09", ["follow_up_ended", "follow_up_ended_day"]].tolist() == ["death", 40]
    assert subjects.loc["S10", "counts_disagree"] == "week 4: the clinic 2, photos 1"
    assert subjects.loc["S04", "n_new"] == 1 and subjects.loc["S01", "worsened_or_new_by_week_12"] == "no"
