"""The clinic's ulcer numbers and the tracked ulcers they surely mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ulcermeter.eligibility.case import Row
from ulcermeter.tables.cells import not_known

__all__ = ["free_numbers", "number_of_photos", "place_of", "same_site_only"]

# A click means the nearer of two outlines only when the other is at least this many times farther (ratio; assumption).
_CLEARLY_NEARER = 2.0


def place_of(row: Row) -> tuple[str, str]:
    """Return hand and finger.

    Parameters
    ----------
    row : Row
        A row of a table as a mapping of column to cell.

    Returns
    -------
    tuple[str, str]
    """
    return row["hand"], row["finger"]


def number_of_photos(photos: Iterable[Row], tracked: Sequence[Row]) -> dict[str, str]:
    """Return numbers that photos.csv ties to one ulcer: number -> ulcer_id.

    A number seen on two ulcers, or two numbers on one ulcer, means nothing.

    Parameters
    ----------
    photos : iterable of Row
        Rows of photos.csv.
    tracked : sequence of Row
        Rows of ``tracked``.

    Returns
    -------
    dict[str, str]
    """
    ties: dict[str, set[str]] = {}
    for photo in photos:
        if photo["ulcer_no"]:
            shown = {row["ulcer_id"] for row in _meant(photo, tracked)}
            if len(shown) == 1:
                ties.setdefault(photo["ulcer_no"], set()).update(shown)
    once = {number: next(iter(ids)) for number, ids in ties.items() if len(ids) == 1}
    claims = [ulcer_id for ids in ties.values() for ulcer_id in ids]
    return {number: ulcer_id for number, ulcer_id in sorted(once.items()) if claims.count(ulcer_id) == 1}


def _meant(photo: Row, tracked: Sequence[Row]) -> list[Row]:
    """Outlines a row of photos.csv can mean: its photo and finger, then its site, box or click."""
    key = ("photo", "hand", "finger")
    shown = [row for row in tracked if all(row[name] == photo[name] for name in key)]
    # A number is of the ulcer that is there, not of what may be one beside it.
    shown = [row for row in shown if row["presence"] != "possible"] or shown
    if photo["site"] and any(row["site"] == photo["site"] for row in shown):
        shown = [row for row in shown if row["site"] == photo["site"]]
    if photo["box"] and len(shown) > 1:
        x, y, width, height = (float(part) for part in photo["box"].replace(",", " ").split())
        shown = [r for r in shown if 0 <= r["centroid_x_px"] - x <= width and 0 <= r["centroid_y_px"] - y <= height]
    if not not_known(photo["x"]) and not not_known(photo["y"]) and len(shown) > 1:
        return _nearest(photo, shown)
    return shown


def _nearest(photo: Row, shown: list[Row]) -> list[Row]:
    def distance(row: Row) -> float:
        return math.hypot(row["centroid_x_px"] - photo["x"], row["centroid_y_px"] - photo["y"])

    near, *others = sorted(shown, key=distance)
    rivals = [row for row in others if row["ulcer_id"] != near["ulcer_id"]]
    clear = all(distance(row) >= _CLEARLY_NEARER * distance(near) for row in rivals)
    return [near] if clear else shown


def free_numbers(
    assessments: Iterable[Row], photos: Sequence[Row], by_ulcer: Mapping[str, list[Row]], known: Mapping[str, str]
) -> dict[str, str]:
    """Return numbers no photo settles but place does: one unjoined number, one unjoined ulcer on that finger.

    With more ulcers on the finger the site must name exactly one of them.

    Parameters
    ----------
    assessments : iterable of Row
        Rows of ulcers.csv.
    photos : sequence of Row
        Rows of photos.csv.
    by_ulcer : Mapping[str, list[Row]]
        Rows of ``tracked`` by ulcer_id.
    known : Mapping[str, str]
        Numbers that are settled, with their ulcer_id.

    Returns
    -------
    dict[str, str]
    """
    rows = list(assessments)
    places: dict[str, set[tuple[str, str]]] = {}
    for row in (*rows, *photos):
        if row["ulcer_no"] and row["ulcer_no"] not in known:
            places.setdefault(row["ulcer_no"], set()).add(place_of(row))
    open_ends = {place_of(row) for row in rows if not row["ulcer_no"]}
    found: dict[str, str] = {}
    for number, where in sorted(places.items()):
        rivals = {n for n, other in places.items() if n != number and (where & other or _vague(other))}
        if len(where) != 1 or _vague(where) or where & open_ends or _vague(open_ends):
            continue
        hand, finger = next(iter(where))
        free = {
            key: tracked
            for key, tracked in by_ulcer.items()
            if (tracked[0]["hand"], tracked[0]["finger"]) == (hand, finger) and key not in known.values()
        }
        rival_sites = {row["site"].casefold() for row in (*rows, *photos) if row["ulcer_no"] in rivals}
        match = _only_one(free, [row["site"] for row in rows if row["ulcer_no"] == number], rival_sites)
        if match:
            found[number] = match
    return found if len(set(found.values())) == len(found) else {}


def _vague(where: Iterable[tuple[str, str]]) -> bool:
    return any("" in place for place in where)


def _only_one(free: Mapping[str, Sequence[Row]], sites: list[str], rival_sites: set[str]) -> str:
    named = {site.casefold() for site in sites}
    if not free or len(named) != 1 or "" in rival_sites or rival_sites & named:
        return ""
    site = next(iter(named))
    if len(free) > 1 or rival_sites:
        return same_site_only(site, free)
    key = next(iter(free))
    shown = {row["site"].casefold() for row in free[key]} - {""}
    return "" if site and shown and site not in shown else key


def same_site_only(site: str, ulcers: Mapping[str, Sequence[Row]]) -> str:
    """Return the one ulcer at that site, when every other one is at another named site; else ''.

    Parameters
    ----------
    site : str
        Where on the finger, in the clinic's words.
    ulcers : Mapping[str, Sequence[Row]]
        Rows of ``tracked`` by ulcer_id.

    Returns
    -------
    str
    """
    here = [key for key, rows in ulcers.items() if site and site.casefold() in {r["site"].casefold() for r in rows}]
    named = all({row["site"] for row in rows} - {""} for rows in ulcers.values())
    return here[0] if len(here) == 1 and named else ""
