import csv

import cv2
import numpy as np
import pytest
from drawn_windows import skin_with

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from ulcermeter.errors import ModelError, StudyError  # noqa: E402
from ulcermeter.networks.optimisation import schedule  # noqa: E402
from ulcermeter.segmentation import load_model  # noqa: E402
from ulcermeter.segmentation.network import MODEL_KIND, WEIGHTS, forward  # noqa: E402
from ulcermeter.segmentation.training import train  # noqa: E402
from ulcermeter.segmentation.training.architecture import UlcerNetwork  # noqa: E402
from ulcermeter.segmentation.training.augment import recolour, scatter_clutter  # noqa: E402
from ulcermeter.segmentation.training.export import fold_network, read_onnx, write_onnx  # noqa: E402
from ulcermeter.segmentation.training.loop import hard_dice, segmentation_loss  # noqa: E402
from ulcermeter.segmentation.training.samples import Pool, cut_sample  # noqa: E402
from ulcermeter.segmentation.training.simulated_prompts import simulate_prompt  # noqa: E402
from ulcermeter.segmentation.training.split import choose_held_out, read_groups, read_shares  # noqa: E402

ELLIPSES = [(80, 60, 22, 15), (210, 150, 14, 11)]


def drawn_pair(ellipses=ELLIPSES, shape=(230, 310)):
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    inside = [((cols - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1 for x, y, wide, high in ellipses]
    mask = np.any(inside, axis=0) if inside else np.zeros(shape, bool)
    return skin_with(ellipses, shape=shape), mask.astype(np.uint8)


@pytest.fixture
def random_network():
    torch.manual_seed(3)
    network = UlcerNetwork()
    for name, value in network.state_dict().items():
        if name.endswith(("mean", "shift")) and "rgb" not in name:
            value.normal_(0, 0.1)
    return network.eval()


def test_an_untrained_prompt_changes_nothing_in_the_encoder(random_network):
    assert not random_network.prompt_stem.weight.any()


def test_folding_batch_norms_changes_no_logit(random_network):
    x = torch.rand(1, 5, 64, 96)
    with torch.no_grad():
        assert torch.allclose(random_network(x), fold_network(random_network)(x), atol=1e-4)


def test_the_onnx_file_computes_what_torch_computes_and_reads_back(random_network, tmp_path):
    facts = {"kind": MODEL_KIND, "version": "t", "temperature": 1.5, "logit_shift": -0.25}
    path = write_onnx(random_network, tmp_path / "m.onnx", facts=facts)
    model, pixels = load_model(path), drawn_pair()[0][:96, :160]
    x = torch.zeros(1, 5, 96, 160)
    x[0, :3] = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)
    stored = read_onnx(path)
    with torch.no_grad():
        expected, again, turned = (
            net(y)[0, 0].numpy() for net, y in ((random_network, x), (stored, x), (stored, x.flip(3)))
        )
    # Weights are stored as 16 bit floats: off by up to one part in 2048.
    assert np.abs(again - expected).max() < 5e-3 * np.abs(expected).max()
    assert np.allclose(forward(pixels, None, model=model, views=1), again, atol=1e-3)
    assert np.allclose(forward(pixels, None, model=model), 0.5 * (again + turned[:, ::-1]), atol=1e-3)
    assert (model.temperature, model.logit_shift) == (1.5, -0.25)


def test_other_models_are_no_start(tmp_path):
    with pytest.raises(ModelError, match="got none"):
        read_onnx(tmp_path / "none.onnx")


def test_the_rate_rises_then_falls_to_a_hundredth():
    rates = [schedule(p) for p in np.linspace(0, 1, 101)]
    assert rates[4] == pytest.approx(1, abs=0.01) and rates[-1] == pytest.approx(0.01)
    assert all(a <= b for a, b in zip(rates[:4], rates[1:5], strict=True))
    assert all(a >= b for a, b in zip(rates[4:], rates[5:], strict=False))


def test_the_loss_weighs_a_small_wound_like_a_large_one():
    target = torch.zeros(2, 1, 64, 64)
    target[0, :, 10:50, 10:50] = 1
    target[1, :, 20:32, 20:32] = 1
    _, good = segmentation_loss((target * 2 - 1) * 12, target)
    _, bad = segmentation_loss(torch.full_like(target, -12.0), target)
    assert good.max() < 0.01 and bad.min() > 0.85


def test_dice_of_nothing_against_nothing_is_one():
    empty = np.zeros((4, 5), bool)
    assert hard_dice(empty, empty) == 1.0
    assert hard_dice(~empty, empty) == 0.0


@pytest.mark.parametrize("seed", range(12))
def test_samples_have_their_mask_where_the_red_is(seed):
    photo, mask = drawn_pair()
    rng = np.random.default_rng(seed)
    pixels, prompt, target = cut_sample(photo, mask, size_px=96, rng=rng)
    assert pixels.shape == (96, 96, 3) and prompt.shape == (2, 96, 96) and set(np.unique(target)) <= {0, 1}
    assert prompt.min() >= 0 and prompt.max() <= 1


def test_prompts_point_at_the_wound():
    _, mask = drawn_pair(ELLIPSES[:1])
    kinds = set()
    for seed in range(40):
        prompt, target = simulate_prompt(mask, rng=np.random.default_rng(seed), share=1.0)
        click, region = prompt
        assert click.any() != region.any()
        kinds.add("click" if click.any() else "region")
        if click.any():
            assert mask[np.unravel_index(click.argmax(), click.shape)] == 1 and (target == mask).all()
        else:
            assert (region * target).sum() > 0.6 * target.sum() and not (target & ~mask & 1).any()
    assert kinds == {"click", "region"}


def test_no_prompt_without_a_wound():
    empty = np.zeros((50, 60), np.uint8)
    prompt, target = simulate_prompt(empty, rng=np.random.default_rng(1), share=1.0)
    assert not prompt.any() and not target.any()


def test_clutter_hides_little_of_the_wound_and_colours_stay_pixels():
    photo, mask = drawn_pair()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        pixels, left = scatter_clutter(photo, mask, rng=rng)
        assert left.sum() >= 0.5 * mask.sum() and (left <= mask).all()
        assert recolour(pixels, rng=rng).dtype == np.uint8


def test_groups_are_held_out_whole(tmp_path):
    path = tmp_path / "groups.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["photo", "group"], *[[f"p{i}.jpg", f"S{i // 4:02d}"] for i in range(40)]])
    names = [f"p{i}.jpg" for i in range(40)]
    held = choose_held_out(names, groups=read_groups(path), count=9, seed=5)
    assert len(held) == 12 and held == choose_held_out(names[::-1], groups=read_groups(path), count=9, seed=5)
    assert all(len({f"p{4 * g + k}.jpg" for k in range(4)} & held) in (0, 4) for g in range(10))


def test_pairs_of_the_same_picture_chain_into_one_group(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("file_a,file_b\na.png,b.png\nc.png,d.png\nb.png,c.png\n")
    assert len(set(read_groups(path).values())) == 1


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"x,y\n1,2\n", "got the columns x,y"),
        (b"photo\na\n", "got the columns photo"),
        (b"", "got an empty file"),
        (b"photo,group\n\xff,1\n", "can't decode"),
        (b'photo,group\n"a,1\n', "unexpected end of data"),
        (None, "No such file"),
    ],
)
def test_other_groups_are_refused_in_one_sentence(tmp_path, content, got):
    if content is not None:
        (tmp_path / "g.csv").write_bytes(content)
    with pytest.raises(StudyError, match=got) as refused:
        read_groups(tmp_path / "g.csv")
    (problem,) = refused.value.problems
    assert "photo,group or file_a,file_b" in problem.expected and problem.action and "g.csv" in problem.where


