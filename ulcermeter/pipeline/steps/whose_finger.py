"""Which finger a row speaks of, and which of the finds lie on its skin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ulcermeter.datatypes import Finger, Note, NoteKind, Points, Segmentation
from ulcermeter.errors import Problem, Refusal
from ulcermeter.finger import Absence, FingerEnd, FingerSearch, end_of_finger, finger_ends, search_finger
from ulcermeter.geometry import signed_distance
from ulcermeter.pipeline.steps.in_view import holds_point
from ulcermeter.pipeline.steps.prompt import PromptKind
from ulcermeter.pipeline.steps.records import Outlined, PhotoContext
from ulcermeter.pipeline.steps.window import box_holds_finger
from ulcermeter.protocol import Protocol

__all__ = ["find_finger"]

# Where a nail lies on the back of a finger, in radii: from the tip along, and across. A find that reaches over so much
# of it, and hardly beyond, has the nail's shape (nails of drawn hands are 1.3-1.7 radii long and 1.4 wide): assumption.
_NAIL_TO, _NAIL_LONG, _NAIL_WIDE, _NAIL_OFF_MIDDLE = 2.3, (0.9, 2.6), (1.0, 1.9), 0.35
_NAME_FINGER = "say which finger with a click (x, y) on it, or a box round it"
_ABSENT = {
    Absence.NO_FINGER: NoteKind.NO_FINGER,
    Absence.NO_TIP: NoteKind.NO_TIP_IN_VIEW,
    Absence.NOT_FITTED: NoteKind.FINGER_NOT_FITTED,
}


@dataclass(frozen=True)
class _Owner:
    """The finger the row speaks of, and the outlines (by index) that lie on it."""

    search: FingerSearch
    kept: tuple[int, ...]
    notes: tuple[Note, ...] = ()
    possible: bool = False


def find_finger(context: PhotoContext, outlined: Outlined) -> Outlined:
    """Find the finger that the row speaks of; a find that lies on no finger, or is a nail's, is none of its ulcers.

    Where a click, a box round an ulcer or a tracing says where to look, it is the finger there. In a finger's box it is
    the finger in the middle. Of a whole hand it is the one that the row names. Otherwise it is the one that the finds
    lie on, or, where nothing was found, the only one.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    outlined : Outlined
        The photo's outlines so far.

    Returns
    -------
    Outlined

    Raises
    ------
    Refusal
        Several fingers are in view, or have finds, and none is pointed at.
    """
    owner = _owner(context, outlined)
    segmentation, notes = _keep(outlined.segmentation, owner.kept), owner.notes
    if owner.possible:
        segmentation = replace(segmentation, possible=True)
    if owner.search.absence is not None:
        notes = (*notes, Note(_ABSENT[owner.search.absence]))
    search = owner.search
    return replace(
        outlined,
        finger=search.finger,
        network_mm=search.network_mm,
        rough_finger=search.rough,
        segmentation=segmentation,
        notes=(*outlined.notes, *notes),
    )


def _owner(context: PhotoContext, outlined: Outlined) -> _Owner:
    prompt, outlines = outlined.prompt, outlined.segmentation.outlines
    everything = tuple(range(len(outlines)))
    if prompt.mask or prompt.click is not None or not _searched(context, outlined):
        near = outlines[0].mean(axis=0) if outlines else prompt.place(outlined.photo)
        if prompt.click is not None and _hidden(outlined, near):
            return _Owner(FingerSearch(absence=Absence.NO_FINGER), everything)
        return _at_click(context, outlined, _search(context, outlined, near))
    if prompt.box is not None:
        return _on_skin(context, outlined, _in_box(context, outlined))
    if (named := _by_name(context, outlined)) is not None:
        return named
    if not outlines:
        return _Owner(_only_one(context, outlined), ())
    return _of_the_finds(context, outlined)


def _at_click(context: PhotoContext, outlined: Outlined, search: FingerSearch) -> _Owner:
    """Keep what was found where a person points; what has a nail's place and shape is a possible ulcer only."""
    outlines, finger = outlined.segmentation.outlines, search.finger
    kept = tuple(range(len(outlines)))
    if outlined.prompt.mask or finger is None or context.cell("view") not in ("", "dorsal"):
        return _Owner(search, kept)
    nails = [one for one in outlines if _like_a_nail(finger, outlined.calibration.to_mm(one))]
    notes = tuple(Note(NoteKind.NAIL_AT_CLICK, tuple(map(float, one.mean(axis=0)))) for one in nails)
    return _Owner(search, kept, notes, possible=bool(nails))


