"""The main job on real photographs: `python tests/studies/real_photos.py [DATA] [OUT]`.

Builds a study folder from twenty photographed wounds (the scale stated as 10 px/mm, since nobody knows theirs), healthy
hands, a bank card alone and a text file renamed .jpg, runs it twice, automatically and with a click on each wound's
inmost point, and says what was measured. Nothing of the photographs is kept in the project.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from click.testing import CliRunner

from ulcermeter import read_results, tables
from ulcermeter.cli import main as ulcermeter

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VISITS = (("baseline", "2024-05-06"), ("week 4", "2024-06-03"))
FINGER = {"hand": "right", "finger": "index", "reference": "scale:10", "reference_on": "skin"}


def inmost_point(mask: np.ndarray) -> tuple[int, int]:
    """Return the (x, y) of the pixel farthest from the mask's edge."""
    distance = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(distance)), distance.shape)
    return int(x), int(y)


def wound_photos(data: Path, n: int = 20) -> list[Path]:
    """Return the first `n` photos of fuseg/dev, by name, whose mask holds a wound."""
    masks = sorted((data / "fuseg" / "dev" / "masks").glob("*.png"))
    held = [m for m in masks if cv2.imread(str(m), cv2.IMREAD_GRAYSCALE).any()][:n]
    return [data / "fuseg" / "dev" / "photos" / f"{m.stem}.jpg" for m in held]


def build_study(data: Path, out: Path, *, clicks: bool) -> Path:
    """Write the study folder and return it."""
    out.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for index, photo in enumerate(wound_photos(data)):
        visit, date = VISITS[index % 2]
        shutil.copy(photo, out / f"wound_{photo.name}")
        row: dict[str, Any] = {"photo": f"wound_{photo.name}", "subject_id": f"S{index // 2 + 1:02d}"}
        if clicks:
            mask = cv2.imread(str(data / "fuseg" / "dev" / "masks" / f"{photo.stem}.png"), cv2.IMREAD_GRAYSCALE)
            row["x"], row["y"] = inmost_point(mask > 127)
        rows.append(row | {"visit": visit, "date": date} | FINGER)
    others = [*sorted((data / "hands_healthy").glob("*.jpg")), *sorted((data / "hand_card").glob("*card_only.jpg"))]
    for index, photo in enumerate(others):
        shutil.copy(photo, out / f"clear_{photo.name}")
        row = {
            "photo": f"clear_{photo.name}",
            "subject_id": f"S{index + 11}",
            "visit": "screening",
            "date": "2024-04-22",
        }
        rows.append(row | FINGER)
    (out / "broken.jpg").write_text("this is a text file\n", encoding="utf-8")
    rows.append({"photo": "broken.jpg", "subject_id": "S90", "visit": "screening", "date": "2024-04-22"} | FINGER)
    pd.DataFrame(rows).to_csv(out / "photos.csv", index=False)
    return out


def run(study: Path, results: Path) -> dict[str, Any]:
    """Run the main job through its command and return what came out."""
    answer = CliRunner().invoke(ulcermeter, ["run", str(study), "-o", str(results), "--jobs", "2"])
    record = read_results(results)
    for name in ("photos", "measurements", "trajectories", "eligibility", "eligibility_summary", "outcomes_by_subject"):
        tables.conform(name, getattr(record, name), extra=True)
    photos = record.photos
    wounds = photos[photos["photo"].str.startswith("wound_")]
    clear = photos[photos["photo"].str.startswith("clear_")]
    return {
        "exit_code": answer.exit_code,
        "rows_in": len(pd.read_csv(study / "photos.csv")),
        "rows_out": len(photos),
        "status": photos["status"].value_counts().to_dict(),
        "failed": photos.loc[photos["status"] == "failed", "photo"].tolist(),
        "wounds_measured": int((wounds["status"] == "measured").sum()),
        "wounds": len(wounds),
        "ulcers_claimed_on_clear": int(clear["n_ulcers"].fillna(0).sum()),
        "refusals": wounds.loc[wounds["status"] == "refused", "reason"].tolist(),
    }


def study(data: Path, out: Path) -> dict[str, dict[str, Any]]:
    """Run both ways and return both answers."""
    answers = {}
    for way in ("automatic", "click"):
        folder = build_study(data, out / f"study_{way}", clicks=way == "click")
        answers[way] = run(folder, out / f"results_{way}")
    return answers


if __name__ == "__main__":
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch)
        print(json.dumps(study(data, where), indent=2))