def test_groups_without_a_row_and_of_a_spreadsheet_are_read(tmp_path):
    (tmp_path / "g.csv").write_bytes(b"\xef\xbb\xbfphoto,group\n")
    assert read_groups(tmp_path / "g.csv") == {}


def test_a_photo_of_a_doubted_mask_is_drawn_by_its_share(tmp_path):
    (tmp_path / "d.csv").write_text("photo,fault,share\nb,empty,0\nc.jpg,part,0.5\n")
    shares, pool, pair = read_shares(tmp_path / "d.csv"), Pool(), drawn_pair(shape=(9, 9))
    for name in "abc":
        pool.add(f"{name}.png", *pair, share=shares.get(name, 1.0))
    rng = np.random.default_rng(2)
    drawn = np.bincount([pool.draw(rng) for _ in range(900)], minlength=3)
    # 600, 0 and 300 are expected, with a standard deviation of 14.
    assert drawn[1] == 0 and abs(drawn[0] - 600) < 60


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("name,share\na,1\n", ["the columns photo,share, got the columns name,share"]),
        ("photo,share\na,2\nb,1\nc,often\n", ["photo a: expected a share in 0..1, got 2", "got often"]),
        ("photo,share\na\n", ["photo a: expected a share in 0..1, got none"]),
    ],
)
def test_other_shares_are_refused_all_at_once(tmp_path, rows, said):
    (tmp_path / "d.csv").write_text(rows)
    with pytest.raises(StudyError) as refused:
        read_shares(tmp_path / "d.csv")
    for problem, words in zip(refused.value.problems, said, strict=True):
        assert words in str(problem)


def write_pairs(folder, count):
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    rng = np.random.default_rng(4)
    for number in range(count):
        x, y = rng.integers(60, 200), rng.integers(60, 160)
        photo, mask = drawn_pair([(x, y, 25, 18)] if number else [])
        cv2.imwrite(str(folder / "photos" / f"S{number:02d}.png"), photo[..., ::-1])
        cv2.imwrite(str(folder / "masks" / f"S{number:02d}.png"), mask * 255)


def test_training_writes_a_model_and_a_card_and_goes_on_where_it_stopped(tmp_path):
    write_pairs(tmp_path, 9)
    lines = []
    first, again = (
        train(
            tmp_path / "photos",
            tmp_path / "masks",
            out=tmp_path / "m.onnx",
            max_steps=steps,
            threads=1,
            log=lines.append,
        )
        for steps in (1, 2)
    )
    assert (first.steps, again.steps, again.n_training, again.n_held_out) == (1, 2, 5, 4)
    assert any("resumed at step 1" in line for line in lines)
    assert load_model(again.model).sha256 == again.sha256
    card = again.card.read_text()
    assert again.sha256 in card and "Research use only" in card


def test_photos_without_masks_are_all_named(tmp_path):
    write_pairs(tmp_path, 9)
    for name in ("S03", "S05"):
        (tmp_path / "masks" / f"{name}.png").unlink()
    with pytest.raises(StudyError) as caught:
        train(tmp_path / "photos", tmp_path / "masks", out=tmp_path / "m.onnx", max_steps=1)
    assert [str(problem)[:3] for problem in caught.value.problems] == ["S03", "S05"]


def test_the_shipped_weights_can_be_trained_on():
    assert sum(p.numel() for p in read_onnx(WEIGHTS).parameters()) > 3_000_000
