"""A whole study of drawn photos: visits, healing courses, and truth beside them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ulcermeter.errors import Problem, StudyError, UlcermeterError
from ulcermeter.phantom.drawing import Phantom, draw_phantom
from ulcermeter.phantom.files import write_phantom
from ulcermeter.phantom.sampling import random_spec
from ulcermeter.phantom.specs import PhantomSpec, UlcerSpec

# Days after treatment of the visits a phantom study can have, by the trial's names for them.
VISIT_DAY = {
    "history": -120,
    "screening": -14,
    "baseline": 0,
    "48h": 2,
    "week 2": 14,
    "week 4": 28,
    "week 8": 56,
    "week 12": 84,
    "week 24": 168,
    "week 52": 364,
}
USUAL_VISITS = ("screening", "baseline", "week 4", "week 8", "week 12")
# Change of ln(area) per week of each course; the last one only wavers.
COURSES = {"heals": -0.45, "improves": -0.10, "worsens": 0.08, "stays": 0.0}
# A drawn ulcer under this diameter counts as closed, mm (assumption).
CLOSED_BELOW_MM = 0.5
VIEW_OF_SIDE = {"nail": "dorsal", "pulp": "palmar", "radial": "radial", "ulnar": "ulnar"}
# Day 0 of the first subject; any day serves.
TREATED_FROM = dt.date(2024, 3, 4)
# What a subject's photos are drawn with, uniformly between, and how they differ from visit to visit; all assumption, in
# the units of `ulcermeter.phantom.specs`.
_DIAMETER_MM, _TILT_DEG, _PX_PER_MM = (1.6, 5.5), (0.0, 15.0), (14.0, 18.0)
_ROLL_DEG, _SCALE, _EXPOSURE_EV, _LAMP_DEG = (-6.0, 6.0), (0.93, 1.07), (-0.3, 0.1), (-25.0, 25.0)
# Of subjects, years, from and below.
_AGE = (32, 75)
# What ln(area) wavers by, sd; the most that an ulcer grows to, mm: a fingertip's half; and its diameter over its depth,
# at least.
_WAVER, _LARGEST_MM, _DIAMETERS_DEEP = 0.03, 9.0, 5
# Days from inclusion to treatment, and the hour of every photo; any serve.
_INCLUDED_BEFORE, _TAKEN_AT = 3, dt.time(9, 30)
# Where a finger without an open ulcer is looked at, in radii from the tip.
_LOOKED_AT = 1.2

PHOTO_COLUMNS = (
    "photo", "subject_id", "visit", "date", "hand", "finger", "view", "reference", "reference_on"
)  # fmt: skip
SUBJECT_COLUMNS = (
    "subject_id", "consent_date", "screening_date", "inclusion_date", "treatment_date", "sex", "age", "injected_limb"
)  # fmt: skip
TRUTH_COLUMNS = (
    "photo", "subject_id", "visit", "date", "hand", "finger", "true_ulcer", "course", "open", "diameter_mm", "width_mm",
    "area_mm2", "surface_area_mm2", "perimeter_mm", "centroid_x_px", "centroid_y_px", "finger_s_mm", "finger_t_mm",
    "slope_deg", "px_per_mm", "tilt_deg", "distance_mm",
)  # fmt: skip
# Only a drawn study has the true outlines; written first, so that a drawing that was stopped can be drawn again.
_SIGN = "truth_outlines.csv"
OUTLINE_COLUMNS = ("photo", "hand", "finger", "label", "vertex", "x_px", "y_px")


@dataclass(frozen=True)
class _Subject:
    """A made-up subject: one finger, its ulcers and the course each takes."""

    subject_id: str
    base: PhantomSpec
    courses: tuple[str, ...]
    hand: str
    finger: str
    treated: dt.date
    age: int
    sex: str


def write_study(
    out: str | Path,
    *,
    n_subjects: int = 4,
    visits: Sequence[str] = USUAL_VISITS,
    seed: int = 0,
    reference: str = "aruco",
    place: str = "skin",
    size_px: tuple[int, int] = (1600, 1200),
    on_photo: Callable[[str], None] | None = None,
) -> Path:
    """Write a study folder of drawn photos, and what is true of them.

    Writes ``photos.csv`` and ``subjects.csv`` (a study's inputs), ``truth.csv`` (a row per ulcer and photo; ``open``
    no once it has closed, its sizes then empty; lengths in mm on the skin, ``area_mm2`` in the reference's plane,
    ``finger_t_mm`` the arc length from the mid-line facing the camera, positive to the right when the fingertip points
    up), ``truth_outlines.csv`` (the true outlines in upright photo pixels, ``label`` as ``true_ulcer``) and the JPEGs.
    The same arguments give the same bytes.

    Parameters
    ----------
    out
        The folder to write; made when missing.
    n_subjects, visits, seed
        How many subjects, at which of the trial's visits, from which seed.
    reference, place
        Kind of reference and where it lies ('skin' or 'table').
    size_px
        Width and height of the photos.
    on_photo
        Called with each photo's name once it is written.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UlcermeterError
        For a visit of another name, or no subject.
    StudyError
        The folder holds a study that was not drawn, or other files; nothing was written.
    """
    unknown = [v for v in visits if v not in VISIT_DAY]
    if unknown or n_subjects < 1:
        raise UlcermeterError(Problem(expected=f"a subject and visits among {', '.join(VISIT_DAY)}", got=str(unknown)))
    folder = _writable_folder(Path(out))
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _SIGN, OUTLINE_COLUMNS, [])
    subjects = [_subject(k, seed, reference, place, size_px) for k in range(n_subjects)]
    photos: list[tuple[object, ...]] = []
    truths: list[tuple[object, ...]] = []
    outlines: list[tuple[object, ...]] = []
    for subject in subjects:
        for visit in visits:
            phantom, open_now = _visit_photo(subject, visit)
            row = _photo_row(subject, visit, phantom)
            write_phantom(phantom, folder / str(row[0]))
            photos.append(row)
            truths += _truth_rows(subject, row, phantom, open_now)
            outlines += _outline_rows(row, phantom, open_now)
            if on_photo is not None:
                on_photo(str(row[0]))
    _write(folder / "photos.csv", PHOTO_COLUMNS, photos)
    _write(folder / "subjects.csv", SUBJECT_COLUMNS, [_subject_row(s) for s in subjects])
    _write(folder / "truth.csv", TRUTH_COLUMNS, truths)
    _write(folder / _SIGN, OUTLINE_COLUMNS, outlines)
    return folder


def _writable_folder(folder: Path) -> Path:
    """Return a folder that is new, empty or of an earlier drawing; a real study's tables must not be overwritten."""
    if not folder.is_dir() or not any(folder.iterdir()) or (folder / _SIGN).is_file():
        return folder
    got = "a study that was not drawn" if (folder / "photos.csv").exists() else "one that holds other files"
    raise StudyError(
        Problem(
            where=str(folder),
            expected="a new or empty folder, or one of drawn photos",
            got=str(got),
            action="choose another name",
        )
    )


