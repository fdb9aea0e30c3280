import numpy as np
import pytest
from drawn_windows import make_rectified, skin_with

from ulcermeter.datatypes import OutlineSource
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


def test_a_mask_is_a_readers_unless_it_is_the_truth():
    mask = np.zeros((230, 310), bool)
    mask[40:61, 100:137] = True
    assert traced(mask).source is OutlineSource.READER
    assert traced(mask, as_truth=True).source is OutlineSource.TRUTH
