"""What looks wrong between the tables of a study and its photos: `ulcermeter check` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ulcermeter.provenance import file_sha256
from ulcermeter.study.rules import fingers_not_told_apart
from ulcermeter.tables.dates import day_number, parse_date

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Study
    from ulcermeter.study.files import Findings

__all__ = ["same_picture_faults", "warn_across"]

# Events that belong to one finger; without it they cannot be joined to an ulcer.
_LOCAL_EVENTS = ("amputation", "debridement", "infection", "gangrene")


def warn_across(study: Study, findings: Findings) -> None:
    """Add the warnings that need several tables, or the photos on disk."""
    for warnings in (_absent_files, _unknown_subjects, _visit_days, _joins, _consent):
        findings.warnings += warnings(study)


def same_picture_faults(study: Study) -> tuple[str, ...]:
    """Name photo files that are one picture listed as several: its ulcers would count for each.

    One picture for several fingers of one visit is right where its rows say which ulcer is whose, and each finger
    stands under one name. Only files of equal size are read.
    """
    photos = study.photos
    sizes: dict[int, set[str]] = {}
    for name in sorted(set(photos["photo"])):
        if (study.root / name).is_file():
            sizes.setdefault((study.root / name).stat().st_size, set()).add(name)
    pictures: dict[str, list[str]] = {}
    for size, names in sizes.items():
        for name in sorted(names) if size and len(names) > 1 else ():
            pictures.setdefault(file_sha256(study.root / name), []).append(name)
    return tuple(
        fault
        for names in sorted(names for names in pictures.values() if len(names) > 1)
        for fault in _one_picture(photos[photos["photo"].isin(names)], names)
    )


def _one_picture(rows: pd.DataFrame, names: list[str]) -> Iterator[str]:
    one = f"{', '.join(names)} are one and the same picture, byte for byte"
    several = [column for column in ("subject_id", "visit", "date") if rows[column].nunique() > 1]
    if several:
        told = "; ".join(f"{column} {', '.join(dict.fromkeys(rows[column]))}" for column in several)
        yield (
            f"photos.csv rows {_numbers(rows)}: {one}, listed under several {told}; keep the row it was taken for, and "
            "give the others their own photo."
        )
        return
    for (hand, finger), own in rows.groupby(["hand", "finger"], sort=False):
        if own["photo"].nunique() > 1:
            yield (
                f"photos.csv rows {_numbers(own)}: {one}, listed as several photos of the {hand} {finger} finger; keep "
                "one row, or where it shows several ulcers give each row the same name and its own click (x, y)."
            )
    yield from fingers_not_told_apart(rows.assign(photo=" = ".join(names)))


def _numbers(rows: pd.DataFrame) -> str:
    return ", ".join(str(i + 2) for i in rows.index)


def _absent_files(study: Study) -> Iterator[str]:
    for column in ("photo", "mask"):
        for i, name in study.photos[column].items():
            if name and not (study.root / name).is_file():
                yield f"photos.csv row {int(str(i)) + 2}, {column}: there is no file '{name}'; this row will fail."


def _unknown_subjects(study: Study) -> Iterator[str]:
    photographed = set(study.photos["subject_id"])
    if len(study.subjects):
        for subject in sorted(photographed - set(study.subjects["subject_id"])):
            yield f"subjects.csv: subject {subject} has photos but no row; its clinical criteria stay open."
    for name in ("subjects", "ulcers", "treatments", "refractory", "visits", "events"):
        for subject in sorted(set(getattr(study, name)["subject_id"]) - photographed):
            yield f"{name}.csv: subject {subject} has no photo."


def _visit_days(study: Study) -> Iterator[str]:
    """Warn of photos far from their visit's planned day: one of visit and date may be wrong."""
    day_zero = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    for i, row in study.photos.iterrows():
        visit = study.protocol.visit(row["visit"])
        day = day_number(row["date"], day_zero.get(row["subject_id"], ""))
        if day is None or visit.day is None or visit.phase != "follow-up":
            continue
        if abs(day - visit.day) > (visit.window_days or 0):
            yield (
                f"photos.csv row {int(str(i)) + 2}: {row['photo']} was taken on day {day}, outside the window of "
                f"{row['visit']} (day {visit.day} ± {visit.window_days or 0})."
            )


def _joins(study: Study) -> Iterator[str]:
    for i, row in study.ulcers.iterrows():
        if not row["ulcer_no"] and not (row["hand"] and row["finger"]):
            yield f"ulcers.csv row {int(str(i)) + 2}: neither ulcer_no nor hand and finger, so it joins to no ulcer."
    for i, row in study.events.iterrows():
        if row["event"] in _LOCAL_EVENTS and not row["ulcer_no"] and not (row["hand"] and row["finger"]):
            yield f"events.csv row {int(str(i)) + 2}: {row['event']} without a finger or ulcer_no joins to no ulcer."
    numbered = study.photos[study.photos["ulcer_no"] != ""]
    for (subject, number), rows in numbered.groupby(["subject_id", "ulcer_no"]):
        fingers = sorted(set(rows["hand"] + " " + rows["finger"]))
        if len(fingers) > 1:
            yield f"photos.csv: ulcer_no {number} of {subject} stands at several fingers: {', '.join(fingers)}."


def _consent(study: Study) -> Iterator[str]:
    for i, row in study.subjects.iterrows():
        consent, treatment = parse_date(row["consent_date"]), parse_date(row["treatment_date"])
        if consent and treatment and treatment.high < consent.low:
            yield f"subjects.csv row {int(str(i)) + 2}: treated on {row['treatment_date']}, before consent."
