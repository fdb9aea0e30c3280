"""One photo row under way, and what is told of it beside its measurements."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.datatypes import Calibration, Finger, LensProfile, Photo, Segmentation
from ulcermeter.errors import StudyError
from ulcermeter.quality import judge_quality
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["Work", "compare_dates", "quality_of"]


@dataclasses.dataclass
class Work:
    """One photo row under way: what is known so far, so that a refusal can still tell it."""

    row: dict[str, Any]
    protocol: Protocol
    root: Path
    model: str | Path | None
    lens: LensProfile | None
    known: dict[str, Any]
    notes: list[str] = dataclasses.field(default_factory=list)
    photo: Photo | None = None
    click: tuple[float, float] | None = None
    calibration: Calibration | None = None
    segmentation: Segmentation | None = None
    finger: Finger | None = None

    def cell(self, name: str) -> str:
        """Return a text cell of the row, empty when not known."""
        value = self.row.get(name)
        return "" if value is None or value != value else str(value).strip()


def compare_dates(work: Work, photo: Photo) -> None:
    """Note a photo that its camera dates otherwise than its row: the clock, the date or the photo is wrong."""
    try:
        given = parse_date(work.cell("date"))
    except ValueError as error:
        raise StudyError(f"date: {error}") from None
    if given is None or photo.taken_at is None:
        return
    taken = photo.taken_at.date()
    apart = max((given.low - taken).days, (taken - given.high).days)
    if apart > work.protocol.retake.taken_date_max_days:
        told = f"taken {taken} by the camera's clock, {apart} days off the row's date {work.cell('date')}: check both"
        work.notes.append(told)


def quality_of(work: Work) -> dict[str, str]:
    """Judge the photo as far as it was looked at; focus and light only where an ulcer or the finger was looked for."""
    if work.photo is None or work.calibration is None:
        return {}
    outlines = work.segmentation.outlines if work.segmentation is not None else ()
    click = None if work.click is None else np.array(work.click)
    # Without any of these the focus that is known is of the photo's middle.
    looked = work.segmentation is not None and bool(outlines or work.finger or work.click)
    return judge_quality(
        work.photo,
        work.calibration,
        finger=work.finger if looked else None,
        outlines=outlines,
        place_px=outlines[0].mean(axis=0) if outlines else click,
        focus=work.known["focus"] if looked else float("nan"),
        protocol=work.protocol,
    )
