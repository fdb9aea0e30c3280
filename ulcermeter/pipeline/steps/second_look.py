"""Whether what was found as an ulcer is seen by the skin network too."""

from __future__ import annotations

from dataclasses import replace

from ulcermeter.datatypes import Note, NoteKind
from ulcermeter.pipeline.steps.records import Judged, PhotoContext
from ulcermeter.quality import unclear_shares

__all__ = ["look_again"]

# Of what is an ulcer the skin network marks at least so much: of 78 in 83 photographed wounds that it was not trained
# on, and of each of 116 finds of 2 mm and more on drawn and rendered fingers, of which it marks at least .83.
_MARKED = 0.5


def look_again(context: PhotoContext, judged: Judged) -> Judged:
    """Hold finds against what the skin network sees there: where all of them look like clear skin, they are possible.

    The two networks were trained on other pictures for another task: the one that outlines takes a polished nail for
    an ulcer now and then, which the other was shown to be none. What a person traced or judged is not doubted.

    Parameters
    ----------
    context : PhotoContext
        What one photo is measured with: its row's cells, protocol, folder, model and lens.
    judged : Judged
        The photo with its finger and gates judged.

    Returns
    -------
    Judged
        With a note for each find that looks like clear skin.
    """
    segmentation, finger = judged.segmentation, judged.finger or judged.rough_finger
    if not segmentation.outlines or finger is None or judged.prompt.mask or context.cell("reader_state"):
        return judged
    shares = unclear_shares(judged.photo, judged.calibration, finger, segmentation.outlines, protocol=context.protocol)
    doubted = [outline for outline, share in zip(segmentation.outlines, shares, strict=True) if share < _MARKED]
    if not doubted:
        return judged
    none_stands = len(doubted) == len(shares)
    word = "possible" if none_stands else ""
    notes = [Note(NoteKind.FIND_LOOKS_CLEAR, (*map(float, one.mean(axis=0)), word)) for one in doubted]
    if none_stands:
        segmentation = replace(segmentation, possible=True)
    return replace(judged, segmentation=segmentation, notes=(*judged.notes, *notes))
