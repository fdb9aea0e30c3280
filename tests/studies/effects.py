"""Do the intervals of effects hold the truth? `python tests/studies/effects.py [--trials 200] [--subjects 10]`.

Trials are drawn: subjects in two arms, one to four ulcers each, that heal by an exponential time whose rate varies
between subjects (gamma, shape 2) and is `--ratio` times as high in the first arm, seen at MANUS's visits, 15 % of which
are missed; areas that fall with random slopes and are measured with errors; new ulcers, overdispersed. Printed is for
each estimate the share of 95 % intervals that hold the truth. That of hazards, where subjects differ, is what the same
model finds in a very large trial.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ulcermeter.datatypes import Effect, Measure
from ulcermeter.outcomes.effects import compare_hazards, compare_rates, compare_shares, compare_slopes
from ulcermeter.outcomes.effects.turnbull_bands import estimate_healing_curve, share_at

VISITS = np.array([14, 28, 56, 84, 168, 364], dtype=float)
DAY, ARMS = 84.0, ("A", "B")
SLOPES = {"A": -0.8, "B": -0.4}
NEW_A_MONTH = {"A": 0.1, "B": 0.2}


@dataclass(frozen=True)
class Trial:
    """Tables of one drawn trial: ulcers, areas, subjects."""

    ulcers: pd.DataFrame
    areas: pd.DataFrame
    subjects: pd.DataFrame


def draw(random: np.random.Generator, n_subjects: int, ratio: float) -> Trial:
    """Draw a trial of so many subjects an arm."""
    ulcers, areas, subjects = [], [], []
    for arm in ARMS:
        for i in range(n_subjects):
            name = f"{arm}{i}"
            rate = random.gamma(2.0, 0.5) / 90 * (ratio if arm == "A" else 1.0)
            slope = SLOPES[arm] + random.normal(0, 0.2)
            for k in range(random.integers(1, 5)):
                seen = VISITS[random.random(len(VISITS)) > 0.15]
                low, high = interval(random.exponential(1 / rate), seen)
                # Asked is who had healed by week 12, and it is known of all.
                by = "yes" if high <= DAY else "no" if low >= DAY else "unknown"
                ulcers.append((name, arm, f"{name}-{k}", low, high if np.isfinite(high) else np.nan, by))
                start, own = random.normal(20, 4), slope + random.normal(0, 0.15)
                for day in (0.0, *seen[seen <= DAY]):
                    sd = random.uniform(0.3, 1.0)
                    area = start + own * day / 7 + random.normal(0, np.hypot(0.5, sd))
                    areas.append((name, arm, f"{name}-{k}", day, area, area - 1.96 * sd, area + 1.96 * sd))
            months = random.uniform(2, 12)
            subjects.append((name, arm, random.poisson(random.gamma(2.0, NEW_A_MONTH[arm] / 2) * months), months))
    return Trial(
        pd.DataFrame(
            ulcers, columns=["subject_id", "arm", "ulcer_id", "healing_day_low", "healing_day_high", "healed"]
        ),
        pd.DataFrame(
            areas,
            columns=["subject_id", "arm", "ulcer_id", "day", "area_mm2", "area_low_mm2", "area_high_mm2"],
        ),
        pd.DataFrame(subjects, columns=["subject_id", "arm", "n_new", "months"]),
    )


def interval(time: float, seen: np.ndarray) -> tuple[float, float]:
    """Return where visits put a healing time: last seen open (day 0 at first), first seen healed."""
    after = int(np.searchsorted(seen, time))
    return float(seen[after - 1]) if after else 0.0, float(seen[after]) if after < len(seen) else np.inf


def estimates(trial: Trial, *, draws: int) -> dict[str, Effect]:
    """Return the first arm's and the compared estimates by name."""
    found: list[Effect] = [
        *compare_shares(trial.ulcers, event="healed"),
        *compare_hazards(trial.ulcers),
        *compare_slopes(trial.areas),
        *compare_rates(trial.subjects),
        share_at(estimate_healing_curve(trial.ulcers, arm="A", draws=draws), DAY),
    ]
    return {str(effect.measure): effect for effect in found if effect.arm == "A"}


def truth(ratio: float, *, n: int = 20000) -> dict[str, float]:
    """Return what a trial without end would estimate; of hazards, where subjects differ, by the same model."""
    random = np.random.default_rng(1)
    by = {arm: np.mean(1 - (1 + DAY * (ratio if arm == "A" else 1.0) / 180) ** -2.0) for arm in ARMS}
    big = draw(random, n // 10, ratio)
    return {
        str(Measure.SHARE): float(by["A"]),
        str(Measure.CURVE): float(by["A"]),
        str(Measure.RISK_DIFFERENCE): float(by["A"] - by["B"]),
        str(Measure.RISK_RATIO): float(by["A"] / by["B"]),
        str(Measure.HAZARD_RATIO): compare_hazards(big.ulcers)[0].estimate,
        str(Measure.SLOPE): SLOPES["A"],
        str(Measure.SLOPE_DIFFERENCE): SLOPES["A"] - SLOPES["B"],
        str(Measure.RATE): NEW_A_MONTH["A"],
        str(Measure.RATE_RATIO): NEW_A_MONTH["A"] / NEW_A_MONTH["B"],
    }


def main() -> None:
    """Draw trials and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--subjects", type=int, default=10, help="in each arm")
    parser.add_argument("--ratio", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    right = truth(given.ratio)
    random = np.random.default_rng([given.seed, given.subjects])
    rows = []
    for _ in range(given.trials):
        for name, effect in estimates(draw(random, given.subjects, given.ratio), draws=200).items():
            known = np.isfinite(effect.low) or np.isfinite(effect.high)
            rows.append((name, known, known and effect.low <= right[name] <= effect.high))
    table = pd.DataFrame(rows, columns=["measure", "known", "holds"]).groupby("measure", sort=False).sum()
    table.insert(0, "truth", [round(right[name], 3) for name in table.index])
    table["held, %"] = (100 * table["holds"] / table["known"]).round(1)
    print(f"{given.trials} trials of {given.subjects} subjects an arm")
    print(table.drop(columns="holds").to_string())


if __name__ == "__main__":
    main()
