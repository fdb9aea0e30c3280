"""Where the skin network's answer lies, and which files are none of it."""

from __future__ import annotations

import numpy as np
import pytest

from ulcermeter.errors import ModelError
from ulcermeter.finger.network import WEIGHTS as FINGER_WEIGHTS
from ulcermeter.networks.engine import OpenNetwork
from ulcermeter.quality.skin_grid import STEP_MM, SkinGrid
from ulcermeter.quality.skin_network import WEIGHTS, ask_skin, load_skin_model

NOWHERE = np.zeros((1, 1, 2))


class Echo:
    """A network that takes red for unclear, and keeps what it was given."""

    def __init__(self, unclear: float = 8.0) -> None:
        self.given, self.unclear = [], unclear

    def run(self, names, given):
        self.given.append(given["view"])
        red = given["view"][:, :1, ::2, ::2]
        return [np.where(red > 0.9, self.unclear, -8.0).astype(np.float32)]

    def get_inputs(self):
        return []


@pytest.mark.parametrize("rows", [150, 320, 400])
@pytest.mark.parametrize(("columns", "middle"), [(160, 80), (260, 120), (420, 130)])
def test_the_answer_lies_where_the_skin_does(rows: int, columns: int, middle: int) -> None:
    grid = SkinGrid(
        s=np.arange(rows) * STEP_MM,
        u=(np.arange(columns) - middle) * STEP_MM,
        origin_mm=np.zeros(2),
        axis=np.array([0.0, 1.0]),
        photo_px=np.zeros((rows, columns, 2)),
    )
    pixels = np.zeros((rows, columns, 3), np.uint8)
    rng = np.random.default_rng(rows + columns)
    spots = np.zeros((rows, columns), bool)
    for row, col in zip(rng.integers(0, rows - 12, 8), rng.integers(0, columns - 12, 8), strict=True):
        spots[row : row + 12, col : col + 12] = True
    pixels[spots] = 255
    likely = ask_skin(pixels, np.ones((rows, columns), bool), grid, model=OpenNetwork(WEIGHTS, "", {}, Echo()))
    seen = np.arange(rows)[:, None] < 320
    assert not np.isnan(likely[:320]).any()
    assert np.isnan(likely[320:]).all()
    # The answer's cells are two wide, so that a spot's edge may be off by one.
    off = (likely > 0.5) != spots
    around = [np.roll(spots, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    edge = np.any(around, axis=0) & ~np.all(around, axis=0)
    assert not (off & seen & ~edge).any()
    assert (off & seen).sum() < 0.5 * edge.sum()


def test_the_network_is_given_colours_in_their_order_and_the_fingers_inside_also_mirrored() -> None:
    grid = SkinGrid(np.arange(320) * STEP_MM, np.arange(-112, 112) * STEP_MM, np.zeros(2), np.ones(2), NOWHERE)
    pixels = np.broadcast_to(np.array((255, 51, 0), np.uint8), (320, 224, 3)).copy()
    inside = np.zeros((320, 224), bool)
    inside[40:, 30:90] = True
    echo = Echo()
    ask_skin(pixels, inside, grid, model=OpenNetwork(WEIGHTS, "", {}, echo))
    ((as_it_is, mirrored),) = echo.given
    np.testing.assert_allclose(as_it_is[:3].mean(axis=(1, 2)), (1.0, 0.2, 0.0), atol=1e-6)
    np.testing.assert_array_equal(as_it_is[3] > 0, inside)
    np.testing.assert_array_equal(mirrored[3] > 0, inside[:, ::-1])


def test_a_network_that_answers_no_numbers_is_no_clear_skin() -> None:
    grid = SkinGrid(np.arange(320) * STEP_MM, np.arange(-112, 112) * STEP_MM, np.zeros(2), np.ones(2), NOWHERE)
    white = np.full((320, 224, 3), 255, np.uint8)
    with pytest.raises(ModelError, match="finite"):
        ask_skin(white, white[..., 0] > 0, grid, model=OpenNetwork(WEIGHTS, "", {}, Echo(unclear=np.nan)))


def test_the_card_names_the_file_it_speaks_of() -> None:
    card = (WEIGHTS.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    model = load_skin_model()
    assert model.sha256 in card
    assert f"({model.version})" in card


def test_another_network_is_refused() -> None:
    with pytest.raises(ModelError, match="ulcermeter-skin-1"):
        load_skin_model(FINGER_WEIGHTS)
