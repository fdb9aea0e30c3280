"""What anybody could tell of which ulcer is which: `python tests/studies/identity_ceiling.py [--seed 211]`.

The subjects are those of identity.py. The probability of all explanations of a finger is computed under the very rates,
sizes and distances by which they are drawn, which no program knows of a trial: places exactly normal, sizes on a grid,
what closed unseen summed over; the likeliest 150 explanations are kept from visit to visit and weighed again once all
visits say where the ulcers lie. Chosen is the explanation with the most outlines right on average over all. Printed are
IDF1 and what share of wrong ids is flagged where 5, 10, 15 and 20 % of the right ones are.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from identity import HEALS, KINDS, NEAR_MM, NEW, RECURS, VISITS, Kind, Study, draw_study
from scipy.optimize import linear_sum_assignment
from scipy.stats import ncx2

Row = dict[str, Any]
Photos = list[list[Row] | None]
Key = tuple[tuple[int, int], ...]
VISIT = list(VISITS)
KEPT, GAP = 150, 11.0
STEP = 0.05
LOG_D = np.arange(math.log(0.9), math.log(13), STEP)
D = np.exp(LOG_D)
SIZE_SD = 0.05
AREA_MM2 = 280.0  # 23 by 12 mm, where ulcers of the start lie
INITIAL_PER_FINGER = 1.5


def _normal(x: Any, sd: float) -> Any:
    return np.exp(-((x / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))


def _even(low: float, high: float) -> np.ndarray:
    weights = np.where((low <= D) & (high >= D), D, 0.0)
    return weights / weights.sum()


STAYS = _normal(LOG_D[None, :] - LOG_D[:, None] + 0.12, 0.15) * STEP * (D >= 1.0)[None, :] * (1 - HEALS)
INITIAL = _normal(LOG_D - math.log(3.5), 0.35) * STEP
NEW_SIZE, BACK_SIZE = _even(2, 3), _even(1.5, 2.5)


@dataclass(frozen=True)
class Size:
    """How probable each diameter is of an ulcer that stayed open, of one that came back, and that it is closed."""

    stayed: np.ndarray
    back: np.ndarray
    closed: float

    def later(self) -> Size:
        stayed, back = self.stayed @ STAYS, self.back @ STAYS
        lost = self.stayed.sum() + self.back.sum() - stayed.sum() - back.sum()
        return Size(stayed, back + self.closed * RECURS * BACK_SIZE, self.closed * (1 - RECURS) + lost)

    def unseen(self) -> Size:
        return Size(0 * self.stayed, 0 * self.back, self.closed)


@dataclass(frozen=True)
class Track:
    """An ulcer of an explanation after its last outline: where it lies, with its variance, and how large it is."""

    size: Size
    largest: float
    at: tuple[float, float] | None
    var: float
    initial: bool


def outlined(track: Track, row: Row, sd: float) -> tuple[float, Track | None]:
    """Return the log density of an outline as the track's next one, and the track after it."""
    seen = _normal(math.log(row["diameter_mm"]) - LOG_D, SIZE_SD)
    stayed, back = track.size.stayed * seen, track.size.back * seen
    wander = track.largest**2 / 64
    at, var = track.at, track.var
    place = (row["finger_s_mm"], row["finger_t_mm"])
    if math.isfinite(place[0]) and at is not None:
        off = math.dist(at, place)
        stayed, back = stayed * _at(off, var + sd**2), back * _at(off, var + wander + sd**2)
    total = float(stayed.sum() + back.sum())
    if total <= 1e-300:
        return -math.inf, None
    var += wander * float(back.sum()) / total if at is not None else 0.0
    if math.isfinite(place[0]):
        pull = 1.0 if at is None else var / (var + sd**2)
        at = place if at is None else tuple(a + pull * (b - a) for a, b in zip(at, place, strict=True))
        var = sd**2 if pull == 1.0 else var * (1 - pull)
    size = Size((stayed + back) / total, 0 * back, 0.0)
    return math.log(total), Track(size, max(track.largest, row["diameter_mm"]), at, var, track.initial)


def _at(off_mm: float, var: float) -> float:
    return math.exp(-(off_mm**2) / (2 * var)) / (2 * math.pi * var)


