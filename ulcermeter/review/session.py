"""One reader at work on a results folder: what is to be read, what was read, and what is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ulcermeter.datatypes import PhotoGeometry, Points
from ulcermeter.errors import PhotoError, Problem, StudyError
from ulcermeter.pipeline.finish import folder_of_study
from ulcermeter.pipeline.readings import measure_outline, traced
from ulcermeter.planimetry import diameter_line
from ulcermeter.readings import (
    PlaceKey,
    PlaceReading,
    PlaceVerdict,
    ReadingLog,
    UlcerReading,
    UlcerVerdict,
    current_readings,
    state_of,
)
from ulcermeter.review.disagreement import disagreements
from ulcermeter.review.items import Item, items_of_list, items_of_run
from ulcermeter.review.pictures import Pictures
from ulcermeter.review.reading_list import read_list
from ulcermeter.review.worklist import Reason, in_order_of_need, reasons_of_run
from ulcermeter.store import KeptResults, protocol_of
from ulcermeter.store.reading import read_record
from ulcermeter.tables.cells import grouped

__all__ = ["Mode", "Session", "Values", "open_session"]

# More vertices than any outline has; what a hostile page sends is refused before it is measured.
_MOST_VERTICES, _MOST_ULCERS = 20_000, 50
_GEOMETRIES_KEPT, _MEASURED_KEPT = 64, 256
Values = dict[str, Any]


@dataclass(frozen=True)
class Mode:
    """How photos are read.

    Attributes
    ----------
    blinded : bool
        Nothing is shown or served that tells which photo it is.
    adjudicating : bool
        The readings of others are shown, and what is read settles them.
    whole : bool
        The machine's outlines are not shown, so that a reading says all that there is on its photo.
    """

    blinded: bool = False
    adjudicating: bool = False
    whole: bool = False


class Session:
    """A reader's work; safe for several threads."""

    def __init__(
        self, root: Path, *, reader: str, photos: Path, mode: Mode, items: Sequence[Item], kept: KeptResults
    ) -> None:
        self.root, self.reader, self.mode, self.items = root, reader, mode, list(items)
        self.photos = photos
        record = read_record(root)
        self.protocol, self.run_id = protocol_of(record), str(record["run_id"])
        parameters = record.get("parameters")
        model = str(parameters.get("model", "shipped")) if isinstance(parameters, Mapping) else "shipped"
        self.model = None if model == "shipped" else model
        self.pictures = Pictures()
        self.identities: Mapping[tuple[PlaceKey, int], str] = {}
        in_time = sorted(self.items, key=lambda one: (str(one.photo.get("date", "")), one.position))
        self.fingers = grouped(in_time, key=lambda one: one.whose)
        self.by_id = {item.id: item for item in self.items}
        self.changes = 0
        self._kept, self._log, self._lock = kept, ReadingLog(root), Lock()
        entries = self._log.entries()
        self._measured: dict[tuple[PlaceKey, bytes], Values] = {}
        read = current_readings(entries)
        mine = [one for one in read if one.reader == reader and one.adjudicated == mode.adjudicating]
        self._own = {(one.place, one.occasion): one for one in mine}
        others = [one for one in read if not one.adjudicated and one.occasion == 1 and one.reader != reader]
        self._others = grouped(others, key=lambda one: one.place)
        self._geometry = lru_cache(maxsize=_GEOMETRIES_KEPT)(self._read_geometry)

    # --- what was read ------------------------------------------------------------------------------------------------

    def reading(self, item: Item) -> PlaceReading | None:
        """Return this reader's reading of an item, as it stands."""
        with self._lock:
            one = self._own.get((item.place, item.occasion))
        return one if one is not None and one.photo_sha256 == item.sha256 else None

    def others(self, item: Item) -> list[PlaceReading]:
        """Return what other readers say of an item, first occasions alone; none but where they are adjudicated."""
        if not self.mode.adjudicating:
            return []
        found = [one for one in self._others.get(item.place, []) if one.photo_sha256 == item.sha256]
        return sorted(found, key=lambda one: one.reader)

    def is_done(self, item: Item) -> bool:
        """Whether everything on an item is read."""
        own = self.reading(item)
        if own is None:
            return False
        return own.verdict is not PlaceVerdict.NONE or {u.label for u in own.ulcers} >= set(item.outlines)

    # --- measuring ----------------------------------------------------------------------------------------------------

    def geometry(self, item: Item) -> PhotoGeometry | None:
        """Return what an item's outlines are measured with."""
        found: PhotoGeometry | None = self._geometry(item.keys)
        return found

    def _read_geometry(self, keys: tuple[str, ...]) -> PhotoGeometry | None:
        return next((found for key in keys if (found := self._kept.geometry(key)) is not None), None)

    def measure(self, item: Item, outline: Points) -> Values:
        """Measure an outline by the library.

        Raises
        ------
        PhotoError
            Nothing on this photo can be measured, or the outline is none.
        Refusal
            No ulcer has such an outline.
        """
        geometry = self.geometry(item)
        if geometry is None:
            raise PhotoError(Problem("nothing can be measured on this photo", action="take it again"))
        check_outline(outline, geometry.calibration.shape)
        key = (item.place, outline.tobytes())
        with self._lock:
            known = self._measured.get(key)
        if known is not None:
            return known
        row = measure_outline(geometry, outline, sha256=item.sha256, protocol=self.protocol)
        line = diameter_line(traced(geometry, [outline], sha256=item.sha256), 1)
        values = {**row, "line_px": [list(end) for end in line]}
        with self._lock:
            self._measured[key] = values
            while len(self._measured) > _MEASURED_KEPT:
                self._measured.pop(next(iter(self._measured)))
        return values

    # --- writing ------------------------------------------------------------------------------------------------------

    def save(self, item: Item, state: Mapping[str, Any], *, action: str, why: str = "") -> PlaceReading:
        """Put a reading of an item into the log, down to the disk.

        Raises
        ------
        PhotoError, Refusal
            An outline that cannot be measured: nothing is written.
        ValueError, KeyError, TypeError
            A state that is none.
        """
        now = self._reading_of(item, state)
        for ulcer in now.ulcers:
            if ulcer.outline_px is not None and ulcer.verdict is not UlcerVerdict.ACCEPTED:
                self.measure(item, ulcer.outline_px)
        photo, hand, finger = item.place
        before = self.reading(item)
        with self._lock:
            entry = self._log.append(
                who=self.reader,
                action=f"reading {action}",
                subject_id=str(item.photo.get("subject_id", "")),
                photo=photo,
                hand=hand,
                finger=finger,
                ulcer=",".join(str(one) for one in _touched(before, now)),
                before=self._machine_state(item) if before is None else state_of(before),
                after=state_of(now),
                why=why,
                run_id=self.run_id,
                photo_sha256=item.sha256,
            )
            self._own.pop((item.place, item.occasion), None)
            if now.has_content:
                self._own[item.place, item.occasion] = now
            self.changes = entry.number
        return now

    def _machine_state(self, item: Item) -> dict[str, Any]:
        outlines = {str(label): points.tolist() for label, points in item.outlines.items()}
        return {"by": "machine", "status": str(item.photo.get("status", "")), "outlines_px": outlines}

    def _reading_of(self, item: Item, state: Mapping[str, Any]) -> PlaceReading:
        given = list(state["ulcers"])
        if len(given) > _MOST_ULCERS:
            raise ValueError("too many ulcers")
        ulcers = tuple(self._ulcer_of(item, one) for one in given)
        if len({ulcer.label for ulcer in ulcers}) != len(ulcers):
            raise ValueError("a label stands twice")
        return PlaceReading(
            reader=self.reader,
            place=item.place,
            photo_sha256=item.sha256,
            run_id=self.run_id,
            occasion=item.occasion,
            adjudicated=self.mode.adjudicating,
            whole=self.mode.whole,
            verdict=PlaceVerdict(state.get("verdict", "")),
            ulcers=ulcers,
            why=str(state.get("why", ""))[:500],
        )

    def _ulcer_of(self, item: Item, one: Mapping[str, Any]) -> UlcerReading:
        label, verdict = int(one["label"]), UlcerVerdict(one["verdict"])
        shown = item.outlines.get(label)
        outline = _points(one.get("outline_px"))
        if verdict is UlcerVerdict.ACCEPTED:
            if shown is None:
                raise ValueError("nothing was shown to be accepted")
            outline = shown  # every vertex as it was, whatever the page makes of it
        if verdict in (UlcerVerdict.EDITED, UlcerVerdict.ADDED) and outline is None:
            raise ValueError("an outline is missing")
        if verdict in (UlcerVerdict.NO_ULCER, UlcerVerdict.MERGED):
            outline = None
        words = {name: str(one.get(name, "") or "").strip()[:200] for name in ("ulcer_id", "why")}
        check_identity(item, words["ulcer_id"])
        return UlcerReading(label, verdict, outline, shown, **words)


