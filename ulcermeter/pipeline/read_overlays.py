"""Overlays of photos that a person has read, drawn with what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.datatypes import PhotoResult, Study
from ulcermeter.errors import UlcermeterError
from ulcermeter.photo import read_photo
from ulcermeter.pipeline.readings import traced
from ulcermeter.planimetry import diameter_line
from ulcermeter.plots import draw_finger_view, draw_overlay
from ulcermeter.tables import from_rows

if TYPE_CHECKING:
    from ulcermeter.datatypes import Segmentation

__all__ = ["draw_reading"]


def draw_reading(study: Study, result: PhotoResult) -> PhotoResult:
    """Draw the pictures of a result that a reading changed, from its photo.

    Parameters
    ----------
    study : Study
        Its photo is read.
    result : PhotoResult
        With its geometry; without one it stays as it is.

    Returns
    -------
    PhotoResult
        Without pictures where the photo cannot be read any more.
    """
    if result.geometry is None:
        return result
    try:
        photo = read_photo(study.root / result.photo["photo"])
    except UlcermeterError:
        return replace(result, overlay=None, finger_view=None)
    numbers = [label for label, _ in result.outlines]
    segmentation = _whole_photo(traced(result.geometry, [o for _, o in result.outlines], sha256=photo.sha256))
    # `segment_tracing` orders by area: the rows and numbers go with it.
    order = [numbers[_position(result, outline)] for outline in segmentation.outlines]
    rows = {int(row["label"]): row for row in result.measurements}
    frame = from_rows("measurements", [{**rows[label], "label": n} for n, label in enumerate(order, start=1)])
    lines = {n: np.array(diameter_line(segmentation, n)) for n in range(1, len(order) + 1)}
    threshold = study.protocol.measurement.threshold_diameter_mm
    drawn = draw_overlay(photo, segmentation, frame, lines=lines, threshold_mm=threshold, numbers=order)
    calibration, finger = result.geometry.calibration, result.geometry.finger
    view = draw_finger_view(photo.pixels, calibration, finger, [outline for _, outline in result.outlines])
    return replace(result, overlay=drawn, finger_view=view)


def _position(result: PhotoResult, outline: np.ndarray) -> int:
    return next(k for k, (_, one) in enumerate(result.outlines) if np.array_equal(one, outline))


def _whole_photo(segmentation: Segmentation) -> Segmentation:
    """Let the window be the whole photo, which is what an overlay without outlines shows."""
    rectified = segmentation.rectified
    rows, cols = rectified.calibration.shape
    corners = rectified.calibration.to_mm(np.array([[0, 0], [cols - 1, 0], [cols - 1, rows - 1], [0, rows - 1.0]]))
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = float((high - low).max() / 100)
    wide, tall = (int(n) + 1 for n in (high - low) / spacing)
    labels = np.zeros((tall, wide), np.int32)
    window = replace(rectified, spacing_mm=spacing, origin_mm=(float(low[0]), float(low[1])))
    return replace(segmentation, rectified=window, labels=labels)
