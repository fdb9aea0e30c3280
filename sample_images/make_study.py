"""Draw the sample study: `python sample_images/make_study.py [OUT]` writes the folder `sample_images/study` anew.

The photos are phantoms and hands, drawn from the subjects' histories in `subjects.py`; the same version of the package
gives the same bytes. Beside the study's own files it writes what is true and what must come out: truth.csv,
truth_eligibility.csv and truth_verdicts.csv; and truth_readings.csv, two readers' outlines with stated errors. No
measurement enters them. What comes late is written into the folder `late` beside the study.
"""

from __future__ import annotations

import csv
import random
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from clinic import day_of, ulcer_id, write_csv, write_study_table, write_what_needs_no_photo
from hand_photos import HandPhoto, HandPhotoSpec, HandTruth, draw_hand
from scenes import HandScene
from subjects import SUBJECTS, Outline, Shot, SubjectHistory

from ulcermeter import phantom as ph

VIEW = {"pulp": "palmar", "nail": "dorsal", "radial": "radial", "ulnar": "ulnar"}
FINGER_RADIUS_MM = {"thumb": 10.0, "index": 8.0, "middle": 8.3, "ring": 7.8, "little": 6.9}
TRUTH = [
    *("photo", "subject_id", "visit", "date", "hand", "finger", "ulcer_id", "state", "merged_into", "flag"),
    *("diameter_mm", "width_mm", "area_plane_mm2", "area_surface_mm2"),
    *("centroid_x_px", "centroid_y_px", "s_mm", "t_mm"),
    *("expected_status", "expected_reason"),
]
# The folder of photos that reach the study after its first run.
LATE = "late"
READINGS = ["photo", "subject_id", "hand", "finger", "reader", "occasion", "label", "vertex", "x_px", "y_px"]


def rng_of(*names: object) -> np.random.Generator:
    """Return a generator that depends on the names alone."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def phantom_spec(history: SubjectHistory, shot: Shot) -> ph.PhantomSpec:
    """Describe one photo: the subject's finger, the visit's ulcers, a camera held a little differently each time."""
    rng = rng_of(history.subject_id, shot.visit, shot.day)
    own = rng_of(history.subject_id)
    radius = FINGER_RADIUS_MM[history.finger]
    finger = ph.FingerSpec(
        radius_mm=radius,
        side=history.side,
        skin_tone=history.skin_tone,
        mottling=float(own.uniform(0.2, 0.6)),
        tightness=float(own.uniform(0.3, 0.7)),
        seed=int(own.integers(1 << 30)),
    )
    # A phantom is placed from its first ulcer, or from the end phalanx (1.2 radii from the tip) when it has none.
    outlines = shot.outlines(history.places)
    anchor_s = outlines[0].place.s_mm if outlines else 1.2 * radius
    ulcers = tuple(_ulcer(history, outline, crust=shot.crust) for outline in outlines)
    camera = ph.CameraSpec(
        px_per_mm=float(rng.uniform(15.0, 18.0)),
        tilt_deg=float(rng.uniform(1.0, 14.0)),
        azimuth_deg=float(rng.uniform(0.0, 360.0)),
        roll_deg=float(rng.uniform(-12.0, 12.0)),
        aim_mm=(float(rng.uniform(-3.0, 3.0)), 17.0 - anchor_s + float(rng.uniform(-2.0, 2.0))),
        white_balance=(float(rng.uniform(0.93, 1.07)), float(rng.uniform(0.93, 1.07))),
        vignetting=float(rng.uniform(0.05, 0.25)),
        exif_orientation=int(rng.choice([1, 1, 1, 6])),
        jpeg_quality=86,
    )
    offset_mm = (float(rng.uniform(-1.5, 1.5)), history.marker_s_mm - anchor_s)
    reference = ph.ReferenceSpec(place="skin", offset_mm=offset_mm)
    if history.reference_place == "table":
        reference = replace(reference, place="table", offset_mm=(17.0, 9.0), size_mm=12.0)
    return ph.PhantomSpec(
        finger=finger,
        ulcers=ulcers,
        reference=replace(reference, **shot.reference),
        camera=replace(camera, **shot.camera),
        light=ph.LightSpec(azimuth_deg=float(rng.uniform(-150, -60)), elevation_deg=float(rng.uniform(45, 65))),
        background=str(own.choice(["drape", "paper", "grey", "wood"])),
        taken_at=datetime.fromisoformat(day_of(history, shot.day)) + timedelta(hours=10),
        seed=int(rng.integers(1 << 30)),
    )


def hand_spec(history: SubjectHistory, shot: Shot, scene: HandScene) -> HandPhotoSpec:
    """Describe a photo of a hand: the subject's skin, the visit's ulcers, a camera held by hand."""
    rng, own = rng_of(history.subject_id, shot.visit, shot.day), rng_of(history.subject_id)
    wide, high = scene.size_px
    spec = ph.PhantomSpec(
        finger=ph.FingerSpec(skin_tone=history.skin_tone, seed=int(own.integers(1 << 30))),
        ulcers=tuple(_ulcer(history, outline, crust=shot.crust) for outline in shot.outlines(history.places)),
        reference=ph.ReferenceSpec(place="table", **scene.reference),
        camera=ph.CameraSpec(
            width_px=wide,
            height_px=high,
            px_per_mm=scene.px_per_mm,
            tilt_deg=scene.tilt_deg,
            azimuth_deg=float(rng.uniform(0.0, 360.0)),
            roll_deg=float(rng.uniform(-6.0, 6.0)),
            aim_mm=scene.aim_mm,
            white_balance=(float(rng.uniform(0.95, 1.05)), float(rng.uniform(0.95, 1.05))),
            jpeg_quality=84,
        ),
        light=ph.LightSpec(azimuth_deg=float(rng.uniform(-150, -60)), elevation_deg=float(rng.uniform(55, 70))),
        background=scene.background,
        taken_at=datetime.fromisoformat(day_of(history, shot.day)) + timedelta(hours=10),
        seed=int(rng.integers(1 << 30)),
    )
    return HandPhotoSpec(spec, scene, history.hand, history.finger)


def _ulcer(history: SubjectHistory, outline: Outline, *, crust: float) -> ph.UlcerSpec:
    place = outline.place
    return ph.UlcerSpec(
        diameter_mm=outline.diameter_mm,
        s_mm=place.s_mm,
        t_mm=place.t_mm,
        wound_bed=place.bed,
        irregularity=place.irregularity,
        aspect=place.aspect,
        angle_deg=35.0 * outline.ulcer if place.angle_deg is None else place.angle_deg,
        crust=crust,
        seed=zlib.crc32(f"{history.subject_id}/{outline.ulcer}".encode()) % (1 << 30),
    )


def photo_name(history: SubjectHistory, shot: Shot) -> str:
    """Return the photo's path in the study folder."""
    return f"photos/{history.subject_id}_{shot.visit.replace(' ', '')}_{day_of(history, shot.day)}.jpg"


