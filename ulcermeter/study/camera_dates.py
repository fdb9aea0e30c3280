"""Photos whose camera says another day than their row."""

from __future__ import annotations

from datetime import date, datetime

from ulcermeter.datatypes import Finding, Kind, Severity
from ulcermeter.study.rules import readable_date
from ulcermeter.tables.cells import Row

__all__ = ["camera_date_finding"]


def camera_date_finding(row: Row, place: int, taken_at: datetime | None, *, most_days: float) -> Finding | None:
    """Return what is wrong where a row's date is further from the camera's than a clock in another time zone can be.

    Parameters
    ----------
    row : mapping
        A row of the study's photos.
    place : int
        Its place there, counted from 0.
    taken_at : datetime or None
        By the camera's clock; None where the file does not say.
    most_days : float
        The protocol's ``taken_date_max_days``, days.

    Returns
    -------
    Finding or None
    """
    given = readable_date(str(row["date"]))
    if given is None or taken_at is None:
        return None
    taken: date = taken_at.date()
    if max((given.low - taken).days, (taken - given.high).days) <= most_days:
        return None
    return Finding(
        Kind.CAMERA_DATE,
        Severity.WARNING,
        "photos.csv",
        (place + 2,),
        "date",
        got=str(row["date"]),
        meant=taken.isoformat(),
        subject_id=str(row["subject_id"]),
    )
