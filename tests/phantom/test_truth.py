"""The phantoms' truth against naive second versions, analytic values and laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter.errors import UlcermeterError
from ulcermeter.phantom import CameraSpec, FingerSpec, PhantomSpec, ReferenceSpec, UlcerSpec, random_spec
from ulcermeter.phantom.drawing import build_scene, scene_truth
from ulcermeter.phantom.solid import build_solid
from ulcermeter.phantom.truth import loop_length, place_ulcer, polygon_centroid, shoelace


def truth_of(spec):
    return scene_truth(build_scene(spec))


def naive_caliper(points):
    return max(float(np.sqrt(((p - q) ** 2).sum())) for i, p in enumerate(points) for q in points[:i])


@settings(max_examples=15)
@given(
    diameter=st.floats(0.8, 10),
    s_mm=st.floats(5, 40),
    t_mm=st.floats(-5, 5),
    irregularity=st.floats(0, 1),
    aspect=st.floats(0.3, 1),
    seed=st.integers(0, 999),
)
def test_outline_has_the_asked_caliper_and_lies_on_the_skin(diameter, s_mm, t_mm, irregularity, aspect, seed):
    ulcer = UlcerSpec(diameter, s_mm, t_mm, irregularity=irregularity, aspect=aspect, seed=seed)
    solid = build_solid(FingerSpec(radius_mm=8.3, taper=0.2))
    edge = place_ulcer(ulcer, solid).edge(solid)
    assert np.isclose(naive_caliper(edge[::6]), diameter, rtol=8e-3)
    assert naive_caliper(edge[::6]) <= diameter * (1 + 1e-6)
    radius = np.hypot(edge[:, 0], edge[:, 2] - solid.axis_height_mm)
    assert np.allclose(radius, solid.radius_mm(edge[:, 1]), atol=2e-3)


def test_full_outline_caliper_is_exact():
    solid = build_solid(FingerSpec(radius_mm=7.1))
    edge = place_ulcer(UlcerSpec(3.7, 11.0, 1.5, irregularity=0.9, aspect=0.5, seed=4), solid).edge(solid)
    apart = np.linalg.norm(edge[:, None] - edge[None], axis=-1)
    assert np.isclose(apart.max(), 3.7, rtol=1e-6)


def test_small_round_ulcer_is_a_circle():
    spec = PhantomSpec(ulcers=(UlcerSpec(0.5, 14.0, 0.0, irregularity=0.0, aspect=1.0),))
    ulcer = truth_of(spec).ulcers[0]
    assert np.isclose(ulcer.area_surface_mm2, np.pi * 0.25**2, rtol=1e-3)
    assert np.isclose(ulcer.perimeter_mm, np.pi * 0.5, rtol=1e-3)
    assert np.isclose(ulcer.width_mm, 0.5, rtol=1e-3)


def test_ellipse_without_lobes_has_its_width_and_area():
    spec = PhantomSpec(ulcers=(UlcerSpec(1.0, 14.0, 0.0, irregularity=0.0, aspect=0.5, angle_deg=30),))
    ulcer = truth_of(spec).ulcers[0]
    assert np.isclose(ulcer.width_mm, 0.5, rtol=3e-3)
    assert np.isclose(ulcer.area_surface_mm2, np.pi / 8, rtol=3e-3)


def test_chords_across_the_finger_are_short_by_the_known_share():
    solid = build_solid(FingerSpec(radius_mm=8.0, taper=0.0))
    radius = float(solid.radius_mm(14.0))
    for arc_mm in (2.0, 5.0, 10.0):
        ends = solid.point(14.0, -arc_mm / 2), solid.point(14.0, arc_mm / 2)
        chord = float(np.linalg.norm(ends[0] - ends[1]))
        assert np.isclose(chord, 2 * radius * np.sin(arc_mm / 2 / radius), rtol=1e-4)


def test_skin_is_larger_than_its_shadow_on_the_plane_and_more_so_on_the_flank():
    spec = PhantomSpec(ulcers=(UlcerSpec(4.0, 12.0, 0.0), UlcerSpec(4.0, 20.0, 6.0)))
    top, flank = truth_of(spec).ulcers
    assert top.area_surface_mm2 > top.area_plane_mm2
    assert flank.area_surface_mm2 / flank.area_plane_mm2 > top.area_surface_mm2 / top.area_plane_mm2
    assert flank.slope_deg > 30 > top.slope_deg
    assert np.isclose(flank.area_plane_mm2 / flank.area_surface_mm2, np.cos(np.deg2rad(flank.slope_deg)), rtol=0.06)


@pytest.mark.parametrize("place", ["skin", "table"])
def test_homography_takes_reference_pixels_to_its_millimetres(place):
    spec = random_spec(12, place=place, tilt_deg=(20, 25))
    truth = truth_of(spec)
    pixels = np.column_stack([truth.reference_px, np.ones(4)]) @ truth.pixel_to_plane.T
    assert np.allclose(pixels[:, :2] / pixels[:, 2:], truth.reference_mm, atol=1e-9)
    sides = np.linalg.norm(truth.reference_mm - np.roll(truth.reference_mm, -1, axis=0), axis=1)
    assert np.allclose(sides, spec.reference.size_mm)
    assert np.allclose(truth.plane_to_pixel(truth.reference_mm), truth.reference_px)


def test_ulcer_is_level_with_a_reference_on_skin_and_a_finger_above_one_on_the_table():
    level = truth_of(random_spec(5, place="skin"))
    high = truth_of(random_spec(5, place="table"))
    assert abs(level.ulcers[0].height_mm) < 0.05
    assert np.isclose(high.ulcers[0].height_mm, high.finger_thickness_mm, atol=2.5)
    share = 1 - high.ulcers[0].height_mm / high.distance_mm
    flat = np.column_stack([high.ulcers[0].outline_px, np.ones(720)]) @ high.pixel_to_plane.T
    seen = flat[:, :2] / flat[:, 2:]
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1).max()
    assert np.isclose(apart * share, high.ulcers[0].diameter_plane_mm, rtol=0.02)


def test_scale_at_the_ulcer_is_the_asked_one_when_seen_square_on():
    spec = PhantomSpec(camera=CameraSpec(px_per_mm=17.0))
    assert np.isclose(truth_of(spec).ulcers[0].px_per_mm, 17.0, rtol=1e-6)
    tilted = replace(spec, camera=CameraSpec(px_per_mm=17.0, tilt_deg=20.0, azimuth_deg=70.0, aim_mm=(0, 0)))
    truth = truth_of(tilted)
    assert np.isclose(truth.tilt_deg, 20.0)
    assert np.isclose(truth.ulcers[0].px_per_mm, 17.0 * np.sqrt(np.cos(np.deg2rad(20.0))), rtol=0.02)


def test_roll_turns_the_photo_and_changes_no_size():
    spec = random_spec(8)
    turned = replace(spec, camera=replace(spec.camera, roll_deg=spec.camera.roll_deg + 73))
    one, two = truth_of(spec).ulcers[0], truth_of(turned).ulcers[0]
    assert one.diameter_mm == two.diameter_mm and one.area_plane_mm2 == two.area_plane_mm2
    assert np.isclose(shoelace(one.outline_px), shoelace(two.outline_px), rtol=1e-9)


def test_camera_rays_invert_projection_with_distortion():
    spec = random_spec(9, distortion=True, size_px=(900, 700))
    spec = replace(spec, camera=replace(spec.camera, k1=-0.12, k2=0.03))
    camera = build_scene(spec).camera
    points = np.array([[3.0, 10.0, 14.0], [-20.0, 5.0, 0.0], [30.0, 40.0, 2.0]])
    pixels = camera.project(points)
    rays = np.stack(camera.rays(pixels[:, 0], pixels[:, 1]), axis=-1)
    toward = points - camera.centre_mm
    assert np.allclose(np.cross(rays, toward) / np.linalg.norm(toward, axis=1, keepdims=True), 0, atol=2e-5)


def test_rays_meet_the_skin_where_it_projects():
    scene = build_scene(random_spec(2, tilt_deg=(20, 25)))
    points = np.array([scene.solid.point(s, t) for s in (1.5, 6.0, 20.0, 33.0) for t in (-3.0, 0.0, 2.0)])
    facing = ((scene.camera.centre_mm - points) * scene.solid.normal(points)).sum(axis=1) > 0
    pixels = scene.camera.project(points[facing])
    rays = scene.camera.rays(pixels[:, 0], pixels[:, 1])
    far, miss = scene.solid.meet(scene.camera.centre_mm, rays)
    hits = scene.camera.centre_mm + far[:, None] * np.stack(rays, axis=-1)
    assert (miss < 0).all()
    assert np.allclose(hits, points[facing], atol=5e-3)


def test_polygon_formulas_on_a_square_off_centre():
    square = np.array([[10.0, 3.0], [14.0, 3.0], [14.0, 5.0], [10.0, 5.0]])
    assert shoelace(square) == 8.0
    assert loop_length(square) == 12.0
    assert polygon_centroid(square) == (12.0, 4.0)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UlcermeterError, match="tilt"):
        build_scene(PhantomSpec(camera=CameraSpec(tilt_deg=85)))
    with pytest.raises(UlcermeterError, match="reference"):
        build_scene(PhantomSpec(reference=ReferenceSpec(kind="coin")))
    with pytest.raises(UlcermeterError, match="dictionary"):
        build_scene(PhantomSpec(reference=ReferenceSpec(dictionary="DICT_NONE")))
    with pytest.raises(UlcermeterError, match="texture"):
        build_scene(PhantomSpec(reference=ReferenceSpec(kind="card")))
