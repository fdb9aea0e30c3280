"""What looks wrong between the tables of a study and its photos: `ulcermeter check` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Finding, Kind, Severity
from ulcermeter.errors import Problem
from ulcermeter.provenance import file_sha256
from ulcermeter.study.cell_formats import path_fault
from ulcermeter.study.drug_names import drug_findings
from ulcermeter.study.file_names import file_findings
from ulcermeter.study.files import broken
from ulcermeter.study.plausibility import plausibility_findings
from ulcermeter.study.rules import ambiguous_fingers, readable_date, row_numbers
from ulcermeter.tables.cells import grouped

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Study

__all__ = ["same_picture_faults", "consistency_warnings"]

_PHOTOS = "photos.csv"
# Events that belong to one finger; without it they cannot be joined to an ulcer.
_LOCAL_EVENTS = ("amputation", "debridement", "infection", "gangrene")


def consistency_warnings(study: Study) -> Iterator[Finding]:
    """Yield the warnings that need several tables, or the names of the files on disk.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    Iterator[Finding]
    """
    for warnings in (file_findings, _unknown_subjects, _visit_days, _linkage, plausibility_findings, drug_findings):
        yield from warnings(study)


def same_picture_faults(study: Study) -> Iterator[Finding]:
    """Name photo files that are one picture listed as several: its ulcers would count for each.

    One picture for several fingers of one visit is right where its rows say which ulcer is whose, and each finger
    stands under one name. Only files of equal size are read.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    Iterator[Finding]
    """
    photos = study.photos
    sizes: dict[int, set[str]] = {}
    for name in sorted(set(photos["photo"]) - {""}):
        if not path_fault(study.root, name) and (study.root / name).is_file():
            sizes.setdefault((study.root / name).stat().st_size, set()).add(name)
    alike = [name for size, names in sizes.items() if size and len(names) > 1 for name in sorted(names)]
    pictures = grouped(alike, key=lambda name: file_sha256(study.root / name))
    for same in sorted(same for same in pictures.values() if len(same) > 1):
        yield from _one_picture(photos[photos["photo"].isin(same)], same)


def _one_picture(rows: pd.DataFrame, names: list[str]) -> Iterator[Finding]:
    one = f"{', '.join(names)} are one and the same picture, byte for byte"
    several = [column for column in ("subject_id", "visit", "date") if rows[column].nunique() > 1]
    if several:
        values = "; ".join(f"{column} {', '.join(dict.fromkeys(rows[column]))}" for column in several)
        keep = "keep the row it was taken for, and give the others their own photo"
        yield broken(Problem(f"{one}, listed under several {values}", action=keep), _PHOTOS, *row_numbers(rows))
        return
    for (hand, finger), own in rows.groupby(["hand", "finger"], sort=False):
        if own["photo"].nunique() > 1:
            got = f"{one}, listed as several photos of the {hand} {finger} finger"
            keep = "keep one row, or where it shows several ulcers give each the same name and its own click (x, y)"
            yield broken(Problem(got, action=keep), _PHOTOS, *row_numbers(own))
    yield from ambiguous_fingers(rows.assign(photo=" = ".join(names)))


def _unknown_subjects(study: Study) -> Iterator[Finding]:
    photographed = set(study.photos["subject_id"])
    if len(study.subjects):
        for subject in sorted(photographed - set(study.subjects["subject_id"])):
            yield _warning(f"subject {subject} has photos but no row; its clinical criteria stay open", "subjects.csv")
    for name in ("subjects", "ulcers", "treatments", "refractory", "visits", "events"):
        for subject in sorted(set(getattr(study, name)["subject_id"]) - photographed):
            yield _warning(f"subject {subject} has no photo", f"{name}.csv")


def _warning(got: str, file: str, *rows: int) -> Finding:
    return Finding(Kind.BROKEN, Severity.WARNING, file, rows, problem=Problem(got))


def _visit_days(study: Study) -> Iterator[Finding]:
    """Warn of photos far from their visit's planned day: one of visit and date may be wrong."""
    day_zero = dict(zip(study.subjects["subject_id"], study.subjects["treatment_date"], strict=True))
    planned = {visit.name: visit for visit in study.protocol.visits if visit.phase == "follow-up"}
    for i, row in study.photos.iterrows():
        visit = planned.get(row["visit"])
        taken, zero = readable_date(row["date"]), readable_date(day_zero.get(row["subject_id"], ""))
        if visit is None or visit.day is None or not (taken and taken.exact and zero and zero.exact):
            continue
        day, half = (taken.low - zero.low).days, visit.window_days or 0
        if abs(day - visit.day) > half:
            yield Finding(
                Kind.OUTSIDE_WINDOW,
                Severity.WARNING,
                _PHOTOS,
                (int(str(i)) + 2,),
                "date",
                got=f"{row['date']} (day {day})",
                meant=f"day {visit.day} ± {half}",
                why=visit.name,
                subject_id=row["subject_id"],
            )


def _linkage(study: Study) -> Iterator[Finding]:
    for i, row in study.ulcers.iterrows():
        if not row["ulcer_no"] and not (row["hand"] and row["finger"]):
            yield _warning(
                "neither ulcer_no nor hand and finger, so it joins to no ulcer", "ulcers.csv", int(str(i)) + 2
            )
    for i, row in study.events.iterrows():
        if row["event"] in _LOCAL_EVENTS and not row["ulcer_no"] and not (row["hand"] and row["finger"]):
            why = f"{row['event']} without a finger or ulcer_no joins to no ulcer"
            yield _warning(why, "events.csv", int(str(i)) + 2)
    numbered = study.photos[study.photos["ulcer_no"] != ""]
    for (subject, number), rows in numbered.groupby(["subject_id", "ulcer_no"]):
        fingers = sorted(set(rows["hand"] + " " + rows["finger"]))
        if len(fingers) > 1:
            yield _warning(f"ulcer_no {number} of {subject} stands at several fingers: {', '.join(fingers)}", _PHOTOS)
