"""Photos whose camera says another day than their row: read from the head of JPEG files, without a decoder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from ulcermeter.datatypes import Finding, Kind, Severity, Study
from ulcermeter.files import check_regular
from ulcermeter.study.rules import readable_date

__all__ = ["camera_date_findings"]

# Of other formats a decoder in C reads the date too, which belongs into a process of its own; `run` notes those.
_FORMATS = ("JPEG", "MPO")


def camera_date_findings(study: Study) -> Iterator[Finding]:
    """Yield rows whose date is further from the camera's than a clock in another time zone can be."""
    most = study.protocol.retake.taken_date_max_days
    known: dict[str, date | None] = {}
    for position, row in enumerate(study.photos.to_dict("records")):
        name, given = row["photo"], readable_date(row["date"])
        if not name or given is None:
            continue
        if name not in known:
            known[name] = _taken_on(study.root / name)
        taken = known[name]
        if taken is not None and max((given.low - taken).days, (taken - given.high).days) > most:
            place = ("photos.csv", (position + 2,), "date")
            got, subject = row["date"], row["subject_id"]
            yield Finding(Kind.CAMERA_DATE, Severity.WARNING, *place, got, taken.isoformat(), subject_id=subject)


def _taken_on(path: Path) -> date | None:
    from PIL import Image

    from ulcermeter.photo.exif import read_exif

    try:
        check_regular(path)
        with Image.open(path, formats=_FORMATS) as image:
            _, taken, _ = read_exif(image)
    except Exception:  # noqa: BLE001 - what cannot be read is told where the photo is opened
        return None
    return taken.date() if isinstance(taken, datetime) else None
