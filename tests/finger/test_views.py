"""The view round a point: where things come to lie in it, and what of the photo it keeps."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.finger.views import BEYOND, VIEW_PX, click_map, cut_view, network_input, view_matrix

MIDDLE = (VIEW_PX - 1) / 2


def ramp(shape=(300, 420)):
    """Return a picture whose red is x / 2 and green y / 2."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.stack([x / 2, y / 2, np.full(shape, 40)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.25, 0.4, 1.0, 2.5])
@pytest.mark.parametrize(("turn", "mirrored"), [(0.0, False), (1.1, False), (-2.0, True)])
def test_the_point_comes_to_the_middle_and_places_keep_their_colours(scale, turn, mirrored):
    at = (210.0, 150.0)
    matrix = view_matrix(at, scale=scale, turn_rad=turn, mirrored=mirrored)
    view = cut_view(ramp(), matrix).astype(float)
    np.testing.assert_allclose(matrix[:, :2] @ at + matrix[:, 2], [MIDDLE, MIDDLE])
    # Any view pixel that lies inside the photo shows the colour of the place it comes from.
    for place in [(MIDDLE, MIDDLE), (40.0, 70.0), (75.0, 50.0)]:
        x, y = np.linalg.solve(matrix[:, :2], np.array(place) - matrix[:, 2])
        seen = view[round(place[1]), round(place[0]), :2]
        np.testing.assert_allclose(seen, [x / 2, y / 2], atol=1.0 + 0.5 / scale)


def test_a_mirrored_view_is_the_view_mirrored():
    picture = np.random.default_rng(1).integers(0, 255, (200, 240, 3)).astype(np.uint8)
    plain = cut_view(picture, view_matrix((121.0, 97.0), scale=1.0))
    mirrored = cut_view(picture, view_matrix((121.0, 97.0), scale=1.0, mirrored=True))
    assert np.abs(plain[:, ::-1].astype(int) - mirrored).max() <= 1


def test_fine_stripes_are_averaged_where_the_view_is_smaller():
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 200
    view = cut_view(stripes, view_matrix((600.0, 600.0), scale=0.1))
    assert abs(view[20:90, 20:90].mean() - 100) < 3
    assert view[20:90, 20:90].std() < 6, "sampling every tenth pixel would give all or nothing"


def test_beyond_the_photo_lies_grey():
    white = np.full((60, 80, 3), 255, np.uint8)
    view = cut_view(white, view_matrix((0.0, 30.0), scale=1.0))
    assert (view[50, :45] == BEYOND).all()
    assert (view[50, 65:] == 255).all()
    far = cut_view(white, view_matrix((5000.0, 5000.0), scale=1.0))
    assert (far == np.array(BEYOND)).all()


def test_the_network_reads_colours_in_0_to_1_and_a_bump_at_the_point():
    view = np.full((VIEW_PX, VIEW_PX, 3), (255, 0, 51), np.uint8)
    x = network_input(view, click_map(30.0, 60.0))
    np.testing.assert_allclose(x[:3, 5, 7], [1.0, 0.0, 0.2])
    assert np.unravel_index(x[3].argmax(), x[3].shape) == (60, 30)
    assert x[3].max() == 1
