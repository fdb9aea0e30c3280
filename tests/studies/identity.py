"""Which ulcer is which, on drawn subjects: `python tests/studies/identity.py [--subjects 100] [--seed 1]`.

A subject has one to five ulcers on one, two or three fingers, 6 mm and more apart, and eight visits. Ulcers shrink,
heal, come back within their old outline, and new ones open 3 to 6 mm from the centre of an old one, sharing no skin
with it. 15 % of the visits are missed, 8 % of the photos are refused, on 8 % the finger is not located. Every
outline's place is off by a normal error of `sd` an axis, of its own; the tables state `stated`. The finger points up
on the photo give or take 30 degrees. In one kind of study every palmar photo has one of the tip beside it.

Printed are, for each kind of study: IDF1 (share of outlines whose id is, one id for one ulcer, the true one's), the
others being wrong links, and how many of those carry a flag of identity; of right links how many are flagged
themselves and how many as hanging on an unclear one; truly new ulcers that are called persistent, recurrent, merged
or split at first sight without a flag; states right (of ulcers at visits with a passing photo, *indeterminate*
counting as wrong) and those among the states that are stated; and ulcers called healed that are open.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from ulcermeter import read_protocol, track
from ulcermeter.tables.flags import FlagKind, in_doubt_of_identity, read_flags

PROTOCOL = read_protocol("manus")
ZERO = date(2016, 5, 2)
VISITS = {"screening": -14, "baseline": 0} | {f"week {w}": 7 * w for w in (2, 4, 8, 12, 24, 52)}
MISSED, REFUSED, NOT_LOCATED = 0.15, 0.08, 0.08
HEALS, RECURS, NEW = 0.15, 0.10, 0.22
# Ulcers of the start are so far apart, new ones so near to an old one, up to twice that.
APART_MM, NEAR_MM = 6.0, 3.0
TIP_SEES_MM = 9.0


@dataclass
class Ulcer:
    """A true ulcer; `diameters` by visit, 0 where it is closed."""

    name: str
    finger: str
    s_mm: float
    t_mm: float
    diameter_mm: float
    diameters: dict[str, float] = field(default_factory=lambda: dict.fromkeys(VISITS, 0.0))
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    new: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of study: the places' true error, the stated one, and whether the tip is photographed too."""

    name: str
    sd_mm: float
    stated_mm: float
    tip_too: bool = False


KINDS = (
    Kind("sd 0.6", 0.6, 0.6),
    Kind("sd 1.2", 1.2, 1.2),
    Kind("sd 1.2, stated 0.4", 1.2, 0.4),
    Kind("sd 0.6, palmar and tip", 0.6, 0.6, tip_too=True),
)


def draw_course(random: np.random.Generator, name: str) -> list[Ulcer]:
    """Draw a subject's ulcers over the visits."""
    fingers = ["index", "middle", "ring"][: random.integers(1, 4)]
    ulcers: list[Ulcer] = []
    for _ in range(random.integers(1, 6)):
        _place(random, ulcers, name, str(random.choice(fingers)))
    for number, visit in enumerate(VISITS):
        for ulcer in ulcers:
            _step(random, ulcer, first=number == 0)
        if number >= 2 and random.random() < NEW:
            _place_beside(random, ulcers, name)
        for ulcer in ulcers:
            ulcer.diameters[visit] = ulcer.diameter_mm
            ulcer.places[visit] = (ulcer.s_mm, ulcer.t_mm)
    return ulcers


def _place(random: np.random.Generator, ulcers: list[Ulcer], name: str, finger: str) -> None:
    for _ in range(50):
        s, t, d = random.uniform(3, 26), random.uniform(-6, 6), 3.5 * math.exp(random.normal(0, 0.35))
        if _is_free(ulcers, finger, (s, t, d), APART_MM):
            ulcers.append(Ulcer(f"{name}-{len(ulcers)}", finger, s, t, d))
            return


def _place_beside(random: np.random.Generator, ulcers: list[Ulcer], name: str) -> None:
    for _ in range(50):
        old = ulcers[random.integers(len(ulcers))]
        away, turn, d = random.uniform(NEAR_MM, 2 * NEAR_MM), random.uniform(0, 2 * math.pi), random.uniform(2, 3)
        s, t = old.s_mm + away * math.cos(turn), old.t_mm + away * math.sin(turn)
        if s > 1 and abs(t) < 9 and _is_free(ulcers, old.finger, (s, t, d), NEAR_MM):
            ulcers.append(Ulcer(f"{name}-{len(ulcers)}", old.finger, s, t, d, new=True))
            return


def _is_free(ulcers: list[Ulcer], finger: str, disc: tuple[float, float, float], apart_mm: float) -> bool:
    """Say whether no ulcer's skin, as it is or ever was while open, is shared, and no centre too near."""
    for other in (u for u in ulcers if u.finger == finger):
        size = other.diameter_mm or max(other.diameters.values())
        if math.hypot(other.s_mm - disc[0], other.t_mm - disc[1]) < max(apart_mm, (size + disc[2]) / 2):
            return False
    return True


