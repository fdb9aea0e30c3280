"""The notebooks run as they stand, on a few subjects of the sample study, and are kept without outputs."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

import ulcermeter as um

nbformat = pytest.importorskip("nbformat", reason="needs the extra `notebook`")
nbclient = pytest.importorskip("nbclient", reason="needs the extra `notebook`")

REPOSITORY = Path(__file__).parent.parent
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
# One course of six visits, and three single photos that a reader read twice.
SUBJECTS = ("S01", "S08", "S15", "S22")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's layout with a few subjects in it, measured once: the notebooks go on from there."""
    root = tmp_path_factory.mktemp("desk")
    study = root / "sample_images" / "study"
    study.mkdir(parents=True)
    (root / "notebooks").mkdir()
    for table in (REPOSITORY / "notebooks").glob("*.csv"):
        shutil.copy(table, root / "notebooks")
    whole = REPOSITORY / "sample_images" / "study"
    for path in whole.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        kept = [row for row in rows if row[header.index("subject_id")] in SUBJECTS]
        with (study / path.name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *kept])
    shutil.copytree(
        whole / "photos", study / "photos", ignore=lambda _, names: {n for n in names if n[:3] not in SUBJECTS}
    )
    um.run_study(study, root / "results")
    shutil.copytree(root / "results", root / "results_readers")
    return root


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["healing_curves", "one_photo", "readers", "validation"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in book.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_needs_only_the_public_names(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    lines = [line for cell in book.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert [line for line in lines if "import" in line and "ulcermeter" in line] == ["import ulcermeter as um"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, desk: Path) -> None:
    book = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(desk / "notebooks")}}
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources=where).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert any("image/png" in o.get("data", {}) or "image/svg+xml" in o.get("data", {}) or
               "image/jpeg" in o.get("data", {}) for o in shown)  # fmt: skip
