"""Bent markers: `python tests/studies/bent.py [N] [--first SEED]`.

N drawn markers of 10 mm (by default 200), bent round cylinders of 8 to 60 mm or flat, in any turn, seen by phones of
any tilt up to 30 degrees. Printed: what is refused and by which sentence, crashes, how often the scale 10 to 20 mm
beside the marker lies within 1.96 of its standard errors, for what calibrates and for what passes the scale's gate too,
and the largest error. Seeds from 10000 on were used to choose the widening and are not reported on.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "calibration"))
from bent_markers import chance, draw_bent, true_px_per_mm, ulcer_px

from ulcermeter.calibration import calibrate
from ulcermeter.errors import Refusal
from ulcermeter.protocol import read_protocol

PROTOCOL = read_protocol()


def one(seed: int) -> dict[str, object]:
    """Draw one and calibrate by it."""
    bent = chance(seed)
    row: dict[str, object] = {"seed": seed, "radius": bent.radius_mm or np.inf, "tilt": bent.tilt_deg, "why": ""}
    photo = draw_bent(bent)
    try:
        calibration = calibrate(photo, reference="aruco:10", protocol=PROTOCOL)
    except Refusal as refusal:
        return row | {"why": re.sub(r"\(.*?\)|\b\d[\d.]*|DICT_\S+", "N", str(refusal))[:90]}
    except Exception as error:  # noqa: BLE001 - to be counted
        return row | {"why": f"CRASH {type(error).__name__}"}
    at = ulcer_px(bent)
    error = calibration.px_per_mm(at) / true_px_per_mm(bent) - 1
    return row | {"error_pct": 100 * error, "se_pct": 100 * calibration.scale_se(at)}


def main(count: int, first: int) -> None:
    """Draw, calibrate, print."""
    table = pd.DataFrame([one(seed) for seed in range(first, first + count)])
    print(f"{count} markers; crashes: {table['why'].str.startswith('CRASH').sum()}")
    print(table.loc[table["why"] != "", "why"].value_counts().to_string())
    for name, rows in (("flat", table[np.isinf(table["radius"])]), ("bent", table[np.isfinite(table["radius"])])):
        told = rows[rows["why"] == ""]
        passing = told[told["se_pct"] <= PROTOCOL.gates.scale_se_max_pct]
        print(
            f"{name}: {len(rows)}; refused {len(rows) - len(told)}, by the scale's gate too {len(rows) - len(passing)}"
        )
        for what, some in (("calibrated", told), ("passing the gate", passing)):
            covered = (some["error_pct"].abs() <= 1.96 * some["se_pct"]).mean()
            print(
                f"  {what}: n={len(some)}, scale covered {100 * covered:.1f} %, largest error "
                f"{some['error_pct'].abs().max():.2f} %, median standard error {some['se_pct'].median():.2f} %"
            )


if __name__ == "__main__":
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    main(given.count, given.first)
