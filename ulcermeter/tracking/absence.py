"""What a photo says of a place: in view or not, covered, the reader's word, and so healed, open or unsure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ulcermeter.protocol import Protocol
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.tracking.lineage import Lineage
from ulcermeter.tracking.observation import GATE, Observation, distance2, same_view
from ulcermeter.tracking.reading import PhotoRow

__all__ = ["Scene", "Verdict", "contested", "judge_absence", "saw_clear", "unconfirmed"]


@dataclass(frozen=True)
class Scene:
    """One finger on one occasion.

    Attributes
    ----------
    photos : tuple of PhotoRow
    outlined : frozenset of str
        Photos with at least one outline that is surely of an ulcer.
    numbers : frozenset of str
        The clinic's numbers of this finger's ulcers known so far.
    lineages : tuple of Lineage
        Ulcers of this finger that photos could show.
    possible : mapping of str to tuple of Observation
        Photos to what is outlined on them and may be an ulcer; no reader has said so.
    """

    photos: tuple[PhotoRow, ...]
    outlined: frozenset[str]
    numbers: frozenset[str]
    lineages: tuple[Lineage, ...]
    possible: Mapping[str, tuple[Observation, ...]] = field(default_factory=dict)

    def alone(self, photo: PhotoRow) -> bool:
        """Say whether there is just one ulcer that this photo's view could show."""
        return sum(photo.view in lineage.observation.views for lineage in self.lineages) <= 1


@dataclass(frozen=True)
class Verdict:
    """A state, the photo it rests on ('' for none), its view, and flags."""

    state: str
    photo: str = ""
    view: str = ""
    flags: tuple[Flag, ...] = ()


def _names_other(photo: PhotoRow, lineage: Lineage, scene: Scene) -> bool:
    """Say whether the photo names another ulcer, or maybe another."""
    if not photo.number or photo.number == lineage.number:
        return False
    return bool(lineage.number) or photo.number in scene.numbers or not scene.alone(photo)


def _reader_state(photo: PhotoRow, lineage: Lineage, scene: Scene) -> str:
    """Return the reader's word where it can only be about this ulcer, or must be feared to be.

    A word that names no ulcer, where there are several: *indeterminate* counts for all; *open* and *healed* only when
    nothing was outlined, because otherwise they may be about what was.
    """
    if _names_other(photo, lineage, scene):
        return ""
    if photo.number or scene.alone(photo) or photo.reader_state == "indeterminate":
        return photo.reader_state
    return "" if photo.photo in scene.outlined else photo.reader_state


def _hidden(photo: PhotoRow, lineage: Lineage, scene: Scene) -> bool:
    return photo.covered and not _names_other(photo, lineage, scene)


def contested(lineage: Lineage, photo_name: str, scene: Scene) -> Flag | None:
    """Return why an outline on a photo is not to be taken as an open ulcer; None when it is.

    Parameters
    ----------
    lineage : Lineage
        The ulcer as known up to the occasion.
    photo_name : str
        The photo's file.
    scene : Scene
        One finger on one occasion.

    Returns
    -------
    Flag or None
    """
    for photo in (row for row in scene.photos if row.photo == photo_name):
        if _hidden(photo, lineage, scene):
            return Flag(FlagKind.COVERED_YET_OUTLINED, photos=(photo_name,))
        reader_state = _reader_state(photo, lineage, scene)
        if reader_state == "indeterminate":
            return Flag(FlagKind.READER_UNSURE, photos=(photo_name,))
        if reader_state == "healed":
            return Flag(FlagKind.READER_SAYS_HEALED, photos=(photo_name,))
    return None


def unconfirmed(lineage: Lineage, photo_name: str, scene: Scene) -> Flag | None:
    """Return the flag of a possible ulcer on a photo; None where the reader says that this ulcer is open there.

    Parameters
    ----------
    lineage : Lineage
        The ulcer that it is taken to be.
    photo_name : str
        The photo's file.
    scene : Scene
        One finger on one occasion.

    Returns
    -------
    Flag or None
    """
    rows = [row for row in scene.photos if row.photo == photo_name]
    confirmed = any(_reader_state(row, lineage, scene) == "open" for row in rows)
    return None if confirmed else Flag(FlagKind.POSSIBLE_ULCER, photos=(photo_name,))


def _possible_there(photo: PhotoRow, lineage: Lineage, scene: Scene, protocol: Protocol) -> bool:
    """Whether a photo shows a possible ulcer that is not surely at another place than this one."""
    return any(
        _may_be_at(found, lineage.observation, protocol.identity.same_place_mm)
        for found in scene.possible.get(photo.photo, ())
    )


def _may_be_at(found: Observation, former: Observation, same_place_mm: float) -> bool:
    view = same_view(found, former)
    return view is None or distance2(found.places[view], former.places[view], same_place_mm) <= GATE**2


def _unexamined(photo: PhotoRow, lineage: Lineage, scene: Scene) -> Flag | None:
    """Return why nothing outlined on a photo says nothing of this ulcer; None when it does."""
    if photo.number and photo.number == lineage.number:
        return None
    if photo.view not in lineage.observation.views:
        return Flag(FlagKind.OTHER_SIDE_SEEN, photos=(photo.photo,), view=photo.view)
    if photo.click_px is not None and not (scene.alone(photo) and not _names_other(photo, lineage, scene)):
        return Flag(FlagKind.ONLY_CLICK_SEARCHED, photos=(photo.photo,))
    if _names_other(photo, lineage, scene) and photo.number not in lineage.beside:
        return Flag(FlagKind.PHOTO_OF_ANOTHER, photos=(photo.photo,), number=photo.number)
    return None


