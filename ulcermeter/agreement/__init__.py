"""How far two readings of the same photos agree: two readers, two runs, or a reader and the machine."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter.agreement.overlap import common_area, dice
from ulcermeter.agreement.readers import ACCEPTED, MACHINE, READ, comparison_of
from ulcermeter.agreement.statistics import bland_altman, confusion, icc, kappa, repeatability
from ulcermeter.datatypes import Results
from ulcermeter.errors import Problem, TableError
from ulcermeter.geometry import area
from ulcermeter.statistics import UPPER_95
from ulcermeter.tables import conform
from ulcermeter.tables.cells import PASSED, Record, grouped, is_unconfirmed, not_known, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["agreement", "bland_altman", "confusion", "dice", "icc", "kappa", "photos_read", "repeatability"]

_Key = tuple[str, str, str]
_CALLS = ("no", "uncertain", "yes")
_MEASURES = ("diameter_mm", "width_mm", "area_mm2", "perimeter_mm")
# What pairing costs where two ulcers can be no pair: more than any photo is wide, px, so that it is the last resort.
_NO_PAIR = 1e9


def agreement(
    a: Results | pd.DataFrame,
    b: Results | pd.DataFrame,
    *,
    outlines_a: pd.DataFrame | None = None,
    outlines_b: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Compare two readings of the same photos.

    Ulcers are paired photo by photo: by overlap where both have outlines, else by the nearest centroids. What only one
    reading has stays alone in ``pairs`` and out of the statistics of sizes. A row without a label says that the photo
    was read and nothing found there, unless its ``status`` says that the photo was refused or failed.

    An outline is read where its ``reader`` says by whom. Where somebody has read, statistics are of pairs that were
    read again; those that were accepted as they were shown are counted apart. Two runs of the machine are compared in
    their sizes and tell no error of reading.

    Parameters
    ----------
    a, b : Results or DataFrame
        Results, or tables ``measurements``.
    outlines_a, outlines_b : DataFrame, optional
        Tables ``outlines`` that go with tables of measurements.

    Returns
    -------
    dict of DataFrame
        ``pairs`` an ulcer on a photo: sizes and calls of both, Dice of its outlines;
        ``sizes`` a measure: n, ICC(1,1), (2,1), (3,1) with their 95 % ends, bias a - b and 95 % limits (pairs of a
        subject belong together), SEM and smallest detectable change, empty where nobody has read; ``ln_area`` is what
        ``sem_log_area`` stands for;
        ``counts`` of pairs: read again, accepted as shown, drawn by the machine twice;
        ``calls`` the three-way call at the threshold: share alike, kappa, linearly weighted kappa;
        ``confusion`` a's calls (rows) against b's (columns);
        ``overlap`` mean and pooled Dice over photos, an empty photo against an empty one counting 1.

    Raises
    ------
    TableError
        The readings have no photo in common.
    """
    import pandas as pd

    first, second = _Reading(a, outlines_a), _Reading(b, outlines_b)
    photos = sorted(first.photos & second.photos)
    if not photos:
        raise TableError(
            Problem(
                where="agreement",
                expected="two readings of the same photos",
                got="none in common",
                action="compare photo names",
            )
        )
    pairs = pd.DataFrame([row for key in photos for row in _pairs_on(key, first, second)], columns=_PAIR_COLUMNS)
    somebody = bool((pairs["comparison"].isin((READ, ACCEPTED))).any())
    both = pairs[pairs["comparison"] == (READ if somebody else MACHINE)]
    counts = confusion(list(both["over_threshold_a"]), list(both["over_threshold_b"]), _CALLS)
    return {
        "pairs": pairs,
        "counts": pd.DataFrame([{f"n_{kind}": int((pairs["comparison"] == kind).sum()) for kind in _COMPARISONS}]),
        "sizes": pd.DataFrame([_size_row(name, both, read=somebody) for name in (*_MEASURES, "ln_area")]),
        "calls": pd.DataFrame([{**_call_row(counts), **_missed_row(pairs, both, photos, first, second)}]),
        "confusion": pd.DataFrame(counts, index=pd.Index(_CALLS, name="a"), columns=pd.Index(_CALLS, name="b")),
        "overlap": pd.DataFrame([_overlap_row(photos, first, second, pairs[pairs["comparison"] == ACCEPTED])]),
    }


