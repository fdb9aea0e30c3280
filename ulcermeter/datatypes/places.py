"""Where an event was, where the clinic's own number of an ulcer tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ulcermeter.tables.cells import Record, records

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Study

__all__ = ["placed_events"]


def placed_events(study: Study) -> pd.DataFrame:
    """Return events.csv with hand and finger filled in where an event names an ulcer's number instead.

    Only where photos.csv and ulcers.csv give that number one hand and finger, and the event names no other.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    DataFrame
        Table ``study/events``.
    """
    places: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in (*records(study.photos), *records(study.ulcers)):
        if row["ulcer_no"] and row["hand"] and row["finger"]:
            places.setdefault((row["subject_id"], row["ulcer_no"]), set()).add((row["hand"], row["finger"]))
    found = [_place(row, places.get((row["subject_id"], row["ulcer_no"]), set())) for row in records(study.events)]
    return study.events.assign(hand=[hand for hand, _ in found], finger=[finger for _, finger in found])


def _place(event: Record, known: set[tuple[str, str]]) -> tuple[str, str]:
    """Return an event's hand and finger: as they stand, unless its number has one place that they do not contradict."""
    given = event["hand"], event["finger"]
    (place,) = known if len(known) == 1 else (given,)
    return place if all(own in ("", other) for own, other in zip(given, place, strict=True)) else given
