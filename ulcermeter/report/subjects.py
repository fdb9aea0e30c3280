"""What stands on a subject's page: criteria, and each ulcer's photos, curve and evidence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

from ulcermeter.datatypes import Results, Study
from ulcermeter.plots import FINGER_VIEW_PX, PX_PER_MM, healing_curve, place_in_view
from ulcermeter.report.formatting import with_interval
from ulcermeter.report.pictures import Pictures, svg_uri
from ulcermeter.store import overlay_name
from ulcermeter.tables import from_rows
from ulcermeter.tables.cells import Record, grouped, known_number, records

__all__ = ["STATUSES", "Subjects"]

STATUSES = ("measured", "no ulcer", "indeterminate", "refused", "failed")
_WEIGHTS = {"fails": 0, "unknown": 1, "passes": 2, "none": 3}
# What a picture of an ulcer's place shows: the ulcer with the skin round it, mm [assumption].
_SHOWN_MM = 20.0
# A former place is marked at least this wide, mm, so that the ring is seen round a small scar.
_RING_MM = 3.0
# Ulcers and pictures beyond which a print is set smaller, without the curves of areas, to stay on two pages.
_DENSE_ULCERS, _DENSE_PICTURES = 2, 21


class Subjects:
    """The subjects of a study; a page's rows are gathered only when it is asked for.

    Parameters
    ----------
    study : Study
    results : Results
    inside : bool
        Pictures go into the page itself.
    labels : mapping of str to collection of int
        Of the small pictures by name, which ulcers' outlines they show: a photo with several clicks has one for each.
    """

    def __init__(
        self, study: Study, results: Results, *, inside: bool, labels: Mapping[str, Collection[int]] | None = None
    ) -> None:
        self._labels = labels or {}
        self._protocol = study.protocol
        self._pictures = Pictures(results.root, inside=inside, count=len(results.photos))
        self._verdicts = {row["subject_id"]: row for row in records(results.eligibility_summary)}
        own = itemgetter("subject_id")
        self._criteria, self._conditions, self._courses, self._measured, self._queries = (
            grouped(records(table), key=own)
            for table in (
                results.eligibility,
                results.eligibility_by_ulcer,
                results.trajectories,
                results.measurements,
                results.queries,
            )
        )
        self._photos = grouped(_named(records(results.photos)), key=own)
        shown = {*self._verdicts, *self._criteria, *self._conditions, *self._courses, *self._photos}
        self.names = sorted(shown)
        self._anchors = {name: f"subject-{position}" for position, name in enumerate(self.names, start=1)}

    def anchor(self, name: str) -> str:
        """Return the id of a subject's article."""
        return self._anchors[name]

    def overview(self) -> list[Record]:
        """Return what the overview says of each subject."""
        return [
            {
                "id": name,
                "verdict": self._verdicts.get(name),
                "tally": _tally(self._photos.get(name, ())),
                "n_queries": len(self._queries.get(name, ())),
            }
            for name in self.names
        ]

    def of(self, name: str) -> Record:
        """Return what a subject's page shows."""
        conditions = self._conditions.get(name, [])
        at_ulcers = {(row["criterion"], row["effect"]) for row in conditions}
        criteria = _by_weight(self._criteria.get(name, []), at_ulcers)
        ulcers = [self._ulcer(name, *both) for both in self._by_ulcer(name)]
        in_strips = {photo["photo"] for ulcer in ulcers for photo in ulcer["photos"]}
        others = [photo for photo in self._photos.get(name, ()) if photo["photo"] not in in_strips]
        return {
            "id": name,
            "anchor": self._anchors[name],
            "verdict": self._verdicts.get(name),
            "asked": [row for row in criteria if row["effect"] in ("fails", "unknown")],
            "passed": [row for row in criteria if row["effect"] not in ("fails", "unknown")],
            "ulcers": ulcers,
            "other_photos": [self._shown(photo, self._found(photo, None)) for photo in others],
            "queries": self._queries.get(name, []),
            "dense": len(ulcers) > _DENSE_ULCERS
            or len(others) + sum(len(ulcer["photos"]) for ulcer in ulcers) > _DENSE_PICTURES,
        }

    def _by_ulcer(self, name: str) -> list[tuple[str, list[Record], list[Record]]]:
        conditions = grouped(self._conditions.get(name, []), key=itemgetter("ulcer_id"))
        courses = grouped(self._courses.get(name, []), key=itemgetter("ulcer_id"))
        return [(one, conditions.get(one, []), courses.get(one, [])) for one in sorted({*conditions, *courses})]

    def _ulcer(self, name: str, ulcer_id: str, conditions: list[Record], course: list[Record]) -> Record:
        return {
            "id": ulcer_id,
            "clinic_no": next((row["ulcer_no"] for row in conditions if row["ulcer_no"]), ""),
            "conditions": _by_weight(conditions, ()),
            "course": course,
            "curves": self._curves(course),
            "in_words": _course_in_words(course),
            "photos": self._strip(name, ulcer_id, course),
        }

    def _curves(self, course: list[Record]) -> list[str]:
        """Return the curves of an ulcer of at least two visits; one visit is no course."""
        if len(course) < 2 or not any(math.isfinite(row["diameter_mm"]) for row in course):
            return []
        table = from_rows("trajectories", course)
        diameter = healing_curve(table, protocol=self._protocol, quantity="diameter")
        return [svg_uri(diameter), svg_uri(healing_curve(table, protocol=self._protocol, quantity="area"))]

    def _strip(self, name: str, ulcer_id: str, course: list[Record]) -> list[Record]:
        """Return the photos of an ulcer's finger in time, each at the ulcer's place, or where it was."""
        photos = grouped(self._photos.get(name, ()), key=_finger_at_visit)
        strip: list[Record] = []
        places = [_place(row) for row in self._measured.get(name, ()) if row["ulcer_id"] == ulcer_id]
        place = next((one for one in places if one is not None), None)
        size_mm = 0.0
        for row in course if ulcer_id else ():
            for photo in self._one_each(photos.get(_finger_at_visit(row), ()), ulcer_id):
                found = self._found(photo, ulcer_id)
                own = next((one for one in map(_place, found) if one is not None), None)
                place = own or place
                size_mm = max((known_number(one["diameter_mm"]) for one in found), default=size_mm)
                ring_mm = None if found else max(_RING_MM, 1.5 * size_mm)
                more = {"state": row["state"], "missing": _missing(row["state"])}
                strip.append(self._shown(photo, found, place=place, ring_mm=ring_mm) | more)
        return strip

    def _one_each(self, photos: Sequence[Record], ulcer_id: str) -> list[Record]:
        """Return each photo once: of several clicks on one, the row whose picture shows the ulcer, else the first."""
        chosen = []
        for same in grouped(photos, key=itemgetter("photo")).values():
            labels = {int(row["label"]) for row in self._found(same[0], ulcer_id)}
            shows = [photo for photo in same if labels & set(self._labels.get(photo["name"], ()))]
            chosen.append((shows or same)[0])
        return chosen

    def _found(self, photo: Record, ulcer_id: str | None) -> list[Record]:
        """Return what was measured on a photo row, of one ulcer or of all."""
        of_photo = (photo["photo"], photo["hand"], photo["finger"])
        return [
            row
            for row in self._measured.get(photo["subject_id"], ())
            if (row["photo"], row["hand"], row["finger"]) == of_photo and ulcer_id in (None, row["ulcer_id"])
        ]

    def _shown(
        self,
        photo: Record,
        found: Sequence[Record],
        *,
        place: tuple[float, float] | None = None,
        ring_mm: float | None = None,
    ) -> Record:
        """Return a photo as a strip shows it: the place in its middle where the whole finger is in the picture."""
        name = photo["name"]
        size = self._pictures.size_px(name)
        left = top = None
        if place is not None and size == FINGER_VIEW_PX:
            x, y = place_in_view(*place)
            left, top = (50.0 - 100.0 * at / (_SHOWN_MM * PX_PER_MM) for at in (x, y))
        return {
            **photo,
            "picture": self._pictures.source(name),
            "link": self._pictures.overlay_link(name),
            "found": list(found),
            "alt": _alternative(photo, found),
            "left": left,
            "top": top,
            "ring": 100.0 * ring_mm / _SHOWN_MM if ring_mm is not None and left is not None else None,
            "state": "",
            "missing": "",
            "finger_named": "" if place is not None else f"{photo['hand']} {photo['finger']}",
        }


