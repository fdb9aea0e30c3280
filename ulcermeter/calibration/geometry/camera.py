"""The camera: what is known of its focal length and lens before a photo is calibrated."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import CameraInfo, Framing, LensProfile, Note, NoteKind, Photo
from ulcermeter.errors import Problem, Refusal
from ulcermeter.files import read_file, write_file

if TYPE_CHECKING:
    from ulcermeter.protocol import Protocol

__all__ = ["CameraPrior", "camera_prior", "lens_matches", "read_lens", "write_lens"]

DIAGONAL_35MM_MM = 43.2666
"""Diagonal of a 36 × 24 mm frame, mm: 35 mm equivalents compare diagonals (CIPA DCG-001-2018, 4.5)."""
_USUAL_ASPECTS = (1.25, 1.60)
"""Longer over shorter side of whole sensors: 4:3 and 3:2, with what roundings make; 16:9 and squares are cut
(assumption)."""
_SPAN_SDS = 3.0
"""From one end of what a focal length may be to the other, in standard deviations: either end is 1.5 of them from the
middle, so that 95 % intervals hold both."""
_PROFILED_CENTRE_SD = 0.003
"""Of the principal point where a lens profile is used, over the longer side: it moves so much as a phone focuses and
steadies (assumption)."""
_FOCAL_KEYS = ("focal_rel", "focal_rel_sd", "centre_rel", "distortion", "n_photos", "rms_px")


@dataclass(frozen=True)
class CameraPrior:
    """What is believed of the camera before the reference is seen; all in pixels of the upright photo.

    Attributes
    ----------
    focal_px, focal_sd_rel : float
        Focal length and its *relative* standard deviation.
    centre_px : (float, float)
        Principal point (x, y).
    centre_sd_px : float
    k1_sd : float
        Standard deviation of the first radial distortion coefficient (OpenCV's k1); 0 where a lens profile is used.
    warnings : tuple of Note
    """

    focal_px: float
    focal_sd_rel: float
    centre_px: tuple[float, float]
    centre_sd_px: float
    k1_sd: float
    warnings: tuple[Note, ...] = ()

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The inner matrix (3, 3): from rays (x, y, 1) to pixels."""
        return np.array([[self.focal_px, 0, self.centre_px[0]], [0, self.focal_px, self.centre_px[1]], [0, 0, 1]])


def camera_prior(photo: Photo, *, protocol: Protocol, lens: LensProfile | None) -> CameraPrior:
    """Return what is known of the camera: from a lens profile, else EXIF, else the protocol's assumption.

    Parameters
    ----------
    photo : Photo
        The photo, upright.
    protocol : Protocol
        The trial's rules.
    lens : LensProfile or None
        A lens profile; None for none.

    Returns
    -------
    CameraPrior
    """
    rows, cols = photo.pixels.shape[:2]
    longer, centre = float(max(rows, cols)), ((cols - 1) / 2, (rows - 1) / 2)
    if lens is not None:
        x, y = centre[0] + lens.centre_rel[0] * longer, centre[1] + lens.centre_rel[1] * longer
        centre_sd_px = _PROFILED_CENTRE_SD * longer
        return CameraPrior(lens.focal_rel * longer, lens.focal_rel_sd / lens.focal_rel, (x, y), centre_sd_px, 0.0)
    per_mm = math.hypot(rows, cols) / DIAGONAL_35MM_MM
    k1_sd = protocol.calibration.lens_k1_sd
    centre_sd_px = longer * protocol.calibration.camera_centre_sd_pct / 100
    focal_mm = photo.camera.focal_35mm_mm
    if focal_mm is not None:
        usual = _USUAL_ASPECTS[0] <= longer / min(rows, cols) <= _USUAL_ASPECTS[1]
        sd_pct = protocol.calibration.focal_exif_sd_pct if usual else protocol.calibration.focal_cropped_sd_pct
        span = _span(photo, protocol)
        sd_rel = math.hypot(sd_pct / 100, math.log(span.most) / _SPAN_SDS) if span.most > 1 else sd_pct / 100
        centre_sd_px = math.hypot(centre_sd_px, span.off_centre_px / math.sqrt(3))
        focal_px = focal_mm * per_mm * math.sqrt(span.most)
        notes = span.warnings or (() if usual else (Note(NoteKind.RESHAPED),))
        return CameraPrior(focal_px, sd_rel, centre, centre_sd_px, k1_sd, notes)
    assumed_mm, sd_mm = protocol.calibration.focal_assumed_mm, protocol.calibration.focal_assumed_sd_mm
    cropped_sd_px = longer * protocol.calibration.camera_centre_cropped_sd_pct / 100
    assumed = Note(NoteKind.FOCAL_ASSUMED, (assumed_mm, sd_mm))
    return CameraPrior(assumed_mm * per_mm, sd_mm / assumed_mm, centre, cropped_sd_px, k1_sd, (assumed,))


@dataclass(frozen=True)
class _Span:
    """What cropping and zoom leave open.

    Attributes
    ----------
    most : float
        How many times longer in pixels the focal length may be than it is on the picture's own diagonal.
    off_centre_px : float
        How far the principal point may be off the picture's middle.
    warnings : tuple of Note
    """

    most: float = 1.0
    off_centre_px: float = 0.0
    warnings: tuple[Note, ...] = ()


def _span(photo: Photo, protocol: Protocol) -> _Span:
    """Return the span that cropping and digital zoom leave open.

    The 35 mm focal length is the whole frame's. A picture cut from it keeps the frame's pixels, so its focal length in
    pixels is the frame's diagonal's; one that was made smaller has its own diagonal's, and some cameras scale the
    value when they cut. Both ends are kept, as no file tells which; likewise for zoom, with which many phones scale it.
    """
    camera, rows, cols = photo.camera, *photo.pixels.shape[:2]
    most, off_px = 1.0, 0.0
    warnings: list[Note] = []
    if camera.framing is Framing.CROPPED and camera.frame_px is not None:
        most = math.hypot(*camera.frame_px) / math.hypot(rows, cols)
        off_px = max(camera.frame_px[0] - max(rows, cols), camera.frame_px[1] - min(rows, cols)) / 2
        warnings.append(Note(NoteKind.CROPPED, (*camera.frame_px, cols, rows)))
    elif camera.framing is Framing.UNKNOWN:
        most = protocol.calibration.focal_crop_max
        off_px = (most - 1) / 2 * max(rows, cols)
        warnings.append(Note(NoteKind.FRAME_NOT_NAMED))
    if camera.digital_zoom > 1:
        most *= camera.digital_zoom
        warnings.append(Note(NoteKind.DIGITAL_ZOOM, (camera.digital_zoom,)))
    return _Span(most, off_px, tuple(warnings))


def lens_matches(photo: Photo, lens: LensProfile) -> bool:
    """Return whether a lens profile holds for this photo: make, model and focal length (within 1 mm), whole frame.

    Parameters
    ----------
    photo : Photo
        For its camera.
    lens : LensProfile
        The lens that was measured.

    Returns
    -------
    bool
        False for a photo that was cropped or zoomed.
    """
    of_photo, of_lens = photo.camera, lens.camera
    if of_photo.framing is not Framing.WHOLE or of_photo.digital_zoom != 1:
        return False
    if (of_photo.make, of_photo.model) != (of_lens.make, of_lens.model):
        return False
    if of_photo.focal_35mm_mm is None or of_lens.focal_35mm_mm is None:
        return of_photo.focal_35mm_mm == of_lens.focal_35mm_mm
    # EXIF gives whole millimetres.
    return abs(of_photo.focal_35mm_mm - of_lens.focal_35mm_mm) < 1.0


def read_lens(path: str | Path) -> LensProfile:
    """Read a lens profile as `write_lens` wrote it.

    Parameters
    ----------
    path : str or Path
        The TOML file.

    Returns
    -------
    LensProfile
        Lengths over the photo's longer side.

    Raises
    ------
    Refusal
        No such file, not TOML, or values missing or of the wrong kind.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(read_file(path, most_mb=1).decode("utf-8"))
        camera = raw.get("camera", {})
        focal_mm = camera.get("focal_35mm_mm")
        return LensProfile(
            camera=CameraInfo(camera.get("make"), camera.get("model"), None if focal_mm is None else float(focal_mm)),
            focal_rel=_positive(raw, "focal_rel"),
            focal_rel_sd=_positive(raw, "focal_rel_sd"),
            centre_rel=(float(raw["centre_rel"][0]), float(raw["centre_rel"][1])),
            distortion=tuple(float(value) for value in raw["distortion"]),
            n_photos=int(raw["n_photos"]),
            rms_px=float(raw["rms_px"]),
        )
    except OSError as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise Refusal(
            Problem(where=str(path), expected="a lens profile", got=str(got), action="check the path")
        ) from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, UnicodeDecodeError) as error:
        raise Refusal(
            Problem(
                where=str(path),
                expected=f"a lens profile with {', '.join(_FOCAL_KEYS)} and [camera]",
                got=str(error),
                action="write it with: ulcermeter camera PHOTOS -o CAMERA.toml",
            )
        ) from error


def _positive(raw: dict[str, object], key: str) -> float:
    value = float(raw[key])  # type: ignore[arg-type]
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{key} = {value}")
    return value


def write_lens(lens: LensProfile, path: str | Path) -> None:
    """Write a lens profile as TOML.

    Parameters
    ----------
    lens : LensProfile
        The lens that was measured.
    path : str or Path
        The file; written over.
    """
    lines = [
        "# A lens, measured from photos of the card. Lengths are fractions of the photo's longer side.",
        f"focal_rel = {lens.focal_rel!r}",
        f"focal_rel_sd = {lens.focal_rel_sd!r}",
        f"centre_rel = [{lens.centre_rel[0]!r}, {lens.centre_rel[1]!r}]",
        f"distortion = [{', '.join(repr(float(value)) for value in lens.distortion)}]  # k1, k2, p1, p2, k3",
        f"n_photos = {lens.n_photos}",
        f"rms_px = {lens.rms_px!r}",
        "",
        "[camera]",
    ]
    lines += [f"{key} = {_toml_text(value)}" for key in ("make", "model") if (value := getattr(lens.camera, key))]
    if lens.camera.focal_35mm_mm is not None:
        lines.append(f"focal_35mm_mm = {lens.camera.focal_35mm_mm!r}")
    write_file(path, ("\n".join(lines) + "\n").encode())


def _toml_text(value: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in value)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'
