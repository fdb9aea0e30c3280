"""Which photos are held out: whole groups, so that a picture never stands on both sides."""

import csv
from pathlib import Path

import numpy as np

from ulcermeter.tables.cells import grouped


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
    ValueError
        When the columns are neither.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    columns = set(rows[0]) if rows else set()
    if {"photo", "group"} <= columns:
        return {Path(row["photo"]).stem: row["group"] for row in rows}
    if {"file_a", "file_b"} <= columns:
        return _join_pairs([(Path(row["file_a"]).stem, Path(row["file_b"]).stem) for row in rows])
    raise ValueError(f"expected columns photo,group or file_a,file_b in {path}, got {sorted(columns)}")


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
    ValueError
        Other columns, or a share that is no number in 0..1.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if rows and not {"photo", "share"} <= set(rows[0]):
        raise ValueError(f"expected columns photo,share in {path}, got {sorted(rows[0])}")
    shares = {Path(row["photo"]).stem: _share(row["share"]) for row in rows}
    wrong = sorted(name for name, share in shares.items() if not 0 <= share <= 1)
    if wrong:
        raise ValueError(f"expected shares in 0..1 in {path}, got another for {', '.join(wrong)}")
    return shares


def _share(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


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
