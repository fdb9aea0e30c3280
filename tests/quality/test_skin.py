"""Skin seen clear or not, on fingers painted with a few lines of numpy: areas whose size and place are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.geometry import signed_distance
from ulcermeter.protocol import default_protocol
from ulcermeter.quality import DoubtfulKind, SkinView, judge_skin

PROTOCOL = default_protocol()
PX_PER_MM = 10.0
TONES = {"fair": (235, 195, 175), "middle": (196, 152, 128), "dark": (92, 62, 48)}
DEAD, BLOOD, CRUST = (34, 27, 26), (150, 22, 22), (236, 228, 214)
# Its tip at (20, 5) mm, 16 mm wide, pointing up; as seen it ends 40 mm further down.
ANGLES = np.linspace(np.pi, 2 * np.pi, 40)
OUTLINE = np.vstack(
    [[[12.0, 45.0]], np.column_stack([20 + 8 * np.cos(ANGLES), 13 + 8 * np.sin(ANGLES)]), [[28.0, 45.0]]]
)


def finger(side: str = "palmar") -> Finger:
    return Finger(OUTLINE, (20.0, 5.0), (0.0, 1.0), 8.0, 0.2, side=side)


def photo(
    tone: str,
    paint: tuple[int, int, int] | None = None,
    at_mm: tuple[float, float] = (20.0, 15.0),
    size_mm: float = 5.0,
) -> Photo:
    """A finger shaded across and along, with noise, and a disc of a colour on it."""
    y, x = np.mgrid[0:480, 0:400] / PX_PER_MM
    light = (0.75 + 0.25 * np.sqrt(np.clip(1 - ((x - 20) / 8.5) ** 2, 0, 1))) * (1.05 - 0.005 * y)
    picture = np.array(TONES[tone]) * light[..., None]
    if paint is not None:
        picture[np.hypot(x - at_mm[0], y - at_mm[1]) < size_mm / 2] = paint
    outside = np.ones((480, 400), np.uint8)
    cv2.fillPoly(outside, [np.rint(OUTLINE * PX_PER_MM).astype(np.int32)], 0)
    picture[outside > 0] = (70, 110, 160)
    picture += np.random.default_rng(3).normal(0, 3, picture.shape)
    return Photo(np.clip(picture, 0, 255).astype(np.uint8), "0" * 64, None, CameraInfo(), Path("a.png"))


def judged(taken: Photo, side: str = "palmar") -> SkinView:
    return judge_skin(taken, calibrate(taken, reference="scale:10"), finger(side), protocol=PROTOCOL)


@pytest.mark.parametrize("tone", TONES)
def test_healthy_skin_is_seen_clear_up_to_its_rim(tone: str) -> None:
    seen = judged(photo(tone))
    assert seen.doubtful == ()
    (clear,) = seen.clear_px
    assert signed_distance(clear, (200.0, 150.0)) > 50
    # A millimetre from the finger's side nothing is said.
    assert signed_distance(clear, (124.0, 300.0)) < 0


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize(
    ("paint", "kind"), [(DEAD, DoubtfulKind.DARK), (BLOOD, DoubtfulKind.RED), (CRUST, DoubtfulKind.PALE)]
)
def test_dead_bloody_and_crusted_areas_are_told_with_size_and_place(
    tone: str, paint: tuple[int, int, int], kind: DoubtfulKind
) -> None:
    # Blood gives back little light as well.
    kinds = {kind, DoubtfulKind.DARK} if kind is DoubtfulKind.RED else {kind}
    (area,) = judged(photo(tone, paint)).doubtful
    assert area.kind in kinds
    assert area.size_mm == pytest.approx(5.0, abs=1.1)
    assert area.from_tip_mm == pytest.approx(10.0, abs=0.4)
    assert area.middle_px == pytest.approx((200, 150), abs=3)
    assert signed_distance(area.outline_px, (200.0, 150.0)) == pytest.approx(25, abs=5)


def test_what_is_too_small_or_under_the_reference_is_no_doubt() -> None:
    assert judged(photo("middle", DEAD, size_mm=1.5)).doubtful == ()
    taken = photo("middle", DEAD)
    card = np.array([[160.0, 110], [240, 110], [240, 190], [160, 190]])
    covered = replace(calibrate(taken, reference="scale:10"), reference_outline_px=card)
    assert judge_skin(taken, covered, finger(), protocol=PROTOCOL).doubtful == ()


def test_a_nails_polish_is_no_dead_skin_and_a_dead_tip_no_polish() -> None:
    polished = photo("middle").pixels.copy()
    cv2.rectangle(polished, (145, 65), (255, 175), (120, 10, 40), -1)
    nail = Photo(polished, "0" * 64, None, CameraInfo(), Path("a.png"))
    assert judged(nail, side="dorsal").doubtful == ()
    assert len(judged(nail).doubtful) == 1, "the pulp has no nail"
    assert len(judged(photo("middle", DEAD, (20.0, 12.0), 8.0), side="dorsal").doubtful) == 1


@pytest.mark.parametrize(("from_tip_mm", "size_mm", "doubtful"), [(10.0, 5.0, 0), (19.0, 8.0, 1), (15.0, 8.0, 0)])
def test_a_pale_area_counts_by_what_of_it_lies_beside_the_nail(
    from_tip_mm: float, size_mm: float, doubtful: int
) -> None:
    # The nail reaches 2.3 radii, 18.4 mm, from the tip: the second goes 4.6 mm beyond, the third 0.6 mm.
    taken = photo("middle", CRUST, (20.0, 5.0 + from_tip_mm), size_mm)
    assert len(judged(taken, side="dorsal").doubtful) == doubtful
    assert len(judged(taken, side="palmar").doubtful) == 1


def test_a_white_area_is_no_clear_skin_where_it_is_burnt_out_and_fair_skin_is_where_red_alone_is() -> None:
    (area,) = judged(photo("middle", (255, 255, 255))).doubtful
    assert area.kind is DoubtfulKind.PALE
    assert area.size_mm == pytest.approx(5.0, abs=1.1)
    bright = photo("fair").pixels.copy()
    bright[120:180, 170:230, 0] = 255
    assert judged(Photo(bright, "0" * 64, None, CameraInfo(), Path("a.png"))).doubtful == ()


def test_too_little_skin_says_nothing_clear() -> None:
    speck = Finger(OUTLINE * 0.05, (1.0, 0.25), (0.0, 1.0), 0.4, 0.1)
    taken = photo("middle")
    assert judge_skin(taken, calibrate(taken, reference="scale:10"), speck, protocol=PROTOCOL) == SkinView()
