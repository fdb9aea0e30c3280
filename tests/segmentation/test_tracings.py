import cv2
import numpy as np
import pytest
from drawn_windows import make_rectified, skin_with

from ulcermeter.datatypes import OutlineSource
from ulcermeter.errors import PhotoError, Refusal
from ulcermeter.segmentation import segment


def traced(mask, **kwargs):
    return segment(make_rectified(skin_with([]), px_per_mm=9.0), mask=mask, **kwargs)


def test_a_mask_measures_as_many_pixels_as_it_has():
    mask = np.zeros((230, 310), bool)
    mask[40:61, 100:137] = True
    found = traced(mask)
    extent = np.ptp(found.outlines[0], axis=0)
    assert found.source is OutlineSource.READER and extent == pytest.approx((37, 21))
    assert found.outlines[0].mean(0) == pytest.approx((118, 50), abs=0.5)
    assert found.confidence == (1.0,)
    assert (found.labels > 0).sum() == pytest.approx(37 * 21, rel=0.02)


def test_parts_are_ulcers_holes_are_filled_and_largest_is_one():
    mask = np.zeros((230, 310), bool)
    mask[10:20, 10:22] = True
    mask[100:160, 150:190] = True
    mask[120:130, 160:170] = False
    found = traced(mask)
    assert len(found.outlines) == 2
    assert found.labels[15, 15] == 2 and found.labels[125, 165] == 1


def test_a_mask_at_the_edge_touches_it():
    mask = np.zeros((230, 310), bool)
    mask[0:20, 30:70] = True
    mask[100:130, 100:140] = True
    assert traced(mask).touches_border == (False, True)


def circle(x, y, radius):
    rows, cols = np.mgrid[0:230, 0:310]
    return np.hypot(cols - x, rows - y) <= radius


ULCER = circle(150, 110, 20)


@pytest.mark.parametrize(
    ("mask", "refused"),
    [
        (~ULCER, True),
        (~ULCER & circle(150, 110, 125), True),  # the black of an inverted mask inside a vignette
        (circle(155, 115, 77), True),  # a quarter of 230 x 310 px is a radius of 75.3 px
        (np.ones((230, 310), bool), True),
        (np.eye(230, 310, 40, dtype=bool) | np.eye(230, 310, 41, dtype=bool), True),  # a line from top to bottom
        (circle(0, 0, 60), False),  # an ulcer cut off at a corner touches borders, but no opposite ones
        (circle(300, 110, 60), False),
        (circle(155, 115, 74), False),
        (circle(100, 100, 50) | circle(220, 120, 50), False),
        (circle(80, 100, 55) | circle(230, 120, 55), True),  # each 13 %, both 27 %
    ],
)
def test_what_no_ulcer_covers_is_refused_as_inverted(mask, refused):
    if not refused:
        assert traced(mask).outlines
        return
    with pytest.raises(Refusal, match=r"inverted\?"):
        traced(mask)


def test_an_outline_round_the_photo_is_refused_too():
    corners = np.array([[2.0, 3.0], [305.0, 3.0], [305.0, 226.0], [2.0, 226.0]])
    with pytest.raises(Refusal, match="covers 95% of the photo"):
        segment(make_rectified(skin_with([]), px_per_mm=9.0), tracing=corners)


def test_a_mask_of_the_unturned_grid_names_the_orientation():
    with pytest.raises(PhotoError, match="EXIF orientation is 1"):
        traced(np.zeros((310, 230), bool))


def test_an_empty_mask_is_no_ulcer():
    assert traced(np.zeros((230, 310), bool)).outlines == ()


TRIANGLE = np.array([[50.25, 60.5], [90.75, 62.0], [70.0, 110.5]])


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"tracing": TRIANGLE}, OutlineSource.READER),
        ({"tracing": [TRIANGLE, TRIANGLE / 2]}, OutlineSource.READER),
        ({"tracing": TRIANGLE, "as_truth": True}, OutlineSource.TRUTH),
        ({"outline": TRIANGLE, "as_truth": True}, OutlineSource.TRUTH),
        ({"outline": [TRIANGLE, TRIANGLE / 2], "as_truth": True}, OutlineSource.TRUTH),
        ({"outline": TRIANGLE.tolist(), "as_truth": True}, OutlineSource.TRUTH),
    ],
)
def test_a_tracing_is_the_outline_and_keeps_whose_it_is(given, source):
    found = segment(make_rectified(skin_with([]), px_per_mm=9.0), **given)
    assert np.array_equal(found.outlines[0], TRIANGLE)
    assert found.source is source and found.confidence[0] == 1.0


def test_a_mask_may_be_numbers():
    share = cv2.GaussianBlur(ULCER.astype(np.float32), (0, 0), 0.7)
    whole, soft = traced(ULCER).outlines[0], traced(share).outlines[0]
    for same in (ULCER.astype(np.uint8) * 255, ULCER.astype(int), ULCER.astype(float)):
        assert np.array_equal(traced(same).outlines[0], whole)
    # The disc of all pixel centres within 20 px of its own has the area of one of 20 px, give or take its stairs.
    for outline in (whole, soft):
        assert np.hypot(*(outline - (150, 110)).T) == pytest.approx(20, abs=0.6)


def test_a_mask_is_a_readers_unless_it_is_the_truth():
    mask = np.zeros((230, 310), bool)
    mask[40:61, 100:137] = True
    assert traced(mask).source is OutlineSource.READER
    assert traced(mask, as_truth=True).source is OutlineSource.TRUTH
