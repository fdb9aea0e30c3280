import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ulcermeter.segmentation.views import NEVER, View, blank_polygon, cut_view, extract_finds, measure_rim, whole_view


def disc_logits(shape, x, y, radius, slope):
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return slope * (radius - np.hypot(cols - x, rows - y)).astype(np.float32)


def blank(shape):
    return np.zeros((*shape, 3), np.uint8)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(6, 20), st.floats(24, 40), st.floats(30, 60), st.floats(0.5, 3))
def test_outline_of_a_disc_is_sub_pixel(redness, radius, x, y, slope):
    shape = (95, 71)
    (find,) = extract_finds(disc_logits(shape, x, y, radius, slope), View(blank(shape), (0.0, 0.0), 1.0), model=redness)
    distance = np.hypot(*(find.outline - (x, y)).T)
    assert np.abs(distance - radius).max() < 0.06
    assert find.area == pytest.approx(np.pi * radius**2, rel=0.01)


def test_largest_comes_first_and_specks_are_dropped(redness):
    shape = (80, 120)
    logits = np.maximum(disc_logits(shape, 20, 30, 5, 2), disc_logits(shape, 80, 40, 12, 2))
    logits[70, 100:103] = 5
    finds = extract_finds(logits, View(blank(shape), (0.0, 0.0), 1.0), model=redness)
    assert [round(find.extent) for find in finds] == [24, 10]


def test_confidence_falls_with_a_hazy_edge(redness):
    shape = (80, 120)
    view = View(blank(shape), (0.0, 0.0), 1.0)
    (sharp,), (hazy,) = (extract_finds(disc_logits(shape, 60, 40, 12, s), view, model=redness) for s in (4, 0.25))
    assert sharp.confidence > 0.95 > 0.8 > hazy.confidence


@pytest.mark.parametrize("slope", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("step", [1.0, 2.5])
def test_a_rims_spread_is_how_far_its_quarter_and_three_quarter_levels_lie_apart(redness, slope, step):
    """A disc whose logit falls by `slope` a pixel reaches ln 3, probability .75, ln(3) / slope inside its outline."""
    logits = disc_logits((90, 120), 60, 45, 20, slope)
    beside = np.maximum(logits, disc_logits((90, 120), 10, 10, 5, slope))
    for seen in (logits, beside):
        view = View(blank((90, 120)), (3.0, -2.0), step)
        find, *_ = extract_finds(seen, view, model=redness)
        rim = measure_rim(find, view, seen, model=redness)
        assert rim.spread == pytest.approx(2 * np.log(3) / slope / 40, rel=0.03)
        assert rim.pixel == pytest.approx(1 / 40, rel=0.01)


def test_a_rim_that_never_gets_sure_is_open_to_its_middle(redness):
    logits = np.minimum(disc_logits((90, 120), 60, 45, 20, 2), 0.9)
    view = View(blank((90, 120)), (0.0, 0.0), 1.0)
    (find,) = extract_finds(logits, view, model=redness)
    assert measure_rim(find, view, logits, model=redness).spread == pytest.approx(0.5, abs=0.03)


def test_outline_at_the_frame_stays_inside_it(redness):
    shape = (60, 90)
    (find,) = extract_finds(disc_logits(shape, 0, 30, 12, 2), View(blank(shape), (0.0, 0.0), 1.0), model=redness)
    assert find.outline.min() >= -1.0


def test_views_map_there_and_back():
    view = View(blank((4, 4)), (13.5, -2.25), 1.75)
    points = np.array([[0.0, 0.0], [31.2, 17.9]])
    assert np.allclose(view.from_window(view.to_window(points)), points)


@pytest.mark.parametrize("step", [0.5, 1.0, 1.7, 3.0])
def test_a_cut_shows_what_lies_at_its_place(step):
    pixels = np.zeros((200, 300, 3), np.uint8)
    rows, cols = np.mgrid[:200, :300]
    pixels[np.hypot(cols - 180, rows - 70) < 12] = 255
    view = cut_view(pixels, centre=np.array([170.0, 80.0]), step=step, size_px=96)
    weight = view.pixels[..., 0].astype(float)
    y, x = (weight * np.mgrid[:96, :96]).sum((1, 2)) / weight.sum()
    assert view.to_window(np.array([[x, y]]))[0] == pytest.approx((180, 70), abs=0.15 * max(step, 1))
    assert weight.sum() / 255 * step**2 == pytest.approx(np.pi * 144, rel=0.04)


def test_a_whole_view_keeps_places():
    pixels = np.zeros((150, 240, 3), np.uint8)
    pixels[60:90, 100:160] = 255
    view = whole_view(pixels, step=2.5)
    weight = view.pixels[..., 0].astype(float)
    rows, cols = np.mgrid[: weight.shape[0], : weight.shape[1]]
    centre = np.array([[(weight * cols).sum(), (weight * rows).sum()]]) / weight.sum()
    assert view.to_window(centre)[0] == pytest.approx((129.5, 74.5), abs=0.2)


def test_a_cut_off_the_window_is_black():
    view = cut_view(np.full((50, 60, 3), 9, np.uint8), centre=np.array([500.0, 500.0]), step=1.0, size_px=64)
    assert view.pixels.shape == (64, 64, 3) and not view.pixels.any()


def test_nothing_is_possible_in_a_blanked_polygon():
    view = View(blank((40, 50)), (10.0, 5.0), 2.0)
    square = np.array([[19, 14], [41, 14], [41, 36], [19, 36]], float)  # edges between pixel centres
    logits = blank_polygon(np.full((40, 50), 3, np.float32), view, square)
    assert (logits[5:16, 5:16] == NEVER).all() and (logits == NEVER).sum() == 121
