"""What the skin network is trained on, its loss, its run and its file."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("onnx", reason="needs the extra `train`")

from ulcermeter.networks.onnx_files import unfold_norms  # noqa: E402
from ulcermeter.networks.plain import Mix  # noqa: E402
from ulcermeter.quality.skin_network import load_skin_model  # noqa: E402
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS  # noqa: E402
from ulcermeter.quality.training import areas  # noqa: E402
from ulcermeter.quality.training.architecture import SkinNetwork  # noqa: E402
from ulcermeter.quality.training.canvases import (  # noqa: E402
    CANVAS_CELLS,
    TIP_ROW,
    Canvas,
    canvas_matrix,
    read_canvas,
    write_canvas,
)
from ulcermeter.quality.training.export import write_onnx  # noqa: E402
from ulcermeter.quality.training.harmless import lay_polish  # noqa: E402
from ulcermeter.quality.training.loop import Recipe, skin_loss, train  # noqa: E402
from ulcermeter.quality.training.samples import draw_sample  # noqa: E402

TAN = (196, 150, 126)


@pytest.fixture(scope="module")
def canvas() -> Canvas:
    """A finger 16 mm wide on a grey ground."""
    rows, cols = np.mgrid[:CANVAS_CELLS, :CANVAS_CELLS]
    inside = (rows >= TIP_ROW) & (abs(cols - CANVAS_CELLS // 2) < 80)
    pixels = np.full((CANVAS_CELLS, CANVAS_CELLS, 3), 120, np.uint8)
    grain = np.random.default_rng(1).normal(0, 3, inside.shape)
    pixels[inside] = np.clip(np.array(TAN) + grain[inside, None], 0, 255)
    skin = cv2.erode(inside.astype(np.uint8), np.ones((9, 9))) > 0
    return Canvas(pixels, inside, skin, np.zeros_like(inside), inside & (rows < 180) & (abs(cols - 200) < 55))


def test_a_canvas_has_the_tip_up_in_its_middle_at_a_tenth_of_a_millimetre_a_cell() -> None:
    # A finger that points left, 12 px a mm: 10 mm behind its tip at (50, 70) is (170, 70).
    matrix = canvas_matrix(np.array([50.0, 70.0]), np.array([1.0, 0.0]), px_per_mm=12)
    tip, behind = (matrix @ np.array([CANVAS_CELLS / 2, row, 1.0]) for row in (TIP_ROW, TIP_ROW + 100))
    np.testing.assert_allclose([tip, behind], [(50, 70), (170, 70)])
    # Seen with the tip up, what lies above a finger that points left lies on its right.
    right = matrix @ np.array([CANVAS_CELLS / 2 + 10, TIP_ROW, 1.0])
    np.testing.assert_allclose(right, (50, 58))


def test_a_canvas_comes_back_from_its_file(canvas, tmp_path) -> None:
    marked = Canvas(
        canvas.pixels, canvas.inside, canvas.skin, canvas.skin & (np.arange(CANVAS_CELLS) % 3 == 0), canvas.nail
    )
    write_canvas(marked, tmp_path / "one.png")
    back = read_canvas(tmp_path / "one.png")
    for name in ("pixels", "inside", "skin", "unclear", "nail"):
        np.testing.assert_array_equal(getattr(back, name), getattr(marked, name))
    with pytest.raises(ValueError, match="expected a canvas"):
        read_canvas(tmp_path / "none.png")


@pytest.mark.parametrize("kind", ["area", "crack", "wound"])
def test_what_is_laid_lies_on_the_skin_and_where_it_is_said_to(canvas, kind) -> None:
    disc = cv2.circle(np.zeros((60, 60), np.float32), (30, 30), 18, 1.0, -1)
    red = areas.Wound(np.full((60, 60, 3), (150, 20, 20), np.uint8), disc, np.array(TAN, float))
    lay = {"area": areas.lay_area, "crack": areas.lay_crack}.get(kind) or (
        lambda pixels, skin, rng: areas.lay_wound(pixels, skin, [red], rng)
    )
    before, laid = canvas.pixels.astype(np.float32), []
    for seed in range(14):
        one = lay(before, canvas.skin, np.random.default_rng(seed))
        if one is not None:
            laid.append(one)
            changed = np.abs(one.pixels - before).max(axis=-1)
            assert not (one.where & one.unsure).any()
            assert (one.where & canvas.inside).sum() == one.where.sum()
            assert changed[~canvas.inside].max() < 1
            if kind != "crack":  # hard skin beside a crack is said to be neither
                assert changed[~one.where & ~one.unsure].max() < 25
            assert np.hypot(*(np.ptp(at) for at in np.nonzero(one.where))) > 16, "smaller than what counts"
    assert len(laid) > 6


def test_a_crack_beside_a_nail_lies_there(canvas) -> None:
    beside = canvas.skin & (np.arange(CANVAS_CELLS)[:, None] < 100) & (np.arange(CANVAS_CELLS) < 150)
    laid = [
        areas.lay_crack(canvas.pixels.astype(np.float32), canvas.skin, np.random.default_rng(seed), beside=beside)
        for seed in range(8)
    ]
    # As long as 11 mm, so that parts of it may lie elsewhere.
    shares = [one.where[beside].sum() / one.where.sum() for one in laid if one is not None]
    assert len(shares) > 4 and np.mean(shares) > 0.3 and min(shares) > 0.05


def test_polish_covers_the_nail_and_nothing_that_is_far_from_it(canvas) -> None:
    before = canvas.pixels.astype(np.float32)
    near = cv2.dilate(canvas.nail.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    shares = []
    for seed in range(8):
        changed = np.abs(lay_polish(before, canvas.nail, np.random.default_rng(seed)) - before).max(axis=-1)
        assert changed[~near].max() < 1
        shares.append((changed[canvas.nail] > 10).mean())
    assert np.median(shares) > 0.6
    np.testing.assert_array_equal(lay_polish(before, canvas.nail & False, np.random.default_rng(0)), before)


def test_what_cannot_be_told_from_skin_is_not_laid(canvas, monkeypatch) -> None:
    monkeypatch.setattr(areas, "any_colour", lambda rng: np.array(TAN, np.float32))
    monkeypatch.setattr(areas, "_GRAIN", (0.0, 0.01))
    before = canvas.pixels.astype(np.float32)
    assert all(areas.lay_area(before, canvas.skin, np.random.default_rng(seed)) is None for seed in range(10))


@pytest.mark.parametrize("seed", range(6))
def test_the_answer_turns_and_shifts_with_the_view(canvas, seed) -> None:
    unclear = cv2.circle(np.zeros(canvas.inside.shape, np.uint8), (230, 130), 25, 1, -1) > 0
    pixels = canvas.pixels.copy()
    pixels[unclear] = (20, 60, 250)
    sample = draw_sample(
        Canvas(pixels, canvas.inside, canvas.skin, unclear, canvas.nail & False), [], np.random.default_rng(seed)
    )
    assert sample.x.shape == (4, VIEW_ROWS, VIEW_COLS)
    blue = cv2.resize(sample.x[2] - sample.x[0], (VIEW_COLS // 2, VIEW_ROWS // 2), interpolation=cv2.INTER_AREA) > 0.15
    counted = sample.counted[0] == 1
    assert (blue == (sample.wanted[0] > 0))[counted].mean() > 0.997
    # 2.5 mm in radius: 491 cells of 0.2 mm, whose size by chance differs by a fifth.
    assert 250 < sample.wanted.sum() < 950


def test_the_truth_costs_least() -> None:
    wanted = torch.zeros(2, 1, 40, 30)
    wanted[0, 0, 10:20, 5:15] = 1
    counted = torch.ones_like(wanted)
    right = 12 * (wanted - 0.5)
    losses = [float(skin_loss(logits, wanted, counted)) for logits in (right, right / 4, 0 * right, -right)]
    assert all(one < other for one, other in pairwise(losses))
    # A short crack is an ill picture too: missed, it costs more than clear skin that is left alone.
    crack = torch.zeros_like(wanted)
    crack[0, 0, 10:16, 5] = 1
    left_alone = torch.full_like(wanted, -6.0)
    assert skin_loss(left_alone, crack, counted) > skin_loss(12 * (crack - 0.5), crack, counted) + 0.5
    # What counts less costs less.
    rim = torch.where(wanted > 0, 0.3, 1.0)
    missed = torch.full_like(wanted, -6.0)
    assert skin_loss(missed, wanted, rim) < skin_loss(missed, wanted, counted)


def test_a_run_that_was_cut_goes_on_as_if_it_had_not_been(canvas, tmp_path) -> None:
    def run(checkpoint: str, steps: int) -> SkinNetwork:
        torch.manual_seed(3)
        recipe = Recipe(steps=4, batch=2, save_steps=2)
        cut = "network"

        def stop(line: str) -> None:
            if line.startswith(f"step {steps} ") and steps < recipe.steps:
                raise InterruptedError(cut)

        return train(
            SkinNetwork(),
            [canvas],
            [],
            recipe=recipe,
            checkpoint=tmp_path / checkpoint,
            check=lambda average: "",
            log=stop,
        )

    whole = run("whole.pt", 4)
    with pytest.raises(InterruptedError):
        run("cut.pt", 2)
    again = run("cut.pt", 4)
    torch.testing.assert_close(whole.state_dict(), again.state_dict())


def test_the_file_says_what_the_network_says(tmp_path) -> None:
    torch.manual_seed(1)
    network = SkinNetwork()
    with torch.no_grad():
        for _ in range(2):
            network.train()(torch.rand(2, 4, VIEW_ROWS, VIEW_COLS))
        x = torch.rand(1, 4, VIEW_ROWS, VIEW_COLS)
        wanted = network.eval()(x).numpy()
    file = write_onnx(network, tmp_path / "skin.onnx", facts={"version": "test"})
    model = load_skin_model(file)
    assert model.version == "test"
    np.testing.assert_allclose(model.session.run(None, {"view": x.numpy()})[0], wanted, atol=0.02)

    # And a network filled from it says so again, in evaluation, and in training where the batch is what set its norms.
    torch.manual_seed(2)
    filled, batch = SkinNetwork(), torch.cat([x, torch.rand(3, 4, VIEW_ROWS, VIEW_COLS)])
    unfold_norms(filled, file, batch)
    assert filled.training
    with torch.no_grad():
        np.testing.assert_allclose(filled(batch)[:1].numpy(), wanted, atol=0.02)
        np.testing.assert_allclose(filled.eval()(x).numpy(), wanted, atol=0.02)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        unfold_norms(Mix(3, 3), file, torch.rand(1, 3, 8, 8))
