"""Whether the skin on which nothing was found was seen clear."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ulcermeter.datatypes import Note, NoteKind
from ulcermeter.errors import Problem, Refusal
from ulcermeter.geometry import signed_distance
from ulcermeter.pipeline.steps.records import Judged, PhotoContext
from ulcermeter.quality import DoubtfulArea, SkinView, judge_skin

__all__ = ["check_clear_skin"]

_NO_SKIN = Problem(
    "no ulcer was found, and no clear skin where the finger was looked for",
    action="photograph the finger bare, in even light and true colours, or give a reader's word in reader_state",
)


def check_clear_skin(context: PhotoContext, judged: Judged) -> Judged:
    """Look for skin of the finger that is not clear where no ulcer was found: what lies there could be or hide one.

    All of the finger counts, not the place of a click alone: a photo on which nothing is found says that of the finger,
    and would later pass for the healing of an ulcer that lies beside the click.

    A reader's word on the photo stands above what is looked for here.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    judged : Judged
        The photo with its finger and gates judged.

    Returns
    -------
    Judged
        With what was seen of the skin; unchanged where an ulcer, or no finger, was found.

    Raises
    ------
    Refusal
        What was taken for the finger shows no skin, and no reader has said what is there.
    """
    finger = judged.finger
    if judged.segmentation.outlines or judged.prompt.mask or finger is None:
        return judged
    skin = judge_skin(judged.photo, judged.calibration, finger, network_mm=judged.network_mm, protocol=context.protocol)
    if context.cell("reader_state"):
        skin = replace(skin, doubtful=())
    elif not (skin.clear_px or skin.doubtful):
        raise Refusal(_NO_SKIN)
    return replace(judged, skin=skin, notes=(*judged.notes, *map(_note, skin.doubtful), *_not_at_click(judged, skin)))


def _not_at_click(judged: Judged, skin: SkinView) -> Iterator[Note]:
    """Yield a note where a click lies beside all that is doubtful: an ulcer elsewhere on the finger needs its own."""
    click = judged.prompt.click
    if (
        click is not None
        and skin.doubtful
        and all(signed_distance(area.outline_px, click) < 0 for area in skin.doubtful)
    ):
        yield Note(NoteKind.DOUBTFUL_ELSEWHERE, click)


def _note(area: DoubtfulArea) -> Note:
    place = "nail" if area.beside_nail else ""
    return Note(NoteKind.DOUBTFUL_SKIN, (area.kind.value, area.size_mm, area.from_tip_mm, *area.middle_px, place))