def photo_rows(history: SubjectHistory, shot: Shot, truth: ph.PhantomTruth | HandTruth) -> list[dict[str, Any]]:
    """Return the rows of photos.csv for a photo: one, or one for each ulcer that has a click, or finger of a hand."""
    row: dict[str, Any] = {
        "photo": photo_name(history, shot),
        "subject_id": history.subject_id,
        "visit": shot.visit,
        "date": day_of(history, shot.day),
        "hand": history.hand,
        "finger": history.finger,
        "view": VIEW[history.side],
        "reference": "aruco:12" if history.reference_place == "table" else "aruco:10",
        "reference_on": history.reference_place,
        "covered": shot.covered,
        "reader_state": shot.reader_state,
    }
    if "size_mm" in shot.reference:
        row["reference"] = f"aruco:{shot.reference['size_mm']:g}"
    if shot.scene is not None and isinstance(truth, HandTruth):
        return [row | hand_row(shot, shot.scene, finger, truth) for finger in (history.finger, *history.also)]
    if not (history.clicks and shot.clicked):
        return [row]
    return [
        {**row, "ulcer_no": number, "x": round(float(ulcer.centroid_px[0])), "y": round(float(ulcer.centroid_px[1]))}
        for number, ulcer in zip(shot.sizes, truth.ulcers, strict=True)
    ]


def hand_row(shot: Shot, scene: HandScene, finger: str, truth: HandTruth) -> dict[str, Any]:
    """Return what a row says of a hand's photo: which finger, with a click on its ulcer or, without one, on its pad."""
    kind, size = scene.reference["kind"], scene.reference.get("size_mm")
    row = {
        "finger": finger,
        "view": {"palm": "palmar", "back": "dorsal"}[scene.side],
        "reference": kind if size is None else f"{kind}:{size:g}",
        "reference_on": "table",
    }
    x, y = truth.ulcers[0].centroid_px if truth.ulcers else truth.pads_px[finger]
    return row | {"x": round(x), "y": round(y)} if shot.clicked else row


def truth_rows(history: SubjectHistory, shot: Shot, truth: ph.PhantomTruth | None) -> list[dict[str, Any]]:
    """Return what is true of each known ulcer at a visit: a row, or one for each part of a split one.

    A photo of a subject without ulcers has one row, which names none.
    """
    if not history.places:
        return [_truth_row(history, shot)]
    drawn: dict[int, list[ph.UlcerTruth]] = {}
    if truth is not None:
        for outline, ulcer in zip(shot.outlines(history.places), truth.ulcers, strict=True):
            drawn.setdefault(outline.ulcer, []).append(ulcer)
    rows = []
    for number, state in shot.states.items():
        row = _truth_row(history, shot) | {
            "ulcer_id": ulcer_id(history, number),
            "state": state,
            "merged_into": ulcer_id(history, shot.merged_into[number]) if number in shot.merged_into else "",
            "flag": shot.flags.get(number, ""),
        }
        rows += [row | _ulcer_truth(ulcer) for ulcer in drawn[number]] if number in drawn else [row]
    return rows


