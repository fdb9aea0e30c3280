"""Estimands and what they are estimated from: each ulcer's end, answer by visit, and a subject's months, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from outcome_cases import PROTOCOL, on, study, ulcer

from ulcermeter.datatypes import Estimand
from ulcermeter.outcomes import tabulate_outcomes
from ulcermeter.outcomes.effects.estimands import EstimandTables, estimand_tables
from ulcermeter.outcomes.effects.follow_up import areas_over_time, incidents_by_subject, months_followed
from ulcermeter.outcomes.effects.tabulate import analysed_ulcers
from ulcermeter.tables import from_rows
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

BY_MACHINE = {"flags": write_flags([Flag(FlagKind.HEALED_BY_MACHINE)])}


def tables(*ulcers, **changes) -> dict[Estimand, EstimandTables]:
    rows = [row for one in ulcers for row in one]
    whole = study(trajectories=rows, **changes)
    trajectories = from_rows("trajectories", rows)
    found = estimand_tables(tabulate_outcomes(whole, trajectories), trajectories, whole)
    return {one.estimand: one for one in found}


def ended(*seen, events=(), **changes) -> dict:
    """The row of one ulcer that is open on day 0, then seen as given."""
    rows = ulcer((0, 8.0), *seen, **changes)
    whole = study(trajectories=rows, events=[{"subject_id": "S01", **event} for event in events])
    trajectories = from_rows("trajectories", rows)
    one = EstimandTables(Estimand.TREATMENT_POLICY, tabulate_outcomes(whole, trajectories), trajectories)
    found = analysed_ulcers(one, {"S01": "A"}, protocol=PROTOCOL, study=whole)
    assert len(found) == 1
    return found.to_dict("records")[0]


AMPUTATION = {"event": "amputation", "hand": "left", "finger": "index"}


@pytest.mark.parametrize(
    ("seen", "events", "end", "by_week_12", "why"),
    [
        ([(84, 0.0)], [], (84, "healed"), "yes", "seen healed at week 12"),
        ([(91, 0.0)], [], (91, "healed"), "yes", "on the last day of its window"),
        ([(84, 3.0), (92, 0.0)], [], (92, "healed"), "no", "seen open inside the window, healed the day after it"),
        ([(56, 3.0), (92, 0.0)], [], (92, "healed"), "unknown", "healed somewhere between 56 and 92"),
        ([(84, 3.0)], [], (84, ""), "no", "still open at week 12"),
        ([(77, 3.0)], [], (77, ""), "no", "open on the window's first day counts as week 12"),
        ([(76, 3.0)], [], (76, ""), "unknown", "last seen a day before the window"),
        ([(168, 3.0)], [], (168, ""), "no", "open at week 24, so it was not healed for good by week 12"),
        ([(56, 3.0)], [{"event": "death", "date": on(70)}], (70, "died"), "no", "died with the ulcer"),
        ([(56, 3.0)], [{"event": "death", "date": on(100)}], (100, "died"), "unknown", "died after the window"),
        ([(56, 3.0)], [{**AMPUTATION, "date": on(70)}], (70, "amputated"), "no", "amputation is no healing"),
        ([(56, 3.0)], [{**AMPUTATION, "finger": "ring", "date": on(70)}], (56, ""), "unknown", "another finger"),
        ([(56, 3.0)], [{"event": "withdrawal", "date": on(30)}], (30, ""), "unknown", "withdrawn: ends on day 30"),
        ([(28, 0.0), (56, 0.0)], [{"event": "death", "date": on(70)}], (28, "healed"), "yes", "healed before death"),
        ([(28, 0.0), (56, 0.0)], [{**AMPUTATION, "date": on(70)}], (70, "amputated"), "no", "undone by amputation"),
    ],
)
def test_ends_and_answers_by_hand(seen: list, events: list, end: tuple, by_week_12: str, why: str) -> None:
    row = ended(*seen, events=events)
    assert (row["end_day"], row["end_cause"]) == end, why
    assert row["healed by week 12"] == by_week_12, why


def test_nothing_after_day_0_has_no_end() -> None:
    row = ended()
    assert math.isnan(row["end_day"]) and row["healed by week 12"] == "unknown"


def test_rescue_is_followed_or_censored() -> None:
    """Rescued on day 30, healed on day 56: an event by treatment policy, none without what came after."""
    found = tables(
        ulcer((0, 8.0), (28, 6.0), (56, 0.0)), events=[{"subject_id": "S01", "event": "rescue", "date": on(30)}]
    )
    policy = found[Estimand.TREATMENT_POLICY].outcomes.outcomes.iloc[0]
    censored = found[Estimand.CENSORED_AT_RESCUE]
    assert (policy["healing_day_low"], policy["healing_day_high"]) == (28, 56)
    row = censored.outcomes.outcomes.iloc[0]
    assert row["event_observed"] == 0 and row["healing_day_low"] == 28
    assert censored.trajectories["day"].tolist() == [0, 28]


def test_policy_does_not_follow_the_runs_own_censoring() -> None:
    rows = ulcer((0, 8.0), (28, 6.0), (56, 0.0))
    event = {"subject_id": "S01", "event": "rescue", "date": on(30)}
    whole = replace(study(trajectories=rows, events=[event]), protocol=PROTOCOL.changed(censor_at_rescue=True))
    trajectories = from_rows("trajectories", rows)
    found = estimand_tables(tabulate_outcomes(whole, trajectories), trajectories, whole)
    assert [one.outcomes.outcomes["event_observed"].item() for one in found[:2]] == [1, 0]


def test_what_only_the_machine_calls_healed_was_not_assessed() -> None:
    """Healed by machine on day 28, by a reader on day 56: healed in (14, 28] and in (14, 56]."""
    found = tables(ulcer((0, 8.0), (14, 6.0), (28, 0.0, BY_MACHINE), (56, 0.0)))
    policy, confirmed = (
        found[e].outcomes.outcomes.iloc[0] for e in (Estimand.TREATMENT_POLICY, Estimand.READER_CONFIRMED)
    )
    assert (policy["healing_day_low"], policy["healing_day_high"]) == (14, 28)
    assert (confirmed["healing_day_low"], confirmed["healing_day_high"]) == (14, 56)
    alone = tables(ulcer((0, 8.0), (14, 6.0), (28, 0.0, BY_MACHINE)))[Estimand.READER_CONFIRMED]
    assert alone.outcomes.outcomes["event_observed"].item() == 0


def test_the_largest_ulcer_of_each_subject() -> None:
    found = tables(
        ulcer((0, 8.0), (84, 0.0)),
        ulcer((0, 9.0), (84, 5.0), name="left-ring-1"),
        ulcer((0, 2.0), (84, 0.0), subject="S02"),
    )
    largest = found[Estimand.LARGEST_ULCER]
    assert largest.outcomes.outcomes["ulcer_id"].tolist() == ["S01-left-ring-1", "S02-left-index-1"]
    assert set(largest.trajectories["ulcer_id"]) == {"S01-left-ring-1", "S02-left-index-1"}


def test_without_the_study_two_estimands_are_left() -> None:
    rows = ulcer((0, 8.0), (84, 0.0))
    trajectories = from_rows("trajectories", rows)
    found = estimand_tables(tabulate_outcomes(study(trajectories=rows), trajectories), trajectories, None)
    assert [one.estimand for one in found] == [Estimand.TREATMENT_POLICY, Estimand.LARGEST_ULCER]


def test_slopes_run_from_baseline_to_the_first_healing() -> None:
    rows = ulcer((-21, 9.0), (0, 8.0), (14, 5.0), (28, 0.0), (56, 0.0), (84, 4.0))
    areas = areas_over_time(from_rows("trajectories", rows), ["S01-left-index-1"], PROTOCOL)
    assert list(zip(areas["day"], areas["area_mm2"], strict=True)) == [(0, 8.0), (14, 5.0), (28, 0.0)]


@pytest.mark.parametrize(
    ("changes", "days", "why"),
    [
        ({}, 56, "the last look at an ulcer"),
        ({"visits": [{"visit": "week 12", "date": on(84), "attended": "yes"}]}, 84, "a later visit attended"),
        ({"visits": [{"visit": "week 12", "date": on(84), "attended": "no"}]}, 56, "not attended"),
        ({"events": [{"event": "death", "date": on(40)}]}, 40, "up to death"),
        ({"events": [{"event": "withdrawal", "date": on(50)}]}, 50, "up to withdrawal"),
        ({"events": [{"event": "rescue", "date": on(40)}]}, 56, "rescue does not end it"),
    ],
)
def test_months_of_follow_up(changes: dict, days: float, why: str) -> None:
    rows = ulcer((0, 8.0), (56, 3.0))
    named = {name: [{"subject_id": "S01"} | row for row in given] for name, given in changes.items()}
    whole = study(trajectories=rows, **named)
    found = months_followed(["S01"], from_rows("trajectories", rows), whole, incidents_by_subject(whole))
    assert found["S01"] == pytest.approx(days / 30.4375), why