def _step(random: np.random.Generator, ulcer: Ulcer, *, first: bool) -> None:
    if first:
        return
    if ulcer.diameter_mm > 0:
        ulcer.diameter_mm *= math.exp(random.normal(-0.12, 0.15))
        if random.random() < HEALS or ulcer.diameter_mm < 1.0:
            ulcer.diameter_mm = 0.0
    elif random.random() < RECURS:
        last = max(ulcer.diameters.values())
        off = last / 4 * math.sqrt(random.random())
        turn = random.uniform(0, 2 * math.pi)
        ulcer.s_mm, ulcer.t_mm = ulcer.s_mm + off * math.cos(turn), ulcer.t_mm + off * math.sin(turn)
        ulcer.diameter_mm = random.uniform(1.5, 2.5)


def photograph(random: np.random.Generator, ulcers: list[Ulcer], subject: str, kind: Kind) -> tuple[list, list]:
    """Return the rows of measurements (with column `true`) and photos of a subject."""
    measurements: list[dict[str, Any]] = []
    photos: list[dict[str, Any]] = []
    for visit, day in VISITS.items():
        if random.random() < MISSED:
            continue
        for finger in sorted({u.finger for u in ulcers}):
            for view in ("palmar", "tip") if kind.tip_too else ("palmar",):
                photo = _photo(subject, visit, day, finger, view)
                photos.append(photo)
                if random.random() < REFUSED:
                    photo["status"] = "refused"
                    continue
                measurements += _outlines(random, ulcers, photo, kind)
    return measurements, photos


def _photo(subject: str, visit: str, day: int, finger: str, view: str) -> dict[str, Any]:
    return {
        "photo": f"{subject} {visit} {finger} {view}.jpg",
        "subject_id": subject,
        "visit": visit,
        "date": (ZERO + timedelta(days=day)).isoformat(),
        "hand": "left",
        "finger": finger,
        "view": view,
        "status": "no ulcer",
        "px_per_mm": 20.0,
        "detection_limit_mm": 0.8,
        "n_ulcers": 0,
    }


def _outlines(random: np.random.Generator, ulcers: list[Ulcer], photo: dict[str, Any], kind: Kind) -> list[dict]:
    visit, located = photo["visit"], random.random() > NOT_LOCATED
    turned = random.normal(0, 1.5) if photo["view"] == "tip" else 0.0
    lies = math.radians(random.normal(0, 30))
    rows = []
    for ulcer in ulcers:
        d = ulcer.diameters[visit]
        hidden = photo["view"] == "tip" and ulcer.s_mm > TIP_SEES_MM
        if d == 0 or hidden or ulcer.finger != photo["finger"]:
            continue
        s, t = ulcer.places[visit] + random.normal(0, kind.sd_mm, 2)
        d *= math.exp(random.normal(0, 0.05))
        place = {"finger_s_mm": s, "finger_t_mm": t + turned}
        place |= {"finger_s_sd_mm": kind.stated_mm, "finger_t_sd_mm": kind.stated_mm}
        rows.append(
            {name: photo[name] for name in ("photo", "subject_id", "visit", "date", "hand", "finger", "view")}
            | (place if located else {})
            | {
                "day": VISITS[visit],
                "diameter_mm": d,
                "diameter_low_mm": d - 0.1,
                "diameter_high_mm": d + 0.1,
                "area_mm2": math.pi / 4 * d**2,
                "area_low_mm2": math.pi / 4 * d**2 * 0.9,
                "area_high_mm2": math.pi / 4 * d**2 * 1.1,
                "perimeter_mm": math.pi * d,
                "centroid_x_px": 1000 + 20 * (t * math.cos(lies) + s * math.sin(lies)),
                "centroid_y_px": 1000 + 20 * (s * math.cos(lies) - t * math.sin(lies)),
                "true": ulcer.name,
            }
        )
    rows.sort(key=lambda row: -row["area_mm2"])
    for label, row in enumerate(rows, start=1):
        row["label"] = label
    if rows:
        photo.update(status="measured", n_ulcers=len(rows))
    return rows


@dataclass
class Count:
    """So many of so many."""

    hits: int = 0
    of: int = 0

    def add(self, hit: bool) -> None:
        self.hits, self.of = self.hits + int(hit), self.of + 1

    @property
    def share(self) -> float:
        """The share, 0..1."""
        return self.hits / max(self.of, 1)

    def __str__(self) -> str:
        return f"{100 * self.share:5.1f} % of {self.of}"


@dataclass(frozen=True)
class Study:
    """A drawn study: its tables and its truth."""

    measurements: pd.DataFrame
    photos: pd.DataFrame
    ulcers: dict[str, Ulcer]


