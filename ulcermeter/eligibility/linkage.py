"""Which rows of ulcers.csv and refractory.csv speak of which tracked ulcer; what could mean two is never guessed.

A row is joined by the clinic's number where a photo carries that number and shows one ulcer; else by hand, finger and
site where just one ulcer is there, in the photos and in the clinic's tables alike. A row that could be another ulcer's
is kept as *possible*: it decides nothing, but what it could change is then not assessable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.examination import Examination, last_examination
from ulcermeter.eligibility.missing_photos import missing_fingers, missing_numbers
from ulcermeter.eligibility.numbers import free_numbers, number_of_photos, place_of, same_site_only
from ulcermeter.eligibility.three_valued import not_after
from ulcermeter.tables.cells import by_key, not_known
from ulcermeter.tables.dates import parse_date

__all__ = ["Ulcer", "ulcers_of"]

_ASSESSED_ON = ("assessed_on", "xray_date")


@dataclass(frozen=True)
class Ulcer:
    """An ulcer as the criteria see it.

    Attributes
    ----------
    ulcer_id : str
        Empty for one that only the clinic's tables know.
    ulcer_no : str
        The clinic's number, where it surely is this ulcer's.
    hand, finger : str
    tracked : tuple of dict
        Its rows in ``tracked``.
    assessments, statements : tuple of (dict, bool)
        Rows of ulcers.csv and refractory.csv, and whether they surely speak of it.
    missing_photos : tuple of str
        Photos that were to show it and did not, where none did.
    counted : Examination or None
        The clinic's count of which it is one that nothing else speaks of.
    """

    ulcer_id: str
    ulcer_no: str
    hand: str
    finger: str
    tracked: tuple[Row, ...] = field(default=(), repr=False)
    assessments: tuple[tuple[Row, bool], ...] = field(default=(), repr=False)
    statements: tuple[tuple[Row, bool], ...] = field(default=(), repr=False)
    missing_photos: tuple[str, ...] = ()
    counted: Examination | None = None

    @property
    def name(self) -> str:
        """How evidence calls it."""
        place = " ".join(part for part in (self.hand, self.finger) if part)
        if not self.ulcer_id:
            return f"no. {self.ulcer_no}" if self.ulcer_no else place or "of an unnamed place"
        return f"{self.ulcer_id} (no. {self.ulcer_no})" if self.ulcer_no else self.ulcer_id

    @property
    def called(self) -> str:
        """How what is asked for calls it."""
        return f"ulcer {self.name}"

    @property
    def ambiguous_rows(self) -> bool:
        """Only rows that could be another ulcer's speak of it."""
        rows = [*self.assessments, *self.statements]
        return bool(rows) and not any(sure for _, sure in rows)


def ulcers_of(case: Case) -> list[Ulcer]:
    """Return every ulcer known up to the cutoff, by tracked identity first, then those only the clinic's tables know.

    To these belong what photos.csv names or was to show and no photo saw, and, where the clinic counted more active
    ulcers than are known, one more. An ulcer that appears only after inclusion
    takes no part, nor does what the clinic wrote later, so nothing later can blur what was known then.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    list[Ulcer]
    """
    early = _up_to_cutoff(case)
    by_ulcer = _rows_by_ulcer(early)
    known = _numbers(early, by_ulcer)
    units = _units(early, by_ulcer, known)
    assessments = _assessments(case, early, units, known)
    for place, photos in missing_fingers(early, _known_places(units.values())).items():
        units[f"~{' '.join(place)}"] = _not_photographed(photos, Ulcer("", "", *place))
    statements = _statements(early, units, known)
    found = [
        replace(unit, assessments=tuple(assessments.get(key, ())), statements=tuple(statements.get(key, ())))
        for key, unit in sorted(units.items(), key=lambda item: (not item[1].ulcer_id, item[0]))
    ]
    return [*found, *_only_counted(case, len(found))]


Rows = dict[str, list[tuple[Row, bool]]]


def _up_to_cutoff(case: Case) -> Case:
    """Leave out what the clinic wrote later: it makes no ulcer known, and blurs none, that was to be judged by then."""
    assessments = [row for row in case.assessments if _written_in_time(row, case)]
    spoken = [row for row in case.statements if _not_later(row["judged_on"], case)]
    return replace(case, assessments=tuple(assessments), statements=tuple(spoken))


