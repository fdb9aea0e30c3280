"""Samples, loss and file of the finger network, on pictures of painted bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("onnx", reason="needs the extra `train`")

from ulcermeter.errors import ModelError  # noqa: E402
from ulcermeter.finger.network import ask, load_finger_model  # noqa: E402
from ulcermeter.finger.training import samples as samples_module  # noqa: E402
from ulcermeter.finger.training.architecture import FingerNetwork  # noqa: E402
from ulcermeter.finger.training.checks import bare_samples, run, score, tip_samples  # noqa: E402
from ulcermeter.finger.training.export import write_onnx  # noqa: E402
from ulcermeter.finger.training.loop import Recipe, Trainer, draw_batch, finger_loss  # noqa: E402
from ulcermeter.finger.training.samples import draw_sample, make_sample  # noqa: E402
from ulcermeter.finger.views import BEYOND, FINGER_PX, VIEW_PX  # noqa: E402

WIDTH = 40.0


@dataclass(frozen=True)
class Bar:
    """A finger that points up: label 2 left, 3 right beside it."""

    label: int
    tip_px: tuple[float, float]
    inwards: tuple[float, float] = (0.0, 1.0)
    width_px: float = WIDTH
    seen_length: float = 3.0
    tip_in_view: bool = True


@dataclass(frozen=True)
class Picture:
    pixels: np.ndarray
    labels: np.ndarray
    fingers: tuple[Bar, ...]


@pytest.fixture(scope="module")
def picture():
    y, x = np.mgrid[:240, :300]
    labels = np.zeros((240, 300), np.uint8)
    labels[(y >= 50) & (x >= 80) & (x < 120)] = 2
    labels[(y >= 70) & (x >= 124) & (x < 164)] = 3
    labels[y > 200] = 1
    pixels = np.full((240, 300, 3), (60, 90, 120), np.uint8)
    pixels[labels > 0] = (200, 150, 130)
    return Picture(pixels, labels, (Bar(2, (99.5, 50.0)), Bar(3, (143.5, 70.0))))


def test_a_straight_view_holds_the_one_finger(picture):
    left = picture.fingers[0]
    sample = make_sample(picture, left, (99.5, 80.0), WIDTH)
    # 28 px for 40: the tip, 30 px over the point, comes to lie 21 px over the view's middle, its map at half that.
    row, col = np.unravel_index(sample.tip[0].argmax(), sample.tip[0].shape)
    assert (2 * col + 0.5, 2 * row + 0.5) == pytest.approx(((VIEW_PX - 1) / 2, (VIEW_PX - 1) / 2 - 21), abs=1)
    assert sample.mask[0, 56:90].sum(axis=1) == pytest.approx(FINGER_PX, abs=1)
    np.testing.assert_allclose(sample.facts, [1, 1, 0, 0, 1])


@pytest.mark.parametrize("seed", range(12))
def test_truth_turns_with_the_view(picture, seed):
    left = picture.fingers[0]
    sample = make_sample(picture, left, (99.5, 85.0), WIDTH, rng=np.random.default_rng(seed))
    inwards, tip = sample.facts[3:], sample.tip[0]
    assert np.hypot(*inwards) == pytest.approx(1)
    if sample.facts[1] == 0:
        assert tip.max() == 0
        return
    width = FINGER_PX * np.exp(sample.facts[2])
    row, col = np.unravel_index(tip.argmax(), tip.shape)
    place = np.array([2 * col + 0.5, 2 * row + 0.5])
    inside, outside = (np.rint(place + share * width * inwards).astype(int) for share in (0.3, -0.3))
    assert sample.mask[0, inside[1], inside[0]] == 1
    if (outside >= 0).all() and (outside < VIEW_PX).all():
        assert sample.mask[0, outside[1], outside[0]] == 0


@pytest.mark.parametrize(("side", "tip_left"), [(0, True), (1, False), (2, True), (3, True)])
def test_a_border_cuts_the_finger_and_its_tip_where_it_lies_beyond(picture, monkeypatch, side, tip_left):
    # The point lies 12 px below the tip, the border 8 px left, above, right or below of the point.
    left, frame = picture.fingers[0], [0.0, 0.0, 299.0, 239.0]
    frame[side] = (99.5, 62.0)[side % 2] + (-8 if side < 2 else 8)
    monkeypatch.setattr(samples_module, "_frame", lambda *_: tuple(frame))
    sample = make_sample(picture, left, (99.5, 62.0), WIDTH, rng=np.random.default_rng(3))
    beyond = (np.rint(255 * sample.x[:3].transpose(1, 2, 0)) == BEYOND).all(axis=-1)
    assert beyond.mean() > 0.2
    assert not (beyond & (sample.mask[0] > 0)).any()
    assert sample.facts[1] == tip_left == (sample.tip.max() > 0.5)


def test_a_border_leaves_enough_of_the_finger(picture, monkeypatch):
    # The mask is cut after the view is chosen: the same seed without a border shows the whole of it.
    shares = []
    for seed in range(30):
        masks = []
        for share in (0.0, 1.0):
            monkeypatch.setattr(samples_module, "CUT_SHARE", share)
            sample = make_sample(picture, picture.fingers[0], (99.5, 85.0), WIDTH, rng=np.random.default_rng(seed))
            masks.append(sample.mask.sum())
        shares.append(masks[1] / masks[0])
    assert min(shares) >= 0.3
    assert np.mean(np.array(shares) < 0.95) > 0.5


def test_another_picture_lies_behind_the_finger_and_not_on_it(picture):
    red = Picture(np.full((240, 300, 3), (250, 0, 0), np.uint8), np.zeros((240, 300), np.uint8), ())
    matrix = samples_module.view_matrix((99.5, 85.0), scale=FINGER_PX / WIDTH)
    view = samples_module.cut_view(picture.pixels, matrix)
    laid = samples_module._laid_on(view, picture, matrix, red, np.random.default_rng(1))
    finger = samples_module._mask_in_view(picture.labels == 2, matrix)[0] > 0
    inner = finger & np.roll(finger, 3, 1) & np.roll(finger, -3, 1) & np.roll(finger, 3, 0)
    assert (laid[inner] == view[inner]).all()
    changed = (laid != view).any(axis=-1)
    assert changed[:20].mean() > 0.3, "what lies before the tip is ground"
    assert (laid[:20][changed[:20]] == (250, 0, 0)).all(axis=-1).mean() > 0.8


def test_a_point_off_all_fingers_is_no_finger(picture):
    bare = bare_samples([picture], 12, seed=3)
    assert len(bare) == 12
    for sample in bare:
        assert sample.facts[0] == 0
        assert sample.mask.max() == sample.tip.max() == 0


def test_most_samples_are_of_fingers(picture):
    rng = np.random.default_rng(5)
    drawn = [draw_sample(picture, rng) for _ in range(200)]
    here = np.mean([one.facts[0] for one in drawn if one is not None])
    assert 0.64 < here < 0.84


def test_the_truth_costs_least(picture):
    batch = draw_batch([picture], 8, np.random.default_rng(6))
    _, mask, tip, facts, _ = batch
    sure = [40 * (mask - 0.5), torch.logit(tip.clamp(1e-4, 1 - 1e-4)), 20 * (facts - 0.5)]
    sure[2][:, 2:] = facts[:, 2:]
    best = float(finger_loss(tuple(sure), batch))
    assert 0 <= best < 0.05
    for part, wrong in ((0, -sure[0]), (1, torch.full_like(sure[1], -9.0)), (2, -sure[2])):
        out = list(sure)
        out[part] = wrong
        assert float(finger_loss(tuple(out), batch)) > best + 0.05, part


def test_scores_by_hand(picture):
    (sample, _) = tip_samples([picture], seed=1)
    exact = score(sample, sample.mask[0], sample.tip[0], sample.facts)
    assert (exact.iou, exact.along, exact.across) == (1, 0, 0)
    assert exact.right
    # Half a width further along the axis: 14 px are 7 of the tip's map.
    moved = score(sample, sample.mask[0], np.roll(sample.tip[0], 7, axis=0), sample.facts)
    assert (moved.along, moved.across) == pytest.approx((0.5, 0))
    assert not moved.right
    turned = np.array([1, 1, 0, 1, 0], np.float32)
    assert score(sample, sample.mask[0], sample.tip[0], turned).way_deg == pytest.approx(90)


def test_the_file_says_what_the_network_says(picture, tmp_path):
    torch.manual_seed(4)
    network = FingerNetwork().eval()
    path = write_onnx(network, tmp_path / "finger.onnx", facts={"version": "test"})
    assert path.stat().st_size < 3e6
    model = load_finger_model(path)
    assert model.version == "test"
    samples = tip_samples([picture], seed=2)
    views = [(sample.x[:3].transpose(1, 2, 0) * 255).round().astype(np.uint8) for sample in samples]
    for answer, (mask, tip, numbers) in zip(ask(views, model=model), run(network, samples), strict=True):
        assert np.abs(answer.mask - mask).max() < 0.02
        assert np.abs(answer.tip - tip).max() < 0.02
        assert answer.log_width == pytest.approx(numbers[2], abs=0.02)


def test_another_network_is_refused(tmp_path):
    from ulcermeter.segmentation.network import WEIGHTS

    with pytest.raises(ModelError, match="expected a model of kind ulcermeter-finger-1"):
        load_finger_model(WEIGHTS)
    with pytest.raises(ModelError, match="got none"):
        load_finger_model(tmp_path / "none.onnx")


def test_training_learns_and_goes_on_from_its_checkpoint(picture, tmp_path):
    lines: list[str] = []

    def train(steps):
        torch.manual_seed(1)
        trainer = Trainer(
            FingerNetwork(),
            recipe=Recipe(steps=steps, batch=6, save_steps=4),
            checkpoint=tmp_path / "c.pt",
            log=lines.append,
        )
        trainer.fit([picture], refill=lambda: 0, check=lambda network: "")
        return trainer

    assert train(4).step == 4
    assert train(8).step == 8
    assert [line.split(" of ")[0].split()[:2] for line in lines] == [["step", "4"], ["going", "on"], ["step", "8"]]
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines if "loss" in line]
    assert losses[1] < losses[0]
