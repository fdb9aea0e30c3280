"""Ids that were issued: which outline has which, so that no later photo renames an ulcer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ulcermeter.tables import TABLES, columns, conform, empty, from_rows
from ulcermeter.tables.cells import MACHINE, Record, by_key, known_number, not_known, records
from ulcermeter.tracking.observation import Observation
from ulcermeter.tracking.reading import Finger

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["issue_ids", "with_known_ids"]

_PLACE = ("subject_id", "hand", "finger")
# A reader's or another network's outline of the same ulcer lies within its diameter; another one does not [assumption].
_SAME_DIAMETERS = 0.5


def issue_ids(tracked: pd.DataFrame, photos: pd.DataFrame, known_ids: pd.DataFrame | None = None) -> pd.DataFrame:
    """List the id of every outline, to be handed to the next `track` as `known_ids`.

    Parameters
    ----------
    tracked : DataFrame
        Table ``tracked``.
    photos : DataFrame
        Table ``photos``; further columns do no harm.
    known_ids : DataFrame, optional
        Table ``ids`` as it was before. Outlines that are not there any more stay in it, so that their ids are not given
        to another ulcer.

    Returns
    -------
    DataFrame
        Table ``ids``, in its fixed order.
    """
    photographed = {str(row["photo"]): row for row in records(conform("photos", photos, extra=True))}
    hashes = {name: str(row["sha256"]) for name, row in photographed.items()}
    before = records(conform("ids", empty("ids") if known_ids is None else known_ids))
    drawn = [row for row in records(tracked) if not not_known(row["label"])]
    matched = _match(drawn, before, hashes)
    rows = []
    for position, row in enumerate(drawn):
        mine = {name: row[name] for name in columns("ids") if name in row}
        old = before[matched[position]] if position in matched else {}
        given = {
            name: old[name] for name in ("given_by", "given_on", "why") if old and old["ulcer_id"] == row["ulcer_id"]
        }
        size = known_number(row["diameter_mm"]) * known_number(photographed[row["photo"]]["px_per_mm"])
        own = {"given_by": MACHINE, "sha256": hashes[row["photo"]], "diameter_px": size}
        rows.append({**own, **mine, **given})
    rows += [row for position, row in enumerate(before) if position not in set(matched.values())]
    order = list(TABLES["ids"].order)
    return from_rows("ids", rows).sort_values(order, kind="stable", ignore_index=True)


def with_known_ids(
    fingers: Sequence[Finger],
    measurements: Sequence[Record],
    photos: Sequence[Record],
    known_ids: pd.DataFrame | None,
) -> list[Finger]:
    """Put the ids that outlines have already on a study's fingers.

    Parameters
    ----------
    fingers : sequence of Finger
    measurements : sequence of dict
        Rows of ``measurements``, as the fingers' observations count them.
    photos : sequence of dict
        Rows of ``photos``.
    known_ids : DataFrame or None
        Table ``ids``.

    Returns
    -------
    list of Finger
        Each with all ids that were ever issued on it.
    """
    known = [] if known_ids is None else records(conform("ids", known_ids))
    if not known:
        return list(fingers)
    matched = _match(measurements, known, {str(row["photo"]): str(row["sha256"]) for row in photos})
    taken: dict[tuple[str, ...], set[str]] = {}
    for row in known:
        taken.setdefault(tuple(row[name] for name in _PLACE), set()).add(row["ulcer_id"])
    return [
        replace(
            finger,
            observations={
                occasion: {name: tuple(_named(o, matched, known) for o in found) for name, found in on_photos.items()}
                for occasion, on_photos in finger.observations.items()
            },
            issued=frozenset(taken.get((finger.subject_id, finger.hand, finger.finger), ())),
        )
        for finger in fingers
    ]


def _named(observation: Observation, matched: Mapping[int, int], known: Sequence[Record]) -> Observation:
    rows = [known[matched[row]] for row in observation.rows if row in matched]
    if not rows:
        return observation
    settled = next((row for row in rows if row["given_by"] not in ("", MACHINE)), None)
    return replace(observation, issued=str((settled or rows[0])["ulcer_id"]), is_settled=settled is not None)


def _match(rows: Sequence[Record], known: Sequence[Record], hashes: Mapping[str, str]) -> dict[int, int]:
    """Pair outlines with those of before on the same photo of the same finger, nearest first."""
    by_place = by_key(
        ((photo, *(old[name] for name in _PLACE)), k)
        for k, old in enumerate(known)
        for photo in {old["photo"], old["sha256"] or old["photo"]}
    )
    near: list[tuple[float, int, int]] = []
    for position, row in enumerate(rows):
        place = tuple(row[name] for name in _PLACE)
        names = {row["photo"], hashes.get(row["photo"], "") or row["photo"]}
        for k in sorted({k for photo in names for k in by_place.get((photo, *place), [])}):
            apart = _apart(row, known[k])
            if apart <= _SAME_DIAMETERS:
                near.append((apart, position, k))
    pairs: dict[int, int] = {}
    for _, position, k in sorted(near):
        if position not in pairs and k not in pairs.values():
            pairs[position] = k
    return pairs


def _apart(row: Record, old: Record) -> float:
    """Return how far two outlines' centres lie apart, in diameters of the issued one; where unknown, labels count."""
    x, y = (known_number(row[n]) - known_number(old[n]) for n in ("centroid_x_px", "centroid_y_px"))
    size = known_number(old["diameter_px"])
    if math.isfinite(x) and math.isfinite(y) and math.isfinite(size):
        return math.hypot(x, y) / size if size > 0 else math.inf
    return 0.0 if known_number(row["label"]) == known_number(old["label"]) else math.inf