def _touched(before: PlaceReading | None, now: PlaceReading) -> list[int]:
    """Return the labels that differ between two states."""
    was = {one["label"]: one for one in (state_of(before)["ulcers"] if before else [])}
    stands = {one["label"]: one for one in state_of(now)["ulcers"]}
    return sorted(label for label in {*was, *stands} if was.get(label) != stands.get(label))


def _points(given: Any) -> Points | None:
    if given is None:
        return None
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError("an outline is a list of points (x, y)")
    return points


def check_identity(item: Item, ulcer_id: str) -> None:
    """Refuse an identity that no ulcer of an item's finger can have.

    Parameters
    ----------
    item : Item
    ulcer_id : str
        Empty for none.

    Raises
    ------
    PhotoError
        Not the finger's name with a number behind it.
    """
    stem = "-".join(item.whose)
    if ulcer_id and not (ulcer_id.startswith(f"{stem}-") and ulcer_id[len(stem) + 1 :].isdecimal()):
        raise PhotoError(
            Problem(expected=f"an ulcer of this finger, such as {stem}-1", got=f"'{ulcer_id}'", action="mend the id")
        )


def check_outline(outline: Points, shape: tuple[int, int]) -> None:
    """Refuse what is no outline on a photo of (rows, columns).

    Parameters
    ----------
    outline : float64 (K, 2)
    shape : (int, int)

    Raises
    ------
    PhotoError
        Fewer than three vertices, too many, or off the photo.
    """
    rows, cols = shape
    inside = np.isfinite(outline).all() and (outline >= -0.5).all() and (outline <= np.array([cols, rows]) - 0.5).all()
    if not 3 <= len(outline) <= _MOST_VERTICES or not inside:
        raise PhotoError(
            Problem(
                expected=f"an outline of 3 vertices or more on the photo of {cols} × {rows} px",
                got=f"{len(outline)} vertices" + ("" if inside else ", some of them off the photo"),
                action="draw it on the photo",
            )
        )


