"""Whether what a reader traced can be an ulcer of a finger: a finger or its ground is easily traced in its place."""

from __future__ import annotations

import cv2
import numpy as np

from ulcermeter.datatypes import Finger, OutlineSource, Segmentation
from ulcermeter.errors import Problem, Refusal
from ulcermeter.geometry import area

__all__ = ["check_on_finger"]

# Where no finger is found: broader than any finger (assumption; 95 % of men's thumbs are under 26 mm, Pheasant,
# Bodyspace).
_BROADEST_MM = 30.0
# A finger's own outline is found within about a fifth (assumption), and an ulcer never takes the most of what is in
# view of its finger (assumption).
_BREADTHS = 1.2
# An ulcer never takes the most of what is in view of its finger (assumption).
_SHARE_OF_FINGER = 0.5


def check_on_finger(segmentation: Segmentation, finger: Finger | None) -> None:
    """Refuse a reader's outline that is broader than the finger or covers more than half of what is in view of it.

    Parameters
    ----------
    segmentation : Segmentation
        Only a reader's outlines are judged.
    finger : Finger or None
        None when none was found: then 30 mm is the limit.

    Raises
    ------
    Refusal
        Such an outline.
    """
    if segmentation.source is not OutlineSource.READER:
        return
    in_view_mm2 = area(finger.outline_mm) if finger is not None and len(finger.outline_mm) > 2 else np.inf
    broadest_mm = _BROADEST_MM if finger is None else _BREADTHS * 2 * finger.radius_mm
    for outline in segmentation.outlines:
        on_plane = segmentation.rectified.calibration.to_mm(outline)
        broad_mm = min(cv2.minAreaRect(on_plane.astype(np.float32))[1])
        if broad_mm > broadest_mm or area(on_plane) > _SHARE_OF_FINGER * in_view_mm2:
            raise Refusal(
                Problem(
                    f"the tracing is {broad_mm:.0f} mm broad, larger than an ulcer of this finger can be (inverted, or "
                    "the finger traced?)",
                    action="trace the ulcer itself and save it white on black",
                )
            )