def _written_in_time(row: Row, case: Case) -> bool:
    """Say whether a row of ulcers.csv is not surely later: it has no date, or one that may be up to the cutoff."""
    dates = [row[name] for name in _ASSESSED_ON if row[name]]
    return not dates or any(_not_later(date, case) for date in dates)


def _units(case: Case, by_ulcer: dict[str, list[Row]], known: dict[str, str]) -> dict[str, Ulcer]:
    """Return tracked ulcers, those of numbers that only the clinic's tables name, and those that no photo showed."""
    units = {ulcer_id: _tracked_ulcer(case, ulcer_id, rows, known) for ulcer_id, rows in by_ulcer.items()}
    units |= {f"#{n}": _numbered(case, n) for n in _clinical_numbers(case) if n not in known}
    for number, photos in missing_numbers(case, known).items():
        units[f"#{number}"] = _not_photographed(photos, units.get(f"#{number}", Ulcer("", number, *_place(photos))))
    return units


def _assessments(case: Case, early: Case, units: dict[str, Ulcer], known: dict[str, str]) -> Rows:
    """Tie rows of ulcers.csv to ulcers; a row of up to the cutoff that is tied to none stands for one more."""
    tied: Rows = {key: [] for key in units}
    ties: list[tuple[str, tuple[Row, bool]]] = []
    for row in case.assessments:
        keys, sure = _owners(row, early, units, known)
        in_time = row in early.assessments
        if not keys and in_time:
            place = place_of(row)
            keys, sure = [f"@{' '.join((*place, row['site'].casefold()))}"], True
            units.setdefault(keys[0], Ulcer("", "", *place))
        ties += [(key, (row, sure)) for key in keys if in_time or (key in units and sure)]
    return tied | by_key(ties)


def _statements(case: Case, units: dict[str, Ulcer], known: dict[str, str]) -> Rows:
    """Tie rows of refractory.csv to ulcers: by number, else to all they may be on."""
    return {key: [] for key in units} | by_key(_statement_ties(case, units, known))


def _statement_ties(
    case: Case, units: dict[str, Ulcer], known: dict[str, str]
) -> Iterator[tuple[str, tuple[Row, bool]]]:
    for row in case.statements:
        number = row["ulcer_no"]
        for key in [known.get(number, f"#{number}")] if number else units:
            yield key, (row, bool(number))
        for key in _could_be(number, case, units, known) if number and number not in known else ():
            yield key, (row, False)


def _only_counted(case: Case, known: int) -> list[Ulcer]:
    """Return an ulcer of which nothing is known but that the clinic counted more than are known."""
    counted = last_examination(case)
    return [Ulcer("", "", "", "", counted=counted)] if counted and (counted.count or 0) > known else []


def _rows_by_ulcer(case: Case) -> dict[str, list[Row]]:
    """Tracked ulcers outlined at least once not later than the cutoff, with all their rows."""
    ids = {r["ulcer_id"] for r in case.tracked if not not_known(r["label"]) and _not_later(r["date"], case)} - {""}
    return {ulcer_id: [r for r in case.tracked if r["ulcer_id"] == ulcer_id] for ulcer_id in sorted(ids)}


def _not_later(date: str, case: Case) -> bool:
    return not_after(parse_date(date), case.cutoff) is not False


def _numbers(case: Case, by_ulcer: dict[str, list[Row]]) -> dict[str, str]:
    """Return the clinic's numbers that surely are one tracked ulcer's: by photos, then by place."""
    photos = [photo for photo in case.photos if _not_later(photo["date"], case)]
    tracked = [
        row
        for rows in by_ulcer.values()
        for row in rows
        if not not_known(row["label"]) and _not_later(row["date"], case)
    ]
    known = number_of_photos(photos, tracked)
    there = _surely_there({name: _tracked_ulcer(case, name, rows, known) for name, rows in by_ulcer.items()}, case)
    found = free_numbers(case.assessments, photos, {name: by_ulcer[name] for name in there}, known)
    return known | found


def _clinical_numbers(case: Case) -> list[str]:
    return sorted({row["ulcer_no"] for row in (*case.assessments, *case.statements)} - {""})


