"""What a study's own photos say of rates, the layout of ulcers and how photos lie: sums by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from finger_histories import PROTOCOL, FingerHistory

from ulcermeter import issue_ids
from ulcermeter.tables.flags import in_doubt_of_identity, read_flags
from ulcermeter.tracking.belief import Belief, Model, begin, later, wander_variance
from ulcermeter.tracking.between import at_visit
from ulcermeter.tracking.explain import Explanation
from ulcermeter.tracking.identify import likeliest
from ulcermeter.tracking.layout import EVEN, Layout, opens_there, ring_areas, ring_shares
from ulcermeter.tracking.likelihood import opening_log, openings_log, size_log
from ulcermeter.tracking.observation import Observation, Place
from ulcermeter.tracking.posterior import most_right
from ulcermeter.tracking.rates import layout_of, with_own_rates
from ulcermeter.tracking.reading import Finger, measurement_records, photo_rows, read_fingers, visits_of

MODEL = Model(PROTOCOL)
RULES = PROTOCOL.identity


def finger_of(history: FingerHistory) -> Finger:
    measurements, photos = history.tables()
    return read_fingers(measurement_records(measurements), photo_rows(photos), [], PROTOCOL)[0]


def outline(s_mm: float, t_mm: float, diameter_mm: float, photo: str = "a.jpg", sd_mm: float = 0.5) -> Observation:
    place = Place(s_mm, t_mm, sd_mm, sd_mm, diameter_mm / 2)
    views = frozenset({"palmar"})
    area = math.pi / 4 * diameter_mm**2
    return Observation((), frozenset({photo}), {"palmar": place}, views, frozenset(), "", area, diameter_mm)


def after(belief: Belief, visits: int) -> Belief:
    for _ in range(visits):
        belief = later(belief, MODEL)
    return belief


def test_what_is_open_two_visits_later_has_hardly_ever_closed_in_between() -> None:
    # Stayed 0.8² = 0.64; closed at the first and back at the second 0.2 × 0.08 = 0.016.
    belief = after(begin(outline(10, 0, 2.0), 0, MODEL), 2)
    assert math.isclose(belief.open_share, 0.656) and math.isclose(belief.stayed_if_open, 0.64 / 0.656)
    # Its centre stays but for the 0.016 in 0.656 that come back anywhere within its radius of 1 mm: R²/4.
    assert math.isclose(wander_variance(belief, belief.latest, outline(10, 0, 2.0)), 0.016 / 0.656 / 4)


def test_between_two_visits_it_stayed_as_often_as_from_one_to_the_next() -> None:
    # Known at visits 0 and 4, asked for at 2, nearest the earlier one: as two steps of `later`.
    belief = replace(
        begin(outline(10, 0, 2.0), 0, MODEL), observed=((0, outline(10, 0, 2.0)), (4, outline(10, 0, 2.0)))
    )
    assert math.isclose(at_visit(belief, 2, PROTOCOL).stayed_if_open, 0.64 / 0.656)


def test_a_size_that_jumps_speaks_against_the_same_ulcer() -> None:
    """From 1.4 to 2.5 mm in one visit: before, a fifth of all ulcers were said to have any size."""
    belief = after(begin(outline(10, 0, 1.4), 0, MODEL), 1)
    near = 0.36755 / 0.25 * (1 + (math.log(2.5 / 1.4) / 0.25) ** 2 / 3) ** -2 * math.log(10)
    assert math.isclose(size_log(belief, outline(10, 0, 2.5), MODEL), math.log(near), abs_tol=1e-9)


def test_rings_hold_all_distances_and_cover_the_finger() -> None:
    assert math.isclose(ring_shares(4.5, 1.0).sum(), 1.0) and ring_shares(4.5, 0.1)[4] > 0.99
    assert np.allclose(ring_areas()[:3], [math.pi, 3 * math.pi, 5 * math.pi])
    # Rings are cut by the edges of a view, 8 mm to both sides: of a circle of 9 mm 4 asin(8 / 9) of 2π are left.
    assert math.isclose(ring_areas()[8], 36 * math.pi * 4 * math.asin(8 / 9) / (2 * math.pi), rel_tol=0.03)


def test_a_new_ulcer_shares_no_skin_and_opens_as_near_as_others_did() -> None:
    near = Layout((0.1,) * 3 + (2.0,) * 3 + (0.1,) * 6)
    # Surely 4.5 mm off: twice as often there as anywhere; at 2 mm and a reach of 2.4 the outline is rarely right.
    assert math.isclose(opens_there(near, 4.5, 0.1, 2.4, 0.05), 2.0, rel_tol=1e-3)
    assert math.isclose(opens_there(EVEN, 1.5, 0.1, 2.4, 0.05), 0.05, rel_tol=1e-3)
    assert math.isclose(opens_there(near, 1.5, 0.1, 2.4, 0.05), 0.1 * 0.05, rel_tol=1e-3)


def explained(*pairs: tuple[float, float]) -> list[tuple[Finger, Explanation]]:
    """Fingers with an ulcer at (10, 0) and a new one so far from it, mm; places sure."""
    finger = finger_of(FingerHistory().shot("baseline", (10, 0, 2.0)).shot("week 2", (10, 0, 2.0), (15, 0, 2.0)))
    found = []
    for s_mm, t_mm in pairs:
        old = begin(outline(10, 0, 2.0, "a", 0.02), 0, MODEL)
        new = begin(outline(10 + s_mm, t_mm, 2.0, "b", 0.02), 1, MODEL)
        found.append((finger, Explanation(0.0, (old, new), (0, 0, 1))))
    return found


def test_twenty_new_ulcers_weigh_as_much_as_what_is_expected() -> None:
    layout = layout_of(explained(*[(4.5, 0.0)] * 20), PROTOCOL)
    # All in the ring from 4 to 5 mm, 9π mm², against 100 mm²: half of 100 / 9π and half of 1; elsewhere half of 1.
    assert math.isclose(layout.shares[4], (1 + 100 / (9 * math.pi)) / 2, rel_tol=0.02)
    assert all(math.isclose(share, 0.5, rel_tol=0.05) for n, share in enumerate(layout.shares) if n not in (3, 4, 5))


def test_a_study_without_new_ulcers_says_nothing_of_their_layout() -> None:
    finger = finger_of(FingerHistory().shot("baseline", (10, 0, 2.0)))
    assert layout_of([(finger, Explanation(0.0, (begin(outline(10, 0, 2.0), 0, MODEL),), (0,)))], PROTOCOL) == EVEN


def test_rates_are_counted_beside_what_is_expected() -> None:
    history = FingerHistory().shot("baseline", (10, 0, 2.0)).shot("48h", (10, 0, 2.0)).shot("week 2")
    history.shot("week 4").shot("week 8", (10, 0, 2.0), (24, 0, 2.0))
    finger = finger_of(history)
    own = with_own_rates([(finger, likeliest(finger, MODEL)[1])], PROTOCOL).identity
    assert visits_of(finger, PROTOCOL) == [0, 1, 2, 3, 4]
    # Open for one visit and until the middle of the next, once healed.
    assert math.isclose(own.ulcers_healed_per_visit, (20 * 0.2 + 1) / (20 + 2))
    assert own.ulcers_recurred_per_visit == RULES.ulcers_recurred_per_visit
    assert math.isclose(own.ulcers_new_per_visit, (20 * 0.1 + 1) / (20 + 4))
    assert math.isclose(own.there_at_first_share, (20 * 0.5 + 1) / (20 + 2))


def test_new_ulcers_are_never_expected_more_seldom_than_the_protocol_says() -> None:
    history = FingerHistory()
    for visit in ("baseline", "48h", "week 2", "week 4", "week 8", "week 12"):
        history.shot(visit, (10, 0, 2.0))
    finger = finger_of(history)
    own = with_own_rates([(finger, likeliest(finger, MODEL)[1])], PROTOCOL).identity
    assert own.ulcers_new_per_visit == RULES.ulcers_new_per_visit and own.ulcers_healed_per_visit < 0.2


@pytest.mark.parametrize(("upright", "share"), [(True, (20 * 0.5 + 2) / 22), (False, (20 * 0.5 - 2) / 22)])
def test_how_photos_lie_is_read_off_those_whose_finger_is_found(upright: bool, share: float) -> None:
    # Histories draw x along t and y along s: upright. The other way round, two of two photos are upside down.
    history = FingerHistory().shot("baseline", (5, 0, 2.0), (20, 3, 2.0)).shot("week 2", (5, 0, 2.0), (20, 3, 2.0))
    for row in [] if upright else history.measurements:
        row["centroid_x_px"], row["centroid_y_px"] = 1000 - row["centroid_x_px"], 1000 - row["centroid_y_px"]
    finger = finger_of(history)
    own = with_own_rates([(finger, likeliest(finger, MODEL)[1])], PROTOCOL).identity
    assert math.isclose(own.photo_upright_share, share)


def test_ids_are_chosen_that_are_most_often_right_not_those_of_one_explanation() -> None:
    # 0.4 the first two apart; 0.3 and 0.3 together, the last two of one ulcer or not.
    apart, three, two = ((0, 1, 2, 3), (0, 0, 1, 2), (0, 0, 1, 1))
    beliefs = (begin(outline(10, 0, 2.0), 0, MODEL),)
    found = [Explanation(math.log(w), beliefs, ids) for w, ids in ((0.4, apart), (0.3, three), (0.3, two))]
    # Right of 4: apart 0.4 × 4 + 0.3 × 3 + 0.3 × 2 = 3.1, three 0.4 × 3 + 0.3 × 4 + 0.3 × 3 = 3.3, two 2.9.
    assert most_right(found).clusters == three


def test_a_new_ulcers_place_is_weighed_by_all_its_photos() -> None:
    """First outlined 2 mm from an old one, within its reach, then three times at 4 mm: it touches nothing."""
    old = begin(outline(10, 0, 2.4), 0, MODEL)
    first = outline(12, 0, 2.4, "b.jpg")
    new = begin(first, 1, MODEL)
    settled = replace(new, spots={"palmar": replace(new.spots["palmar"], s_mm=14.0, s_var=0.1, t_var=0.1)})
    at_first = opening_log([old], first, MODEL)
    assert at_first < math.log(0.5) < openings_log([old, settled], MODEL)
    # Two of one photo are no old and new one.
    assert openings_log([new, replace(settled, observed=new.observed)], MODEL) == 0.0


def test_none_is_called_healed_while_it_is_asked_whose_outline_that_is() -> None:
    """One outline of three on a photo whose finger was not found: as large as two of them, less like the third."""
    history = FingerHistory()
    for visit in ("screening", "baseline"):
        history.shot(visit, (8, -3, 2.4), (16, 3, 2.3), (24, 0, 1.4))
    week = history.shot("48h", (8, -3, 2.4), unlocated=True).track().query("visit == '48h'")
    assert sorted(week["state"]) == ["indeterminate", "indeterminate", "persistent"]


def test_places_stated_ten_times_too_surely_are_found_out_in_one_subject() -> None:
    """Two ulcers 10 mm apart, off by a millimetre, stated 0.1: no small step of the error says it, all together do."""
    history = FingerHistory()
    offs = ((0, 0), (1.2, -0.8), (-0.9, 0.9), (0.8, 0.5), (-1, -0.7))
    for visit, (a, b) in zip(("screening", "baseline", "48h", "week 2", "week 4"), offs, strict=True):
        history.shot(visit, (10 + a, b, 2.4), (20 - b, a, 2.6))
    for row in history.measurements:
        row["finger_s_sd_mm"] = row["finger_t_sd_mm"] = 0.1
    tracked = history.track()
    assert list(tracked["ulcer_id"].str[-1].groupby(tracked["finger_s_mm"] > 15).unique().map(list)) == [["1"], ["2"]]
    assert set(tracked["state"]) == {"first seen", "persistent"}


def test_two_joined_by_growth_and_parted_again_stay_one() -> None:
    """Edges touch, one outline over both, two within it: the smaller went into the larger, which then splits."""
    history = FingerHistory()
    for visit in ("screening", "baseline"):
        history.shot(visit, (9, 0, 3.0), (13, 0, 2.8))
    history.shot("48h", (11, 0, 7.0)).shot("week 2", (11, 0, 6.8)).shot("week 4", (9.1, 0, 2.2), (12.9, 0, 2.2))
    assert [row[1:] for row in history.states()][-3:] == [("1", "split"), ("1", "split"), ("2", "merged")]


def test_an_outline_on_the_thumbs_side_is_that_on_the_palms_edge() -> None:
    # Left hand: 8 mm to the left of the palm's middle is 8 π / 2 - 8 = 4.6 mm to the right of the thumb side's middle.
    history = FingerHistory()
    for visit in ("baseline", "week 2"):
        history.shot(visit, (8, -8, 2.5)).shot(visit, (8.3, 4.6, 2.5), view="radial")
    assert {row[1:] for row in history.states()} == {("1", "first seen"), ("1", "persistent")}


def test_a_late_photo_half_way_between_two_ids_leaves_both_and_asks() -> None:
    history = FingerHistory().shot("baseline", (10, 0, 3.0)).shot("week 4", (13, 0, 2.6))
    before = history.track()
    history.shot("week 2", (11.5, 0, 2.8))
    after_it = history.track(known_ids=issue_ids(before, history.tables()[1]))
    outlined = after_it[after_it["label"].notna()]
    ids = dict(zip(outlined["visit"], outlined["ulcer_id"].str[-1], strict=True))
    assert (ids["baseline"], ids["week 4"]) == ("1", "2")
    flagged = {row.visit for row in outlined.itertuples() if in_doubt_of_identity(read_flags(row.flags))}
    assert {"baseline", "week 2"} <= flagged
