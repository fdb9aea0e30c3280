"""One convention of pixel edges, held against the libraries that people draw and count pixels with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage.draw import polygon2mask
from skimage.measure import find_contours

from ulcermeter.errors import PhotoError
from ulcermeter.geometry import area, centroid
from ulcermeter.photo.outline_files import geojson_of, labelme_of, outlines_in_json
from ulcermeter.segmentation.tracings import trace_mask

shapely = pytest.importorskip("shapely", reason="the extra review is not installed")
SHAPE = (60, 80)


def wavy(middle: tuple[float, float] = (40.3, 29.8), radius: float = 17.0) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    far = radius * (1 + 0.12 * np.sin(3 * turn))
    return np.column_stack([middle[0] + far * np.cos(turn), middle[1] + far * np.sin(turn)])


def read(tmp_path: Path, content: Any, photo: str = "photos/a.jpg", shape: tuple[int, int] = SHAPE) -> Any:
    path = tmp_path / "drawn.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return outlines_in_json(path, photo=photo, shape=shape)


def square_of_pixels(n: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[10 : 10 + n, 20 : 20 + n] = True
    return mask


# What each tool says of the same square of 12 pixels, columns 20 to 31 and rows 10 to 21.
CORNERS = [[20, 10], [32, 10], [32, 22], [20, 22]]
COCO_IMAGE = {"images": [{"id": 7, "file_name": "a.jpg", "height": SHAPE[0], "width": SHAPE[1]}]}
RUNS = [20 * 60 + 10, *([12, 48] * 11), 12]
SQUARES = {
    "labelme": {"shapes": [{"label": "ulcer", "points": CORNERS}], "imageHeight": 60, "imageWidth": 80},
    "labelme rectangle": {"shapes": [{"label": "u", "points": [[20, 10], [32, 22]], "shape_type": "rectangle"}]},
    "coco": {**COCO_IMAGE, "annotations": [{"image_id": 7, "segmentation": [[v for p in CORNERS for v in p]]}]},
    "coco runs": {
        **COCO_IMAGE,
        "annotations": [{"image_id": 7, "segmentation": {"size": SHAPE, "counts": [*RUNS, 4800 - sum(RUNS)]}}],
    },
    "geojson": {"type": "Polygon", "coordinates": [[*CORNERS, CORNERS[0]]]},
    "qupath": [
        {
            "type": "Feature",
            "properties": {"classification": {"name": "Ulcer"}},
            "geometry": {"type": "MultiPolygon", "coordinates": [[[*CORNERS, CORNERS[0]]]]},
        },
        {
            "type": "Feature",
            "properties": {"classification": {"name": "Finger"}},
            "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 0]]]},
        },
    ],
}


@pytest.mark.parametrize("name", SQUARES)
def test_a_square_of_pixels_is_the_same_from_every_tool(tmp_path: Path, name: str) -> None:
    outlines, masks = read(tmp_path, SQUARES[name])
    (outline,) = outlines + [one for mask in masks for one in trace_mask(mask)]
    assert outline.min(axis=0).tolist() == [19.5, 9.5] and outline.max(axis=0).tolist() == [31.5, 21.5]
    # Halved stairs cut the corners of a traced mask, not of a polygon.
    assert area(outline) == pytest.approx(144, abs=2 if masks else 1e-9)


def test_written_outlines_come_back_to_the_last_bit_of_a_pixel(tmp_path: Path) -> None:
    drawn = [(1, wavy()), (2, wavy((20.0, 15.0), 6.0))]
    for content in (labelme_of("a.jpg", SHAPE, drawn), geojson_of("photos/a.jpg", drawn)):
        outlines, _ = read(tmp_path, content)
        assert len(outlines) == 2
        for (_, own), back in zip(drawn, outlines, strict=True):
            np.testing.assert_allclose(back, own, atol=1e-12)


def test_areas_are_those_of_shapely() -> None:
    outline = wavy()
    written = geojson_of("a.jpg", [(1, outline)])["features"][0]["geometry"]
    assert shapely.geometry.shape(written).area == pytest.approx(area(outline), rel=1e-12)
    drawn = labelme_of("a.jpg", SHAPE, [(1, outline)])["shapes"][0]["points"]
    assert shapely.Polygon(drawn).area == pytest.approx(area(outline), rel=1e-12)


def test_masks_that_scikit_image_opencv_and_pillow_draw_of_an_outline_lead_back_to_it(tmp_path: Path) -> None:
    """Drawn at 8 times the size and shrunk; drawn at their own size OpenCV and Pillow paint half a rim more."""
    outline, times = wavy(), 8
    large = (outline + 0.5) * times - 0.5
    of_skimage = polygon2mask((SHAPE[0] * times, SHAPE[1] * times), large[:, ::-1]).astype(np.float32)
    of_opencv = np.zeros((SHAPE[0] * times, SHAPE[1] * times), np.uint8)
    cv2.fillPoly(of_opencv, [np.rint(large * 16).astype(np.int32)], 1, shift=4)
    picture = Image.new("L", (SHAPE[1] * times, SHAPE[0] * times))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in large], fill=1)
    for drawn, most in ((of_skimage, 0.003), (of_opencv, 0.015), (np.asarray(picture), 0.015)):
        share = drawn.astype(np.float32).reshape(SHAPE[0], times, SHAPE[1], times).mean(axis=(1, 3))
        (back,) = trace_mask(share)
        assert area(back) == pytest.approx(area(outline), rel=most)
        assert np.abs(centroid(back) - centroid(outline)).max() < 0.1
    # scikit-image's own contours have our convention: centres of pixels at whole numbers.
    (contour,) = find_contours(np.pad(square_of_pixels(12), 1).astype(float), 0.5)
    assert (contour.min(axis=0) - 1).tolist() == [9.5, 19.5]
    # OpenCV's run through the centres of the outer pixels: a square of 12 is 11 wide there.
    contours, _ = cv2.findContours(square_of_pixels(12).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    assert np.ptp(contours[0].reshape(-1, 2), axis=0).tolist() == [11, 11]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({**SQUARES["labelme"], "imageHeight": 80, "imageWidth": 60}, "upright"),
        ({"shapes": [{"label": "u", "points": [[1, 1], [2, 2]], "shape_type": "line"}]}, "no area"),
        ({"shapes": [{"label": n, "points": CORNERS} for n in ("finger", "nail")]}, "none of them an ulcer"),
        ({"shapes": [{"label": "u", "points": [[1, 1], [None, 2], [3, 3]]}]}, "none"),
        ({**COCO_IMAGE, "annotations": [{"image_id": 7, "segmentation": {"counts": "abc"}}]}, "compressed"),
        ({"images": [], "annotations": []}, "none, or more than one"),
        ({"type": "Point", "coordinates": [1, 2]}, "no area"),
        ({"some": "thing"}, "is none"),
        ("text", "something else"),
    ],
)
def test_what_is_none_of_these_is_refused_in_a_sentence(tmp_path: Path, content: Any, word: str) -> None:
    with pytest.raises(PhotoError, match=word):
        read(tmp_path, content)


def test_a_coco_file_of_several_photos_gives_each_its_own(tmp_path: Path) -> None:
    other = [[c + 10 for c in point] for point in CORNERS]
    content = {
        "images": [
            {"id": 1, "file_name": "x/a.jpg", "height": 60, "width": 80},
            {"id": 2, "file_name": "b.jpg", "height": 60, "width": 80},
        ],
        "annotations": [
            {"image_id": 2, "segmentation": [[v for p in other for v in p]]},
            {"image_id": 1, "segmentation": [[v for p in CORNERS for v in p]]},
        ],
    }
    (own,), _ = read(tmp_path, content)
    assert own.min(axis=0).tolist() == [19.5, 9.5]