def draw_study(seed: int, n_subjects: int, kind: Kind) -> Study:
    """Draw a study of one kind."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    measurements, photos, truth = [], [], {}
    for i in range(n_subjects):
        subject = f"S{i:03d}"
        ulcers = draw_course(random, subject)
        truth |= {u.name: u for u in ulcers}
        rows, shots = photograph(random, ulcers, subject, kind)
        measurements, photos = measurements + rows, photos + shots
    return Study(pd.DataFrame(measurements), pd.DataFrame(photos), truth)


def track_study(study: Study) -> pd.DataFrame:
    """Track a drawn study without its truth."""
    return track(study.measurements.drop(columns="true"), study.photos, protocol=PROTOCOL)


def judge(study: Study, tracked: pd.DataFrame) -> dict[str, Count]:
    """Hold the tracked table against the truth."""
    true = study.measurements.set_index(["photo", "label"])["true"]
    drawn = tracked[tracked["label"].notna()].copy()
    drawn["true"] = [true[row.photo, int(row.label)] for row in drawn.itertuples()]
    flags = [read_flags(cell) for cell in drawn["flags"]]
    drawn["hangs"] = [any(flag.kind is FlagKind.HANGS_ON_UNCLEAR_LINK for flag in own) for own in flags]
    drawn["doubt"] = [in_doubt_of_identity(own) for own in flags]
    drawn["doubt"] &= ~drawn["hangs"]
    table = pd.crosstab(drawn["ulcer_id"], drawn["true"])
    rows, cols = linear_sum_assignment(-table.to_numpy())
    own = {table.index[r]: table.columns[c] for r, c in zip(rows, cols, strict=True) if table.iat[r, c]}
    found = {"IDF1": Count(sum(own.get(row.ulcer_id) == row.true for row in drawn.itertuples()), len(drawn))}
    return found | _links(study, drawn, own) | _states(study, tracked, drawn, own)


def _links(study: Study, drawn: pd.DataFrame, own: dict[str, str]) -> dict[str, Count]:
    first_of, started = drawn.groupby("true")["date"].min(), drawn.groupby("ulcer_id")["date"].min()
    wrong_flagged, right_flagged, wrong, silent_new, hanging = Count(), Count(), Count(), Count(), Count()
    for row in drawn.itertuples():
        right = own.get(row.ulcer_id) == row.true
        wrong.add(not right)
        if right:
            right_flagged.add(row.doubt)
            hanging.add(row.hangs)
        else:
            wrong_flagged.add(row.doubt or row.hangs)
        if study.ulcers[row.true].new and first_of[row.true] == row.date:
            called_old = started[row.ulcer_id] < row.date and row.state not in ("first seen", "new")
            silent_new.add(called_old and not (row.doubt or row.hangs))
    return {
        "wrong links": wrong,
        "  of them flagged": wrong_flagged,
        "flags on right links": right_flagged,
        "  hanging on an unclear one": hanging,
        "new ulcers silently old": silent_new,
    }


def _states(study: Study, tracked: pd.DataFrame, drawn: pd.DataFrame, own: dict[str, str]) -> dict[str, Count]:
    right, stated, false_healed = Count(), Count(), Count()
    first = drawn.groupby("true")["date"].min()
    closed_since = {name: _was_closed(study, name) for name in study.ulcers}
    for row in tracked.itertuples():
        if row.state in ("not photographed",):
            continue
        name = own.get(row.ulcer_id, "")
        true = _true_state(study, name, row.visit, row.date, first, closed_since) if name else "other"
        state = {"new": "first", "first seen": "first"}.get(row.state, row.state)
        right.add(state == true)
        if state != "indeterminate":
            stated.add(state == true)
        if row.state == "healed":
            false_healed.add(true in ("persistent", "recurrent", "first"))
    return {"states right": right, "  of those stated": stated, "false healed": false_healed}


def _was_closed(study: Study, name: str) -> dict[str, bool]:
    """Return for every visit whether a passing photo saw the ulcer closed since it was last outlined."""
    ulcer = study.ulcers[name]
    photos, measured = study.photos, study.measurements
    mine = photos[(photos["subject_id"] == name.split("-")[0]) & (photos["finger"] == ulcer.finger)]
    mine = mine[(mine["status"] != "refused") & (mine["view"] == "palmar")]
    seen = set(measured[measured["true"] == name]["visit"])
    out, closed = {}, False
    for visit in VISITS:
        out[visit] = closed
        if visit in seen:
            closed = False
        elif visit in set(mine["visit"]) and ulcer.diameters[visit] == 0:
            closed = True
    return out


def _true_state(study: Study, name: str, visit: str, when: str, first: pd.Series, closed: dict[str, dict]) -> str:
    if study.ulcers[name].diameters[visit] == 0:
        return "healed" if first[name] <= when else "other"
    if first[name] == when:
        return "first"
    return "recurrent" if closed[name][visit] else "persistent"


def main() -> None:
    """Print the figures of every kind of study."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", default="", help="only kinds whose name holds this")
    asked = parser.parse_args()
    for kind in (kind for kind in KINDS if asked.kind in kind.name):
        study = draw_study(asked.seed, asked.subjects, kind)
        figures = judge(study, track_study(study))
        print(f"{kind.name}\n" + "\n".join(f"  {name:28}{value}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