def _by_name(context: PhotoContext, outlined: Outlined) -> _Owner | None:
    """Choose the finger that the row names among those of a whole hand; None where they cannot be told apart."""
    words = {name: context.cell(name) for name in ("hand", "finger", "view")}
    ends = [end for end in outlined.ends or () if end.sure]
    if (named := end_of_finger(ends, **words)) is None:
        return None
    found = _search(context, outlined, np.array(named.end.at_px))
    if found.finger is None:
        return None
    note = Note(NoteKind.FINGER_BY_NAME, (words["finger"], *named.end.tip_px, named.probability))
    owner = _on_skin(context, replace(outlined, notes=(*outlined.notes, note)), found)
    return replace(owner, notes=(note, *owner.notes))


def _chosen_by_name(outlined: Outlined) -> bool:
    """Say whether the row's words chose the finger among those of a whole hand."""
    return any(note.kind is NoteKind.FINGER_BY_NAME for note in outlined.notes)


def _hidden(outlined: Outlined, place: Points) -> bool:
    """Say whether a photo pixel lies on the reference, where no skin is seen."""
    outline = outlined.calibration.reference_outline_px
    return len(outline) > 2 and signed_distance(outline, place) > 0


def _searched(context: PhotoContext, outlined: Outlined) -> bool:
    """Say whether ulcers were searched for: in a finger's box or all over, and not at a place that a person names."""
    box = outlined.prompt.box
    return box is None or box_holds_finger(outlined.calibration, box, protocol=context.protocol)


def _search(context: PhotoContext, outlined: Outlined, near: Points) -> FingerSearch:
    """Search the finger at a photo pixel; one that does not hold the point is another, or a part of it."""
    near_mm, rectified = outlined.calibration.to_mm(near)[0], outlined.segmentation.rectified
    found = search_finger(
        rectified,
        near_px=near,
        side=context.cell("view"),
        protocol=context.protocol,
        pointed_at=outlined.prompt.kind is not PromptKind.NONE,
    )
    if (
        found.finger is not None
        and outlined.segmentation.outlines
        and not holds_point(found.finger, near_mm, protocol=context.protocol)
    ):
        return FingerSearch(absence=Absence.NOT_FITTED)
    return found


def _in_box(context: PhotoContext, outlined: Outlined) -> FingerSearch:
    """Search the finger in a box: at its middle, else the only one whose end lies in it."""
    found = _search(context, outlined, outlined.prompt.place(outlined.photo))
    if found.finger is not None:
        return found
    ends = finger_ends(outlined.segmentation.rectified, box=outlined.prompt.box)
    return _search(context, outlined, np.array(ends[0].at_px)) if len(ends) == 1 else found


def _only_one(context: PhotoContext, outlined: Outlined) -> FingerSearch:
    """Search the only finger of the photo; where the network is sure of none, the one in the photo's middle."""
    ends = _ends(outlined)
    if len(ends) > 1:
        raise Refusal(_several(ends))
    near = np.array(ends[0].at_px) if ends else outlined.prompt.place(outlined.photo)
    return _search(context, outlined, near)


def _ends(outlined: Outlined) -> tuple[FingerEnd, ...]:
    """Return the ends of all fingers in view."""
    return finger_ends(outlined.segmentation.rectified) if outlined.ends is None else outlined.ends


def _several(ends: Sequence[FingerEnd]) -> Problem:
    where = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in (end.tip_px for end in ends))
    seen = "are" if all(end.sure for end in ends) else "may be"
    return Problem(f"{len(ends)} fingers {seen} in view, with tips at {where}", action=_NAME_FINGER)


def _of_the_finds(context: PhotoContext, outlined: Outlined) -> _Owner:
    """Choose the finger of the largest find that lies on any; finds on two fingers leave it open which is meant."""
    places = [outline.mean(axis=0) for outline in outlined.segmentation.outlines]
    for place in places:
        found = _search(context, outlined, place)
        if found.finger is not None:
            return _on_skin(context, outlined, found)
        if found.absence is not Absence.NO_FINGER:
            break
    # Finds in the web of a hand, or on a finger that cannot be made out beside others: whose they are is not known.
    if len(ends := _ends(outlined)) > 1:
        raise Refusal(_several(ends))
    return _Owner(found, tuple(range(len(places))))


