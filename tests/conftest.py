"""A tiny study that every end-to-end test shares: two ulcers, one refusal, one file that is no picture."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from kept_processes import KeptProcesses

from ulcermeter.phantom import (
    CameraSpec,
    FingerSpec,
    PhantomSpec,
    ReferenceSpec,
    UlcerSpec,
    draw_phantom,
    write_phantom,
)

# A law that holds is no less a law on a busy machine: no example has a deadline, in any test.
# The same examples every time, so that a clean checkout passes or fails by what it holds and not by its luck;
# ``--hypothesis-profile search`` draws new ones.
settings.register_profile("search", deadline=None)
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.load_profile("fixed")

CAMERA = CameraSpec(width_px=960, height_px=720, px_per_mm=13.0, tilt_deg=6.0, azimuth_deg=30.0)
HEADER = "photo,subject_id,visit,date,hand,finger,view,reference,reference_on,x,y"
ROWS = (
    "photos/S01_screening.jpg,S01,screening,2024-03-01,left,index,palmar,aruco:10,skin,{x},{y}",
    "photos/S01_baseline.jpg,S01,baseline,2024-03-11,left,index,palmar,aruco:10,skin,,",
    "photos/S02_screening.jpg,S02,screening,2024-03-02,right,ring,palmar,aruco:10,skin,,",
    "photos/S02_baseline.jpg,S02,baseline,2024-03-12,right,ring,palmar,aruco:10,skin,,",
)


def draw(size_mm: float, *, reference: str = "aruco", seed: int = 4) -> PhantomSpec:
    ulcers = (UlcerSpec(diameter_mm=size_mm, s_mm=10.0, t_mm=0.6, seed=seed),)
    return PhantomSpec(
        finger=FingerSpec(seed=seed),
        ulcers=ulcers,
        reference=ReferenceSpec(kind=reference, offset_mm=(0.0, 17.0)),
        camera=replace(CAMERA),
        seed=seed,
    )


@pytest.fixture(scope="session", autouse=True)
def _kept_processes(request: pytest.FixtureRequest) -> Iterator[KeptProcesses]:
    """Keep measuring processes from run to run; `tests/isolation` tests how they start and end, and does not."""
    kept = KeptProcesses()
    with pytest.MonkeyPatch.context() as patch:
        kept.keep(patch)
        yield kept
    kept.close()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder as it came; tests that change it take a copy (`tiny_study`)."""
    root = tmp_path_factory.mktemp("drawn") / "study"
    (root / "photos").mkdir(parents=True)
    first = draw_phantom(draw(4.0))
    write_phantom(first, root / "photos" / "S01_screening.jpg")
    write_phantom(draw_phantom(draw(3.4)), root / "photos" / "S01_baseline.jpg")
    write_phantom(draw_phantom(draw(3.0, reference="none", seed=5)), root / "photos" / "S02_screening.jpg")
    (root / "photos" / "S02_baseline.jpg").write_text("this is a text file\n")
    x, y = (round(float(v), 1) for v in first.truth.ulcers[0].centroid_px)
    rows = [row.format(x=x, y=y) for row in ROWS]
    (root / "photos.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (root / "subjects.csv").write_text(
        "subject_id,consent_date,screening_date,inclusion_date,treatment_date,sex,age,injected_limb\n"
        "S01,2024-02-28,2024-03-01,2024-03-05,2024-03-11,female,54,left\n"
        "S02,2024-02-28,2024-03-02,2024-03-05,2024-03-12,male,61,right\n",
        encoding="utf-8",
    )
    return root


@pytest.fixture
def tiny_study(drawn: Path, tmp_path: Path) -> Path:
    """Return a copy of the drawn study that a test may change."""
    return Path(shutil.copytree(drawn, tmp_path / "study"))


@pytest.fixture(scope="session")
def finished(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results folder of the drawn study, run once in one process."""
    from ulcermeter.pipeline import run_study

    out = tmp_path_factory.mktemp("finished") / "results"
    run_study(drawn, out)
    return out


@pytest.fixture
def csv_bytes() -> Callable[[Path], dict[str, bytes]]:
    """Return a function that reads every CSV file of a folder."""
    return lambda folder: {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}
