from dataclasses import replace

import numpy as np
import pytest
from drawn_windows import RednessSession, make_rectified, skin_with, skin_with_patches

from ulcermeter.datatypes import OutlineSource, Presence, transform_points
from ulcermeter.errors import PhotoError
from ulcermeter.protocol import default_protocol
from ulcermeter.segmentation import detection_limit_mm, segment

TWO = [(80.3, 60.2, 22, 15), (210.7, 150.4, 14, 11)]


def area(points):
    x, y = points.T
    return 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def test_both_ulcers_are_outlined_largest_first(redness):
    found = segment(make_rectified(skin_with(TWO), px_per_mm=9.0), model=redness)
    assert (found.source, found.prompt) == (OutlineSource.NETWORK, "") and found.labels.max() == 2
    for outline, (x, y, wide, high), label in zip(found.outlines, TWO, (1, 2), strict=True):
        assert outline.mean(0) == pytest.approx((x, y), abs=0.5)
        assert area(outline) == pytest.approx(np.pi * wide * high, rel=0.06)
        assert (found.labels == label).sum() == pytest.approx(np.pi * wide * high, rel=0.06)
    assert min(found.confidence) > 0.8 and len(found.rims) == 2
    assert all(0 < rim.spread < 0.1 and 0 < rim.pixel < 0.1 for rim in found.rims)
    assert found.probability.dtype == np.float32 and found.labels.dtype == np.int32
    assert not any(found.touches_border)


def test_what_is_too_weak_to_be_an_ulcer_is_a_possible_one_where_nothing_surer_is(redness):
    # The redness that gives a confidence of .68, .82 and a peak under .8.
    weak, sure, none = (80, 60, 0.62), (210, 150, 0.8), (80, 150, 0.57)
    alone, beside, unseen = (
        segment(make_rectified(skin_with_patches(*patches), px_per_mm=9.0), model=redness)
        for patches in ((weak, none), (weak, sure), (none,))
    )
    assert (alone.presence, len(alone.outlines)) == (Presence.POSSIBLE, 1) and 0.65 <= alone.confidence[0] < 0.75
    assert alone.outlines[0].mean(0) == pytest.approx(weak[:2], abs=0.5) and alone.labels[60, 80] == 1
    assert (beside.presence, len(beside.outlines)) == (Presence.ULCER, 1)
    assert beside.outlines[0].mean(0) == pytest.approx(sure[:2], abs=0.5)
    assert (unseen.presence, unseen.outlines) == (Presence.ULCER, ())
    coarse = segment(make_rectified(skin_with_patches(weak), px_per_mm=7.0), model=redness)
    assert coarse.outlines == (), "such a photo is refused, and specks on it are as often a nail"


def test_outlines_are_photo_pixels_whatever_the_spacing(redness):
    pixels = skin_with(TWO)
    photo = make_rectified(pixels, px_per_mm=9.0)
    halved = skin_with([tuple(v * 2 for v in one) for one in TWO], shape=(460, 620))
    window = make_rectified(halved, px_per_mm=9.0, spacing_mm=1 / 18, shape=pixels.shape[:2])
    coarse, fine = (segment(one, model=redness).outlines for one in (photo, window))
    for one, other in zip(coarse, fine, strict=True):
        assert one.mean(0) == pytest.approx(other.mean(0), abs=0.8)
        assert area(one) == pytest.approx(area(other), rel=0.06)


def test_outlines_follow_the_homography(redness):
    tilt = np.array([[0.11, 0.004, 2.0], [0.0, 0.12, 1.0], [0.0, 2e-4, 1.0]])
    window = make_rectified(skin_with(TWO), px_per_mm=0, spacing_mm=0.11, homography=tilt, shape=(400, 500))
    found = segment(window, model=redness)
    for outline, (x, y, *_) in zip(found.outlines, TWO, strict=True):
        expected = transform_points(np.linalg.inv(tilt), np.array([[x, y]]) * 0.11)[0]
        assert outline.mean(0) == pytest.approx(expected, abs=1.5)


