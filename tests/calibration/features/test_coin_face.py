"""A coin's face: drawn coins with a wall, a shadow and rings, whose face is known; a flat dot keeps its rim."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ulcermeter.calibration.features.coin_face import face_of
from ulcermeter.calibration.features.ellipses import Ellipse, EllipseFit, fit_ellipse
from ulcermeter.calibration.geometry.camera import CameraPrior

CAMERA = CameraPrior(720.0, 0.05, (450.0, 300.0), 5.0, 0.02)
RADIUS_PX, FINER = 90.0, 4


def filled(image: NDArray[np.uint8], outline_px: NDArray[np.float64], light: float) -> None:
    finer = (outline_px + 0.5) * FINER - 0.5
    cv2.fillConvexPoly(image, cv2.convexHull(np.rint(16 * finer).astype(np.int32)), light, cv2.LINE_AA, 4)


def drawn_coin(centre: NDArray[np.float64], *, thickness: float, shadow_px: float) -> NDArray[np.uint8]:
    """A coin level with the photo's plane: its face is a circle, its foot a smaller one nearer to the middle."""
    angle = np.arange(360) * (2 * np.pi / 360)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    nearer = 1 - thickness * 2 * RADIUS_PX / CAMERA.focal_px
    face = centre + RADIUS_PX * circle
    foot = np.array(CAMERA.centre_px) + (face - CAMERA.centre_px) * nearer
    light = np.full((600 * FINER, 900 * FINER), 190, dtype=np.uint8)
    if shadow_px:
        filled(light, np.vstack([foot, foot + [0.0, shadow_px]]), 110.0)
        light = cv2.GaussianBlur(light, (0, 0), 2.5 * FINER)
    filled(light, np.vstack([face, foot]), 60.0)
    filled(light, face, 120.0)
    for share, tone in ((0.94, 150.0), (0.92, 115.0), (0.70, 100.0)):
        filled(light, centre + share * RADIUS_PX * circle, tone)
    light = cv2.resize(light, (900, 600), interpolation=cv2.INTER_AREA)
    light = cv2.GaussianBlur(light, (0, 0), 0.9).astype(np.float64)
    noise = np.random.default_rng(5).normal(0, 2.0, (600, 900, 3))
    tint = np.array([1.0, 0.93, 0.75]) if thickness else np.ones(3)
    return np.clip(light[..., None] * tint + noise, 0, 255).round().astype(np.uint8)


def outline_of(pixels: NDArray[np.uint8], centre: NDArray[np.float64]) -> EllipseFit:
    fitted = fit_ellipse(pixels, Ellipse(centre, np.eye(2) * (RADIUS_PX + 2)))
    assert fitted is not None
    return fitted


@pytest.mark.parametrize("centre", [(700.0, 420.0), (180.0, 140.0), (640.0, 130.0)])
@pytest.mark.parametrize("shadow_px", [0.0, 6.0])
def test_the_face_of_a_thick_coin_is_told_from_its_wall(centre: tuple[float, float], shadow_px: float) -> None:
    middle = np.array(centre)
    pixels = drawn_coin(middle, thickness=0.095, shadow_px=shadow_px)
    fit = face_of(pixels, outline_of(pixels, middle), CAMERA)
    face, radius_sd = fit.ellipse, np.sqrt(np.sum(fit.covariance[[2, 2, 4, 4], [2, 4, 2, 4]])) / 2
    # Where two rims do as well, the mean is off, and says so.
    assert abs(face.radius_px - RADIUS_PX) < 0.006 * RADIUS_PX + min(2 * radius_sd, 0.006 * RADIUS_PX)
    np.testing.assert_allclose(face.centre_px, middle, atol=0.8)
    low, high = np.linalg.eigvalsh(face.shape_px)
    assert low / high > 0.985


def test_an_inner_ring_is_not_the_face() -> None:
    middle = np.array([470.0, 310.0])
    pixels = drawn_coin(middle, thickness=0.095, shadow_px=0.0)
    ring = fit_ellipse(pixels, Ellipse(middle, np.eye(2) * 0.93 * RADIUS_PX))
    assert ring is not None and ring.ellipse.radius_px < 0.96 * RADIUS_PX
    assert face_of(pixels, ring, CAMERA).ellipse.radius_px == pytest.approx(RADIUS_PX, rel=0.01)


def test_a_flat_dot_keeps_its_rim() -> None:
    middle = np.array([700.0, 420.0])
    pixels = drawn_coin(middle, thickness=0.0, shadow_px=0.0)
    outline = outline_of(pixels, middle)
    assert face_of(pixels, outline, CAMERA) is outline


@pytest.mark.parametrize("seed", [0, 1])
def test_the_edges_of_cloth_round_a_disc_are_no_face(seed: int) -> None:
    cloth = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(360, 400)).astype(np.float32), (0, 0), 3.0)
    inside = np.zeros((360, 400), dtype=np.float32)
    cv2.circle(inside, (200, 180), 110, 1.0, -1, cv2.LINE_AA)
    inside = cv2.GaussianBlur(inside, (0, 0), 0.8)
    light = (205 + 14 * cloth / cloth.std()) * (1 - inside) + 225 * inside
    pixels = np.clip(light, 0, 255)[..., None].repeat(3, axis=2).round().astype(np.uint8)
    found = fit_ellipse(pixels, Ellipse(np.array([200.0, 180]), np.diag([110.0, 110])))
    assert found is not None
    assert face_of(pixels, found, CAMERA).ellipse.radius_px == pytest.approx(110, rel=0.005)
