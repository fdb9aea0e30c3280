"""Which photos are held out: whole groups, so that a picture never stands on both sides."""

import csv
import io
import math
from pathlib import Path

import numpy as np

from ulcermeter.errors import Problem, StudyError
from ulcermeter.files import read_file
from ulcermeter.tables.cells import grouped

# Of a list of photos, million bytes (assumption): a hundred thousand photos have less.
_MOST_MB = 20.0


def read_groups(path: Path) -> dict[str, str]:
    """Read photo → group from a CSV.

    Two forms are taken: columns `photo, group` (a subject's photos share a group), or a list of pairs of the same
    picture with columns `file_a, file_b`.

    Parameters
    ----------
    path : Path
        The CSV.

    Returns
    -------
    dict of str to str
        Group by the photo's name without its ending.

    Raises
    ------
    StudyError
        When the columns are neither, or the file cannot be read.
    """
    columns, rows = _rows_of(path, ("photo", "group"), ("file_a", "file_b"))
    if "group" in columns:
        return {Path(row["photo"]).stem: row["group"] for row in rows}
    return _join_pairs([(Path(row["file_a"]).stem, Path(row["file_b"]).stem) for row in rows])


def _rows_of(path: Path, *forms: tuple[str, ...]) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Return the first of the forms whose columns a CSV has, and its rows; a short row's last cells are empty."""
    wanted = " or ".join(",".join(form) for form in forms)
    try:
        text = read_file(path, most_mb=_MOST_MB).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        rows, columns = list(reader), reader.fieldnames or ()
        got = f"the columns {','.join(columns)}" if columns else "an empty file"
    except OSError as error:
        rows, columns, got = [], (), str(error.strerror)
    except (ValueError, csv.Error) as error:
        rows, columns, got = [], (), " ".join(str(error).split())
    for form in forms:
        if set(form) <= set(columns):
            return form, rows
    raise StudyError(
        Problem(
            where=str(path),
            expected=f"a CSV file in UTF-8 with the columns {wanted}",
            got=got,
            action="write these names in its first line",
        )
    )


def _join_pairs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    groups: dict[str, str] = {}
    for first, second in pairs:
        name = groups.get(first) or groups.get(second) or first
        old = {groups.get(first), groups.get(second)} - {None, name}
        groups.update({key: name for key, value in groups.items() if value in old})
        groups[first] = groups[second] = name
    return groups


def read_shares(path: Path) -> dict[str, float]:
    """Read how often a photo whose mask is doubted is drawn, from a CSV with columns `photo, share`.

    Parameters
    ----------
    path : Path
        The CSV.

    Returns
    -------
    dict of str to float
        Share, 0..1, by the photo's name without its ending.

    Raises
    ------
    StudyError
        Other columns, shares that are no number in 0..1, or the file cannot be read.
    """
    _, rows = _rows_of(path, ("photo", "share"))
    shares = {Path(row["photo"]).stem: _share(row["share"]) for row in rows}
    wrong = [
        Problem(where=f"{path}, photo {row['photo']}", expected="a share in 0..1", got=row["share"] or "none")
        for row in rows
        if math.isnan(_share(row["share"]))
    ]
    if wrong:
        raise StudyError(wrong)
    return shares


def _share(cell: str) -> float:
    """Return the share that a cell says; NaN where it is none."""
    try:
        share = float(cell)
    except ValueError:
        return math.nan
    return share if 0 <= share <= 1 else math.nan


def choose_held_out(names: list[str], *, groups: dict[str, str], count: int, seed: int) -> set[str]:
    """Draw whole groups until enough photos are held out.

    Parameters
    ----------
    names : list of str
        File names of all photos.
    groups : dict of str to str
        Group by name without ending; a photo that is not named is its own group.
    count : int
        Least number of photos; groups are not split, so it may be more.
    seed : int
        The same names and seed give the same set.

    Returns
    -------
    set of str
        Names of the photos held out.
    """
    members = grouped(sorted(names), key=lambda name: groups.get(Path(name).stem, Path(name).stem))
    order = np.random.default_rng(seed).permutation(sorted(members))
    held: set[str] = set()
    for group in order:
        if len(held) >= count:
            break
        held.update(members[str(group)])
    return held
