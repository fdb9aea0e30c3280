"""Laws: a later visit changes no earlier state unless flagged; names, dates and the order of rows change no id."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
from finger_histories import PROTOCOL, FingerHistory
from hypothesis import given, settings
from hypothesis import strategies as st

from ulcermeter import issue_ids, track
from ulcermeter.tables.flags import FlagKind, in_doubt_of_identity, read_flags

VISITS = ("screening", "baseline", "week 2", "week 4", "week 8", "week 12")
_ASKED = {FlagKind.AMBIGUOUS_IDENTITY, FlagKind.AMBIGUOUS_BETWEEN_PHOTOS, FlagKind.OUTLINE_MAY_BE_THIS}
PLACES = ((8.0, -4.0), (16.0, 3.0), (11.5, 0.5), (24.0, -2.0))


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to three ulcers that close and open at their places, give or take a millimetre, over two to five visits."""
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
    visits = sorted(draw(st.sets(st.sampled_from(VISITS), min_size=2, max_size=5)), key=VISITS.index)
    off, size = st.floats(-1.2, 1.2), st.sampled_from([1.6, 2.4, 4.0])
    shots = []
    for visit in visits:
        here = [place for place in places if draw(st.booleans())]
        outlined = [(s + draw(off), t + draw(off), draw(size)) for s, t in here]
        cells: dict[str, Any] = {"status": draw(st.sampled_from(["", "", "", "refused"])) if not outlined else ""}
        cells["unlocated"] = draw(st.integers(0, 5)) == 0
        shots.append({"visit": visit, "outlined": outlined} | {k: v for k, v in cells.items() if v})
    return shots


def written(shots: list[dict[str, Any]]) -> FingerHistory:
    history = FingerHistory()
    for shot in shots:
        history.shot(
            shot["visit"], *shot["outlined"], **{k: v for k, v in shot.items() if k not in ("visit", "outlined")}
        )
    return history


def state_of(tracked: pd.DataFrame) -> dict[tuple[str, str], tuple[str, bool]]:
    """By visit and ulcer the state, and whether a flag leaves its identity open."""
    return {(row.visit, row.ulcer_id): (row.state, _is_flagged(row.flags)) for row in tracked.itertuples()}


def _is_flagged(cell: str) -> bool:
    flags = read_flags(cell)
    return in_doubt_of_identity(flags) or any(flag.kind is FlagKind.IDENTITY_ASSUMED for flag in flags)


@settings(max_examples=12)
@given(st.data())
def test_a_later_visit_changes_no_earlier_state_unless_flagged(data: st.DataObject) -> None:
    shots = data.draw(histories())
    cut = data.draw(st.integers(1, len(shots) - 1))
    first = written(shots[:cut])
    if first.tables()[0].empty:
        return
    before = first.track()
    known = issue_ids(before, first.tables()[1])
    after = written(shots).track(known_ids=known)
    then, now = state_of(before), state_of(after)
    for key, (state, flagged) in then.items():
        later_state, later_flagged = now[key]
        assert later_state == state or flagged or later_flagged, (key, state, later_state)


@settings(max_examples=10)
@given(shots=histories(), days=st.integers(-4000, 4000), seed=st.integers(0, 2**16))
def test_other_names_dates_and_orders_change_no_id_and_no_state(
    shots: list[dict[str, Any]], days: int, seed: int
) -> None:
    measurements, photos = written(shots).tables()
    if measurements.empty:
        return
    other = [table.copy() for table in (measurements, photos)]
    names = {name: f"{(i * 7919 + seed) % 10007}.png" for i, name in enumerate(photos["photo"])}
    for table in other:
        table["photo"] = table["photo"].map(names)
        table["subject_id"] = "X9"
        table["date"] = [(date.fromisoformat(day) + timedelta(days=days)).isoformat() for day in table["date"]]
    one = track(measurements, photos, protocol=PROTOCOL)
    two = track(*(table.sample(frac=1.0, random_state=seed) for table in other), protocol=PROTOCOL)
    assert _told(one) == _told(two)
    # What hangs on an unclear link is asked of no reader: somewhere on that finger the link itself must be.
    kinds = {flag.kind for cell in one["flags"] for flag in read_flags(cell)}
    assert FlagKind.HANGS_ON_UNCLEAR_LINK not in kinds or kinds & _ASKED


def _told(tracked: pd.DataFrame) -> list[tuple[str, ...]]:
    """What was said of every visit, but for names and dates, whatever the order of rows."""
    numbers = tracked["ulcer_id"].str.split("-", n=1).str[1]
    places = tracked[["visit", "label", "state", "identity_probability", "finger_s_mm"]].astype(object)
    return sorted(tuple(map(str, row)) for row in places.assign(number=numbers).itertuples(index=False))