@cache
def _ring(off_20th: int, sd_20th: int) -> float:
    """Density of a place drawn 3 to 6 mm from an old ulcer, blurred."""
    r = np.linspace(NEAR_MM, 2 * NEAR_MM, 61)[:, None]
    turn = np.linspace(0, 2 * math.pi, 120, endpoint=False)[None, :]
    off, var = off_20th / 20, max(sd_20th / 20, 0.05) ** 2
    squares = off**2 + r**2 - 2 * off * r * np.cos(turn)
    return float((np.exp(-squares / (2 * var)) / (2 * math.pi * var)).mean())


@cache
def _beyond(off_20th: int, sd_20th: int, least_mm: float) -> float:
    sd = max(sd_20th / 20, 0.05)
    return max(float(ncx2.sf((least_mm / sd) ** 2, 2, (off_20th / 20 / sd) ** 2)), 1e-9)


def _apart(a: Track, b: Track) -> tuple[int, int]:
    assert a.at is not None and b.at is not None
    return round(20 * math.dist(a.at, b.at)), round(20 * math.sqrt(a.var + b.var))


def apart_log(a: Track, b: Track) -> float:
    """Return the log probability that two ulcers lie as far apart as ulcers are drawn."""
    if a.at is None or b.at is None:
        return 0.0
    both = a.initial and b.initial
    return math.log(_beyond(*_apart(a, b), 2 * NEAR_MM if both else NEAR_MM)) + (0.35 if both else 0.0)


def place_log(born: Track, others: list[Track], elsewhere: int) -> float:
    """Return the log density of an ulcer's place when it is drawn."""
    if born.initial:
        return math.log(INITIAL_PER_FINGER / AREA_MM2)
    ring = 9 * math.pi * 3  # mm², from 3 to 6 mm
    shares = [1 / ring if born.at is None or other.at is None else _ring(*_apart(born, other)) for other in others]
    return math.log(max(sum(shares) / max(len(others) + elsewhere, 1), 1e-9))


@dataclass(frozen=True)
class Explanation:
    """Its log weight, its ulcers as the outlines they have, and the ulcer of each outline so far."""

    weight: float
    keys: tuple[Key, ...] = ()
    clusters: tuple[int, ...] = ()


TURN = np.radians(np.arange(-90, 91, 6))
TURN_SHARE = _normal(np.degrees(TURN), 30.0) / _normal(np.degrees(TURN), 30.0).sum()


def arrangement_log(pairs: list[tuple[float, ...]]) -> float:
    """Return the log odds of outlines on a photo whose finger was not located, by how they lie to each other."""
    if len(pairs) < 2:
        return 0.0
    x, y, s, t, var = np.array(pairs).T
    off_t = np.outer(np.cos(TURN), x) - np.outer(np.sin(TURN), y) - t
    off_s = np.outer(np.sin(TURN), x) + np.outer(np.cos(TURN), y) - s
    logs = sum(_shifted(off, 1 / var) for off in (off_t, off_s))
    likely = float(TURN_SHARE @ np.exp(logs))
    return math.log(max(likely, 1e-200)) + (len(pairs) - 1) * math.log(AREA_MM2)


def _shifted(off: np.ndarray, w: np.ndarray) -> Any:
    squares = (off**2) @ w - (off @ w) ** 2 / w.sum()
    return -(squares + np.log(2 * math.pi / w).sum() - math.log(2 * math.pi / w.sum())) / 2