def _subject(number: int, seed: int, reference: str, place: str, size_px: tuple[int, int]) -> _Subject:
    """Make up one subject; the courses take turns, so that each occurs."""
    rng = np.random.default_rng([41, seed, number])
    n_ulcers = 2 if number % 3 == 1 else 1
    base = random_spec(
        int(rng.integers(2**31)),
        diameter_mm=_DIAMETER_MM,
        tilt_deg=_TILT_DEG,
        px_per_mm=_PX_PER_MM,
        reference=reference,
        place=place,
        n_ulcers=n_ulcers,
        size_px=size_px,
    )
    names = list(COURSES)
    return _Subject(
        subject_id=f"S{number + 1:02d}",
        base=base,
        courses=tuple(names[(number + k) % len(names)] for k in range(n_ulcers)),
        hand=str(rng.choice(["left", "right"])),
        finger=str(rng.choice(["index", "middle", "ring", "little"])),
        treated=TREATED_FROM + dt.timedelta(days=7 * number),
        age=int(rng.integers(*_AGE)),
        sex=str(rng.choice(["female", "female", "female", "male"])),
    )


def _visit_photo(subject: _Subject, visit: str) -> tuple[Phantom, tuple[int, ...]]:
    """Draw a subject's finger at a visit; return it with the indices of the ulcers still open."""
    rng = np.random.default_rng([43, subject.base.seed, VISIT_DAY[visit] + 1000])
    at_visit = [_at_visit(u, c, visit, rng) for u, c in zip(subject.base.ulcers, subject.courses, strict=True)]
    open_now = tuple(k for k, ulcer in enumerate(at_visit) if ulcer.diameter_mm >= CLOSED_BELOW_MM)
    base = subject.base
    assert base.finger is not None
    first = at_visit[open_now[0]].s_mm if open_now else _LOOKED_AT * base.finger.radius_mm
    moved = base.ulcers[0].s_mm - first
    camera = replace(
        base.camera,
        tilt_deg=float(rng.uniform(*_TILT_DEG)),
        azimuth_deg=float(rng.uniform(-180, 180)),
        roll_deg=base.camera.roll_deg + float(rng.uniform(*_ROLL_DEG)),
        px_per_mm=base.camera.px_per_mm * float(rng.uniform(*_SCALE)),
        aim_mm=(base.camera.aim_mm[0], base.camera.aim_mm[1] + moved),
        exposure_ev=float(rng.uniform(*_EXPOSURE_EV)),
    )
    offset = (base.reference.offset_mm[0], base.reference.offset_mm[1] + moved)
    day = subject.treated + dt.timedelta(days=VISIT_DAY[visit])
    spec = replace(
        base,
        ulcers=tuple(at_visit[k] for k in open_now),
        reference=replace(base.reference, offset_mm=offset),
        camera=camera,
        light=replace(base.light, azimuth_deg=base.light.azimuth_deg + float(rng.uniform(*_LAMP_DEG))),
        taken_at=dt.datetime.combine(day, _TAKEN_AT),
        seed=int(rng.integers(2**31)),
    )
    return draw_phantom(spec), open_now


