"""Persons' readings applied to the photos' results: outlines measured by the library, without their photos."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.datatypes import (
    CameraInfo,
    OutlineSource,
    Photo,
    PhotoGeometry,
    PhotoResult,
    Points,
    RectifiedPhoto,
    Segmentation,
    Study,
)
from ulcermeter.errors import Refusal, UlcermeterError
from ulcermeter.pipeline.steps.in_view import holds_point
from ulcermeter.planimetry import measure_rows
from ulcermeter.quality import check_scale
from ulcermeter.readings import (
    Chosen,
    PlaceKey,
    PlaceReading,
    PlaceVerdict,
    UlcerReading,
    UlcerVerdict,
    choose_readings,
    label_shown,
)
from ulcermeter.segmentation.tracings import segment_tracing
from ulcermeter.tables import columns
from ulcermeter.tables.cells import MACHINE, PASSED, by_key, is_unconfirmed
from ulcermeter.wording import reading_not_kept

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["Applied", "apply_readings", "measure_outline", "place_of", "traced"]

_GONE = (UlcerVerdict.NO_ULCER, UlcerVerdict.MERGED)
# What a verdict on a photo as a whole says in the cells of a study's photos.csv.
_CELLS = {
    PlaceVerdict.NO_ULCER: {"reader_state": "healed"},
    PlaceVerdict.HEALED: {"reader_state": "healed"},
    PlaceVerdict.COVERED: {"covered": "yes"},
    PlaceVerdict.CANNOT_JUDGE: {"reader_state": "indeterminate"},
}
_SIZES = ("diameter_mm", "diameter_low_mm", "diameter_high_mm", "width_mm", "area_mm2", "perimeter_mm",
          "over_threshold", "centroid_x_px", "centroid_y_px")  # fmt: skip
# A photo's geometry is asked for once for each ulcer read on it; it weighs about 150 kB.
_GEOMETRIES_KEPT = 64
Row = dict[str, Any]


@dataclass(frozen=True)
class Applied:
    """A study after readings.

    Attributes
    ----------
    study : Study
        Its photos say what readers say of photos as a whole.
    done : tuple of PhotoResult
    changed : frozenset of int
        Positions of the results that a reading changed.
    rows : tuple of dict
        Rows of readings.csv.
    not_kept : tuple of str
        Readings that could not be used, in words.
    """

    study: Study
    done: tuple[PhotoResult, ...]
    changed: frozenset[int] = frozenset()
    rows: tuple[Row, ...] = ()
    not_kept: tuple[str, ...] = ()


def place_of(result: PhotoResult) -> PlaceKey:
    """Return the photo, hand and finger of a result.

    Parameters
    ----------
    result : PhotoResult

    Returns
    -------
    PlaceKey
    """
    return result.photo["photo"], result.photo["hand"], result.photo["finger"]


def traced(geometry: PhotoGeometry, outlines: Sequence[Points], *, sha256: str) -> Segmentation:
    """Return outlines as a reader's segmentation of a photo whose pixels are not at hand.

    Parameters
    ----------
    geometry : PhotoGeometry
    outlines : sequence of float64 (K, 2)
        Photo px (x, y).
    sha256 : str
        Of the photo's file: it seeds the interval's draws.

    Returns
    -------
    Segmentation
        Its labels are empty.

    Raises
    ------
    Refusal
        An outline that no ulcer has.
    """
    calibration = geometry.calibration
    photo = Photo(np.zeros((1, 1, 3), np.uint8), sha256, None, CameraInfo(), Path())
    rectified = RectifiedPhoto(np.zeros((1, 1, 3), np.uint8), 1.0, (0.0, 0.0), calibration, photo)
    return segment_tracing(rectified, outlines=outlines, source=OutlineSource.READER)


def measure_outline(geometry: PhotoGeometry, outline: Points, *, sha256: str, protocol: Protocol) -> Row:
    """Measure one outline of a reader as `ulcermeter.planimetry.measure` does.

    Parameters
    ----------
    geometry : PhotoGeometry
        Of its photo. The finger is used where the outline lies on it.
    outline : float64 (K, 2)
        Photo px (x, y).
    sha256 : str
        Of the photo's file.
    protocol : Protocol

    Returns
    -------
    dict
        A row of ``measurements``: what an outline alone can tell.

    Raises
    ------
    Refusal
        An outline that no ulcer has: larger than the finger, or a quarter of the photo.
    """
    finger = geometry.finger
    middle_mm = geometry.calibration.to_mm(outline.mean(axis=0))[0]
    if finger is not None and not holds_point(finger, middle_mm, protocol=protocol):
        finger = None
    return measure_rows(traced(geometry, [outline], sha256=sha256), finger=finger, protocol=protocol)[0]


def apply_readings(
    study: Study,
    done: Sequence[PhotoResult],
    readings: Sequence[PlaceReading],
    *,
    run_id: str = "",
    geometry: Callable[[int], PhotoGeometry | None] | None = None,
) -> Applied:
    """Put the reading that counts in the place of the machine's, ulcer by ulcer.

    Parameters
    ----------
    study : Study
    done : sequence of PhotoResult
        The machine's, in the study's order.
    readings : sequence of PlaceReading
        As `ulcermeter.readings.current_readings` returns them.
    run_id : str
        Written into the measurements.
    geometry : callable, optional
        Of a result's position, where the results are in short; else their own.

    Returns
    -------
    Applied
        Without readings the study and results as they were.
    """
    hashes = {result.photo["photo"]: result.photo.get("sha256", "") for result in done}
    primary = study.protocol.measurement.primary_reader
    chosen, lost = choose_readings(readings, primary_reader=primary, photo_sha256=hashes)
    places = by_key((place_of(result), position) for position, result in enumerate(done))
    of_own = geometry or (lambda at: done[at].geometry)
    work = _Work(study, list(done), places, run_id, geometry=lru_cache(maxsize=_GEOMETRIES_KEPT)(of_own))
    for one in lost:
        work.lose(one, "the photo is another one now, or not in the study")
    for place, found in chosen.items():
        work.apply(place, found)
    for one in readings:
        if one not in lost:
            work.list_rows(one)
    for place in dict.fromkeys(one.place for one in readings if one not in lost):
        work.list_machine(place)
    return work.applied()


class _Work:
    """A study's results while readings are applied to them."""

    def __init__(
        self,
        study: Study,
        done: list[PhotoResult],
        places: Mapping[PlaceKey, list[int]],
        run_id: str,
        *,
        geometry: Callable[[int], PhotoGeometry | None],
    ) -> None:
        self.geometry = geometry
        self.study, self.machine, self.places, self.run_id = study, tuple(done), places, run_id
        self.done, self.cells = done, dict[int, dict[str, str]]()
        self.rows: list[Row] = []
        self.not_kept: list[str] = []
        self.used = set[int]()  # id() of the readings that count: equal ones of two readers are two
        self.sizes: dict[tuple[int, PlaceKey], Row] = {}

    def applied(self) -> Applied:
        photos = self.study.photos
        for name in dict.fromkeys(name for cells in self.cells.values() for name in cells):
            read = [self.cells.get(i, {}).get(name, cell) for i, cell in enumerate(photos[name])]
            photos = photos.assign(**{name: read})
        changed = frozenset(i for i, (a, b) in enumerate(zip(self.machine, self.done, strict=True)) if a is not b)
        study = replace(self.study, photos=photos) if self.cells else self.study
        return Applied(study, tuple(self.done), changed, tuple(self.rows), tuple(self.not_kept))

    def lose(self, one: PlaceReading, why: str) -> None:
        self.not_kept.append(reading_not_kept(one.reader, one.place, why))
        self.rows += [self._row(one, ulcer, {}, counts=False) | {"not_kept": why} for ulcer in one.ulcers or (None,)]

    # --- one place --------------------------------------------------------------------------------------------------

    def apply(self, place: PlaceKey, chosen: Chosen) -> None:
        """Apply what counts at a place; a reading that cannot be measured leaves the machine's and is named."""
        if chosen.first is None:
            return
        at = [i for i in self.places[place] if self.machine[i].photo["status"] in PASSED]
        if chosen.first.verdict is not PlaceVerdict.NONE:
            self.used |= {id(chosen.first)} if at else set()
            for position in at:
                self._set_verdict(position, chosen.first.verdict)
            return
        read = {ulcer.label: (chosen.first.reader, ulcer) for ulcer in chosen.first.ulcers}
        for other in chosen.others:
            for ulcer in other.ulcers:
                if not (chosen.first.whole or other.whole or ulcer.verdict is UlcerVerdict.ADDED):
                    read.setdefault(ulcer.label, (other.reader, ulcer))
        self._set_ulcers(at, list(read.values()), whole=chosen.first.whole)

    def _set_verdict(self, position: int, verdict: PlaceVerdict) -> None:
        machine = self.machine[position]
        photo = {**machine.photo, "status": "no ulcer", "n_ulcers": 0}
        self.done[position] = replace(machine, photo=photo, measurements=(), outlines=())
        self.cells[position] = dict(_CELLS[verdict])

    def _set_ulcers(self, at: Sequence[int], read: Sequence[tuple[str, UlcerReading]], *, whole: bool) -> None:
        measurable = [i for i in at if self.geometry(i) is not None]
        if not measurable:
            return
        gone, new = dict[int, set[int]](), dict[int, list[tuple[str, UlcerReading]]]()
        if whole:
            gone = {i: {label for label, _ in self.machine[i].outlines} for i in measurable}
            new = {i: [] for i in measurable}
        for reader, ulcer in read:
            self.used.add(id(ulcer))
            position, label = self._shown(measurable, ulcer)
            if label is not None:
                gone.setdefault(position, set()).add(label)
            new.setdefault(position, [])
            if ulcer.verdict not in _GONE:
                new[position].append((reader, ulcer))
        taken = {label for i in measurable for label, _ in self.machine[i].outlines if label not in gone.get(i, ())}
        for position, ulcers in new.items():
            self.done[position] = self._result(position, gone.get(position, set()), ulcers, taken)
            self._settle_reader_state(position, read_open=bool(ulcers))

    def _settle_reader_state(self, position: int, *, read_open: bool) -> None:
        """Let outlines that were read, or taken away, overrule an older word in the study's photos.csv."""
        reader_state = str(self.study.photos["reader_state"].iloc[position])
        if read_open and reader_state in ("healed", "indeterminate"):
            self.cells[position] = {"reader_state": ""}
        elif not read_open and self.machine[position].outlines and not self.done[position].outlines:
            self.cells[position] = dict(_CELLS[PlaceVerdict.NO_ULCER])

    def _shown(self, at: Sequence[int], ulcer: UlcerReading) -> tuple[int, int | None]:
        """Return which result and label of the machine a reading is of; of an added one the place's first result."""
        known = {label: (i, points) for i in at for label, points in self.machine[i].outlines}
        label = label_shown(ulcer, {label: points for label, (_, points) in known.items()})
        return (at[0], None) if label is None else (known[label][0], label)

    def _result(
        self, position: int, gone: set[int], read: Sequence[tuple[str, UlcerReading]], taken: set[int]
    ) -> PhotoResult:
        machine = self.machine[position]
        outlines = {label: points for label, points in machine.outlines if label not in gone}
        rows = {int(row["label"]): row for row in machine.measurements if int(row["label"]) not in gone}
        for reader, ulcer in read:
            label = ulcer.label if ulcer.label not in taken else max(taken) + 1
            taken.add(label)
            row = self._measured(position, reader, ulcer)
            if row is not None:
                assert ulcer.outline_px is not None
                rows[label], outlines[label] = row | {"label": label}, ulcer.outline_px
        n_ulcers = sum(not is_unconfirmed(row) for row in rows.values())
        photo = {**machine.photo, "status": "measured" if rows else "no ulcer", "n_ulcers": n_ulcers}
        return replace(
            machine,
            photo=photo,
            measurements=tuple(rows[label] for label in sorted(rows)),
            outlines=tuple((label, outlines[label]) for label in sorted(outlines)),
        )

    def _measured(self, position: int, reader: str, ulcer: UlcerReading) -> Row | None:
        """Return the reading's row of measurements.csv; None where its outline cannot be an ulcer's."""
        machine = self.machine[position]
        geometry = self.geometry(position)
        assert geometry is not None and ulcer.outline_px is not None
        sha256, protocol = machine.photo["sha256"], self.study.protocol
        try:
            if ulcer.verdict is UlcerVerdict.ADDED:
                _check_place(geometry, ulcer.outline_px, protocol)
            row = measure_outline(geometry, ulcer.outline_px, sha256=sha256, protocol=protocol)
        except UlcermeterError as error:
            self.not_kept.append(reading_not_kept(reader, place_of(machine), str(error)))
            self.used.discard(id(ulcer))
            return None
        self.sizes[id(ulcer), place_of(machine)] = row
        own = self.study.photos.iloc[position]
        cells = {name: str(own[name]) for name in ("photo", "subject_id", "visit", "date", "hand", "finger", "site")}
        before = next((r for r in machine.measurements if int(r["label"]) == ulcer.label), None)
        method = row["method"]
        if ulcer.verdict is UlcerVerdict.ACCEPTED and before is not None:
            method = f"{before['method']}, accepted"
        more = {"view": str(own["view"]), "reader": reader, "method": method, "run_id": self.run_id}
        known = row | cells | more
        return {name: known[name] for name in columns("measurements") if name in known}

    # --- readings.csv -----------------------------------------------------------------------------------------------

    def list_rows(self, one: PlaceReading) -> None:
        """List a reading, ulcer by ulcer, and its word on the photo as a whole."""
        at = [i for i in self.places[one.place] if self.geometry(i) is not None]
        for ulcer in one.ulcers:
            sizes = self.sizes.get((id(ulcer), one.place)) or self._sizes_of(at, ulcer)
            self.rows.append(self._row(one, ulcer, sizes, counts=id(ulcer) in self.used))
        if one.verdict is not PlaceVerdict.NONE:
            self.rows.append(self._row(one, None, {}, counts=id(one) in self.used))

    def list_machine(self, place: PlaceKey) -> None:
        """List the machine's outlines beside what was read of them."""
        for position in self.places[place]:
            machine, stands = self.machine[position], self.done[position].measurements
            for row in machine.measurements:
                own = UlcerReading(int(row["label"]), UlcerVerdict.ACCEPTED)
                one = PlaceReading(MACHINE, place, machine.photo["sha256"], run_id=self.run_id)
                counts = any(kept is row for kept in stands)
                self.rows.append(self._row(one, own, dict(row), counts=counts) | {"verdict": MACHINE})

    def _sizes_of(self, at: Sequence[int], ulcer: UlcerReading) -> Row:
        if ulcer.outline_px is None or ulcer.verdict in _GONE or not at:
            return {}
        machine, geometry = self.machine[at[0]], self.geometry(at[0])
        assert geometry is not None
        sha256, protocol = machine.photo["sha256"], self.study.protocol
        try:
            return measure_outline(geometry, ulcer.outline_px, sha256=sha256, protocol=protocol)
        except UlcermeterError:
            return {}

    def _row(self, one: PlaceReading, ulcer: UlcerReading | None, sizes: Row, *, counts: bool) -> Row:
        photo, hand, finger = one.place
        at = self.places.get(one.place)
        own = self.study.photos.iloc[at[0]] if at else {"subject_id": "", "visit": "", "date": ""}
        return {
            **{name: str(own[name]) for name in ("subject_id", "visit", "date")},
            **{"photo": photo, "hand": hand, "finger": finger, "reader": one.reader, "occasion": one.occasion},
            "label": None if ulcer is None else ulcer.label,
            "verdict": str(one.verdict if ulcer is None else ulcer.verdict),
            "counts": "yes" if counts else "no",
            "adjudicated": "yes" if one.adjudicated else "no",
            "ulcer_id": "" if ulcer is None else ulcer.ulcer_id,
            **{name: sizes.get(name, "" if name == "over_threshold" else math.nan) for name in _SIZES},
            "why": one.why if ulcer is None else ulcer.why,
            **{"not_kept": "", "sha256": one.photo_sha256, "run_id": one.run_id},
        }


def _check_place(geometry: PhotoGeometry, outline: Points, protocol: Protocol) -> None:
    """Refuse an ulcer that a reader added where the photo does not pass the gates that need no pixels."""
    failures = check_scale(geometry.calibration, outline, protocol=protocol)
    if failures and protocol.gates.on_failure != "report":
        raise Refusal(*failures)
