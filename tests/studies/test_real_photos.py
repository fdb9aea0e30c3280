"""The main job on real photographs (about a minute): `pytest -m slow tests/studies/test_real_photos.py`."""

from __future__ import annotations

import pytest
import real_photos


@pytest.mark.slow
@pytest.mark.skipif(not real_photos.DATA.is_dir(), reason="the real photographs are not at ../shared/data")
def test_every_real_photo_is_accounted_for(tmp_path) -> None:
    answers = real_photos.study(real_photos.DATA, tmp_path)
    for answer in answers.values():
        assert answer["exit_code"] == 1
        assert answer["failed"] == ["broken.jpg"]
        assert answer["rows_in"] == answer["rows_out"]
        assert answer["ulcers_claimed_on_clear"] == 0
    assert answers["click"]["wounds_measured"] >= 15