def _on_skin(context: PhotoContext, outlined: Outlined, search: FingerSearch) -> _Owner:
    """Keep the finds on the finger's skin; without a fitted finger all of them."""
    finger, outlines = search.finger, outlined.segmentation.outlines
    if finger is None:
        return _Owner(search, tuple(range(len(outlines))))
    kept, notes = [], []
    for index, outline in enumerate(outlines):
        note = _no_ulcer_of(context, outlined, finger, outline)
        if note is None:
            kept.append(index)
        else:
            notes.append(note)
    return _Owner(search, tuple(kept), tuple(notes))


def _no_ulcer_of(context: PhotoContext, outlined: Outlined, finger: Finger, outline: Points) -> Note | None:
    """Return why a find is no ulcer of a finger, None where it is one."""
    place, outline_mm = outline.mean(axis=0), outlined.calibration.to_mm(outline)
    at = (float(place[0]), float(place[1]))
    if not _beside(finger, outline_mm, protocol=context.protocol):
        return _nail(context, finger, outline_mm, at)
    if outlined.prompt.box is None and not _chosen_by_name(outlined):
        rectified = outlined.segmentation.rectified
        other = search_finger(rectified, near_px=place, side=context.cell("view"), protocol=context.protocol)
        if other.finger is not None:
            raise Refusal(
                Problem(f"finds on more than one finger, one at ({at[0]:.0f}, {at[1]:.0f})", action=_NAME_FINGER)
            )
    return Note(NoteKind.FIND_OFF_FINGER, at)


def _beside(finger: Finger, outline_mm: Points, *, protocol: Protocol) -> bool:
    """Say whether a find lies before a finger's tip or beside it; further up than it shows is not known."""
    middle = outline_mm.mean(axis=0)
    shown = float(finger.axial_and_transverse(finger.outline_mm)[:, 0].max())
    before = float(finger.axial_and_transverse(middle)[0, 0]) < shown
    return before and not holds_point(finger, middle, protocol=protocol)


def _nail(context: PhotoContext, finger: Finger, outline_mm: Points, at: tuple[float, float]) -> Note | None:
    """Return a note for a find of a nail's place and shape on a finger's back.

    Raises
    ------
    Refusal
        It has them, and the row does not say which side of the finger is seen.
    """
    view = context.cell("view")
    if view not in ("", "dorsal") or not _like_a_nail(finger, outline_mm):
        return None
    if not view:
        raise Refusal(
            Problem(
                f"what was found at ({at[0]:.0f}, {at[1]:.0f}) has the place and shape of a nail",
                action="say in `view` which side is seen (palmar, dorsal), or click on the ulcer (x, y)",
            )
        )
    return Note(NoteKind.FIND_ON_NAIL, at)


def _like_a_nail(finger: Finger, outline_mm: Points) -> bool:
    s, _, t, _ = finger.coordinates(outline_mm)
    radius = finger.radius_mm
    long, wide = float(np.ptp(s)) / radius, float(np.ptp(t)) / radius
    return (
        s.max() < _NAIL_TO * radius
        and _NAIL_LONG[0] <= long <= _NAIL_LONG[1]
        and _NAIL_WIDE[0] <= wide <= _NAIL_WIDE[1]
        and bool(abs(t.max() + t.min()) / 2 < _NAIL_OFF_MIDDLE * radius)
    )


def _keep(segmentation: Segmentation, kept: tuple[int, ...]) -> Segmentation:
    """Return a segmentation with some of its outlines, numbered anew in their order."""
    if len(kept) == len(segmentation.outlines):
        return segmentation
    number = np.zeros(len(segmentation.outlines) + 1, np.int32)
    number[[index + 1 for index in kept]] = np.arange(1, len(kept) + 1)
    return replace(
        segmentation,
        labels=number[segmentation.labels],
        outlines=tuple(segmentation.outlines[index] for index in kept),
        confidence=tuple(segmentation.confidence[index] for index in kept),
        touches_border=tuple(segmentation.touches_border[index] for index in kept),
    )
