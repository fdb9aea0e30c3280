"""An ulcer that merged into another takes that one's course from the merge on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from ulcermeter.outcomes.course import Course, day_of, is_open
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import Record, grouped

__all__ = ["courses_of"]


def courses_of(trajectories: Iterable[Record], protocol: Protocol) -> dict[str, Course]:
    """Return the courses of ulcers by id, in its order, each with its host's rows from a merge on.

    The host's size, change and healing then count for both, since one closure closes both. Where the host is not among
    the rows, or the day of the merge is not known, the ulcer stays merged and what became of it is not known.

    Parameters
    ----------
    trajectories : iterable of dict
        Rows of ``trajectories``.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    dict[str, Course]
    """
    rows = grouped(trajectories, key=itemgetter("ulcer_id"))
    return {name: _course(name, rows, protocol) for name in sorted(rows)}


def _course(name: str, rows_of: Mapping[str, Sequence[Record]], protocol: Protocol) -> Course:
    host, since = _merge(rows_of[name])
    if not host or host not in rows_of:
        return Course(tuple(rows_of[name]), protocol)
    rows, passed, on = _before(rows_of[name], since), {name}, since
    final = host
    while host and host in rows_of and host not in passed:
        passed.add(host)
        final, (onward, then) = host, _merge(rows_of[host])
        taken = [row for row in rows_of[host] if day_of(row) >= since and not day_of(row) >= then]
        rows += [_as(row, rows_of[name][0]) for row in taken]
        host, since = onward, then
    return Course(tuple(rows), protocol, final, on)


def _merge(own: Sequence[Record]) -> tuple[str, float]:
    """Return the ulcer that this one last merged into and the first day on which it was a part of it."""
    rows = [row for row in own if math.isfinite(day_of(row))]
    rows.sort(key=day_of)
    since, host = math.inf, ""
    for row in rows:
        absorbed = row["state"] == "merged" and not is_open(row) and row["merged_into"] != ""
        if absorbed and not host:
            host, since = row["merged_into"], day_of(row)
        elif is_open(row):
            since, host = math.inf, ""
    return host, since


def _before(rows: Sequence[Record], day: float) -> list[Record]:
    return [row for row in rows if not day_of(row) >= day]


def _as(row: Record, absorbed: Record) -> Record:
    """Return a host's row under an absorbed ulcer's name; its places is the host's, its beginnings are not its own."""
    own = {name: absorbed[name] for name in ("ulcer_id", "hand", "finger")}
    state = "persistent" if row["state"] in ("first seen", "new", "merged") and is_open(row) else row["state"]
    return row | own | {"state": state}