def _at_visit(ulcer: UlcerSpec, course: str, visit: str, rng: np.random.Generator) -> UlcerSpec:
    """Return the ulcer as its course has it at a visit: ln(area) moves in a straight line from treatment on."""
    weeks = max(VISIT_DAY[visit], 0) / 7
    size = ulcer.diameter_mm * float(np.exp(0.5 * COURSES[course] * weeks + 0.5 * rng.normal(0, _WAVER)))
    return replace(ulcer, diameter_mm=min(size, _LARGEST_MM), depth_mm=min(ulcer.depth_mm, size / _DIAMETERS_DEEP))


def _photo_row(subject: _Subject, visit: str, phantom: Phantom) -> tuple[object, ...]:
    """Return the photo's row of photos.csv."""
    reference = phantom.spec.reference
    sized = {"aruco": f"aruco:{reference.size_mm:g}", "apriltag": f"aruco:{reference.size_mm:g}",
             "disc": f"disc:{reference.size_mm:g}", "none": ""}  # fmt: skip
    assert phantom.spec.taken_at is not None and phantom.spec.finger is not None
    return (
        f"{subject.subject_id}_{visit.replace(' ', '_')}.jpg",
        subject.subject_id,
        visit,
        phantom.spec.taken_at.date().isoformat(),
        subject.hand,
        subject.finger,
        VIEW_OF_SIDE[phantom.spec.finger.side],
        sized.get(reference.kind, reference.kind),
        reference.place if reference.kind != "none" else "",
    )


def _subject_row(subject: _Subject) -> tuple[object, ...]:
    """Return the subject's row of subjects.csv."""
    screened = (subject.treated + dt.timedelta(days=VISIT_DAY["screening"])).isoformat()
    treated = subject.treated.isoformat()
    included = (subject.treated - dt.timedelta(days=_INCLUDED_BEFORE)).isoformat()
    return (subject.subject_id, screened, screened, included, treated, subject.sex, subject.age, subject.hand)


def _truth_rows(
    subject: _Subject, row: tuple[object, ...], phantom: Phantom, open_now: tuple[int, ...]
) -> Iterable[tuple[object, ...]]:
    """Yield a row of truth.csv per ulcer the subject ever has."""
    truth = phantom.truth
    whole = tuple(f"{v:.4f}" for v in (truth.tilt_deg, truth.distance_mm))
    for number, (ulcer, course) in enumerate(zip(subject.base.ulcers, subject.courses, strict=True)):
        head = (*row[:6], number + 1, course)
        if number not in open_now:
            yield (*head, "no", *[""] * 7, f"{ulcer.s_mm:.4f}", f"{ulcer.t_mm:.4f}", "", "", *whole)
            continue
        found = truth.ulcers[open_now.index(number)]
        sizes = (found.diameter_mm, found.width_mm, found.area_plane_mm2, found.area_surface_mm2, found.perimeter_mm)
        places = (*found.centroid_px, found.s_mm, found.t_mm, found.slope_deg, found.px_per_mm)
        yield (*head, "yes", *[f"{v:.4f}" for v in (*sizes, *places)], *whole)


def _outline_rows(row: tuple[object, ...], phantom: Phantom, open_now: tuple[int, ...]) -> Iterable[tuple[object, ...]]:
    """Yield the true outlines, every fourth of their points."""
    for number, ulcer in zip(open_now, phantom.truth.ulcers, strict=True):
        for vertex, (x_px, y_px) in enumerate(ulcer.outline_px[::4]):
            yield (row[0], row[4], row[5], number + 1, vertex, f"{x_px:.4f}", f"{y_px:.4f}")


def _write(path: Path, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """Write a CSV with unix line ends."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