def open_session(
    root: str | Path, *, reader: str, study: str | Path | None = None, adjudicating: bool = False
) -> Session:
    """Open a results folder for a reader: with its reading list, where one is there that names the reader.

    Parameters
    ----------
    root : str or Path
        The results folder.
    reader : str
    study : str or Path, optional
        Where the study is now; where run.json says without it.
    adjudicating : bool
        Show what readers differ in, to be settled.

    Returns
    -------
    Session

    Raises
    ------
    StudyError
        No finished results folder, or no reader's name.
    UlcermeterError
        The log is not as it was written.
    """
    folder = Path(root)
    if not reader.strip() or reader.strip().casefold() == "machine":
        raise StudyError(
            Problem(
                where="--reader", expected="a reader's name or code", got=f"'{reader}'", action="give one, such as R1"
            )
        )
    kept = KeptResults(folder)
    results = kept.results()
    # Not the whole study, whose checks open every photo: only the tables after readings need it.
    photos, protocol = folder_of_study(folder, study), protocol_of(read_record(folder))
    reasons, identities = reasons_of_run(folder, [result for _, result in results], protocol)
    places = items_of_run(results, reasons)
    listed = read_list(folder)
    if adjudicating:
        readings = current_readings(ReadingLog(folder).entries())
        found = disagreements(readings, places, protocol, kept)
        items = [places[place].without_outlines((Reason.DISAGREE,)) for place in found]
        mode = Mode(adjudicating=True, whole=True)
        session = Session(folder, reader=reader, photos=photos, mode=mode, items=items, kept=kept)
    elif listed is not None and reader in listed.readers:
        machine = listed.outlines == "machine"
        items = items_of_list(listed.for_reader(reader), places, machine=machine)
        mode = Mode(blinded=True, whole=not machine)
        return Session(folder, reader=reader, photos=photos, mode=mode, items=items, kept=kept)
    else:
        order = in_order_of_need({item.position: item.reasons for item in places.values()})
        at = {item.position: item for item in places.values()}
        items = [at[position] for position in order]
        session = Session(folder, reader=reader, photos=photos, mode=Mode(), items=items, kept=kept)
    session.identities = identities
    return session
