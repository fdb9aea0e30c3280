"""An ulcer that merged into another takes that one's course from the merge on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ulcermeter.outcomes.course import Course, Row, day_of, is_open
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["courses_of"]


def courses_of(trajectories: pd.DataFrame, protocol: Protocol) -> dict[str, Course]:
    """Return the courses of a subject's ulcers by id, each with its host's rows from a merge on.

    The host's size, change and healing then count for both, since one closure closes both. Where the host is not among
    the rows, or the day of the merge is not known, the ulcer stays merged and what became of it is not known.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``, of one subject.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    dict[str, Course]
    """
    frames = {str(name): frame for name, frame in trajectories.groupby("ulcer_id", sort=True)}
    return {name: _course(name, frames, protocol) for name in frames}


def _course(name: str, frames: dict[str, pd.DataFrame], protocol: Protocol) -> Course:
    import pandas as pd

    host, since = _merge(frames[name])
    if not host or host not in frames:
        return Course(frames[name], protocol)
    rows, passed, on = _before(records(frames[name]), since), {name}, since
    final = host
    while host and host in frames and host not in passed:
        passed.add(host)
        final, (onward, then) = host, _merge(frames[host])
        taken = [row for row in records(frames[host]) if day_of(row) >= since and not day_of(row) >= then]
        rows += [_as(row, frames[name]) for row in taken]
        host, since = onward, then
    frame = pd.DataFrame(rows, columns=frames[name].columns).astype(frames[name].dtypes.to_dict())
    return Course(frame, protocol, final, on)


def _merge(frame: pd.DataFrame) -> tuple[str, float]:
    """Return the ulcer that this one last merged into and the first day on which it was a part of it."""
    rows = [row for row in records(frame) if math.isfinite(day_of(row))]
    rows.sort(key=day_of)
    since, host = math.inf, ""
    for row in rows:
        absorbed = row["state"] == "merged" and not is_open(row) and row["merged_into"] != ""
        if absorbed and not host:
            host, since = row["merged_into"], day_of(row)
        elif is_open(row):
            since, host = math.inf, ""
    return host, since


def _before(rows: list[Row], day: float) -> list[Row]:
    return [row for row in rows if not day_of(row) >= day]


def _as(row: Row, frame: pd.DataFrame) -> Row:
    """Return a host's row under an absorbed ulcer's name; its places is the host's, its beginnings are not its own."""
    own = {name: frame.iloc[0][name] for name in ("ulcer_id", "hand", "finger")}
    state = "persistent" if row["state"] in ("first seen", "new", "merged") and is_open(row) else row["state"]
    return row | own | {"state": state}
