"""A few of the damaged files that `tests/studies/hostile.py` tries by the thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutations.chance import damage
from mutations.kinds import pieces_of, try_pieces
from mutations.pieces import FAULTS, Outcome

COUNTS = {"jpeg": 9, "png": 9, "tiff": 9, "dicom": 7, "mask": 9, "csv": 8, "toml": 9}


def test_no_damage_gives_a_wrong_number_in_silence(tmp_path: Path) -> None:
    pytest.importorskip("pydicom", reason="the extra dicom is not installed")
    pieces = [
        piece
        for name, count in COUNTS.items()
        for piece in pieces_of(name, count=count, seed=7, folder=tmp_path / name, bases=1)
    ]
    tried = list(try_pieces(pieces, jobs=1))
    assert len(tried) == sum(COUNTS.values()) == 60
    assert not [(piece.base, piece.seed, a) for piece, a in tried if a.outcome in FAULTS]
    came = [a.outcome for _, a in tried]
    # Refusing everything is no pass, and neither is damage that damages nothing.
    assert came.count(Outcome.RIGHT) >= 5 and came.count(Outcome.REFUSED) >= 20


def test_damage_is_the_same_by_the_same_seed_and_says_what_it_touched() -> None:
    whole = bytes(range(256)) * 40
    for seed in range(60):
        one, again = damage(whole, seed, ((5000, 9000),)), damage(whole, seed, ((5000, 9000),))
        assert one == again
        start = next((k for k, (a, b) in enumerate(zip(whole, one.data, strict=False)) if a != b), None)
        if start is not None and len(one.data) == len(whole):
            assert any(a <= start < b for a, b in one.touched), (seed, one.what)
