import math
from pathlib import Path

import numpy as np

from ulcermeter.datatypes import Calibration, CameraInfo, Photo, RectifiedPhoto
from ulcermeter.reference import parse_reference


class RednessSession:
    """Stands in for the network: a pixel's logit rises with red minus green, and the inputs are kept for the test."""

    def __init__(self):
        self.inputs = []

    def get_inputs(self):
        return [type("Input", (), {"name": "input"})()]

    def run(self, _names, feeds):
        x = feeds["input"]
        self.inputs.append(x)
        return [40.0 * (x[:, :1] - x[:, 1:2] - 0.3725)]


def make_rectified(pixels, *, px_per_mm, spacing_mm=None, shape=None, reference_px=None, homography=None):
    """A window that is the photo itself, or one of another spacing of a photo of `shape`."""
    none = np.zeros((0, 2))
    matrix = homography if homography is not None else np.diag([1 / px_per_mm, 1 / px_per_mm, 1.0])
    calibration = Calibration(
        pixel_to_mm=matrix,
        draws=np.zeros((0, 3, 3)),
        reference=parse_reference("scale:10"),
        reference_on="skin",
        points_px=none,
        points_mm=none,
        points_covariance_px2=np.zeros((0, 0)),
        reference_outline_px=none if reference_px is None else np.asarray(reference_px, float),
        reprojection_mm=math.nan,
        tilt_deg=math.nan,
        distance_mm=300.0,
        distance_sd_mm=60.0,
        verified=False,
        shape=shape or pixels.shape[:2],
    )
    photo = Photo(pixels, "0" * 64, None, CameraInfo(), Path("photo.png"))
    return RectifiedPhoto(pixels, spacing_mm or 1 / px_per_mm, (0.0, 0.0), calibration, photo)


def skin_with_patches(*patches, shape=(230, 310)):
    """Skin-coloured picture with patches (x, y, red) that fade out as a bell curve of 10 px sd; red 1 is an ulcer's."""
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(float)
    red = np.zeros(shape)
    for x, y, most in patches:
        red = np.maximum(red, most * np.exp(-((cols - x) ** 2 + (rows - y) ** 2) / (2 * 10.0**2)))
    return np.round(np.array([200.0, 160, 140]) + red[..., None] * np.array([0.0, -110, -100])).astype(np.uint8)


def skin_with(ellipses, *, shape=(230, 310)):
    """Skin-coloured picture with red ellipses (x, y, half width, half height), edges half a pixel soft."""
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(float)
    red = np.zeros(shape)
    for x, y, wide, high in ellipses:
        distance = (np.hypot((cols - x) / wide, (rows - y) / high) - 1) * min(wide, high)
        red = np.maximum(red, np.clip(0.5 - distance / 2, 0, 1))
    skin, ulcer = np.array([200.0, 160.0, 140.0]), np.array([200.0, 50.0, 40.0])
    return np.round(skin + red[..., None] * (ulcer - skin)).astype(np.uint8)
