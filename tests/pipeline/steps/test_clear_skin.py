"""What a photo may say on which nothing was found: skin seen clear, or an area that a reader must judge."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from judged_skin import OUTLINE, PROTOCOL, judged

from ulcermeter.datatypes import NoteKind
from ulcermeter.errors import Refusal
from ulcermeter.pipeline.steps.clear_skin import check_clear_skin
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Judged, PhotoContext
from ulcermeter.quality import SkinView
from ulcermeter.wording import note_in_words


def looked_over(known: Judged, **cells: str) -> Judged:
    return check_clear_skin(PhotoContext(cells, PROTOCOL), known)


def test_a_dead_area_is_noted_with_size_and_place() -> None:
    seen = looked_over(judged(6.0))
    (note,) = seen.notes
    assert note.kind is NoteKind.DOUBTFUL_SKIN
    assert note.values[1:3] == pytest.approx((6.0, 10.0), abs=0.7)
    assert note_in_words(note).startswith("a dark area of 6 mm 10 mm from the tip, at (200, 150)")
    assert len(seen.skin.doubtful) == 1


@pytest.mark.parametrize(("click", "elsewhere"), [((200.0, 150.0), False), ((200.0, 300.0), True)])
def test_a_click_beside_a_doubtful_area_is_told_to_go_there(click: tuple[float, float], elsewhere: bool) -> None:
    seen = looked_over(judged(6.0, prompt=Prompt(click=click)))
    kinds = [note.kind for note in seen.notes]
    assert kinds == [NoteKind.DOUBTFUL_SKIN, *[NoteKind.DOUBTFUL_ELSEWHERE] * elsewhere]
    if elsewhere:
        assert "click on it" in note_in_words(seen.notes[-1])


def test_clear_skin_is_kept_for_the_overlay_and_noted_by_nobody() -> None:
    seen = looked_over(judged())
    assert seen.notes == () and seen.skin.doubtful == () and len(seen.skin.clear_px) == 1


def test_a_readers_word_stands_above_it() -> None:
    seen = looked_over(judged(6.0), reader_state="healed")
    assert seen.notes == () and seen.skin.doubtful == ()


@pytest.mark.parametrize(
    "more",
    [{"finger": None}, {"segmentation": SimpleNamespace(outlines=(OUTLINE,))}, {"prompt": Prompt(mask="a.png")}],
    ids=["no finger", "an ulcer", "a tracing"],
)
def test_without_a_finger_or_with_an_ulcer_nothing_is_looked_for(more: dict[str, Any]) -> None:
    known = judged(6.0, **more)
    assert looked_over(known) is known and known.skin == SkinView()


def test_what_has_not_the_colour_of_skin_is_refused_without_a_readers_word() -> None:
    coin = judged()
    grey = replace(coin.photo, pixels=np.repeat(coin.photo.pixels[..., 1:2], 3, axis=2))
    with pytest.raises(Refusal, match="no clear skin"):
        looked_over(replace(coin, photo=grey))
    assert looked_over(replace(coin, photo=grey), reader_state="healed").skin == SkinView()


def test_the_size_from_which_it_counts_is_the_protocols() -> None:
    wide = PhotoContext({}, PROTOCOL.changed(doubtful_min_mm=7.0))
    assert check_clear_skin(wide, replace(judged(6.0))).skin.doubtful == ()