def _named(photos: Sequence[Record]) -> list[Record]:
    """Return the photo rows with the names of their pictures; rows of one finger are counted in the table's order."""
    rows_so_far: Counter[tuple[str, ...]] = Counter()
    named = []
    for photo in photos:
        key = (photo["photo"], photo["hand"], photo["finger"])
        named.append({**photo, "name": overlay_name(*key, rows_so_far[key])})
        rows_so_far[key] += 1
    return named


def _by_weight(rows: Sequence[Record], at_ulcers: Collection[tuple[str, str]]) -> list[Record]:
    """Return answers with what fails first, then what is open; evidence stands once, so not where an ulcer has it."""
    ordered = sorted(rows, key=lambda row: _WEIGHTS.get(row["effect"], len(_WEIGHTS)))
    return [row | {"at_ulcers": (row["criterion"], row["effect"]) in at_ulcers} for row in ordered]


def _finger_at_visit(row: Record) -> tuple[str, ...]:
    return tuple(row[name] for name in ("hand", "finger", "visit", "date"))


def _missing(state: str) -> str:
    """Say what an ulcer without an outline on a passing photo is there."""
    return "went into another ulcer" if state == "merged" else "none found here"


def _place(row: Record) -> tuple[float, float] | None:
    place = known_number(row["finger_s_mm"]), known_number(row["finger_t_mm"])
    return place if all(map(math.isfinite, place)) else None


def _tally(photos: Sequence[Record]) -> str:
    statuses = Counter(row["status"] for row in photos)
    return ", ".join(f"{statuses[name]} {name}" for name in STATUSES if statuses[name])


def _course_in_words(course: Sequence[Record]) -> str:
    """Say a curve in words, for those who cannot see it."""
    steps = [
        f"{row['visit']} {row['state']}"
        + (f" {with_interval(row, 'diameter_mm')} mm" if known_number(row["diameter_mm"]) > 0 else "")
        for row in course
    ]
    return "; ".join(steps)


def _alternative(photo: Record, found: Sequence[Record]) -> str:
    words = [f"{_called(row)} {int(row['label'])}, {with_interval(row, 'diameter_mm')} mm" for row in found]
    shown = ", ".join(words) or photo["status"]
    return f"Photo of {photo['subject_id']}, {photo['visit']}, {photo['hand']} {photo['finger']}: {shown}"


def _called(row: Record) -> str:
    return "possible ulcer" if row["presence"] == "possible" else "ulcer"
