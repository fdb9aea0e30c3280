"""A photo with what was measured drawn on it, for the eye that checks the machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ulcermeter.datatypes import Photo, Segmentation
from ulcermeter.plots import canvas
from ulcermeter.plots.canvas import Box, Pixels
from ulcermeter.plots.finger_marks import FingerMarks, draw_finger
from ulcermeter.tables.cells import Record, not_known, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_overlay", "draw_refusal", "shrink_jpeg"]

# Picture sizes, px: with the caption below it the longest side stays under 1600.
_WIDTH_PX = 1200
_HEIGHT_PX = 1100
_INSET_PX = 250
_MARGIN_PX = 18
# What is shown round a small ulcer: enough finger to know where on it one is, and an ulcer large enough to judge.
_CONTEXT_MM = (24.0, 18.0)
_CONTEXT_TIMES = 2.2
# Lengths a scale bar may have, mm: the longest that takes no more than this share of the picture.
_BARS_MM = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_BAR_SHARE = 0.28
# Ulcers that are listed below a picture; more stand in the table.
_MOST_LISTED = 8
# From this share of the photo on, what is shown of it needs no small picture of the whole.
_WHOLE_SHARE = 0.4
# Side of a refused photo, px, and the red round it.
_REFUSED_PX, _REFUSED_RED = 900, (176, 38, 38)
_NOTICE = "Research use only, not a medical device. In brackets: 95 % interval."


@dataclass(frozen=True)
class _View:
    """The part of a photo that is shown: `left`, `top`, `width`, `height` in photo px, and its size when shown."""

    left: int
    top: int
    width: int
    height: int
    shown: tuple[int, int]

    def place(self, points_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """Photo pixels (K, 2) to pixels of the shown picture; pixel centres map as `cv2.resize` maps them."""
        factor = np.array([self.shown[0] / self.width, self.shown[1] / self.height])
        corner = np.array([self.left, self.top], dtype=np.float64)
        placed: NDArray[np.float64] = (
            np.atleast_2d(np.asarray(points_px, dtype=np.float64)) - corner + 0.5
        ) * factor - 0.5
        return placed


def draw_overlay(
    photo: Photo,
    segmentation: Segmentation,
    measurements: pd.DataFrame | Sequence[Record],
    *,
    lines: Mapping[int, ArrayLike],
    threshold_mm: float | None = None,
    first_label: int = 1,
    numbers: Sequence[int] = (),
    finger: FingerMarks | None = None,
    remarks: Sequence[str] = (),
) -> bytes:
    """Draw outline, diameter line, label, finger and a mm scale bar on a photo, cropped round the ulcers.

    Parameters
    ----------
    photo : Photo
    segmentation : Segmentation
        Its outlines are drawn, label 1 first; those of possible ulcers in dashes.
    measurements : DataFrame or sequence of dict
        The photo's rows of ``measurements``; none where no ulcer was found.
    lines : mapping of int to (2, 2) numbers
        Label to the two ends of its diameter, photo pixels (x, y); a label may be left out.
    threshold_mm : float, optional
        The protocol's threshold, for the words "over 2 mm"; without it "over the threshold".

    first_label : int
        The number written beside label 1, where other rows of the photo took the numbers before it.
    numbers : sequence of int, optional
        The number written beside each label, where they do not follow each other.
    finger : FingerMarks, optional
        The finger's outline, mid-line and tip, and where nothing was found the skin that was seen clear.
    remarks : sequence of str
        Why no ulcer is not said where nothing was found.

    Returns
    -------
    bytes
        A JPEG, longest side at most 1600 px. The scale bar is true along its own direction at the first ulcer, its
        height above a reference on the table included; without an ulcer at the middle of the window.
    """
    view = _choose_view(photo, segmentation)
    pixels = _shown(photo, view)
    outlines = dict(enumerate(segmentation.outlines, start=1))
    inset_box = _place_inset(view, photo, list(outlines.values()))
    draw_finger(pixels, finger, view.place)
    for outline in outlines.values():
        if segmentation.possible:
            canvas.dashed_outline(pixels, view.place(outline), colour=canvas.CYAN, width_px=2)
        else:
            canvas.line(pixels, view.place(outline), colour=canvas.CYAN, width_px=2, closed=True, halo_px=1)
    for label, ends in lines.items():
        if label in outlines:
            _draw_ruled(pixels, view.place(np.asarray(ends)), colour=canvas.YELLOW, width_px=2, tick_px=9)
    if inset_box is not None:
        _draw_inset(pixels, photo, segmentation, view, inset_box)
    rows = _by_label(measurements)
    pixels = _draw_scale_bar(pixels, segmentation, view, _bar_correction(segmentation, rows, lines))
    written = dict(enumerate(numbers or [first_label + n for n in range(len(outlines))], start=1))
    places = _label_places(pixels, view, outlines, rows, inset_box, numbers=written)
    pixels = canvas.write_boxed(pixels, places, size_px=26)
    words = _caption(photo, segmentation, rows, threshold_mm=threshold_mm, numbers=written)
    if not rows:
        words[1:1] = _nothing_found(finger, remarks)
    return canvas.encode_jpeg(canvas.add_caption(pixels, words))


def draw_refusal(
    photo: Photo, reason: str, *, title: str = "Refused: not measured", finger: FingerMarks | None = None
) -> bytes:
    """Draw a photo that was not measured, small, with the reason below it.

    Parameters
    ----------
    photo : Photo
    reason : str
        Why it is not measured and how to take it again.
    title : str
        What became of it.
    finger : FingerMarks, optional
        The finger that was found.

    Returns
    -------
    bytes
        A JPEG, longest side at most 1600 px.
    """
    rows, cols = photo.pixels.shape[:2]
    view = _View(0, 0, cols, rows, _fit(cols, rows, _REFUSED_PX, _REFUSED_PX))
    pixels = _shown(photo, view)
    draw_finger(pixels, finger, view.place)
    cv2.rectangle(pixels, (0, 0), (pixels.shape[1] - 1, pixels.shape[0] - 1), _REFUSED_RED, 8)
    paragraphs = [
        (title, 26, True, _REFUSED_RED),
        (reason, 24, False, canvas.DARK),
        (photo.path.name, 18, False, canvas.GREY),
    ]
    return canvas.encode_jpeg(canvas.add_caption(pixels, paragraphs))


def shrink_jpeg(data: bytes, *, longest_px: int, quality: int = 80) -> bytes:
    """Return a JPEG or PNG as a smaller JPEG, its longest side at most `longest_px`; empty bytes when unreadable.

    Parameters
    ----------
    data : bytes
        The file's bytes.
    longest_px : int
        Longest side, px.
    quality : int, optional
        JPEG quality, 1..100.

    Returns
    -------
    bytes
    """
    pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        return b""
    rgb = np.ascontiguousarray(pixels[..., ::-1], dtype=np.uint8)
    rows, cols = rgb.shape[:2]
    if max(rows, cols) > longest_px:
        rgb = canvas.resized(rgb, *_fit(cols, rows, longest_px, longest_px))
    return canvas.encode_jpeg(rgb, quality=quality)


def _fit(width: float, height: float, most_wide: int, most_high: int) -> tuple[int, int]:
    factor = min(most_wide / width, most_high / height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _choose_view(photo: Photo, segmentation: Segmentation) -> _View:
    """Show the ulcers with some finger round them; without an ulcer the window that was searched."""
    rows, cols = photo.pixels.shape[:2]
    if segmentation.outlines:
        points = np.vstack(segmentation.outlines)
        size_mm = np.array(_CONTEXT_MM) * segmentation.rectified.calibration.px_per_mm(points.mean(axis=0))
        size = np.maximum(size_mm, _CONTEXT_TIMES * np.ptp(points, axis=0))
    else:
        points = _window_corners_px(segmentation)
        size = np.ptp(points, axis=0)
    aspect = _CONTEXT_MM[0] / _CONTEXT_MM[1]
    size = np.maximum(size, [size[1] * aspect, size[0] / aspect])
    width, height = (int(max(1, min(round(wanted), most))) for wanted, most in zip(size, (cols, rows), strict=True))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    left = int(np.clip(round(middle[0] - width / 2), 0, cols - width))
    top = int(np.clip(round(middle[1] - height / 2), 0, rows - height))
    return _View(left, top, width, height, _fit(width, height, _WIDTH_PX, _HEIGHT_PX))


def _window_corners_px(segmentation: Segmentation) -> NDArray[np.float64]:
    rows, cols = segmentation.labels.shape
    corners = np.array([[0, 0], [cols - 1, 0], [cols - 1, rows - 1], [0, rows - 1]], dtype=np.float64)
    return segmentation.rectified.to_photo_px(corners)


def _shown(photo: Photo, view: _View) -> Pixels:
    part = photo.pixels[view.top : view.top + view.height, view.left : view.left + view.width]
    return canvas.resized(part, *view.shown)


def _draw_ruled(
    pixels: Pixels, ends: NDArray[np.float64], *, colour: canvas.Colour, width_px: int, tick_px: float
) -> None:
    """Draw a line with a tick across each end, in one stroke, so that no halo covers an end."""
    along = ends[1] - ends[0]
    tick = tick_px * np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    near, far = ends
    stroke = np.array([near, near - tick, near + tick, near, far, far - tick, far + tick])
    canvas.line(pixels, stroke, colour=colour, width_px=width_px, closed=False)


def _bar_correction(segmentation: Segmentation, rows: Sequence[Record], lines: Mapping[int, ArrayLike]) -> float:
    """Return how much shorter a length at the ulcer is than it looks in the reference's plane: 1, or 1 - h/Z.

    Beside a reference on the table the ulcer lies nearer the camera; the measured diameter over the same line in the
    plane says by how much. Never over 1: what is longer on the skin than in the plane comes from its slope.
    """
    calibration = segmentation.rectified.calibration
    for row in rows if calibration.reference_on == "table" else ():
        if row["label"] in lines:
            ends = calibration.to_mm(np.asarray(lines[row["label"]], dtype=np.float64))
            length = float(np.hypot(*(ends[1] - ends[0])))
            if length > 0 and row["diameter_mm"] / length > 0.5:
                return min(1.0, float(row["diameter_mm"]) / length)
    return 1.0


def _draw_scale_bar(pixels: Pixels, segmentation: Segmentation, view: _View, correction: float) -> Pixels:
    focus = segmentation.outlines[0] if segmentation.outlines else _window_corners_px(segmentation)
    middle = np.asarray(focus).mean(axis=0)
    step = np.array([1.0, 0.0])
    ends_mm = segmentation.rectified.calibration.to_mm(np.vstack([middle - step, middle + step]))
    mm_per_px = correction * float(np.hypot(*(ends_mm[1] - ends_mm[0]))) / 2 * view.width / view.shown[0]
    length_mm = max((bar for bar in _BARS_MM if bar / mm_per_px <= _BAR_SHARE * view.shown[0]), default=_BARS_MM[0])
    x, y = _MARGIN_PX + 8.0, view.shown[1] - _MARGIN_PX - 10.0
    ends = np.array([[x, y], [x + length_mm / mm_per_px, y]])
    _draw_ruled(pixels, ends, colour=canvas.WHITE, width_px=3, tick_px=8)
    return canvas.write(pixels, f"{length_mm:g} mm", (x + 6, y - 44), size_px=24, bold=True)


def _by_label(measurements: pd.DataFrame | Sequence[Record]) -> list[Record]:
    """Rows with a label, by label."""
    rows = list(measurements) if isinstance(measurements, Sequence) else records(measurements)
    return sorted((row for row in rows if not not_known(row["label"])), key=lambda row: int(row["label"]))


def _box_of(points: NDArray[np.floating], margin: float = 0.0) -> Box:
    (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
    return float(left), float(top), float(right), float(bottom)


def _overlap(a: Box, b: Box) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)


def _place_inset(view: _View, photo: Photo, outlines: list[NDArray[np.float64]]) -> Box | None:
    """Return where the whole photo goes, small: the corner that hides least of the ulcers; None when not needed."""
    rows, cols = photo.pixels.shape[:2]
    if view.width * view.height > _WHOLE_SHARE * rows * cols:
        return None
    width, height = _fit(cols, rows, _INSET_PX, _INSET_PX)
    right, low = view.shown[0] - _MARGIN_PX - width, view.shown[1] - _MARGIN_PX - height
    corners = [(right, _MARGIN_PX), (_MARGIN_PX, _MARGIN_PX), (right, low)]
    boxes = [(float(x), float(y), float(x + width), float(y + height)) for x, y in corners]
    hidden = [_box_of(view.place(outline), 30) for outline in outlines]
    return min(boxes, key=lambda box: sum(_overlap(box, other) for other in hidden))


def _draw_inset(pixels: Pixels, photo: Photo, segmentation: Segmentation, view: _View, box: Box) -> None:
    left, top, right, bottom = (int(edge) for edge in box)
    rows, cols = photo.pixels.shape[:2]
    whole = _View(0, 0, cols, rows, (right - left, bottom - top))
    small = canvas.resized(_thinned(photo.pixels, right - left), right - left, bottom - top)
    reference = segmentation.rectified.calibration.reference_outline_px
    if len(reference):
        canvas.fill_polygon_edge(small, whole.place(reference), colour=canvas.CYAN)
    shown = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [view.width, view.height] + [view.left, view.top]
    canvas.fill_polygon_edge(small, whole.place(shown), colour=canvas.YELLOW)
    cv2.rectangle(pixels, (left - 3, top - 3), (right + 2, bottom + 2), canvas.WHITE, -1)
    pixels[top:bottom, left:right] = small


def _thinned(pixels: Pixels, width_px: int) -> Pixels:
    """Every n-th pixel, still at least four times as wide as needed: averaging 12 MP would take most of the time."""
    step = max(1, pixels.shape[1] // (4 * width_px))
    return np.ascontiguousarray(pixels[::step, ::step])


def _label_places(
    pixels: Pixels,
    view: _View,
    outlines: dict[int, NDArray[np.float64]],
    rows: list[Record],
    inset: Box | None,
    *,
    numbers: Mapping[int, int],
) -> list[tuple[str, tuple[float, float]]]:
    """Return a text a label and where it goes: beside its outline, on no other outline, text or the inset."""
    diameters = {int(row["label"]): row["diameter_mm"] for row in rows}
    taken = [_box_of(view.place(outline), 12) for outline in outlines.values()] + ([inset] if inset else [])
    places = []
    for label, outline in outlines.items():
        value = diameters.get(label, math.nan)
        text = str(numbers[label]) if math.isnan(value) else f"{numbers[label]}  {value:.2f} mm"
        box = _free_box(
            pixels, _box_of(view.place(outline), 12), canvas.text_size_px(text, size_px=26, bold=True), taken
        )
        taken.append(box)
        places.append((text, (box[0], box[1])))
    return places


def _free_box(pixels: Pixels, around: Box, size: tuple[int, int], taken: list[Box]) -> Box:
    wide, high = size
    left, top, right, bottom = around
    middle_x, middle_y = (left + right - wide) / 2, (top + bottom - high) / 2
    corners = [
        (right + 6, middle_y),
        (left - 6 - wide, middle_y),
        (middle_x, top - high - 6),
        (middle_x, bottom + 6),
        (right + 6, top - high),
        (left - 6 - wide, bottom),
    ]
    frame = (pixels.shape[1] - wide - 4.0, pixels.shape[0] - high - 4.0)
    boxes = [
        (x, y, x + wide, y + high)
        for x, y in ((min(max(x, 4.0), frame[0]), min(max(y, 4.0), frame[1])) for x, y in corners)
    ]
    return min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken))


def _caption(
    photo: Photo,
    segmentation: Segmentation,
    rows: list[Record],
    *,
    threshold_mm: float | None,
    numbers: Mapping[int, int],
) -> list[tuple[str, int, bool, tuple[int, int, int]]]:
    first = rows[0] if rows else {}
    where = [first.get("subject_id", ""), first.get("visit", "")]
    where += [" ".join(filter(None, [first.get("hand", ""), first.get("finger", "")])), photo.path.name]
    over = "the threshold" if threshold_mm is None else f"{threshold_mm:g} mm"
    paragraphs = [(" · ".join(part for part in where if part), 18, False, canvas.GREY)]
    paragraphs += [
        (f"{numbers[int(row['label'])]}: {_sentence(row, over)}", 25, True, canvas.DARK) for row in rows[:_MOST_LISTED]
    ]
    if len(rows) > _MOST_LISTED:
        paragraphs.append((f"and {len(rows) - _MOST_LISTED} more, see measurements.csv", 20, False, canvas.DARK))
    stated = "" if segmentation.rectified.calibration.verified else " The scale was stated, not seen on the photo."
    return [*paragraphs, (_NOTICE + stated, 18, False, canvas.GREY)]


def _nothing_found(
    finger: FingerMarks | None, remarks: Sequence[str]
) -> list[tuple[str, int, bool, tuple[int, int, int]]]:
    if remarks:
        words = [("No ulcer found, and not all skin was seen clear: indeterminate", 25, True, canvas.DARK)]
        return words + [(remark, 20, False, canvas.DARK) for remark in remarks[:_MOST_LISTED]]
    words = [("No ulcer found on this photo", 25, True, canvas.DARK)]
    if finger is not None and finger.clear_px:
        words.append(("Tinted green: skin that was seen clear", 20, False, canvas.DARK))
    return words


def _sentence(row: Record, over: str) -> str:
    words = "possible ulcer, to be looked at: " if row["presence"] == "possible" else ""
    words += f"{row['diameter_mm']:.2f} mm"
    if row["diameter_low_mm"] == row["diameter_low_mm"]:
        words += f" ({row['diameter_low_mm']:.2f}–{row['diameter_high_mm']:.2f})"
    if row["over_threshold"]:
        words += f" · over {over}: {row['over_threshold']}"
    return words if math.isnan(row["area_mm2"]) else f"{words} · area {row['area_mm2']:.1f} mm²"
