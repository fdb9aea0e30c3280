import subprocess
import sys

import numpy as np
import pytest
from drawn_windows import skin_with

from ulcermeter.errors import ModelError, PhotoError
from ulcermeter.segmentation import load_model, ulcer_probability
from ulcermeter.segmentation.network import WEIGHTS, photo_logits, suppress_untrusted


@pytest.mark.parametrize("shape", [(97, 131), (1, 1), (33, 500), (20, 7)])
def test_probability_has_the_pictures_own_size(shape):
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    probability = ulcer_probability(pixels)
    assert probability.shape == shape and probability.dtype == np.float32
    assert probability.min() >= 0 and probability.max() <= 1


def test_the_same_picture_gives_the_same_bytes():
    pixels = skin_with([(80, 60, 22, 15)])
    assert np.array_equal(ulcer_probability(pixels), ulcer_probability(pixels))


def test_a_picture_may_be_a_view_of_another():
    pixels = skin_with([(80, 60, 22, 15)])
    assert np.array_equal(ulcer_probability(pixels[::-1, ::-1]), ulcer_probability(pixels[::-1, ::-1].copy()))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
        "photo.jpg",
    ],
)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(PhotoError, match="Expected"):
        ulcer_probability(pixels)


def test_tiles_join_without_a_seam(redness):
    pixels = skin_with([(700, 620, 90, 60), (1100, 200, 40, 60)], shape=(1100, 1300))
    tiled = photo_logits(pixels, model=redness)
    red, green = (pixels[..., band].astype(np.float32) / 255 for band in (0, 1))
    assert np.allclose(tiled, 40 * (red - green - 0.3725), atol=1e-3)


def test_a_large_picture_is_looked_at_on_several_levels(redness):
    ulcer_probability(skin_with([(900, 800, 200, 160)], shape=(1500, 1700)), model=redness)
    assert {x.shape[2:] for x in redness.session.inputs} >= {(384, 448), (768, 864)}


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="none.onnx"):
        load_model(tmp_path / "none.onnx")


def test_a_damaged_model_is_refused(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(WEIGHTS.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be opened"):
        load_model(tmp_path / "broken.onnx")


def test_a_model_of_another_kind_is_refused(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(WEIGHTS)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match="kind unknown"):
        load_model(tmp_path / "other.onnx")


def test_the_shipped_model_is_small_and_says_what_it_is():
    model = load_model()
    assert WEIGHTS.stat().st_size <= 13_000_000
    assert len(model.sha256) == 64 and model.version and 0.3 < model.temperature < 4 and model.threads == 1
    assert load_model() is model


def test_seeing_loads_no_torch():
    code = (
        "import sys, numpy as np, ulcermeter as um; um.ulcer_probability(np.zeros((64, 96, 3), np.uint8)); "
        "print([m for m in ('torch', 'matplotlib', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_parts_that_are_nowhere_sure_stay_under_a_half():
    probability = np.full((40, 60), 0.02, np.float32)
    probability[5:15, 5:15], probability[25:35, 30:50] = 0.6, 0.7
    probability[30, 40] = 0.9
    quiet = suppress_untrusted(probability)
    assert quiet.max(where=np.arange(40)[:, None] < 20, initial=0) == np.float32(0.49)
    assert np.array_equal(quiet[20:], probability[20:]) and quiet.dtype == np.float32
