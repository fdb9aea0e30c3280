"""Flags go into a table and come back, each kind has its words, and only its kind decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter.tables.flags import (
    CONTRADICTIONS,
    Flag,
    FlagKind,
    in_doubt_of_identity,
    read_flags,
    sort_flags,
    write_flags,
)
from ulcermeter.wording import evidence_of_visit, flag_in_words

names = st.text(max_size=12)
sizes = st.none() | st.floats(0.1, 99, allow_nan=False)
flags = st.builds(
    Flag,
    kind=st.sampled_from(FlagKind),
    ulcers=st.lists(names, max_size=3).map(tuple),
    photos=st.lists(names, max_size=3).map(tuple),
    others=st.lists(names, max_size=2).map(tuple),
    reason=names,
    number=names,
    date=names,
    diameter_mm=sizes,
)


@given(st.lists(flags, max_size=5))
def test_flags_come_back_from_a_cell_each_once(given_flags: list[Flag]) -> None:
    assert list(read_flags(write_flags(given_flags))) == list(dict.fromkeys(given_flags))
    assert sort_flags(given_flags) == sort_flags(reversed(given_flags))


@pytest.mark.parametrize("kind", FlagKind)
def test_every_kind_has_its_words(kind: FlagKind) -> None:
    full = Flag(kind, ("S01-left-index-2",), ("a.jpg",), ("2024-05",), "week 4", "2024-05-02", "dorsal", "3", "refused")
    full = Flag(**{**vars(full), "what": "look", "diameter_mm": 1.5, "limit_mm": 2.6, "threshold_mm": 2.0})
    words = flag_in_words(full)
    assert words and words == words.strip() and not words.endswith(".")


def test_a_photos_name_is_only_a_name() -> None:
    odd = Flag(FlagKind.NOT_FOUND_ON, photos=("ambiguous identity; merged into S01-left-index-1.jpg",))
    assert read_flags(write_flags([odd])) == (odd,)
    assert not in_doubt_of_identity([odd])
    assert evidence_of_visit(["a.jpg"], [odd]).count("; ") == 1


def test_four_kinds_doubt_which_ulcer_it_is() -> None:
    doubtful = {kind for kind in FlagKind if in_doubt_of_identity([Flag(kind)])}
    assert doubtful == {
        FlagKind.AMBIGUOUS_IDENTITY,
        FlagKind.AMBIGUOUS_BETWEEN_PHOTOS,
        FlagKind.OUTLINE_MAY_BE_THIS,
        FlagKind.HANGS_ON_UNCLEAR_LINK,
    }
    assert not doubtful & CONTRADICTIONS


@pytest.mark.parametrize("cell", ["healed_by_machine", "[1]", '[{"kind":"no such"}]', '[{"photos":["a"]}]', "{}x"])
def test_a_cell_that_no_run_wrote_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="expected flags as a JSON list"):
        read_flags(cell)