def test_nothing_lies_on_the_reference(redness):
    square = [[50, 30], [110, 30], [110, 90], [50, 90]]
    found = segment(make_rectified(skin_with(TWO), px_per_mm=9.0, reference_px=square), model=redness)
    assert len(found.outlines) == 1
    assert found.outlines[0].mean(0) == pytest.approx(TWO[1][:2], abs=0.5)


def test_healthy_skin_gives_an_empty_segmentation(redness):
    found = segment(make_rectified(skin_with([]), px_per_mm=9.0), model=redness)
    assert found.labels.max() == 0 and found.outlines == () and found.confidence == ()


def test_a_click_chooses_one_ulcer(redness):
    found = segment(make_rectified(skin_with(TWO), px_per_mm=9.0), click=(212, 149), model=redness)
    assert (found.source, found.prompt) == (OutlineSource.NETWORK, "click") and len(found.outlines) == 1
    assert found.outlines[0].mean(0) == pytest.approx(TWO[1][:2], abs=0.5)


def test_a_click_on_healthy_skin_finds_nothing(redness):
    found = segment(make_rectified(skin_with(TWO), px_per_mm=9.0), click=(20, 200), model=redness)
    assert found.outlines == ()


def test_a_box_and_a_rough_outline_choose_what_they_hold(redness):
    window = make_rectified(skin_with(TWO), px_per_mm=9.0)
    rough = np.array([[195, 138], [228, 138], [228, 164], [195, 164]])
    for prompt in ({"box": (194, 137, 34, 27)}, {"outline": rough}):
        found = segment(window, model=redness, **prompt)
        assert len(found.outlines) == 1
        assert area(found.outlines[0]) == pytest.approx(np.pi * 14 * 11, rel=0.06)


def test_prompts_reach_the_network_as_channels(redness):
    window = make_rectified(skin_with(TWO), px_per_mm=9.0)
    segment(window, model=redness)
    assert not any(x[:, 3:].any() for x in redness.session.inputs)
    redness.session.inputs.clear()
    segment(window, click=(80, 60), model=redness)
    *prompted, one, mirror = redness.session.inputs
    assert prompted and all(x[:, 3].max() > 0.8 and not x[:, 4].any() for x in prompted)
    assert not one[:, 3:].any() and not mirror[:, 3:].any()  # asked again without the click
    redness.session.inputs.clear()
    segment(window, box=(55, 40, 50, 40), model=redness)
    *prompted, one, mirror = redness.session.inputs
    assert prompted and all(x[:, 4].max() == 1 and not x[:, 3].any() for x in prompted)
    assert not one[:, 3:].any() and not mirror[:, 3:].any()
    redness.session.inputs.clear()
    segment(window, outline=np.array([[55, 40], [105, 40], [105, 80], [55, 80]]), model=redness)
    assert all(x[:, 4].max() == 1 for x in redness.session.inputs)  # a person's outline needs no second look


def test_an_ulcer_cut_by_the_photo_touches_its_border(redness):
    found = segment(make_rectified(skin_with([(3, 100, 25, 18)]), px_per_mm=9.0), model=redness)
    assert found.touches_border == (True,)


PROMPTS = ({}, {"click": (80, 60)}, {"box": (72, 52, 17, 17)})


@pytest.mark.parametrize("prompt", PROMPTS, ids=["none", "click", "box"])
@pytest.mark.parametrize(
    ("half_px", "found"),
    [((2.5, 2.5), 0), ((3.5, 3.5), 0), ((4.6, 4.6), 1), ((6, 1.2), 0), ((6, 4), 1)],
)
def test_what_is_under_the_detection_limit_is_no_ulcer_however_it_is_asked_for(redness, prompt, half_px, found):
    window = make_rectified(skin_with([(80, 60, *half_px)]), px_per_mm=9.0)
    assert detection_limit_mm(window, protocol=default_protocol()) == pytest.approx(
        8 / 9
    )  # 8 px of the photo: half of it is 4
    result = segment(window, model=redness, **prompt)
    assert len(result.outlines) == found
    for outline in result.outlines:
        apart = outline[:, None] - outline[None]
        assert np.hypot(*apart.transpose(2, 0, 1)).max() / 9.0 >= 8 / 9


