"""Values that can be read and cannot well be right: ages, diameters, photos of visits that did not take place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ulcermeter.datatypes import Finding, Kind, Severity, Study
from ulcermeter.study.date_order import DEATH, SUBJECT_DATES, Point, disordered, order_findings, points_of, rows_of
from ulcermeter.study.rules import readable_date
from ulcermeter.tables.dates import DateInterval, add_months

__all__ = ["plausibility_findings"]

_SUBJECTS, _PHOTOS, _ULCERS, _EVENTS = "subjects.csv", "photos.csv", "ulcers.csv", "events.csv"


def plausibility_findings(study: Study) -> Iterator[Finding]:
    """Yield the cells of a study that are implausible or contradict one another, subject by subject.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    Iterator[Finding]
    """
    for subject in sorted({*study.photos["subject_id"], *study.subjects["subject_id"]} - {""}):
        points = points_of(study, subject)
        yield from order_findings(study, subject, points)
        yield from _of_age(study, subject, points)
        yield from _not_attended(study, subject)
        yield from _after_death(subject, points)
    yield from _bedside(study)


# --- age ------------------------------------------------------------------------------------------------------------


def _of_age(study: Study, subject: str, points: Sequence[Point]) -> Iterator[Finding]:
    rules = study.protocol.eligibility
    low, high = rules.age_plausible_min_years, rules.age_plausible_max_years
    wrong = disordered(points)
    sure = [point for point in points if point not in wrong and point.name != DEATH]
    marks = [point for point in sure if point.name in SUBJECT_DATES] or sure
    for row, person in rows_of(study.subjects, subject):
        birth, age = readable_date(person["birth_date"]), float(person["age"])
        odd = [point for point in marks if birth and not _plausible(birth, point.when, low, high)]
        if birth and odd and 2 * len(odd) >= len(marks):
            why = f"the age on {odd[0].text} ({odd[0].place_in_words}) must be {low} to {high} years"
            yield _implausible(_SUBJECTS, row, "birth_date", got=person["birth_date"], why=why, subject=subject)
        elif birth:
            yield from (_against_birth(point, row, person["birth_date"], subject) for point in odd)
            yield from _age_beside(study, subject, row, person, marks)
        if not math.isnan(age) and not low <= age < high:
            why = f"an age must be {low} to {high} years"
            yield _implausible(_SUBJECTS, row, "age", got=f"{age:g}", why=why, subject=subject)


def _plausible(birth: DateInterval, day: DateInterval, low: int, high: int) -> bool:
    """Say whether someone can be of a plausible age on a day, whichever days the two dates mean."""
    return add_months(birth.low, 12 * low) <= day.high and add_months(birth.high, 12 * high) > day.low


def _against_birth(point: Point, row: int, birth: str, subject: str) -> Finding:
    file, own_row, column = point.cells[0]
    against = f"birth_date of {_SUBJECTS} row {row}"
    return Finding(
        Kind.DATES_OUT_OF_ORDER,
        Severity.WARNING,
        file,
        (own_row,),
        column,
        point.text,
        f"on {birth}",
        against,
        subject,
        in_doubt=True,
    )


def _age_beside(
    study: Study, subject: str, row: int, person: Mapping[str, Any], marks: Sequence[Point]
) -> Iterator[Finding]:
    """Yield age and birth date where they are further apart than a birthday between two visits."""
    on = next((p for name in ("inclusion_date", "screening_date") for p in marks if p.name == name), None)
    birth, age = readable_date(person["birth_date"]), float(person["age"])
    if birth is None or math.isnan(age) or on is None:
        return
    apart = study.protocol.eligibility.age_birth_date_apart_years
    youngest = add_months(birth.high, 12 * int(age - apart)) <= on.when.high
    oldest = add_months(birth.low, 12 * int(age + apart + 1)) > on.when.low
    if not (youngest and oldest):
        shown = {"birth_date": f"birth_date {person['birth_date']}", "age": f"age {age:g}"}
        for column, other in (("birth_date", "age"), ("age", "birth_date")):
            why = f"{other} of the same row, on {on.text}"
            yield Finding(
                Kind.AGE_AND_BIRTH,
                Severity.WARNING,
                _SUBJECTS,
                (row,),
                column,
                shown[column],
                shown[other],
                why,
                subject,
                in_doubt=True,
            )


# --- visits and events ----------------------------------------------------------------------------------------------


def _not_attended(study: Study, subject: str) -> Iterator[Finding]:
    """Yield photos of a visit that visits.csv says was not attended; of several visits of one name by its date too."""
    photos = rows_of(study.photos, subject)
    for row, visit in rows_of(study.visits, subject):
        again = study.protocol.places.get(visit["visit"]) is None
        own = [
            at
            for at, photo in photos
            if photo["visit"] == visit["visit"] and not (again and photo["date"] != visit["date"])
        ]
        if visit["attended"] == "no" and own:
            source = f"visits.csv row {row}"
            yield Finding(
                Kind.NOT_ATTENDED,
                Severity.WARNING,
                _PHOTOS,
                tuple(own),
                "visit",
                visit["visit"],
                source,
                "",
                subject,
                in_doubt=True,
            )


def _after_death(subject: str, points: Sequence[Point]) -> Iterator[Finding]:
    """Yield visits and photos later than a death."""
    for death in (point for point in points if point.name == DEATH):
        for point in points:
            if not point.phase or point.when.low <= death.when.high:
                continue
            for file in dict.fromkeys(file for file, _, _ in point.cells):
                rows = tuple(row for name, row, _ in point.cells if name == file)
                source = f"{_EVENTS} row {death.cells[0][1]}"
                yield Finding(
                    Kind.AFTER_DEATH,
                    Severity.WARNING,
                    file,
                    rows,
                    "date",
                    point.text,
                    death.text,
                    source,
                    subject,
                    in_doubt=True,
                )


# --- sizes ----------------------------------------------------------------------------------------------------------


def _bedside(study: Study) -> Iterator[Finding]:
    most = study.protocol.eligibility.bedside_max_mm
    cells = zip(study.ulcers["subject_id"], study.ulcers["diameter_mm_bedside"], strict=True)
    for position, (subject, size) in enumerate(cells):
        if not math.isnan(size) and not 0 < size <= most:
            why = f"an ulcer's diameter on a finger must be over 0 and at most {most:g} mm"
            cell = _ULCERS, position + 2, "diameter_mm_bedside"
            yield _implausible(*cell, got=f"{size:g} mm", why=why, subject=subject)


def _implausible(file: str, row: int, column: str, *, got: str, why: str, subject: str) -> Finding:
    return Finding(
        Kind.IMPLAUSIBLE, Severity.WARNING, file, (row,), column, got, why=why, subject_id=subject, in_doubt=True
    )
