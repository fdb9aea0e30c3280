"""Outlines that were drawn elsewhere, taken into the log as a reader's readings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.errors import Problem, StudyError
from ulcermeter.readings import PlaceReading, PlaceVerdict, ReadingLog, UlcerReading, UlcerVerdict, state_of
from ulcermeter.store import KeptResults

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["log_outlines"]

_PLACE = ("photo", "hand", "finger")


def log_outlines(root: str | Path, outlines: pd.DataFrame, *, reader: str, why: str, occasion: int = 1) -> int:
    """Log a reader's outlines of photos that were read as a whole, and return how many photos they are of.

    Parameters
    ----------
    root : str or Path
        The results folder.
    outlines : DataFrame
        The columns of ``outlines``; a photo that was read and shows nothing has one row without label.
    reader : str
        Who drew them.
    why : str
        Where they come from, such as the file's name.
    occasion : int
        2 where the photos were read a second time.

    Returns
    -------
    int

    Raises
    ------
    StudyError
        A photo that the run does not have.
    """
    run = {tuple(result.photo[name] for name in _PLACE): result.photo for _, result in KeptResults(root).results()}
    log, count = ReadingLog(root), 0
    for names, part in outlines.groupby(list(_PLACE), sort=True):
        photo, hand, finger = (str(name) for name in names)
        if (photo, hand, finger) not in run:
            got = f"{photo} ({hand} {finger})"
            raise StudyError(Problem(where=why, expected="photos of the run", got=got, action="run the study first"))
        cells = run[photo, hand, finger]
        drawn = [one for _, one in part[part["label"].notna()].groupby("label", sort=True)]
        ulcers = tuple(
            UlcerReading(n, UlcerVerdict.ADDED, one.sort_values("vertex")[["x_px", "y_px"]].to_numpy(np.float64))
            for n, one in enumerate(drawn, start=1)
        )
        verdict = PlaceVerdict.NONE if ulcers else PlaceVerdict.NO_ULCER
        sha256 = str(cells.get("sha256", ""))
        place = (photo, hand, finger)
        one = PlaceReading(reader, place, sha256, occasion=occasion, whole=True, verdict=verdict, ulcers=ulcers)
        about = {"photo": photo, "hand": hand, "finger": finger, "subject_id": str(cells.get("subject_id", ""))}
        log.append(who=reader, action="reading from a file", after=state_of(one), why=why, photo_sha256=sha256, **about)
        count += 1
    return count
