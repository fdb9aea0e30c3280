"""A naive way to write a finger's history: one line an outline, one line a photo."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd

from ulcermeter import read_protocol, track
from ulcermeter.tables.flags import Flag, read_flags

PROTOCOL = read_protocol("manus")
ZERO = date(2016, 5, 2)
DAY_OF = {visit.name: visit.day for visit in PROTOCOL.visits if visit.day is not None} | {
    "history": -200,
    "screening": -14,
    "unscheduled": 40,
}


class FingerHistory:
    """Photos and outlines of subject S01, left index, palmar, unless cells say otherwise."""

    def __init__(self) -> None:
        self.photos: list[dict[str, Any]] = []
        self.measurements: list[dict[str, Any]] = []

    def shot(self, visit: str, *ulcers: tuple[float, float, float], **cells: Any) -> FingerHistory:
        """Add a photo with its outlines, each (s, t, diameter) in mm; `cells` overrides any column of the photo.

        `presence` and `reader` are those of its outlines.
        """
        day = cells.pop("day", DAY_OF[visit])
        unlocated, presence = cells.pop("unlocated", False), cells.pop("presence", "ulcer")
        on = cells.pop("date", (ZERO + timedelta(days=day)).isoformat())
        photo = {
            "photo": f"{len(self.photos):02d} {visit}.jpg",
            "subject_id": "S01",
            "visit": visit,
            "date": on,
            "hand": "left",
            "finger": "index",
            "view": "palmar",
            "status": "measured" if ulcers else "no ulcer",
            "px_per_mm": 20.0,
            "detection_limit_mm": 0.8,
            "n_ulcers": len(ulcers),
        } | cells
        self.photos.append(photo)
        for label, (s, t, diameter) in enumerate(sorted(ulcers, key=lambda u: -u[2]), start=1):
            area = math.pi / 4 * diameter**2
            place = (
                {} if unlocated else {"finger_s_mm": s, "finger_t_mm": t, "finger_s_sd_mm": 0.5, "finger_t_sd_mm": 0.5}
            )
            self.measurements.append(
                {name: photo[name] for name in ("photo", "subject_id", "visit", "date", "hand", "finger", "view")}
                | place
                | {
                    "day": day,
                    "label": label,
                    "site": cells.get("site", ""),
                    "presence": presence,
                    "reader": cells.get("reader", "machine"),
                    "diameter_mm": diameter,
                    "diameter_low_mm": diameter - 0.1,
                    "diameter_high_mm": diameter + 0.1,
                    "area_mm2": area,
                    "area_low_mm2": area * 0.95,
                    "area_high_mm2": area * 1.05,
                    "perimeter_mm": math.pi * diameter,
                    "centroid_x_px": 500 + 20 * t,
                    "centroid_y_px": 300 + 20 * s,
                }
            )
        return self

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        return pd.DataFrame(self.measurements), pd.DataFrame(self.photos)

    def track(self, **more: Any) -> pd.DataFrame:
        return track(*self.tables(), protocol=PROTOCOL, **more)

    def states(self, **more: Any) -> list[tuple[str, str, str]]:
        """Visit, number of the ulcer on its finger, and state, by date, ulcer and photo."""
        table = self.track(**more).sort_values(["date", "ulcer_id", "photo", "label"])
        rows = zip(table["visit"], table["ulcer_id"].str.rsplit("-", n=1).str[1], table["state"], strict=True)
        return list(rows)


def flags_of(tracked: pd.DataFrame, row: int | None = None) -> list[Flag]:
    """The flags of one row by its position, or of all rows in order."""
    cells = tracked["flags"] if row is None else tracked["flags"].iloc[[row]]
    return [flag for cell in cells for flag in read_flags(cell)]