class Obliging:
    """Stands in for a network that sees red, and an ulcer wherever it is pointed at."""

    def get_inputs(self):
        return RednessSession().get_inputs()

    def run(self, names, feeds):
        (logits,) = RednessSession().run(names, feeds)
        x = feeds["input"]
        click, (rows, cols) = x[:, 3:4] > 0.02, x.shape[2:]
        region = x[:, 4:5] > 0
        region[..., : rows // 5, :] = region[..., :, : cols // 5] = False
        return [np.maximum(logits, np.where(click | region, 5.0, -20.0)).astype(np.float32)]


@pytest.mark.parametrize("prompt", [{"click": (150, 60)}, {"box": (140, 40, 40, 40)}], ids=["click", "box"])
def test_a_prompt_says_where_to_look_never_that_there_is_an_ulcer(redness, prompt):
    obliging = replace(redness, session=Obliging())
    found = segment(make_rectified(skin_with(TWO), px_per_mm=6.0), model=obliging, **prompt)
    assert found.outlines == () and not found.labels.any()
    assert not (found.probability[30:90, 120:190] > 0.5).any()


@pytest.mark.parametrize("prompt", [{"click": (85, 63)}, {"box": (55, 42, 50, 36)}], ids=["click", "box"])
def test_what_stands_out_without_the_prompt_too_stays_found(redness, prompt):
    obliging = replace(redness, session=Obliging())
    (outline,) = segment(make_rectified(skin_with(TWO), px_per_mm=6.0), model=obliging, **prompt).outlines
    assert outline.mean(0) == pytest.approx(TWO[0][:2], abs=6)


def test_a_persons_rough_outline_is_taken_at_its_word(redness):
    obliging = replace(redness, session=Obliging())
    rough = np.array([[140, 40], [180, 40], [180, 80], [140, 80]])
    assert len(segment(make_rectified(skin_with([]), px_per_mm=6.0), outline=rough, model=obliging).outlines) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        {"click": (500, 20)},
        {"click": (float("nan"), 2)},
        {"box": (10, 10, 0, 20)},
        {"box": (900, 10, 20, 20)},
        {"outline": np.array([[1, 2], [3, 4]])},
        {"mask": np.zeros((3, 4), bool)},
        {"mask": np.arange(230 * 310).reshape(230, 310) % 3},
        {"mask": np.arange(230 * 310).reshape(230, 310) / 100},
        {"mask": np.full((230, 310), np.nan)},
        {"click": (5, 5), "box": (1, 1, 9, 9)},
        {"mask": np.zeros((230, 310), bool), "tracing": np.array([[1, 2], [3, 4], [9, 5]])},
        {"tracing": [np.array([[1, 2], [3, 4], [9, 5]]), np.array([[1, 2], [3, 4]])]},
        {"click": (5, 5), "as_truth": True},
    ],
)
def test_prompts_that_cannot_be_are_refused(redness, prompt):
    with pytest.raises(PhotoError, match="Expected"):
        segment(make_rectified(skin_with(TWO), px_per_mm=9.0), model=redness, **prompt)


def test_probability_lies_where_the_ulcers_are(redness):
    window = make_rectified(skin_with(TWO), px_per_mm=9.0)
    for prompt in ({}, {"click": (80, 60)}):
        found = segment(window, model=redness, **prompt)
        inside = found.probability > 0.5
        assert (inside & (found.labels > 0)).sum() > 0.93 * (inside | (found.labels > 0)).sum()
        if prompt:
            assert not found.probability[130:, 180:].any()


def test_a_click_that_finds_nothing_leaves_the_rest_of_the_window_empty(redness):
    pixels = skin_with([(560, 60, 22, 15)], shape=(230, 640))
    found = segment(make_rectified(pixels, px_per_mm=9.0), click=(60, 200), model=redness)
    assert found.outlines == () and found.probability.max() < 0.1
