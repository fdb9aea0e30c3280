"""One reader at work on a results folder: what is to be read, what was read, and what is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from ulcermeter.datatypes import PhotoGeometry, Points
from ulcermeter.errors import PhotoError, Problem, Refusal, UlcermeterError
from ulcermeter.files import JsonObject
from ulcermeter.pipeline.readings import measure_outline, traced
from ulcermeter.pipeline.steps.gating import finger_mask
from ulcermeter.planimetry import diameter_line
from ulcermeter.quality import check_gates
from ulcermeter.readings import (
    READING_ACTION,
    Entry,
    PlaceKey,
    PlaceReading,
    PlaceVerdict,
    ReadingLog,
    UlcerVerdict,
    current_readings,
    fit_labels,
    reading_of_entry,
    state_of,
)
from ulcermeter.review.history import History
from ulcermeter.review.items import Item
from ulcermeter.review.pictures import Pictures
from ulcermeter.review.sent import check_outline, reading_sent
from ulcermeter.store import KeptResults, protocol_of
from ulcermeter.store.reading import read_record
from ulcermeter.tables.cells import grouped

__all__ = ["Mode", "ReadElsewhere", "Session", "Values"]

# Photos whose geometry, and outlines whose measures, are kept in memory: a reader goes to and fro among few.
_GEOMETRIES_KEPT, _MEASURED_KEPT = 64, 256
Values = dict[str, Any]


class ReadElsewhere(UlcermeterError):
    """The reading that an edit was made on is no longer the last one: it was read on in another window."""


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
        self._kept, self._log, self._lock = kept, ReadingLog(root), Lock()
        self._measured: dict[tuple[PlaceKey, bytes], Values] = {}
        self._geometry = lru_cache(maxsize=_GEOMETRIES_KEPT)(self._read_geometry)
        self._take_log()

    def _take_log(self) -> None:
        """Take what was read so far from the log."""
        entries = self._log.entries()
        self._last = len(entries)
        self._own: dict[tuple[PlaceKey, int], PlaceReading] = {}
        self._others: dict[PlaceKey, list[PlaceReading]] = {}
        self._histories: dict[tuple[PlaceKey, int], History] = {}
        for one in current_readings(entries):
            if self._is_own(one):
                self._own[one.place, one.occasion] = one
            elif not one.adjudicated and one.occasion == 1 and one.reader != self.reader:
                self._others.setdefault(one.place, []).append(one)
        for entry in entries:
            found = reading_of_entry(entry) if entry.who == self.reader else None
            if found is not None and self._is_own(found):
                self._note(found, entry)

    def _is_own(self, one: PlaceReading) -> bool:
        return one.reader == self.reader and one.adjudicated == self.mode.adjudicating

    def _note(self, one: PlaceReading, entry: Entry) -> None:
        key = one.place, one.occasion
        known = self._histories.get(key)
        if known is None or known.photo_sha256 != entry.photo_sha256:
            known = self._histories[key] = History(entry.photo_sha256)
        known.add(entry.number, entry.action.removeprefix(f"{READING_ACTION} "))

    # --- what was read ------------------------------------------------------------------------------------------------

    def reading(self, item: Item) -> PlaceReading | None:
        """Return this reader's reading of an item, as it stands."""
        with self._lock:
            return self._reading(item)

    def _reading(self, item: Item) -> PlaceReading | None:
        one = self._own.get((item.place, item.occasion))
        return fit_labels(one, item.outlines) if one is not None and one.photo_sha256 == item.sha256 else None

    def history(self, item: Item) -> History:
        """Return the way of this reader's reading of an item through the log."""
        found = self._histories.get((item.place, item.occasion))
        return found if found is not None and found.photo_sha256 == item.sha256 else History(item.sha256)

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

    def check_place(self, item: Item, outline: Points) -> None:
        """Put an outline's own place through the gates: the photo's were passed where the machine looked.

        Raises
        ------
        Refusal
            One is not passed there, and the protocol has photos refused.
        PhotoError
            The photo cannot be read, or nothing on it be measured.
        """
        geometry = self.geometry(item)
        if geometry is None or self.protocol.gates.on_failure == "report":
            return
        photo = self.pictures.photo(self.photos / item.place[0], item.sha256)
        mask = None if geometry.finger is None else finger_mask(photo, geometry.calibration, geometry.finger)
        report = check_gates(photo, geometry.calibration, outline, protocol=self.protocol, finger_mask=mask)
        if report.failures:
            raise Refusal(*report.failures)

    # --- writing ------------------------------------------------------------------------------------------------------

    def save(
        self, item: Item, state: JsonObject, *, action: str, why: str = "", follows: int | None = None
    ) -> PlaceReading:
        """Put a reading of an item into the log, down to the disk.

        Parameters
        ----------
        item : Item
        state : mapping
            As the page sends it.
        action, why : str
        follows : int, optional
            Number of the entry that it was made on (`history`); not looked at without it.

        Returns
        -------
        PlaceReading

        Raises
        ------
        ReadElsewhere
            Another entry came after that one.
        PhotoError, Refusal
            An outline that cannot be measured: nothing is written.
        ValueError, KeyError, TypeError
            A state that is none.
        """
        now = reading_sent(item, state, self._empty(item))
        for ulcer in now.ulcers:
            if ulcer.outline_px is not None and ulcer.verdict is not UlcerVerdict.ACCEPTED:
                self.measure(item, ulcer.outline_px)
                if ulcer.verdict is UlcerVerdict.ADDED:
                    self.check_place(item, ulcer.outline_px)
        return self._write(item, now, action=action, why=why, follows=follows)

    def turn(self, item: Item, action: str, *, follows: int | None = None) -> PlaceReading:
        """Undo the last entry on an item, or redo what was undone: as a new entry of what stood then.

        Parameters
        ----------
        item : Item
        action : {'undo', 'redo'}
        follows : int, optional
            As in `save`.

        Returns
        -------
        PlaceReading

        Raises
        ------
        ReadElsewhere
            Another entry came after that one.
        ValueError
            There is nothing to be undone.
        """
        number = self.history(item).next_of(action)
        if number is None:
            raise ValueError(f"nothing to {action}")
        then = reading_of_entry(self._log.entry(number)) if number else None
        then = fit_labels(then, item.outlines) if then is not None else None
        return self._write(item, then or self._empty(item), action=action, follows=follows)

    def _write(
        self, item: Item, now: PlaceReading, *, action: str, why: str = "", follows: int | None = None
    ) -> PlaceReading:
        photo, hand, finger = item.place
        with self._lock:
            if self._log.count() != self._last:  # another program reads too
                self._take_log()
            if follows is not None and follows != self.history(item).now:
                problem = Problem(
                    "this photo was read on in another window",
                    action="look at it as it stands now and go on from there",
                )
                raise ReadElsewhere(problem)
            before = self._reading(item)
            entry = self._log.append(
                who=self.reader,
                action=f"{READING_ACTION} {action}",
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
            self._note(now, entry)
            self._last = entry.number
        return now

    def _empty(self, item: Item) -> PlaceReading:
        return PlaceReading(
            reader=self.reader,
            place=item.place,
            photo_sha256=item.sha256,
            run_id=self.run_id,
            occasion=item.occasion,
            adjudicated=self.mode.adjudicating,
            whole=self.mode.whole,
        )

    def _machine_state(self, item: Item) -> dict[str, Any]:
        outlines = {str(label): points.tolist() for label, points in item.outlines.items()}
        return {"by": "machine", "status": str(item.photo.get("status", "")), "outlines_px": outlines}


def _touched(before: PlaceReading | None, now: PlaceReading) -> list[int]:
    """Return the labels that differ between two states."""
    was = {one["label"]: one for one in (state_of(before)["ulcers"] if before else [])}
    stands = {one["label"]: one for one in state_of(now)["ulcers"]}
    return sorted(label for label in {*was, *stands} if was.get(label) != stands.get(label))
