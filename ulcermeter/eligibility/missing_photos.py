"""Fingers and numbered ulcers that photos were to show and did not: what may be there is never ruled out.

A photo that was refused, failed, shows a covered place, or on which nothing was found where the reader says open or is
unsure, has not seen its finger. Unless another photo has, an ulcer there is neither known nor excluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.numbers import place_of
from ulcermeter.eligibility.three_valued import not_after
from ulcermeter.tables.cells import grouped, not_known
from ulcermeter.tables.dates import parse_date

__all__ = ["missing_fingers", "missing_numbers"]

Place = tuple[str, str]


def missing_numbers(case: Case, known: Mapping[str, str]) -> dict[str, list[Row]]:
    """Return the clinic's numbers of which no photo shows an outline or a clear place, with their photos.

    Parameters
    ----------
    case : Case
    known : mapping of str to str
        Numbers that surely are one tracked ulcer's.

    Returns
    -------
    dict of str to list of dict
        By number, its rows of photos.csv.
    """
    photos = _counted(case)
    unknown = [photo for photo in photos if photo["ulcer_no"] and photo["ulcer_no"] not in known]
    numbered = grouped(unknown, key=itemgetter("ulcer_no"))
    nameless = [photo for photo in photos if not photo["ulcer_no"]]
    return {
        number: own
        for number, own in sorted(numbered.items())
        if not any(_showed(photo, case) for photo in own)
        and not all(_made_good(photo, nameless, case) for photo in own)
    }


def missing_fingers(case: Case, known: Mapping[Place, set[str] | None]) -> dict[Place, list[Row]]:
    """Return the fingers that no photo saw, or no photo of some side, with the photos that were to.

    Parameters
    ----------
    case : Case
    known : mapping of (hand, finger) to set of str, or None
        Where ulcers are known, and the views that show them (None: any): what was not seen there is about them.

    Returns
    -------
    dict of (hand, finger) to list of dict
        By finger, its rows of photos.csv.
    """
    photos = _counted(case)
    missing = []
    for photo in photos:
        if photo["ulcer_no"] or _showed(photo, case) or _made_good(photo, photos, case):
            continue
        views = known.get(place_of(photo), set())
        here = views is None or any(_may_be(photo["view"], view) for view in views)
        if not here or _beside_another(photo, photos):
            missing.append(photo)
    return dict(sorted(grouped(missing, key=place_of).items()))


def _counted(case: Case) -> list[Row]:
    """Return the photos that count for size, not later than the cutoff."""
    photos = [photo for photo in case.photos if case.counts_for_size(photo)]
    return [photo for photo in photos if not_after(parse_date(photo["date"]), case.cutoff) is not False]


def _same_side(photo: Row, other: Row) -> bool:
    return place_of(photo) == place_of(other) and _may_be(photo["view"], other["view"])


def _made_good(photo: Row, others: Sequence[Row], case: Case) -> bool:
    """Another photo saw that side of the finger; where the reader says open or is unsure, more than found nothing."""
    doubted = photo["reader_state"] in ("open", "indeterminate")
    fresh = [other for other in others if case.photo_horizon.fresh(parse_date(other["date"])) is True]
    again = [other for other in fresh if other["photo"] != photo["photo"] and _same_side(photo, other)]
    showing = [other for other in again if _showed(other, case)]
    return any(not doubted or other["reader_state"] == "healed" or _outlined(other, case.tracked) for other in showing)


def _beside_another(photo: Row, photos: Sequence[Row]) -> bool:
    """Say whether the same picture passed at another click: then this row is about another ulcer of the finger."""
    same = [o for o in photos if o["photo"] == photo["photo"] and place_of(o) == place_of(photo)]
    return photo.get("passed", "") == "no" and any(other.get("passed", "") == "yes" for other in same)


def _may_be(view: str, other: str) -> bool:
    return not view or not other or view == other


def _showed(photo: Row, case: Case) -> bool:
    """Say whether the photo shows an outline, or its place clear.

    Where nothing is known of how it passed, one that names an ulcer and shows none has not seen it.
    """
    if _outlined(photo, case.tracked) and photo.get("passed", "") != "no":
        return True
    if photo["reader_state"] == "healed":
        return True
    if photo["covered"] == "yes" or photo["reader_state"]:
        return False
    return photo.get("passed", "") == "yes" or not (photo.get("passed", "") or photo["ulcer_no"])


def _outlined(photo: Row, tracked: Sequence[Row]) -> bool:
    key = ("photo", "hand", "finger")
    return any(not not_known(row["label"]) and all(row[name] == photo[name] for name in key) for row in tracked)
