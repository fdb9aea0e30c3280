"""Draw the sample study: `python sample_images/make_study.py [OUT]` writes the folder `sample_images/study` anew.

The photos are phantoms, drawn from the stories in `stories.py`; the same version of the package gives the same bytes.
Beside the study's own files it writes what is true and what must come out: truth.csv, truth_eligibility.csv and
truth_verdicts.csv. No measurement enters them.
"""

from __future__ import annotations

import csv
import sys
import zlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from stories import STORIES, Shot, Story

from ulcermeter import phantom as ph
from ulcermeter import read_protocol
from ulcermeter.tables import TABLES, columns

VIEW = {"pulp": "palmar", "nail": "dorsal", "radial": "radial", "ulnar": "ulnar"}
FINGER_RADIUS_MM = {"thumb": 10.0, "index": 8.0, "middle": 8.3, "ring": 7.8, "little": 6.9}
COURSE_DAYS = (-85, -80)
TRUTH = [
    *("photo", "subject_id", "visit", "date", "hand", "finger", "ulcer_id", "state"),
    *("diameter_mm", "width_mm", "area_plane_mm2", "area_surface_mm2"),
    *("centroid_x_px", "centroid_y_px", "s_mm", "t_mm"),
    *("expected_status", "expected_reason"),
]
NOT_KNOWN_AGAINST = (
    "neoplasm_last_10y",
    "childbearing_potential",
    "pregnant",
    "contraception_refused",
    "life_expectancy_under_1y",
    "uncontrolled_hypertension",
    "uncontrolled_infection_systemic",
    "follow_up_impossible",
)


def day_of(story: Story, day: int) -> str:
    """Return the ISO date of a day counted from treatment."""
    return (date.fromisoformat(story.treatment_date) + timedelta(days=day)).isoformat()


def rng_of(*words: object) -> np.random.Generator:
    """Return a generator that depends on the words alone."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, words)).encode()))


def phantom_spec(story: Story, shot: Shot) -> ph.PhantomSpec:
    """Describe one photo: the subject's finger, the visit's ulcers, a camera held a little differently each time."""
    chance = rng_of(story.subject_id, shot.visit, shot.day)
    own = rng_of(story.subject_id)
    radius = FINGER_RADIUS_MM[story.finger]
    finger = ph.FingerSpec(
        radius_mm=radius,
        side=story.side,
        skin_tone=story.skin_tone,
        mottling=float(own.uniform(0.2, 0.6)),
        tightness=float(own.uniform(0.3, 0.7)),
        seed=int(own.integers(1 << 30)),
    )
    # A phantom is placed from its first ulcer, or from the end phalanx (1.2 radii from the tip) when it has none.
    anchor_s = story.places[next(iter(shot.sizes))].s_mm if shot.sizes else 1.2 * radius
    ulcers = tuple(_ulcer(story, number, size, crust=shot.crust) for number, size in shot.sizes.items())
    camera = ph.CameraSpec(
        px_per_mm=float(chance.uniform(15.0, 18.0)),
        tilt_deg=float(chance.uniform(1.0, 14.0)),
        azimuth_deg=float(chance.uniform(0.0, 360.0)),
        roll_deg=float(chance.uniform(-12.0, 12.0)),
        aim_mm=(float(chance.uniform(-3.0, 3.0)), 17.0 - anchor_s + float(chance.uniform(-2.0, 2.0))),
        white_balance=(float(chance.uniform(0.93, 1.07)), float(chance.uniform(0.93, 1.07))),
        vignetting=float(chance.uniform(0.05, 0.25)),
        exif_orientation=int(chance.choice([1, 1, 1, 6])),
        jpeg_quality=86,
    )
    offset_mm = (float(chance.uniform(-1.5, 1.5)), story.marker_s_mm - anchor_s)
    reference = ph.ReferenceSpec(place="skin", offset_mm=offset_mm)
    if story.reference_place == "table":
        reference = replace(reference, place="table", offset_mm=(17.0, 9.0), size_mm=12.0)
    return ph.PhantomSpec(
        finger=finger,
        ulcers=ulcers,
        reference=replace(reference, **shot.reference),
        camera=replace(camera, **shot.camera),
        light=ph.LightSpec(azimuth_deg=float(chance.uniform(-150, -60)), elevation_deg=float(chance.uniform(45, 65))),
        background=str(own.choice(["drape", "paper", "grey", "wood"])),
        taken_at=datetime.fromisoformat(day_of(story, shot.day)) + timedelta(hours=10),
        seed=int(chance.integers(1 << 30)),
    )


def _ulcer(story: Story, number: int, size: float, *, crust: float) -> ph.UlcerSpec:
    place = story.places[number]
    return ph.UlcerSpec(
        diameter_mm=size,
        s_mm=place.s_mm,
        t_mm=place.t_mm,
        bed=place.bed,
        irregularity=place.irregularity,
        aspect=place.aspect,
        angle_deg=35.0 * number,
        crust=crust,
        seed=zlib.crc32(f"{story.subject_id}/{number}".encode()) % (1 << 30),
    )


def photo_name(story: Story, shot: Shot) -> str:
    """Return the photo's path in the study folder."""
    return f"photos/{story.subject_id}_{shot.visit.replace(' ', '')}_{day_of(story, shot.day)}.jpg"