class Finger:
    """All explanations of one finger's photos."""

    def __init__(self, photos: Photos, sd: float, elsewhere: int) -> None:
        self.photos, self.sd, self.elsewhere = photos, sd, elsewhere
        self.tracks: dict[Key, Track] = {}
        self.logs: dict[Key, float] = {}
        self.waiting: dict[tuple[Key, int], Size] = {}
        self.unborn = list(self._unborn())

    def _unborn(self) -> Iterator[dict[bool, Size]]:
        """Yield for every visit the sizes of ulcers that no photo before has shown: of the start, and new ones."""
        nothing = np.zeros(len(D))
        sizes = {True: Size(INITIAL, nothing, 0.0), False: Size(nothing, nothing, 0.0)}
        for visit in range(len(VISIT)):
            if visit:
                sizes = {initial: size.later() for initial, size in sizes.items()}
            if visit >= 2:
                new = sizes[False]
                sizes[False] = replace(new, stayed=new.stayed + NEW * NEW_SIZE)
            yield sizes
            if self.photos[visit] is not None:
                sizes = {initial: size.unseen() for initial, size in sizes.items()}

    def size_at(self, key: Key, visit: int) -> Size:
        """Return an ulcer's size when a visit begins."""
        if (key, visit) not in self.waiting:
            last = key[-1][0]
            before = self.tracks[key].size if visit - 1 == last else self.size_at(key, visit - 1)
            if visit - 1 > last and self.photos[visit - 1] is not None:
                before = replace(before.unseen(), closed=1.0)
            self.waiting[key, visit] = before.later()
        return self.waiting[key, visit]

    def closed_log(self, key: Key, visit: int) -> float:
        return math.log(max(self.size_at(key, visit).closed, 1e-12))

    def extend(self, key: Key, visit: int, i: int, *, initial: bool = False) -> Key:
        """Take an outline into a track, or begin one with it; its log density stands in `logs`."""
        longer = (*key, (visit, i)) if key else ((visit, 2 * i + initial),)
        if longer not in self.logs:
            row = (self.photos[visit] or [])[i]
            if key:
                former = replace(self.tracks[key], size=self.size_at(key, visit))
            else:
                former = Track(self.unborn[visit][initial], 0.0, None, 0.0, initial)
            log, after = outlined(former, row, self.sd)
            if key and not (math.isfinite(row["finger_s_mm"]) and former.at is not None):
                log -= math.log(AREA_MM2)
            self.logs[longer] = log
            if after is not None:
                self.tracks[longer] = after
        return longer

    def explain(self) -> dict[tuple[int, ...], float]:
        """Return the probability of every partition of the outlines that was kept."""
        kept = [Explanation(0.0)]
        for visit, rows in enumerate(self.photos):
            if rows is not None:
                after = [one for before in kept for one in self._go_on(before, visit, rows)]
                after.sort(key=lambda one: -one.weight)
                kept = [one for one in after[:KEPT] if one.weight > after[0].weight - GAP]
        weights: dict[tuple[int, ...], float] = defaultdict(float)
        ended = [(one.clusters, self.weigh(one)) for one in kept]
        best = max(weight for _, weight in ended)
        for clusters, weight in ended:
            weights[clusters] += math.exp(weight - best)
        total = sum(weights.values())
        return {clusters: weight / total for clusters, weight in weights.items()}

    def _go_on(self, before: Explanation, visit: int, rows: list[Row]) -> list[Explanation]:
        base = before.weight + sum(self.closed_log(key, visit) for key in before.keys)
        partial = [Explanation(base, before.keys, before.clusters)]
        for i in range(len(rows)):
            longer = [one for part in partial for one in self._with(part, visit, i)]
            longer.sort(key=lambda one: -one.weight)
            partial = [one for one in longer[:200] if one.weight > longer[0].weight - GAP - 4]
        return [replace(one, weight=one.weight + self._arranged(one, visit, before)) for one in partial]

    def _with(self, part: Explanation, visit: int, i: int) -> Iterator[Explanation]:
        for number, key in enumerate(part.keys):
            longer = self.extend(key, visit, i) if key[-1][0] < visit else key
            if self.logs[longer] > -math.inf and longer != key:
                weight = part.weight + self.logs[longer] - self.closed_log(key, visit)
                keys = (*part.keys[:number], longer, *part.keys[number + 1 :])
                yield Explanation(weight, keys, (*part.clusters, number))
        for initial in (True, False):
            born = self.extend((), visit, i, initial=initial)
            if self.logs[born] > -math.inf:
                weight = part.weight + self.logs[born] + self._born_log(born, part.keys)
                yield Explanation(weight, (*part.keys, born), (*part.clusters, len(part.keys)))

    def _born_log(self, born: Key, keys: tuple[Key, ...]) -> float:
        own, others = self.tracks[born], [self.tracks[key] for key in keys]
        return place_log(own, others, self.elsewhere) + sum(apart_log(own, other) for other in others)

    def _arranged(self, one: Explanation, visit: int, places: Explanation | None = None) -> float:
        """Return what an unlocated photo's outlines say by how they lie, to the places known before, or in the end."""
        pairs = []
        for i, row in enumerate(self.photos[visit] or []):
            if math.isfinite(row["finger_s_mm"]):
                return 0.0
            n = sum(len(rows) for rows in self.photos[:visit] if rows) + i
            known = (places or one).keys
            track = self.tracks[known[one.clusters[n]]] if one.clusters[n] < len(known) else None
            if track is not None and track.at is not None:
                x, y = ((row[name] - 1000) / 20 for name in ("centroid_x_px", "centroid_y_px"))
                pairs.append((x, y, *track.at, track.var + self.sd**2 + 0.1))
        return arrangement_log(pairs)

    def weigh(self, one: Explanation) -> float:
        """Return the log weight of an explanation once all visits say where its ulcers lie."""
        total = sum(self._arranged(one, visit) for visit in range(len(VISIT)))
        for number, key in enumerate(one.keys):
            total += sum(self.logs[key[: n + 1]] for n in range(len(key)))
            for visit in range(key[0][0] + 1, len(VISIT)):
                former = tuple(step for step in key if step[0] < visit)
                if self.photos[visit] is not None and (visit not in [step[0] for step in key]):
                    total += self.closed_log(former, visit)
            own = self.tracks[key]
            older = [k for n, k in enumerate(one.keys) if n < number or (n != number and self.tracks[k].initial)]
            total += place_log(own, [self.tracks[k] for k in older], self.elsewhere)
            total += sum(apart_log(own, self.tracks[k]) for k in one.keys[:number])
        return total


