"""What is drawn stands where the truth says; the same spec gives the same bytes; files carry their EXIF."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ulcermeter.phantom import (
    LightSpec,
    ReferenceSpec,
    draw_phantom,
    encode_phantom,
    random_spec,
    ulcer_mask,
    without_reference,
    write_phantom,
)
from ulcermeter.phantom.skin import linear

SMALL = {"size_px": (760, 570), "px_per_mm": (12, 14)}


def clean(spec):
    """The same photo through a camera without faults."""
    return replace(spec, camera=replace(spec.camera, blur_px=0.0, noise_sd=0.0, vignetting=0.0, exposure_ev=0.0))


def edge_offsets(grey, outline, *, reach_px):
    """Signed distance in px of the half-way crossing from each outline point along its outward normal."""
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    if np.dot((outline - outline.mean(axis=0)).ravel(), normal.ravel()) < 0:
        normal = -normal
    steps = np.linspace(-reach_px, reach_px, 81)
    at = outline[:, None] + steps[None, :, None] * normal[:, None]
    values = cv2.remap(grey, *(at[..., i].astype(np.float32) for i in (0, 1)), cv2.INTER_LINEAR)
    low, high = np.median(values[:, :12]), np.median(values[:, -12:])
    share = np.clip((values - low) / (high - low), 0, 1)
    return steps[-1] - share.sum(axis=1) * (steps[1] - steps[0])


def test_drawn_ulcer_edge_is_the_true_outline():
    spec = clean(random_spec(4, diameter_mm=(4, 4.5), tilt_deg=(15, 20), sides=("pulp",), skin_tone=(1, 2), **SMALL))
    ulcer = replace(spec.ulcers[0], wound_bed="eschar", halo=0.0, rim=0.0, depth_mm=0.0)
    finger = replace(spec.finger, mottling=0.0, creases=0.0, tightness=1.0)
    light = LightSpec(ambient=1.0, glare=0.0)
    phantom = draw_phantom(replace(spec, ulcers=(ulcer,), finger=finger, light=light))
    offsets = edge_offsets(linear(phantom.pixels[..., 1]), phantom.truth.ulcers[0].outline_px[::3], reach_px=5)
    assert abs(np.median(offsets)) < 0.2
    assert np.percentile(np.abs(offsets), 90) < 0.6


@pytest.mark.parametrize("seed", [1, 6])
def test_marker_is_drawn_to_a_fiftieth_of_a_pixel(seed):
    phantom = draw_phantom(clean(random_spec(seed, tilt_deg=(10, 25), **SMALL)))
    corners = phantom.truth.reference_px
    grey = linear(phantom.pixels[..., 1])
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        share = np.linspace(0.15, 0.85, 80)[:, None]
        side = start + share * (end - start)
        outward = np.array([(end - start)[1], -(end - start)[0]]) / np.linalg.norm(end - start)
        steps = np.linspace(-8, 8, 161)
        at = side[:, None] + steps[None, :, None] * outward
        values = cv2.remap(grey, *(at[..., i].astype(np.float32) for i in (0, 1)), cv2.INTER_LINEAR)
        low, high = np.median(values[:, :40]), np.median(values[:, -40:])
        offset = 8 - ((values - low) / (high - low)).mean(axis=1) * 16
        assert abs(offset.mean()) < 0.06
        assert abs(np.median(offset) - 0.0) < 0.06


@pytest.mark.parametrize(("kind", "place"), [("aruco", "skin"), ("aruco", "table"), ("apriltag", "table")])
def test_opencv_reads_the_marker_where_the_truth_says(kind, place):
    spec = random_spec(14, reference=kind, place=place, tilt_deg=(5, 15), **SMALL)
    phantom = draw_phantom(clean(spec))
    family = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, spec.reference.dictionary))
    options = cv2.aruco.DetectorParameters()
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    options.cornerRefinementWinSize = 4
    corners, ids, _ = cv2.aruco.ArucoDetector(family, options).detectMarkers(
        (linear(phantom.pixels) * 255).astype(np.uint8)
    )
    assert ids is not None and ids.ravel().tolist() == [spec.reference.marker_id]
    assert np.abs(np.reshape(corners[0], (4, 2)) - phantom.truth.reference_px).max() < 0.4


def test_drawn_disc_has_its_centroid_at_the_centre_and_its_area():
    base = clean(random_spec(3, n_ulcers=0, **SMALL))
    camera = replace(base.camera, tilt_deg=0.0, aim_mm=(11.0, 3.0))
    reference = ReferenceSpec(kind="disc", size_mm=10.0, colour="black", place="table", offset_mm=(17.0, 2.0))
    spec = replace(base, finger=None, reference=reference, camera=camera, background="paper")
    phantom = draw_phantom(spec)
    dark = 1 - linear(phantom.pixels[..., 1]) / np.median(linear(phantom.pixels[..., 1]))
    x, y = phantom.truth.reference_px[0]
    rows, cols = np.mgrid[: dark.shape[0], : dark.shape[1]]
    near = np.hypot(cols - x, rows - y) < 1.4 * 5 * spec.camera.px_per_mm
    weight = np.clip(dark, 0, None) * near * (dark > 0.08)
    assert abs((weight * cols).sum() / weight.sum() - x) < 0.3
    assert abs((weight * rows).sum() / weight.sum() - y) < 0.3
    area = weight.sum() / np.median(weight[near & (np.hypot(cols - x, rows - y) < 20)])
    assert np.isclose(area, np.pi * (5 * spec.camera.px_per_mm) ** 2, rtol=0.02)


@pytest.mark.parametrize("kind", ["id1", "ruler", "none"])
def test_other_references_draw_and_have_their_points(kind):
    spec = random_spec(21, reference=kind, place="table", size_px=(640, 420), px_per_mm=(5, 6))
    phantom = draw_phantom(spec)
    assert phantom.pixels.shape == (420, 640, 3)
    assert len(phantom.truth.reference_px) == {"id1": 4, "ruler": 51, "none": 0}[kind]


def test_healthy_finger_and_photo_without_reference_have_empty_truth():
    healthy = draw_phantom(without_reference(random_spec(7, n_ulcers=0, size_px=(320, 240), px_per_mm=(5, 6))))
    assert healthy.truth.ulcers == () and healthy.truth.reference is None
    assert ulcer_mask(healthy).max() == 0


def test_mask_holds_each_ulcer_with_its_area():
    phantom = draw_phantom(random_spec(11, n_ulcers=2, diameter_mm=(2, 4), t_mm=(-1, 1), **SMALL))
    labels = ulcer_mask(phantom)
    assert labels.dtype == np.int32 and set(np.unique(labels)) == {0, 1, 2}
    for number, ulcer in enumerate(phantom.truth.ulcers, start=1):
        x, y = ulcer.outline_px.T
        area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert np.isclose((labels == number).sum(), area, rtol=0.05)


def test_same_spec_same_bytes_other_seed_other_bytes():
    spec = random_spec(17, size_px=(400, 300), px_per_mm=(8, 9))
    one, two = draw_phantom(spec), draw_phantom(spec)
    assert encode_phantom(one) == encode_phantom(two)
    other = draw_phantom(replace(spec, seed=spec.seed + 1))
    assert encode_phantom(one) != encode_phantom(other)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_round_trip(tmp_path, orientation):
    pil = pytest.importorskip("PIL.Image")
    ops = pytest.importorskip("PIL.ImageOps")
    spec = random_spec(18, size_px=(360, 240), px_per_mm=(7, 8))
    spec = replace(spec, camera=replace(spec.camera, exif_orientation=orientation, jpeg_quality=96))
    phantom = draw_phantom(spec)
    path = write_phantom(phantom, tmp_path / "photo.jpg")
    with pil.open(path) as picture:
        exif = picture.getexif()
        inner = exif.get_ifd(0x8769)
        upright = np.asarray(ops.exif_transpose(picture).convert("RGB")).astype(int)
    assert exif[0x0112] == orientation and exif[0x010F] == spec.make and exif[0x0110] == spec.model
    assert inner[0x9003] == "2024:01:15 10:30:00" and inner[0xA405] == round(spec.camera.focal_35mm_mm)
    assert np.abs(upright - phantom.pixels).mean() < 4


def test_neither_blur_nor_noise_moves_the_truth():
    spec = random_spec(19, size_px=(320, 240), px_per_mm=(6, 7))
    one, two = draw_phantom(spec), draw_phantom(clean(spec))
    assert (one.truth.ulcers[0].outline_px == two.truth.ulcers[0].outline_px).all()
    assert (one.pixels != two.pixels).any()