def photos_read(source: Results | pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return what a reading has read, as photo, hand and finger; without rows that say so, only where it found any.

    Parameters
    ----------
    source : Results or DataFrame
        Results of a run, or a table of readings.

    Returns
    -------
    set of (str, str, str)
        Photo, hand and finger.
    """
    return _Reading(source, None).photos


_COMPARISONS = (READ, ACCEPTED, MACHINE)
_PAIR_COLUMNS = [
    *("photo", "hand", "finger", "subject_id", "label_a", "label_b", "paired_by", "dice"),
    *("reader_a", "reader_b", "comparison"),
    *(f"{name}_{side}" for name in (*_MEASURES, "over_threshold") for side in "ab"),
]


class _Reading:
    """A reading by photo row: measurement rows and outlines by label."""

    def __init__(self, source: Results | pd.DataFrame, outlines: pd.DataFrame | None) -> None:
        table = source.measurements if isinstance(source, Results) else source
        drawn = source.outlines if isinstance(source, Results) else outlines
        read = [row for row in records(conform("measurements", table, extra=True)) if _was_read(row)]
        self.rows = grouped((row for row in read if not not_known(row["label"])), key=_key)
        self.outlined = drawn is not None
        self.outlines: dict[tuple[_Key, int], NDArray[np.float64]] = {}
        if drawn is not None:
            ordered = conform("outlines", drawn).sort_values(["photo", "hand", "finger", "label", "vertex"])
            for names, vertices in ordered.groupby(["photo", "hand", "finger", "label"], sort=False):
                photo, hand, finger, label = names
                self.outlines[((str(photo), str(hand), str(finger)), int(str(label)))] = vertices[
                    ["x_px", "y_px"]
                ].to_numpy()
        self.photos = {_key(row) for row in read}
        if isinstance(source, Results):
            self.photos |= {_key(row) for row in records(source.photos) if _was_read(row)}

    def outline(self, row: Record) -> NDArray[np.float64] | None:
        return self.outlines.get((_key(row), int(row["label"])))

    def drawn_on(self, key: _Key, but: Collection[int] = ()) -> list[NDArray[np.float64]]:
        drawn = sorted(self.outlines.items(), key=lambda i: i[0])
        return [points for (where, label), points in drawn if where == key and label not in but]

    def empty_on(self, key: _Key) -> bool:
        return not self.rows.get(key) and not self.drawn_on(key)


def _was_read(row: Record) -> bool:
    """Say whether a row is of a photo that was read; `measure` lists the others too, with their status."""
    status = row.get("status", "")
    return not_known(status) or status in PASSED


def _key(row: Record) -> _Key:
    return row["photo"], row["hand"], row["finger"]


# --- pairs ----------------------------------------------------------------------------------------------------------


def _pairs_on(key: _Key, first: _Reading, second: _Reading) -> list[Record]:
    left, right = first.rows.get(key, []), second.rows.get(key, [])
    overlaps = np.full((len(left), len(right)), np.nan)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            drawn_a, drawn_b = first.outline(a), second.outline(b)
            if drawn_a is not None and drawn_b is not None:
                overlaps[i, j] = dice(drawn_a, drawn_b)
    by_overlap = bool(overlaps.size) and bool(np.isfinite(overlaps).all())
    chosen = _best(1 - overlaps, below=1.0) if by_overlap else _best(_apart_px(left, right), below=math.inf)
    how = "overlap" if by_overlap else "centroid"
    rows = [
        _pair_row(key, left[i], right[j], how, overlaps[i, j])
        | {"comparison": comparison_of(left[i], right[j], first.outline(left[i]), second.outline(right[j]))}
        for i, j in chosen
    ]
    rows += [_pair_row(key, a, None, "", math.nan) for a in _alone(left, {i for i, _ in chosen})]
    rows += [_pair_row(key, None, b, "", math.nan) for b in _alone(right, {j for _, j in chosen})]
    return rows


def _alone(rows: Sequence[Record], paired: Collection[int]) -> list[Record]:
    """Return the rows that were not paired; a possible ulcer says nothing against a reading that lacks it."""
    return [row for k, row in enumerate(rows) if k not in paired and not is_unconfirmed(row)]


def _best(costs: NDArray[np.float64], *, below: float) -> list[tuple[int, int]]:
    """Return the pairs of the cheapest one-to-one assignment, each under a cost."""
    from scipy.optimize import linear_sum_assignment

    if costs.size == 0:
        return []
    rows, cols = linear_sum_assignment(np.where(np.isfinite(costs), costs, _NO_PAIR))
    return [(int(i), int(j)) for i, j in zip(rows, cols, strict=True) if costs[i, j] < below]


def _apart_px(left: Sequence[Record], right: Sequence[Record]) -> NDArray[np.float64]:
    names = ("centroid_x_px", "centroid_y_px")
    return np.array([[math.dist([a[n] for n in names], [b[n] for n in names]) for b in right] for a in left])


def _pair_row(key: _Key, a: Record | None, b: Record | None, how: str, overlap: float) -> Record:
    some = a or b
    assert some is not None
    row: Record = {"photo": key[0], "hand": key[1], "finger": key[2], "subject_id": some["subject_id"]}
    row |= {"label_a": a and a["label"], "label_b": b and b["label"], "paired_by": how, "dice": overlap}
    row |= {"reader_a": a["reader"] if a else "", "reader_b": b["reader"] if b else "", "comparison": ""}
    for name in _MEASURES:
        row |= {f"{name}_a": a[name] if a else math.nan, f"{name}_b": b[name] if b else math.nan}
    return row | {
        "over_threshold_a": a["over_threshold"] if a else "",
        "over_threshold_b": b["over_threshold"] if b else "",
    }


# --- statistics -----------------------------------------------------------------------------------------------------


def _size_row(measure: str, both: pd.DataFrame, *, read: bool) -> Record:
    name = "area_mm2" if measure == "ln_area" else measure
    a, b = both[f"{name}_a"].to_numpy(dtype=float), both[f"{name}_b"].to_numpy(dtype=float)
    if measure == "ln_area":
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = np.log(a), np.log(b)
    limits = bland_altman(a, b, groups=list(both["subject_id"]))
    sem, sdc = repeatability(a, b) if read else (math.nan, math.nan)
    row: Record = {"measure": measure, "n": limits.n, "n_subjects": both["subject_id"].nunique()}
    for kind, value in icc(np.column_stack([a, b])).items():
        row |= {kind: value.value, f"{kind}_low": value.low, f"{kind}_high": value.high}
    row |= {"bias": limits.bias, "sd": limits.sd, "limit_low": limits.low, "limit_high": limits.high}
    row["limit_margin"] = _limit_margin(limits.sd, limits.n)
    return row | {"sem": sem, "smallest_detectable_change": sdc}


def _limit_margin(sd: float, n: int) -> float:
    """Return half the 95 % interval of a limit of agreement: t sd sqrt(3 / n), doi 10.1016/S0140-6736(86)90837-8."""
    from scipy.stats import t

    return float(t.ppf(UPPER_95, n - 1)) * sd * math.sqrt(3 / n) if n > 1 else math.nan


def _call_row(counts: NDArray[np.int64]) -> Record:
    n = int(counts.sum())
    alike = float(np.trace(counts)) / n if n else math.nan
    return {"n": n, "alike": alike, "kappa": kappa(counts), "kappa_linear": kappa(counts, weights="linear")}


def _missed_row(
    pairs: pd.DataFrame, both: pd.DataFrame, photos: Sequence[_Key], first: _Reading, second: _Reading
) -> Record:
    """Return kappa with what one reading alone has, and empty photos, as findings too: their call is *none*."""
    alone = pairs[pairs["label_a"].isna() | pairs["label_b"].isna()]
    empty = sum(first.empty_on(key) and second.empty_on(key) for key in photos)
    calls_a = [*both["over_threshold_a"], *alone["over_threshold_a"].replace("", "none"), *["none"] * empty]
    calls_b = [*both["over_threshold_b"], *alone["over_threshold_b"].replace("", "none"), *["none"] * empty]
    counts = confusion(calls_a, calls_b, (*_CALLS, "none"))
    return {"n_with_missed": int(counts.sum()), "kappa_with_missed": kappa(counts)}


def _overlap_row(photos: Sequence[_Key], first: _Reading, second: _Reading, accepted: pd.DataFrame) -> Record:
    """Dice of everything drawn on a photo; a photo with sizes but without outlines cannot be compared.

    Nor can any where a reading comes without outlines: that its empty photos agree says nothing of outlines. What was
    accepted as shown is left out, and photos with nothing else.
    """
    shared, total, each = 0.0, 0.0, []
    known = accepted.groupby(["photo", "hand", "finger"])[["label_a", "label_b"]].agg(set).to_dict("index")
    for key in photos if first.outlined and second.outlined else ():
        but = known.get(key, {"label_a": set(), "label_b": set()})
        a, b = first.drawn_on(key, but["label_a"]), second.drawn_on(key, but["label_b"])
        if key in known and not a and not b:
            continue
        if (first.rows.get(key) and not first.drawn_on(key)) or (second.rows.get(key) and not second.drawn_on(key)):
            continue
        common = sum(common_area(x, y) for x in a for y in b)
        size = sum(area(x) for x in [*a, *b])
        shared, total = shared + common, total + size
        each.append(2 * common / size if size > 0 else 1.0)
    return {
        "n_photos": len(each),
        "dice_mean": float(np.mean(each)) if each else math.nan,
        "dice_pooled": 2 * shared / total if total > 0 else math.nan,
        "n_both_empty": sum(first.empty_on(key) and second.empty_on(key) for key in photos),
    }
