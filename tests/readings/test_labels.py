"""A reading finds its ulcer again where a later run numbers or draws it otherwise."""

from __future__ import annotations

import numpy as np

from ulcermeter.readings import PlaceReading, UlcerReading, UlcerVerdict, fit_labels, label_shown


def square(x: float, side: float = 10.0) -> np.ndarray:
    return np.array([[x, 0], [x + side, 0], [x + side, side], [x, side]], dtype=float)


def of(*ulcers: UlcerReading) -> PlaceReading:
    return PlaceReading("R1", ("a.jpg", "left", "index"), "0" * 64, ulcers=ulcers)


def test_the_outline_that_was_shown_is_found_by_what_it_is_before_its_number() -> None:
    ulcer = UlcerReading(1, UlcerVerdict.EDITED, square(1), shown_px=square(0))
    assert label_shown(ulcer, {1: square(0), 2: square(0.1)}) == 1
    assert label_shown(ulcer, {1: square(50), 2: square(3)}) == 2, "the numbers were exchanged"
    assert label_shown(ulcer, {1: square(50)}) is None
    assert label_shown(UlcerReading(1, UlcerVerdict.ADDED, square(0)), {1: square(0)}) is None


def test_two_ulcers_whose_numbers_were_exchanged_keep_their_readings() -> None:
    first = UlcerReading(1, UlcerVerdict.EDITED, square(1), shown_px=square(0))
    second = UlcerReading(2, UlcerVerdict.NO_ULCER, None, shown_px=square(50))
    now = fit_labels(of(first, second), {1: square(50, 11), 2: square(0, 9)})
    assert [(u.label, u.verdict) for u in now.ulcers] == [(1, UlcerVerdict.NO_ULCER), (2, UlcerVerdict.EDITED)]


def test_an_added_ulcer_makes_room_for_one_that_the_machine_finds_now() -> None:
    added = UlcerReading(2, UlcerVerdict.ADDED, square(50))
    seen = UlcerReading(1, UlcerVerdict.ACCEPTED, square(0), shown_px=square(0))
    now = fit_labels(of(seen, added), {1: square(0), 2: square(90)})
    assert [(u.label, u.verdict) for u in now.ulcers] == [(1, UlcerVerdict.ACCEPTED), (3, UlcerVerdict.ADDED)]


def test_what_the_machine_outlines_no_more_stays_where_a_reader_drew_it_and_goes_where_he_denied_it() -> None:
    drawn = UlcerReading(1, UlcerVerdict.EDITED, square(1), shown_px=square(0))
    denied = UlcerReading(2, UlcerVerdict.NO_ULCER, None, shown_px=square(50))
    (now,) = fit_labels(of(drawn, denied), {}).ulcers
    assert (now.verdict, now.shown_px) == (UlcerVerdict.ADDED, None)
    assert fit_labels(of(denied), {}).has_content is False
