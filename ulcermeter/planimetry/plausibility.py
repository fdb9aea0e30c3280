"""Whether what a reader traced can be an ulcer of a finger: a finger or its ground is easily traced in its place."""

from __future__ import annotations

import cv2
import numpy as np

from ulcermeter.datatypes import Finger, OutlineSource, Segmentation
from ulcermeter.errors import Problem, Refusal
from ulcermeter.geometry import area
from ulcermeter.protocol import Protocol

__all__ = ["check_on_finger"]


def check_on_finger(segmentation: Segmentation, finger: Finger | None, *, protocol: Protocol) -> None:
    """Refuse a reader's outline that is broader than a finger or covers most of what is in view of it.

    Parameters
    ----------
    segmentation : Segmentation
        Only a reader's outlines are judged.
    finger : Finger or None
        None when none was found.
    protocol : Protocol
        For ``tracing_max_mm``, ``tracing_max_widths`` and ``tracing_max_finger_share``.

    Raises
    ------
    Refusal
        Such an outline.
    """
    if segmentation.source is not OutlineSource.READER:
        return
    gates = protocol.gates
    in_view_mm2 = area(finger.outline_mm) if finger is not None and len(finger.outline_mm) > 2 else np.inf
    broadest_mm = gates.tracing_max_mm if finger is None else gates.tracing_max_widths * 2 * finger.radius_mm
    for outline in segmentation.outlines:
        on_plane = segmentation.rectified.calibration.to_mm(outline)
        broad_mm = min(cv2.minAreaRect(on_plane.astype(np.float32))[1])
        if broad_mm > broadest_mm or area(on_plane) > gates.tracing_max_finger_share * in_view_mm2:
            raise Refusal(
                Problem(
                    f"the tracing is {broad_mm:.0f} mm broad, larger than an ulcer of this finger can be (inverted, or "
                    "the finger traced?)",
                    action="trace the ulcer itself and save it white on black",
                )
            )