def _truth_row(history: SubjectHistory, shot: Shot) -> dict[str, Any]:
    return {
        "photo": photo_name(history, shot) if shot.photographed else "",
        "subject_id": history.subject_id,
        "visit": shot.visit,
        "date": day_of(history, shot.day),
        "hand": history.hand,
        "finger": history.finger,
        "expected_status": shot.status if shot.photographed else "",
        "expected_reason": shot.reason,
    }


def _ulcer_truth(ulcer: ph.UlcerTruth) -> dict[str, float]:
    numbers = {
        name: float(getattr(ulcer, name))
        for name in ("diameter_mm", "width_mm", "area_plane_mm2", "area_surface_mm2", "s_mm", "t_mm")
    }
    x, y = (float(value) for value in ulcer.centroid_px)
    return {name: round(value, 4) for name, value in (numbers | {"centroid_x_px": x, "centroid_y_px": y}).items()}


def reading_rows(history: SubjectHistory, shot: Shot, truth: ph.PhantomTruth) -> list[dict[str, Any]]:
    """Return what two drawn readers say of a photo that can be measured: outlines, or one row without any.

    Each rim lies off the true one by an offset common to all of it (sd 0.05 mm) and a smooth wander (sd 0.03 mm);
    R2 draws 0.03 mm wider than R1, and overlooks what is under 1.8 mm. R1 reads every fifth photo a second time.
    """
    if shot.status not in ("measured", "no ulcer"):
        return []
    photo = photo_name(history, shot)
    chance = random.Random(f"readings of {photo}")
    occasions = [("R1", 1), ("R2", 1), *([("R1", 2)] if chance.random() < 0.2 else [])]
    rows = []
    for reader, occasion in occasions:
        own = {"photo": photo, "subject_id": history.subject_id, "hand": history.hand, "finger": history.finger}
        own |= {"reader": reader, "occasion": occasion}
        seen = [ulcer for ulcer in truth.ulcers if reader == "R1" or ulcer.diameter_mm >= 1.8]
        rows += [own | row for n, ulcer in enumerate(seen, start=1) for row in drawn_rim(ulcer, n, reader, chance)]
        rows += [] if seen else [own]
    return rows


def drawn_rim(ulcer: ph.UlcerTruth, label: int, reader: str, chance: random.Random) -> list[dict[str, Any]]:
    """Return a reader's rim of an ulcer, 36 vertices."""
    points = ulcer.outline_px[np.linspace(0, len(ulcer.outline_px), 36, endpoint=False).astype(int)]
    turn = 2 * np.pi * np.arange(len(points)) / len(points)
    off = np.full(len(points), chance.gauss(0.03 if reader == "R2" else 0.0, 0.05))
    for wave in (2, 3, 4, 5):
        off += 0.03 / 2 * (chance.gauss(0, 1) * np.cos(wave * turn) + chance.gauss(0, 1) * np.sin(wave * turn))
    out = points - points.mean(axis=0)
    rim = points + (off * ulcer.px_per_mm)[:, None] * out / np.linalg.norm(out, axis=1, keepdims=True)
    return [
        {"label": label, "vertex": k, "x_px": round(float(x), 2), "y_px": round(float(y), 2)}
        for k, (x, y) in enumerate(rim)
    ]


def draw(history: SubjectHistory, shot: Shot) -> ph.Phantom | HandPhoto:
    """Draw one photo: a finger, or a hand."""
    if shot.scene is None:
        return ph.draw_phantom(phantom_spec(history, shot))
    return draw_hand(hand_spec(history, shot, shot.scene))


@dataclass
class Drawn:
    """The rows that photos give: of photos.csv, of what is true on them, of two readers' outlines."""

    photos: list[dict[str, Any]] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)


def draw_photos(out: Path, shots: Iterable[tuple[SubjectHistory, Shot]]) -> Drawn:
    """Draw every photo into the folder."""
    (out / "photos").mkdir(parents=True, exist_ok=True)
    rows = Drawn()
    for history, shot in shots:
        truth = None
        if shot.photographed:
            picture = draw(history, shot)
            ph.write_phantom(picture, out / photo_name(history, shot))
            truth = picture.truth
            rows.photos += photo_rows(history, shot, truth)
            rows.readings += reading_rows(history, shot, truth)
        rows.truth += truth_rows(history, shot, truth)
    return rows


def main(out: Path) -> None:
    """Draw every photo and write every table."""
    out.mkdir(parents=True, exist_ok=True)
    write_what_needs_no_photo(out, SUBJECTS)
    drawn = draw_photos(out, [(history, shot) for history in SUBJECTS for shot in history.shots])
    write_study_table(out, "photos", drawn.photos)
    write_csv(out / "truth.csv", TRUTH, drawn.truth)
    write_csv(out / "truth_readings.csv", READINGS, drawn.readings)
    write_late(out)


def write_late(study: Path) -> None:
    """Draw what comes late into the folder beside the study, with the study's columns."""
    out = study.parent / LATE
    late = draw_photos(out, [(history, shot) for history in SUBJECTS for shot in history.late])
    with (study / "photos.csv").open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    write_csv(out / "photos.csv", header, [{key: row.get(key, "") for key in header} for row in late.photos])
    write_csv(out / "truth.csv", TRUTH, late.truth)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "study")