def photo_rows(story: Story, shot: Shot, truth: ph.PhantomTruth) -> list[dict[str, Any]]:
    """Return the rows of photos.csv for a photo: one, or one a click where a story tells its ulcers apart by clicks."""
    row: dict[str, Any] = {
        "photo": photo_name(story, shot),
        "subject_id": story.subject_id,
        "visit": shot.visit,
        "date": day_of(story, shot.day),
        "hand": story.hand,
        "finger": story.finger,
        "view": VIEW[story.side],
        "reference": "aruco:12" if story.reference_place == "table" else "aruco:10",
        "reference_on": story.reference_place,
        "covered": shot.covered,
        "reader_state": shot.reader_state,
    }
    if "size_mm" in shot.reference:
        row["reference"] = f"aruco:{shot.reference['size_mm']:g}"
    if not story.clicks:
        return [row]
    return [
        {**row, "ulcer_no": number, "x": round(float(ulcer.centroid_px[0])), "y": round(float(ulcer.centroid_px[1]))}
        for number, ulcer in zip(shot.sizes, truth.ulcers, strict=True)
    ]


def truth_rows(story: Story, shot: Shot, truth: ph.PhantomTruth | None) -> list[dict[str, Any]]:
    """Return what is true of each known ulcer at a visit."""
    drawn = dict(zip(shot.sizes, truth.ulcers, strict=True)) if truth is not None else {}
    rows = []
    for number, state in shot.states.items():
        row: dict[str, Any] = {
            "photo": photo_name(story, shot) if shot.photographed else "",
            "subject_id": story.subject_id,
            "visit": shot.visit,
            "date": day_of(story, shot.day),
            "hand": story.hand,
            "finger": story.finger,
            "ulcer_id": f"{story.subject_id}-{story.hand}-{story.finger}-{number}",
            "state": state,
            "expected_status": shot.status if shot.photographed else "",
            "expected_reason": shot.reason,
        }
        if number in drawn:
            row |= _ulcer_truth(drawn[number])
        rows.append(row)
    return rows


def _ulcer_truth(ulcer: ph.UlcerTruth) -> dict[str, float]:
    numbers = {
        name: float(getattr(ulcer, name))
        for name in ("diameter_mm", "width_mm", "area_plane_mm2", "area_surface_mm2", "s_mm", "t_mm")
    }
    x, y = (float(value) for value in ulcer.centroid_px)
    return {name: round(value, 4) for name, value in (numbers | {"centroid_x_px": x, "centroid_y_px": y}).items()}


def subject_row(story: Story) -> dict[str, Any]:
    """Return the row of subjects.csv: all answered, nothing against inclusion, then what the story changes."""
    answers = dict.fromkeys(NOT_KNOWN_AGAINST, "no")
    return {
        "subject_id": story.subject_id,
        "consent_date": day_of(story, -16),
        "screening_date": day_of(story, -14),
        "inclusion_date": day_of(story, -7),
        "treatment_date": story.treatment_date,
        "sex": "female",
        "birth_date": "1968-02-20",
        "injected_limb": story.hand,
        "ssc_established": "yes",
        **answers,
        **story.subject,
    }


