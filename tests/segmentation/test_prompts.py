"""Clicks and boxes on drawn fingers with the shipped network: a wound is found, healthy skin stays healthy."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_windows import make_rectified

from ulcermeter.phantom import CameraSpec, FingerSpec, Phantom, PhantomSpec, ReferenceSpec, UlcerSpec, draw_phantom
from ulcermeter.segmentation import load_model, prompted, segment

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CAMERA = CameraSpec(width_px=620, height_px=480, px_per_mm=11.0, aim_mm=(1.5, 3.0))
TONES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
SIDES = ("pulp", "nail", "radial", "ulnar", "pulp", "nail")
BEDS = ("granulation", "slough", "eschar", "slough", "granulation", "eschar")
BARE = ReferenceSpec(kind="none")


def finger(tone: float, *ulcers: UlcerSpec) -> Phantom:
    """A drawn finger of one tone; its side, bed and faults go with the tone."""
    seed = int(tone)
    skin = FingerSpec(skin_tone=tone, side=SIDES[seed - 1], mottling=0.15 * seed, tightness=0.8 - 0.1 * seed, seed=seed)
    return draw_phantom(PhantomSpec(finger=skin, ulcers=ulcers, reference=BARE, camera=CAMERA, seed=seed))


def window(pixels: np.ndarray, px_per_mm: float = 11.0) -> Any:
    return make_rectified(pixels, px_per_mm=px_per_mm)


def prompts(at: tuple[float, float], *, side_px: float) -> list[dict[str, Any]]:
    return [{"click": at}, {"box": (at[0] - side_px / 2, at[1] - side_px / 2, side_px, side_px)}]


@pytest.mark.parametrize("tone", TONES)
def test_healthy_skin_that_is_pointed_at_stays_healthy(tone: float) -> None:
    drawn = finger(tone)
    x, y = drawn.truth.tip_px
    click, _ = prompts((x - 33.0, y + 75.0), side_px=1.0)
    _, box = prompts((x + 5.0, y + 160.0), side_px=60.0)
    for prompt in (click, box):
        assert segment(window(drawn.pixels), **prompt).outlines == (), prompt


@pytest.mark.parametrize(("tone", "diameter_mm"), list(zip(TONES, (1.5, 2.0, 2.5, 1.5, 2.0, 2.5), strict=True)))
def test_small_ulcers_of_every_skin_tone_are_found_at_a_click_and_in_a_box(tone: float, diameter_mm: float) -> None:
    drawn = finger(tone, UlcerSpec(diameter_mm=diameter_mm, wound_bed=BEDS[int(tone) - 1], seed=int(tone)))
    (truth,) = drawn.truth.ulcers
    x, y = truth.centroid_px
    for prompt in prompts((x + 2.0, y - 2.0), side_px=14.0 * diameter_mm):
        (outline,) = segment(window(drawn.pixels), **prompt).outlines
        longest = np.hypot(*(outline[:, None] - outline[None]).transpose(2, 0, 1)).max() / 11.0
        assert longest == pytest.approx(diameter_mm, abs=0.3), prompt
        assert np.hypot(*(outline.mean(0) - (x, y))) < 4


def test_a_click_beside_an_ulcer_makes_no_second_one() -> None:
    drawn = finger(3.0, UlcerSpec(diameter_mm=3.0))
    x, y = drawn.truth.ulcers[0].centroid_px
    for beside in ((x + 45, y), (x, y + 60)):
        found = segment(window(drawn.pixels), click=beside).outlines
        assert all(np.hypot(*(outline.mean(0) - (x, y))) < 8 for outline in found)


def healthy_places(n: int) -> Iterator[tuple[np.ndarray, float, float, float]]:
    """Real fingers, each at the point given for it, a finger taken for 16 mm wide."""
    with (DATA / "fingers" / "fingers.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if float(row["width_px"]) >= 16 * 8][:n]
    for row in rows:
        pixels = cv2.cvtColor(cv2.imread(str(DATA / "fingers" / row["photo"])), cv2.COLOR_BGR2RGB)
        yield pixels, float(row["x"]), float(row["y"]), float(row["width_px"]) / 16


@pytest.mark.skipif(not (DATA / "fingers").is_dir(), reason="needs ../shared/data/fingers")
def test_real_healthy_fingers_that_are_pointed_at_stay_healthy() -> None:
    for pixels, x, y, scale in healthy_places(4):
        for prompt in prompts((x, y), side_px=5 * scale):
            assert segment(window(pixels, scale), **prompt).outlines == (), (x, y, prompt)


@pytest.mark.skipif(not (DATA / "fuseg").is_dir(), reason="needs ../shared/data/fuseg")
def test_photographed_wounds_are_found_at_a_click_and_in_a_box() -> None:
    for path in sorted((DATA / "fuseg" / "dev" / "masks").glob("*.png"))[10:15]:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127
        depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        pixels = cv2.cvtColor(cv2.imread(str(path.parents[1] / "photos" / f"{path.stem}.jpg")), cv2.COLOR_BGR2RGB)
        for prompt in prompts((float(x), float(y)), side_px=2.5 * float(depth.max())):
            assert (segment(window(pixels, 8.0), **prompt).labels[mask] > 0).any(), (path.stem, prompt)


def test_a_healed_place_says_so_at_its_click() -> None:
    open_one = finger(5.0, UlcerSpec(diameter_mm=3.0))
    closed = draw_phantom(replace(open_one.spec, ulcers=()))
    x, y = open_one.truth.ulcers[0].centroid_px
    assert [len(segment(window(p.pixels), click=(x, y)).outlines) for p in (open_one, closed)] == [1, 0]


@pytest.mark.parametrize(("side_px", "without", "expected"), [(79.0, 1.0, 3.0), (81.0, 1.0, 2.0), (81.0, -9.0, 3.0)])
def test_what_is_seen_without_a_box_counts_by_half_in_a_large_one(
    monkeypatch: pytest.MonkeyPatch, side_px: float, without: float, expected: float
) -> None:
    """The network is given answers: a logit of 3 everywhere with the box, another without; one that would leave nothing
    of the ulcer does not count."""
    monkeypatch.setattr(prompted, "mirrored", lambda view, *_, **__: np.full(view.pixels.shape[:2], 3, np.float32))
    monkeypatch.setattr(prompted, "forward", lambda pixels, *_, **__: np.full(pixels.shape[:2], without, np.float32))
    corners = np.array([90.0, 60.0]) + side_px * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    drawn = window(np.full((200, 260, 3), 180, np.uint8))
    _, logits, (find,) = prompted.find_in_region(drawn, corners, model=load_model())
    assert logits.max() == pytest.approx(expected)
    # All of the box is one find, at most an eighth of its side beyond it.
    assert find.longest == pytest.approx(1.24 * np.hypot(side_px, side_px), rel=0.03)