def saw_clear(photo: PhotoRow, lineage: Lineage, scene: Scene, protocol: Protocol) -> bool:
    """Say whether a photo, on which nothing of the ulcer was outlined, saw its place clear.

    Not where it shows a possible ulcer there that no reader has ruled out.

    Parameters
    ----------
    photo : PhotoRow
        A row of the photos' table.
    lineage : Lineage
        The ulcer as known up to the occasion.
    scene : Scene
        One finger on one occasion.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    bool
    """
    if not photo.passed or _hidden(photo, lineage, scene) or _unexamined(photo, lineage, scene):
        return False
    if photo.click_px is not None and not (photo.number and photo.number == lineage.number):
        return False
    reader_state = _reader_state(photo, lineage, scene)
    return reader_state == "healed" or (not reader_state and not _possible_there(photo, lineage, scene, protocol))


def judge_absence(lineage: Lineage, scene: Scene, protocol: Protocol) -> Verdict:
    """Say what became of an ulcer of which nothing was outlined.

    Parameters
    ----------
    lineage : Lineage
        The ulcer as known up to the occasion.
    scene : Scene
        One finger on one occasion.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    Verdict
    """
    examined = [(photo, _unexamined(photo, lineage, scene)) for photo in scene.photos]
    passing = [photo for photo, why_not in examined if not why_not and photo.passed]
    refused = [
        Flag(FlagKind.PHOTO_NOT_MEASURED, photos=(p.photo,), status=p.status, reason=p.reason)
        for p, why in examined
        if not why and not p.passed
    ]
    if not passing:
        covered = [p for p, why in examined if not why and _hidden(p, lineage, scene)]
        if covered:
            flags = (Flag(FlagKind.COVERED, photos=(covered[0].photo,)), *refused)
            return Verdict("indeterminate", covered[0].photo, covered[0].view, flags)
        unclear = [p for p, why in examined if not why and p.status == "indeterminate"]
        if unclear:
            return Verdict("indeterminate", unclear[0].photo, unclear[0].view, tuple(refused))
        elsewhere = [why for photo, why in examined if why and photo.passed]
        clicked = any(why.kind is FlagKind.ONLY_CLICK_SEARCHED for why in elsewhere)
        return Verdict("indeterminate" if clicked else "not photographed", flags=(*refused, *elsewhere))
    verdict = _closed(passing, lineage, scene, protocol)
    return Verdict(verdict.state, verdict.photo, verdict.view, (*verdict.flags, *refused))


def _closed(passing: Sequence[PhotoRow], lineage: Lineage, scene: Scene, protocol: Protocol) -> Verdict:
    """Decide between healed and indeterminate; of several words *open* weighs most, then *indeterminate*."""
    bare = [photo for photo in passing if not _hidden(photo, lineage, scene)]
    if not bare:
        return Verdict(
            "indeterminate", passing[0].photo, passing[0].view, (Flag(FlagKind.COVERED, photos=(passing[0].photo,)),)
        )
    states = {photo.photo: _reader_state(photo, lineage, scene) for photo in bare}
    for reader_state, kind in (("open", FlagKind.READER_SAYS_OPEN), ("indeterminate", FlagKind.READER_UNSURE)):
        for photo in bare:
            if states[photo.photo] == reader_state:
                return Verdict("indeterminate", photo.photo, photo.view, (Flag(kind, photos=(photo.photo,)),))
    by_reader = [photo for photo in bare if states[photo.photo] == "healed"]
    if by_reader:
        best = min(by_reader, key=_limit)
        return Verdict("healed", best.photo, best.view)
    for photo in bare:
        if _possible_there(photo, lineage, scene, protocol):
            possible = Flag(FlagKind.POSSIBLE_ULCER, photos=(photo.photo,))
            return Verdict("indeterminate", photo.photo, photo.view, (possible,))
    return _closed_by_machine(bare, lineage, scene, protocol)


def _limit(photo: PhotoRow) -> tuple[float, str]:
    limit = photo.detection_limit_mm
    return (limit if math.isfinite(limit) else math.inf), photo.photo


def _closed_by_machine(bare: Sequence[PhotoRow], lineage: Lineage, scene: Scene, protocol: Protocol) -> Verdict:
    """Healed for want of a reader; not where the photo could have missed an ulcer that counts as active."""
    best = min(bare, key=_limit)
    limit = _limit(best)[0]
    threshold = protocol.measurement.threshold_diameter_mm
    if threshold < limit < math.inf:
        over = Flag(FlagKind.LIMIT_OVER_THRESHOLD, photos=(best.photo,), limit_mm=limit, threshold_mm=float(threshold))
        return Verdict("indeterminate", best.photo, best.view, (over,))
    flags = [Flag(FlagKind.HEALED_BY_MACHINE)]
    if limit == math.inf:
        flags.append(Flag(FlagKind.LIMIT_NOT_KNOWN))
    elif lineage.observation.diameter_mm <= limit:
        flags.append(Flag(FlagKind.LAST_SEEN_BELOW_LIMIT, diameter_mm=lineage.observation.diameter_mm))
    if any(p.reader_state and p.reader_state != "indeterminate" and not p.number and not scene.alone(p) for p in bare):
        flags.append(Flag(FlagKind.READER_STATE_NOT_USED))
    return Verdict("healed", best.photo, best.view, tuple(flags))
