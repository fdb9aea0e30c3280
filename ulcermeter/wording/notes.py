"""Notes on a photo in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ulcermeter.datatypes.notes import Note, NoteKind

__all__ = ["note_in_words", "reason_of_photo"]


def note_in_words(note: Note) -> str:
    """Return a note as a person reads it: a clause without a full stop.

    Parameters
    ----------
    note : Note
        One note.

    Returns
    -------
    str
    """
    words = _WORDS[note.kind](*note.values)
    return words if note.problem is None else f"{words}: {note.problem}"


def reason_of_photo(reason: str, notes: Iterable[Note]) -> str:
    """Return the cell `reason` of photos.csv: why it was not measured, if so, and what is to be known beside it.

    Parameters
    ----------
    reason : str
        Why the photo was not measured; empty when it was.
    notes : iterable of Note
        Notes on the photo.

    Returns
    -------
    str
    """
    return "; ".join(dict.fromkeys([*filter(None, [reason]), *map(note_in_words, notes)]))


def _fixed(words: str) -> Callable[..., str]:
    return lambda: words


def _cropped(frame_long: float, frame_short: float, cols: float, rows: float) -> str:
    return (
        f"the camera wrote {frame_long:g} × {frame_short:g} px and the picture has {cols:g} × {rows:g}: cropped or "
        "made smaller, so the camera's distance is less sure; hand in photos as they were taken"
    )


def _place_on_finger(from_tip_mm: float, beside: str) -> str:
    if beside:
        return f"beside the {beside}"
    return "at the tip" if from_tip_mm < _AT_THE_TIP_MM else f"{from_tip_mm:.0f} mm from the tip"


def _gains(*gains: float) -> str:
    return ", ".join(f"{gain:.2f}" for gain in gains)


# What lies nearer to the tip than about half a nail's length is called at it, mm.
_AT_THE_TIP_MM = 7.0
_DOUBTFUL = {"dark": "a dark area", "red": "a red area", "pale": "a white or pale area", "fissure": "a crack"}


def _doubtful(kind: str, size_mm: float, from_tip_mm: float, beside: str) -> str:
    if kind == "lost nail":
        return "no nail, but a bare bed, where the nail should be"
    return f"{_DOUBTFUL[kind]} of {size_mm:.0f} mm {_place_on_finger(from_tip_mm, beside)}"


def _looks_clear(x: float, y: float, word: str) -> str:
    what = f"what was found at ({x:.0f}, {y:.0f}) looks like clear skin or a nail"
    if word:
        return f"{what}: a possible ulcer, until a reader confirms it"
    return f"{what} and counts beside the others: look at it, and strike it out in the review if it is none"


_WORDS: dict[NoteKind, Callable[..., str]] = {
    NoteKind.LENS_NOT_USED: _fixed("the lens profile is of another camera, focal length or framing and was not used"),
    NoteKind.FOCAL_ASSUMED: lambda mm, sd_mm: (
        f"no focal length in the file: {mm:g} ± {sd_mm:g} mm (35 mm equivalent) assumed"
    ),
    NoteKind.RESHAPED: _fixed(
        "the photo has not a sensor's proportions (4:3, 3:2): cut by the phone, so the camera's distance is less sure; "
        "set the camera to 4:3"
    ),
    NoteKind.CROPPED: _cropped,
    NoteKind.FRAME_NOT_NAMED: _fixed(
        "the file does not tell whether the picture was cropped, so the camera's distance is less sure; hand in "
        "photos as they were taken"
    ),
    NoteKind.DIGITAL_ZOOM: lambda factor: (
        f"digital zoom of {factor:g}: the file does not tell whether its focal length is the zoomed one, so the "
        "camera's distance is less sure; go nearer instead of zooming"
    ),
    NoteKind.SCALE_STATED: _fixed(
        "the scale was stated and not seen on the photo: tilt and error of scale are not known"
    ),
    NoteKind.RULER_UNIT: lambda mm: f"the ruler's ticks were read as {'mm' if mm == 1.0 else 'half mm'}: check it",
    NoteKind.MARKER_BENT: lambda share_pct: (
        f"the marker is not quite flat (borders off by {share_pct:.2f} % of its side): its error is widened; lay it "
        "flat"
    ),
    NoteKind.SCALE_NOT_VERIFIED: _fixed("the scale is not verified: its error and the tilt could not be judged"),
    NoteKind.FOCUS_NOT_JUDGED: _fixed("focus could not be judged: too little skin round the ulcer"),
    NoteKind.WHITE_PATCH_UNUSABLE: _fixed(
        "colour not standardised: the card's white patch is not seen, burnt out or unevenly lit"
    ),
    NoteKind.GAINS_TOO_LARGE: lambda *gains: (
        f"colour not standardised: gains of {_gains(*gains)} for red, green and blue would be needed"
    ),
    NoteKind.COVERED: _fixed(
        "covered: a dressing or crust hides the place, so nothing was measured and nothing is said to be healed"
    ),
    NoteKind.CAMERA_DATE_DIFFERS: lambda taken, days, date: (
        f"taken {taken} by the camera's clock, {days} days off the row's date {date}: check both"
    ),
    NoteKind.REFERENCE_ON_ASSUMED: lambda on: f"reference_on is not given: taken as {on}, by the protocol",
    NoteKind.TRACING_ELSEWHERE: lambda x, y: (
        f"the tracing's rim follows no edge, and an ulcer lies elsewhere, at ({x:.0f}, {y:.0f}): look whether the "
        "tracing is of this photo and the same way up (is it upside down?)"
    ),
    NoteKind.NO_FINGER: _fixed("no finger was found, so there are no finger coordinates and no values along the skin"),
    NoteKind.NO_TIP_IN_VIEW: _fixed(
        "a finger was found but not its tip, so there are no finger coordinates and no values along the skin"
    ),
    NoteKind.FINGER_NOT_FITTED: _fixed(
        "a finger was found, but its tip and sides cannot be made out, so there are no finger coordinates and no "
        "values along the skin"
    ),
    NoteKind.FINGER_BY_NAME: lambda finger, x, y, probability: (
        f"by the hand's shape and the side named, the {finger} is the one of five fingers with its tip at "
        f"({x:.0f}, {y:.0f}) (probability {probability:.2f})"
    ),
    NoteKind.FIND_OFF_FINGER: lambda x, y: (
        f"what looked like an ulcer at ({x:.0f}, {y:.0f}) does not lie on this finger's skin and was not measured"
    ),
    NoteKind.FIND_ON_NAIL: lambda x, y: (
        f"what looked like an ulcer at ({x:.0f}, {y:.0f}) has the place and shape of the nail and was not measured"
    ),
    NoteKind.NAIL_AT_CLICK: lambda x, y: (
        f"what was found at ({x:.0f}, {y:.0f}) has the place and shape of a nail: a possible ulcer, until a reader "
        "confirms it; where it is the pulp, say so in `view` (palmar)"
    ),
    NoteKind.FIND_LOOKS_CLEAR: _looks_clear,
    NoteKind.DOUBTFUL_SKIN: lambda kind, size_mm, from_tip_mm, x, y, beside: (
        f"{_doubtful(kind, size_mm, from_tip_mm, beside)}, at ({x:.0f}, {y:.0f}): a reader must say what it is"
    ),
    NoteKind.DOUBTFUL_ELSEWHERE: lambda x, y: (
        f"no ulcer was found at the click ({x:.0f}, {y:.0f}); if what lies elsewhere on this finger is one, click on it"
    ),
    NoteKind.GATE_FAILED: _fixed("gate failed"),
    NoteKind.READER_STATE_TAKEN: lambda state: (
        f"no ulcer was found and no finger there: the reader's word, {state}, stands"
    ),
    NoteKind.COLOUR_STANDARDISED: lambda *gains: f"colour standardised by the card: gains {_gains(*gains)}",
}
