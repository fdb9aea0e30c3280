"""Which of several persons' readings counts: one for each ulcer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ulcermeter.readings.log import Entry
from ulcermeter.readings.records import PlaceKey, PlaceReading, PlaceVerdict, reading_from_state
from ulcermeter.tables.cells import grouped

__all__ = ["READING_ACTION", "Chosen", "choose_readings", "current_readings", "reading_of_entry"]

READING_ACTION = "reading"
"""Beginning of the action of every entry that holds a reading; behind it what was done."""


@dataclass(frozen=True)
class Chosen:
    """The readings that count at one place.

    Attributes
    ----------
    first : PlaceReading
        Whose verdict on the photo, added ulcers and outlines come first.
    others : tuple of PlaceReading
        Further readings of the same photo, for outlines that `first` has not read.
    unsettled : bool
        Several have read, none is the primary reader or adjudicated: the machine's stays.
    """

    first: PlaceReading | None
    others: tuple[PlaceReading, ...] = ()
    unsettled: bool = False


def current_readings(entries: Iterable[Entry]) -> list[PlaceReading]:
    """Return every reading as its last entry left it: one a reader, place, photo and occasion, in order of begin.

    Parameters
    ----------
    entries : iterable of Entry
        A log's, in order.

    Returns
    -------
    list of PlaceReading
    """
    readings: dict[tuple[str, PlaceKey, str, int, bool], PlaceReading] = {}
    for entry in entries:
        one = reading_of_entry(entry)
        if one is None:
            continue
        readings[one.reader, one.place, one.photo_sha256, one.occasion, one.adjudicated] = one
    return [one for one in readings.values() if one.has_content]


def reading_of_entry(entry: Entry) -> PlaceReading | None:
    """Return the reading that an entry left; None of an entry that is about none, such as an investigator's decision.

    Parameters
    ----------
    entry : Entry

    Returns
    -------
    PlaceReading or None
    """
    if not entry.action.startswith(READING_ACTION) or entry.after is None:
        return None
    place = (entry.photo, entry.hand, entry.finger)
    return reading_from_state(
        dict(entry.after), reader=entry.who, place=place, photo_sha256=entry.photo_sha256, run_id=entry.run_id
    )


def choose_readings(
    readings: Sequence[PlaceReading], *, primary_reader: str, photo_sha256: Mapping[str, str]
) -> tuple[dict[PlaceKey, Chosen], list[PlaceReading]]:
    """Choose for each place the adjudicated reading, else the primary reader's, else the only one.

    Of a photo that was read twice the first occasion counts.

    Parameters
    ----------
    readings : sequence of PlaceReading
        As `current_readings` returns them.
    primary_reader : str
        The protocol's; empty for none.
    photo_sha256 : mapping of str to str
        The photos as they are now.

    Returns
    -------
    dict of PlaceKey to Chosen
    list of PlaceReading
        What cannot be kept: the photo is another one now, or not there any more.
    """
    kept = [one for one in readings if photo_sha256.get(one.place[0], "") == one.photo_sha256]
    lost = [one for one in readings if photo_sha256.get(one.place[0], "") != one.photo_sha256]
    places = grouped((one for one in kept if one.occasion == 1), key=lambda one: one.place)
    return {place: _chosen(found, primary_reader) for place, found in sorted(places.items())}, lost


def _chosen(found: Sequence[PlaceReading], primary: str) -> Chosen:
    adjudicated = [one for one in found if one.adjudicated][-1:]
    by_primary = [one for one in found if primary and one.reader == primary and not one.adjudicated]
    plain = [one for one in found if not one.adjudicated and one not in by_primary]
    ranked = [*adjudicated, *by_primary, *(plain if len(plain) == 1 else [])]
    if not ranked:
        return Chosen(None, unsettled=True)
    return Chosen(ranked[0], tuple(one for one in ranked[1:] if ranked[0].verdict is PlaceVerdict.NONE))
