"""A photo's colour is brought to the card's, for finding ulcers alone, and its row says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ulcermeter.calibration.card.layout import CARD_MM, OPENING_MM, card_texture
from ulcermeter.phantom import draw_phantom, random_spec, write_phantom
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol


def test_the_cards_neutral_patches_mend_a_blue_light(tmp_path: Path) -> None:
    spec = random_spec(
        970004,
        diameter_mm=(3.0, 3.0),
        tilt_deg=(5.0, 15.0),
        px_per_mm=(12.0, 12.0),
        size_px=(1280, 960),
        reference="card",
        texture=card_texture(14),
        texture_size_mm=CARD_MM,
        reference_offset_mm=(0.0, CARD_MM[1] / 2 - OPENING_MM[1] - 12.0),
    )
    spec = replace(spec, camera=replace(spec.camera, white_balance=(1.0, 1.3), exposure_ev=-0.4))
    write_phantom(draw_phantom(spec), tmp_path / "card.jpg")
    row = {"photo": "card.jpg", "subject_id": "S01", "visit": "baseline", "date": "2024-05-06"}
    row |= {"hand": "right", "finger": "index", "reference": "card", "reference_on": "skin"}
    result = measure_photo(row, read_protocol("manus"), root=tmp_path)
    assert result.photo["status"] == "measured"
    note = next(
        n for n in result.photo["reason"].split("; ") if n.startswith("colour standardised by the card: gains ")
    )
    red, green, blue = (
        float(gain) for gain in note.removeprefix("colour standardised by the card: gains ").split(", ")
    )
    assert blue < 0.9 * red and abs(red / green - 1) < 0.1