def _tracked_ulcer(case: Case, ulcer_id: str, rows: list[Row], known: dict[str, str]) -> Ulcer:
    number = next((n for n, owner in known.items() if owner == ulcer_id), "")
    return Ulcer(ulcer_id, number, rows[0]["hand"], rows[0]["finger"], tuple(rows))


def _numbered(case: Case, number: str) -> Ulcer:
    return Ulcer("", number, *_place(row for row in case.assessments if row["ulcer_no"] == number))


def _place(rows: Iterable[Row]) -> tuple[str, str]:
    places = sorted({place_of(row) for row in rows})
    return places[0] if len(places) == 1 else ("", "")


def _not_photographed(photos: Iterable[Row], unit: Ulcer) -> Ulcer:
    return replace(unit, missing_photos=tuple(sorted({photo["photo"] for photo in photos})))


def _known_places(units: Iterable[Ulcer]) -> dict[tuple[str, str], set[str] | None]:
    """Return where ulcers are known, and the views that show them; None where any could."""
    places: dict[tuple[str, str], set[str] | None] = {}
    for unit in units:
        views = {row["view"] for row in unit.tracked if not not_known(row["label"])}
        before = places.get((unit.hand, unit.finger), set())
        places[unit.hand, unit.finger] = before | views if unit.ulcer_id and before is not None else None
    return places


def _owners(row: Row, case: Case, units: dict[str, Ulcer], known: dict[str, str]) -> tuple[list[str], bool]:
    """Return the ulcers a row of ulcers.csv can speak of, and whether that is sure."""
    number = row["ulcer_no"]
    if number in known:
        return [known[number]], _fits(row, units[known[number]])
    if number:
        return [f"#{number}"], True
    here = _surely_there({key: unit for key, unit in units.items() if unit.ulcer_id and _fits(row, unit)}, case)
    others = [other for other in case.assessments if _may_share_place(row, other)]
    if any(other["ulcer_no"] for other in others) or "" in place_of(row):
        return [key for key, unit in units.items() if _fits(row, unit)], False
    sites = {other["site"].casefold() for other in others}
    if len(here) == 1 and len(sites) == 1 and not _another_site(row, units[here[0]]):
        return here, True
    by_site = same_site_only(row["site"], {key: units[key].tracked for key in here})
    if by_site:
        return [by_site], True
    return [key for key in here if not _another_site(row, units[key])], False


def _could_be(number: str, case: Case, units: dict[str, Ulcer], known: dict[str, str]) -> Iterable[str]:
    """Tracked ulcers without a number of their own that an unjoined number could be."""
    rows = [row for row in case.assessments if row["ulcer_no"] == number]
    free = [key for key, unit in units.items() if unit.ulcer_id and key not in known.values()]
    fit = {key: units[key] for key in free if not rows or any(_fits(row, units[key]) for row in rows)}
    return _surely_there(fit, case)


def _surely_there(units: dict[str, Ulcer], case: Case) -> list[str]:
    """Return ulcers without those that are only a possible one beside a sure one of the same finger.

    What the clinic writes of an ulcer is of the one that is there, not of what photos alone hold for possible.
    """
    sure = {key: unit for key, unit in units.items() if not _is_only_possible(unit, case)}
    fingers = {(unit.hand, unit.finger) for unit in sure.values()}
    return [key for key, unit in units.items() if key in sure or (unit.hand, unit.finger) not in fingers]


def _is_only_possible(unit: Ulcer, case: Case) -> bool:
    outlined = [row for row in unit.tracked if not not_known(row["label"]) and _not_later(row["date"], case)]
    return bool(outlined) and all(row["presence"] == "possible" for row in outlined)


def _fits(row: Row, unit: Ulcer) -> bool:
    """No contradiction in hand or finger."""
    pairs = ((row["hand"], unit.hand), (row["finger"], unit.finger))
    return all(not a or not b or a == b for a, b in pairs)


def _may_share_place(row: Row, other: Row) -> bool:
    pairs = ((row["hand"], other["hand"]), (row["finger"], other["finger"]))
    return all(not a or not b or a == b for a, b in pairs)


def _another_site(row: Row, unit: Ulcer) -> bool:
    sites = {r["site"].casefold() for r in unit.tracked} - {""}
    return bool(row["site"] and sites and row["site"].casefold() not in sites)
