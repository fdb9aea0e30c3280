"""What a measurement rests on that a person should know: facts beside a result, which refuse nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ulcermeter.errors import Problem

__all__ = ["Note", "NoteKind"]


class NoteKind(Enum):
    """The closed set of notes; behind each what `Note.values` holds."""

    LENS_NOT_USED = "the lens profile is another camera's"
    FOCAL_ASSUMED = "no focal length in the file"  # assumed focal length and its sd, mm (35 mm equivalent)
    RESHAPED = "no sensor has the photo's proportions"
    CROPPED = "the picture is not the frame that the camera wrote"  # frame's and picture's longer and shorter side, px
    FRAME_NOT_NAMED = "the file does not name the camera's frame"
    DIGITAL_ZOOM = "digital zoom"  # factor
    SCALE_STATED = "the scale was stated, not measured"
    RULER_UNIT = "what the ruler's ticks were read as"  # mm
    MARKER_BENT = "the marker is not quite flat"  # displacement of its borders, % of its side
    SCALE_NOT_VERIFIED = "error of scale and tilt could not be judged"
    FOCUS_NOT_JUDGED = "too little skin to judge focus"
    WHITE_PATCH_UNUSABLE = "the card's white patch cannot be used"
    GAINS_TOO_LARGE = "the card's patches ask for too much"  # gains of red, green, blue
    COVERED = "a dressing or crust hides the place"
    CAMERA_DATE_DIFFERS = "the camera's clock dates the photo otherwise"  # its date, days between, the row's date
    REFERENCE_ON_ASSUMED = "the row does not say where the reference lies"  # skin or table
    TRACING_ELSEWHERE = "a tracing follows no edge and the ulcer lies elsewhere"  # the ulcer's middle, px (x, y)
    NO_FINGER = "no finger was found"
    NO_TIP_IN_VIEW = "a finger is there, its tip is not in view"
    FINGER_NOT_FITTED = "a finger is there, its tip and sides cannot be made out"
    FINGER_BY_NAME = "the row's words chose one of several fingers"  # the finger, its tip, px (x, y); probability
    FIND_OFF_FINGER = "a find lies on no skin of the row's finger"  # its middle, px (x, y)
    FIND_ON_NAIL = "a find has a nail's place and shape"  # its middle, px (x, y)
    NAIL_AT_CLICK = "a find at a click has a nail's place and shape"  # its middle, px (x, y)
    # Its middle, px (x, y); "possible" where no other find stands.
    FIND_LOOKS_CLEAR = "a find looks like clear skin or a nail to the skin network"
    # Dark, red, pale, fissure or lost nail; size and from the tip, mm; px (x, y); "nail" where it lies beside the nail.
    DOUBTFUL_SKIN = "an area of the finger is not clear skin"
    DOUBTFUL_ELSEWHERE = "what is not clear skin does not lie at the click"  # the click, px (x, y)
    GATE_FAILED = "a gate failed and the protocol only reports it"  # none: see `Note.problem`
    READER_STATE_TAKEN = "no finger was found, and the reader's state stands"  # the reader's state
    COLOUR_STANDARDISED = "colour standardised by the card"  # gains of red, green, blue


@dataclass(frozen=True)
class Note:
    """One fact beside a result.

    Attributes
    ----------
    kind : NoteKind
    values : tuple of float or str
        Its numbers and cells, as the kind says.
    problem : Problem or None
        What failed.
    """

    kind: NoteKind
    values: tuple[float | str, ...] = ()
    problem: Problem | None = None
