"""Photos cropped or zoomed on the phone, the marker on the table: the interval holds the truth, a sentence says so."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ulcermeter.calibration import calibrate, rectify
from ulcermeter.datatypes import Note, NoteKind
from ulcermeter.finger import locate_finger
from ulcermeter.phantom import CameraSpec, Phantom, PhantomSpec, ReferenceSpec, UlcerSpec, draw_phantom, ulcer_mask
from ulcermeter.photo import read_photo
from ulcermeter.planimetry import measure
from ulcermeter.protocol import read_protocol
from ulcermeter.segmentation import segment

PROTOCOL = read_protocol()
FRAME = (1792, 1344)
PART = (800, 600)
FOCAL_35MM = 26


def drawn(aim_mm: tuple[float, float]) -> Phantom:
    return draw_phantom(
        PhantomSpec(
            ulcers=(UlcerSpec(diameter_mm=3.0, s_mm=9.0),),
            reference=ReferenceSpec(size_mm=15.0, place="table", offset_mm=(20.0, 4.0)),
            camera=CameraSpec(
                width_px=FRAME[0],
                height_px=FRAME[1],
                focal_35mm_mm=FOCAL_35MM,
                px_per_mm=13.0,
                aim_mm=aim_mm,
                tilt_deg=4,
            ),
        )
    )


def jpeg(pixels: np.ndarray, path: Path, **tags: object) -> Path:
    """Write a JPEG with a focal length and, where given, the frame's sides and a zoom, by Pillow."""
    exif = Image.Exif()
    inner = exif.get_ifd(0x8769)
    inner[0xA405] = tags.get("focal", FOCAL_35MM)
    if "frame" in tags:
        inner[0xA002], inner[0xA003] = tags["frame"]  # type: ignore[misc]
    if "zoom" in tags:
        inner[0xA404] = float(tags["zoom"])  # type: ignore[arg-type]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95, exif=exif)
    path.write_bytes(stream.getvalue())
    return path


FOCAL_IN_DOUBT = {NoteKind.CROPPED, NoteKind.FRAME_NOT_NAMED, NoteKind.DIGITAL_ZOOM, NoteKind.FOCAL_ASSUMED}


def low_and_high(path: Path, mask: np.ndarray) -> tuple[float, float, tuple[Note, ...]]:
    photo = read_photo(path)
    calibration = calibrate(photo, reference="aruco:15", reference_on="table", protocol=PROTOCOL)
    rectified = rectify(photo, calibration, spacing_mm=0.08)
    segmentation = segment(rectified, mask=mask, as_truth=True)
    near = np.argwhere(mask).mean(axis=0)[::-1]
    finger = locate_finger(rectified, near_px=near, protocol=PROTOCOL)
    row = measure(segmentation, finger=finger, protocol=PROTOCOL).iloc[0]
    return float(row["diameter_low_mm"]), float(row["diameter_high_mm"]), calibration.warnings


@pytest.mark.parametrize(
    ("aim_mm", "name"), [((10.0, 8.0), "centre"), ((48.0, 34.0), "upper left"), ((-28.0, 34.0), "upper right")]
)
def test_the_interval_of_a_cropped_or_zoomed_photo_holds_the_truth(
    tmp_path: Path, aim_mm: tuple[float, float], name: str
) -> None:
    phantom = drawn(aim_mm)
    mask = ulcer_mask(phantom) > 0
    truth = phantom.truth.ulcers[0].diameter_mm
    middle = np.argwhere(mask).mean(axis=0)[::-1] + (130, 70)
    left, top = (int(np.clip(m - p / 2, 0, f - p)) for m, p, f in zip(middle, PART, FRAME, strict=True))
    part = np.ascontiguousarray(phantom.pixels[top : top + PART[1], left : left + PART[0]])
    cut = np.ascontiguousarray(mask[top : top + PART[1], left : left + PART[0]])
    files = {
        "frame named": (jpeg(part, tmp_path / "a.jpg", frame=FRAME), cut),
        "frame not named": (jpeg(part, tmp_path / "b.jpg"), cut),
        "nothing named": (jpeg(part, tmp_path / "f.jpg", focal=0), cut),
    }
    if name == "centre":
        whole = cv2.resize(part, FRAME, interpolation=cv2.INTER_LINEAR)
        larger = cv2.resize(cut.astype(np.uint8), FRAME, interpolation=cv2.INTER_NEAREST) > 0
        zoom = FRAME[0] / PART[0]
        files["zoom not in the focal length"] = (jpeg(whole, tmp_path / "c.jpg", frame=FRAME, zoom=zoom), larger)
        files["zoom in the focal length"] = (
            jpeg(whole, tmp_path / "e.jpg", frame=FRAME, zoom=zoom, focal=round(FOCAL_35MM * zoom)),
            larger,
        )
        files["whole"] = (jpeg(phantom.pixels, tmp_path / "d.jpg", frame=FRAME), mask)
    for kind, (path, seen) in files.items():
        low, high, warnings = low_and_high(path, seen)
        assert low < truth < high, (kind, low, truth, high)
        assert bool({note.kind for note in warnings} & FOCAL_IN_DOUBT) is (kind != "whole")
