"""Imports go down only, and importing the package stays light: both are read off the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ulcermeter"

# A room may import only rooms of a lower level. Rooms of one level do not know each other.
LEVELS = [
    {"errors", "files", "manual"},
    {"reference", "geometry", "statistics"},
    {"tables", "provenance", "networks", "isolation"},
    {"protocol"},
    {"datatypes"},
    {"wording"},
    {
        "calibration",
        "quality",
        "segmentation",
        "finger",
        "planimetry",
        "tracking",
        "healing",
        "eligibility",
        "agreement",
        "photo",
        "phantom",
    },
    {"outcomes", "study", "store", "plots", "readings"},
    {"report", "queries"},
    {"pipeline"},
    {"validation", "review"},
    {"cli"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
STAGES = {
    "calibration",
    "quality",
    "segmentation",
    "finger",
    "planimetry",
    "tracking",
    "healing",
    "eligibility",
    "outcomes",
    "agreement",
}
FOR_STAGES = {
    "datatypes",
    "tables",
    "protocol",
    "errors",
    "files",
    "wording",
    "networks",
    "reference",
    "geometry",
    "statistics",
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Rooms of this package that a file names in an import, wherever the statement stands."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "ulcermeter" else [f"ulcermeter.{a.name}" for a in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("ulcermeter.")}
    return rooms - {"__version__"}


FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    assert room in LEVEL, f"{room} stands in no level: add it to LEVELS where it belongs"
    # datatypes and tables may name each other's types; a room may import itself.
    for other in imports(path) - {room}:
        assert LEVEL[other] < LEVEL[room], f"{path.name} ({room}) imports {other}, which is not below it"


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in STAGES], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_stage_knows_no_other_stage(path: Path) -> None:
    allowed = FOR_STAGES | {room_of(path)} | ({"healing"} if room_of(path) == "outcomes" else set())
    assert imports(path) <= allowed


# What a folder inside calibration may import of it; the files beside the folders may import all of them.
INSIDE_CALIBRATION = {
    "geometry": {"geometry"},
    "features": {"features", "geometry"},
    "card": {"card", "features", "geometry"},
    "references": {"references", "card", "features", "geometry"},
}


def folders_of_calibration(path: Path) -> set[str]:
    """Folders or files of calibration that a file names in an import."""
    names = [n.module for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ImportFrom)]
    return {n.split(".")[2] for n in names if n and n.startswith("ulcermeter.calibration.")}


@pytest.mark.parametrize("folder", INSIDE_CALIBRATION)
def test_inside_calibration_imports_go_down_too(folder: str) -> None:
    for path in (PACKAGE / "calibration" / folder).glob("*.py"):
        assert folders_of_calibration(path) <= INSIDE_CALIBRATION[folder], path.name


def test_no_two_files_import_each_other() -> None:
    """Follow every import, of types too: a circle is a design that nobody can take apart."""
    arrows: dict[str, set[str]] = {}
    for path in FILES:
        name = ".".join(["ulcermeter", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        found = [n.module for n in tree if isinstance(n, ast.ImportFrom) and path.name != "__init__.py"]
        arrows[name] = {n for n in found if n and n.startswith("ulcermeter.")}

    def reach(name: str, seen: set[str]) -> set[str]:
        for other in arrows.get(name, set()) - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    assert not [name for name in arrows if name in reach(name, set())]


def test_only_plots_and_the_card_draw_figures() -> None:
    users = {room_of(p) for p in FILES if "matplotlib" in p.read_text(encoding="utf-8")}
    assert users <= {"plots"}


def test_phantoms_share_no_code_with_the_measuring_side() -> None:
    # `datatypes.arrays` holds names of numpy's types and nothing that runs.
    for path in FILES:
        if room_of(path) == "phantom":
            text = path.read_text(encoding="utf-8").replace("from ulcermeter.datatypes.arrays import", "")
            assert imports(path) <= {"phantom", "errors", "datatypes"}
            assert "ulcermeter.datatypes" not in text, path


def test_files_stay_readable() -> None:
    long = {str(p.relative_to(PACKAGE)): n for p in FILES if (n := len(p.read_text().splitlines())) > 430}
    assert not long, f"files past about 400 lines become a folder of the same name: {long}"


def test_import_is_light() -> None:
    heavy = ["matplotlib", "pandas", "click", "torch", "onnxruntime", "cv2"]
    code = f"import sys, ulcermeter; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_only_the_command_line_prints() -> None:
    for path in FILES:
        if room_of(path) == "cli":
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"], path