def rightness(own: tuple[int, ...], all_of_them: dict[tuple[int, ...], float]) -> np.ndarray:
    """Return of every outline how probable it is that its id is its true ulcer's, ids being matched one to one."""
    right = np.zeros(len(own))
    for true, share in all_of_them.items():
        table = np.zeros((max(own) + 1, max(true) + 1))
        np.add.at(table, (np.array(own), np.array(true)), 1)
        match = dict(zip(*linear_sum_assignment(-table), strict=True))
        right += share * np.array([match.get(a) == b for a, b in zip(own, true, strict=True)])
    return right


def fingers_of(study: Study) -> dict[tuple[str, str], Photos]:
    """Return the photos of every finger by visit: None where none passed, else their outlines."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in study.measurements.to_dict("records"):
        rows[row["photo"]].append({str(k): v for k, v in row.items()})
    fingers: dict[tuple[str, str], Photos] = defaultdict(lambda: [None] * len(VISIT))
    for photo in study.photos[study.photos["status"] != "refused"].itertuples():
        fingers[photo.subject_id, photo.finger][VISIT.index(photo.visit)] = rows[photo.photo]
    return dict(fingers)


def judge(study: Study, kind: Kind) -> str:
    """Return the figures of a study."""
    fingers = fingers_of(study)
    most = {name: max(len(rows) for rows in photos if rows is not None) for name, photos in fingers.items()}
    found = []
    for (subject, finger), photos in fingers.items():
        if not most[subject, finger]:
            continue
        elsewhere = sum(n for (who, other), n in most.items() if who == subject and other != finger)
        every = Finger(photos, kind.sd_mm, elsewhere).explain()
        likely = sorted(every, key=lambda one: -every[one])[:15]
        best = max(likely, key=lambda one: rightness(one, every).sum())
        outlines = [row for rows in photos if rows for row in rows]
        for row, number, sure in zip(outlines, best, rightness(best, every), strict=True):
            found.append((f"{subject} {finger} {number}", row["true"], sure))
    table = pd.DataFrame(found, columns=["id", "true", "sure"])
    counts = pd.crosstab(table["id"], table["true"])
    own = {counts.index[r]: counts.columns[c] for r, c in zip(*linear_sum_assignment(-counts.to_numpy()), strict=True)}
    right = table["id"].map(own) == table["true"]
    cuts = np.quantile(table["sure"][right], [0.05, 0.1, 0.15, 0.2])
    flagged = ", ".join(f"{100 * (table['sure'][~right] <= cut).mean():.0f}" for cut in cuts)
    return f"IDF1 {100 * right.mean():.1f} %; of {(~right).sum()} wrong ids flagged: {flagged} %"


def main() -> None:
    """Print the figures of the kinds of study whose places are as sure as stated."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for kind in KINDS[:2]:
        print(kind.name, judge(draw_study(asked.seed, asked.subjects, kind), kind), flush=True)


if __name__ == "__main__":
    main()