def clinic_rows(story: Story) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of ulcers.csv and refractory.csv: the clinic's look at each ulcer and the physician's word."""
    looks, words = [], []
    for number in story.places:
        if not any(number in shot.states for shot in story.shots if shot.day <= -7):
            continue
        ids: dict[str, Any] = {"subject_id": story.subject_id, "ulcer_no": number}
        looks.append(
            ids
            | {"hand": story.hand, "finger": story.finger, "site": "tip", "assessed_on": day_of(story, -14)}
            | dict.fromkeys(("painful", "visible_depth", "loss_of_dermis"), "yes")
            | {"calcinosis_on_xray": "no", "xray_date": day_of(story, -13)}
            | story.ulcers.get(number, {})
        )
        word = story.refractory.get(number, {"worsened_1_month": "no", "no_improvement_2_months": "yes"})
        if word is not None:
            judged = {"judged_by": "referring physician", "judged_on": day_of(story, -14)}
            words.append(ids | {"course_end": day_of(story, COURSE_DAYS[1])} | word | judged)
    return looks, words


def expected_rows(story: Story) -> list[dict[str, str]]:
    """Return result and effect of every criterion by the story."""
    rows = []
    for criterion in read_protocol("manus").criteria:
        result = "met" if criterion.kind == "inclusion" else "not met"
        effect = "none" if criterion.kind == "advisory" else "passes"
        rows.append(
            {
                "subject_id": story.subject_id,
                "criterion": criterion.id,
                "result": story.results.get(criterion.id, result),
                "effect": story.effects.get(criterion.id, effect),
            }
        )
    return rows


def write_csv(path: Path, names: list[str], rows: list[dict[str, Any]]) -> None:
    """Write a table with those columns that some row fills (all of them where `names` is required reading)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_study_table(out: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Write one of the study's own files with its contract's columns, leaving out optional ones that nobody fills."""
    filled = {key for row in rows for key, value in row.items() if value != ""}
    names = [c for c in columns(f"study/{name}") if c in filled or TABLES[f"study/{name}"][c].required]
    write_csv(out / f"{name}.csv", names, [{key: row.get(key, "") for key in names} for row in rows])


def visit_rows(story: Story) -> list[dict[str, Any]]:
    """Return the rows of visits.csv."""
    return [
        {
            "subject_id": story.subject_id,
            "visit": shot.visit,
            "date": day_of(story, shot.day),
            "attended": "yes",
            "all_fingers_examined": "yes" if shot.visit in ("screening", "baseline", "week 12") else "",
            "n_active_clinician": len(shot.sizes) if shot.visit in ("screening", "baseline") else "",
        }
        for shot in story.shots
    ]


def main(out: Path) -> None:
    """Draw every photo and write every table."""
    (out / "photos").mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ("photos", "subjects", "ulcers", "treatments")}
    tables |= {name: [] for name in ("refractory", "visits", "events")}
    truth: list[dict[str, Any]] = []
    for story in STORIES:
        for shot in story.shots:
            drawn = None
            if shot.photographed:
                phantom = ph.draw_phantom(phantom_spec(story, shot))
                ph.write_phantom(phantom, out / photo_name(story, shot))
                drawn = phantom.truth
                tables["photos"] += photo_rows(story, shot, phantom.truth)
            truth += truth_rows(story, shot, drawn)
        looks, words = clinic_rows(story)
        tables["subjects"].append(subject_row(story))
        tables["ulcers"] += looks
        tables["refractory"] += words
        tables["visits"] += visit_rows(story)
        tables["events"] += [{"subject_id": story.subject_id, **event} for event in story.events]
        start, end = (day_of(story, day) for day in COURSE_DAYS)
        tables["treatments"].append(
            {"subject_id": story.subject_id, "drug": "iloprost", "route": "iv", "start": start, "end": end}
        )
    for name, rows in tables.items():
        if rows:
            write_study_table(out, name, rows)
    write_csv(out / "truth.csv", TRUTH, truth)
    expected = [row for story in STORIES for row in expected_rows(story)]
    write_csv(out / "truth_eligibility.csv", ["subject_id", "criterion", "result", "effect"], expected)
    verdicts = [
        {
            "subject_id": s.subject_id,
            "verdict": s.verdict,
            "qualifying_ulcer": f"{s.subject_id}-{s.hand}-{s.finger}-{s.qualifying}" if s.qualifying else "",
            "story": s.title,
        }
        for s in STORIES
    ]
    write_csv(out / "truth_verdicts.csv", ["subject_id", "verdict", "qualifying_ulcer", "story"], verdicts)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "study")
