"""Lists for blinded reading: photos shuffled over subjects and visits, some shown twice, under codes."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ulcermeter.errors import Problem, StudyError
from ulcermeter.files import read_file
from ulcermeter.readings import PlaceKey
from ulcermeter.store import write_file

__all__ = ["LIST_FILE", "ListedPhoto", "ReadingList", "make_list", "read_list", "write_list"]

LIST_FILE = "reading_list.json"
# Of a list, MB: a thousand times what one of a large trial takes; more is another file.
_MOST_MB = 50


@dataclass(frozen=True)
class ListedPhoto:
    """A photo on a list: the code that stands for it, what it is, and whether it is shown a second time."""

    code: str
    photo: str
    hand: str
    finger: str
    occasion: int = 1

    @property
    def place(self) -> PlaceKey:
        """Photo, hand and finger."""
        return self.photo, self.hand, self.finger


@dataclass(frozen=True)
class ReadingList:
    """A blinded reading.

    Attributes
    ----------
    readers : tuple of str
        Who may read it.
    outlines : str
        ``none``: readers draw anew; ``machine``: its outlines are shown.
    seed : int
        Of the shuffles, one for each reader.
    items : tuple of ListedPhoto
    """

    readers: tuple[str, ...]
    outlines: str
    seed: int
    items: tuple[ListedPhoto, ...]

    def name_of(self, reader: str) -> str | None:
        """Return how the list writes a reader's name: R1 for ' r1', who must not see everything for a slip of a key."""
        typed = reader.strip().casefold()
        return next((name for name in self.readers if name.strip().casefold() == typed), None)

    def for_reader(self, reader: str) -> list[ListedPhoto]:
        """Return the items in a reader's own order, in which no photo follows itself where that can be had."""
        order = list(self.items)
        random.Random(f"{self.seed}:{reader}").shuffle(order)
        for k in range(1, len(order)):
            if order[k].place == order[k - 1].place:
                other = next((j for j in range(len(order)) if abs(j - k) > 1), k)
                order[k], order[other] = order[other], order[k]
        return order


def make_list(
    places: Sequence[PlaceKey], *, readers: Sequence[str], repeat: float, outlines: str, seed: int
) -> ReadingList:
    """Make a list of photos, a share of them twice.

    Parameters
    ----------
    places : sequence of PlaceKey
        What can be read.
    readers : sequence of str
    repeat : float
        Share of the photos that are shown again, 0..1; of those to be repeated at least one.
    outlines : {'none', 'machine'}
    seed : int

    Returns
    -------
    ReadingList
    """
    rng = random.Random(seed)
    again = rng.sample(list(places), min(len(places), max(1, round(repeat * len(places))) if repeat else 0))
    shown = [(place, 1) for place in places] + [(place, 2) for place in again]
    codes = rng.sample(range(16**8), len(shown))
    items = tuple(ListedPhoto(f"{code:08x}", *place, occasion=n) for code, (place, n) in zip(codes, shown, strict=True))
    return ReadingList(tuple(readers), outlines, seed, items)


def write_list(root: Path, made: ReadingList) -> Path:
    """Write a list into a results folder and return its file.

    Parameters
    ----------
    root : Path
        The results folder.
    made : ReadingList

    Returns
    -------
    Path
    """
    path = root / LIST_FILE
    write_file(path, (json.dumps(asdict(made), indent=1) + "\n").encode())
    return path


def read_list(root: Path) -> ReadingList | None:
    """Read a results folder's list; None where there is none.

    Parameters
    ----------
    root : Path
        The results folder.

    Returns
    -------
    ReadingList or None

    Raises
    ------
    StudyError
        A file that `write_list` did not write.
    """
    path = root / LIST_FILE
    if not path.exists():
        return None
    try:
        kept = json.loads(read_file(path, most_mb=_MOST_MB))
        items = tuple(ListedPhoto(**item) for item in kept["items"])
        return ReadingList(tuple(kept["readers"]), str(kept["outlines"]), int(kept["seed"]), items)
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(
            Problem(
                where=str(path),
                expected="a reading list as `ulcermeter reading` writes it",
                got=f"another file ({error})",
                action="make it again",
            )
        ) from error
