"""The small languages inside a cell: boxes, clicks and paths that stay in the study folder."""

from __future__ import annotations

import re
from pathlib import Path

from ulcermeter.errors import Problem, StudyError

__all__ = ["TOE", "is_toe", "parse_box", "path_fault"]

_TOE = re.compile(r"\b(toe|toes|hallux|foot|feet|teen|tenen|orteil|zehe)\b", re.IGNORECASE)
TOE = Problem(
    "toes are refused, since the trial counts ulcers of the fingers only and finger coordinates do not hold on a toe",
    action="leave the row out",
)


def is_toe(text: str) -> bool:
    """Tell whether a hand or finger cell speaks of a foot.

    Parameters
    ----------
    text : str
        A cell's text.

    Returns
    -------
    bool
    """
    return bool(_TOE.search(text.replace("_", " ")))


def parse_box(text: str) -> tuple[float, float, float, float] | None:
    """Read a box.

    Parameters
    ----------
    text : str
        ``x y width height`` in photo pixels, parted by spaces or commas; empty for none.

    Returns
    -------
    (float, float, float, float) or None

    Raises
    ------
    StudyError
        Not four numbers, or no width or height.
    """
    if not text.strip():
        return None
    try:
        x, y, width, height = (float(part) for part in re.split(r"[\s,]+", text.strip()))
    except ValueError:
        raise StudyError(Problem(expected="a box as 'x y width height' in px", got=f"'{text}'")) from None
    if not (width > 0 and height > 0 and x + width > 0 and y + height > 0) or max(x, y, width, height) == float("inf"):
        raise StudyError(Problem(expected="a box with a width and a height on the photo", got=f"'{text}'"))
    return x, y, width, height


def path_fault(root: Path, text: str) -> Problem | None:
    """Say why a path in a table must not be opened; None when it lies in the study folder.

    Absolute paths, ``..`` and links that lead out of the folder are refused: a table must not be able to name other
    files of the machine.

    Parameters
    ----------
    root : Path
        The study folder.
    text : str
        The cell.

    Returns
    -------
    Problem or None
    """
    if "\\" in text:
        return Problem(expected="a path with '/' between folders", got=f"'{text}'")
    path = Path(text)
    if path.is_absolute() or re.match(r"[A-Za-z]:", text):
        return Problem(expected="a path relative to the study folder", got=f"the absolute path '{text}'")
    if ".." in path.parts:
        return Problem(expected="a file inside the study folder", got=f"'{text}', which leads out of it")
    try:
        inside = (root / path).resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):
        return Problem(expected="a path that can be followed", got=f"'{text}'")
    if inside:
        return None
    return Problem(expected="a file inside the study folder", got=f"'{text}', a link that leads out of it")
