"""What is read: a photo, hand and finger, with the machine's results on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ulcermeter.datatypes import PhotoResult, Points
from ulcermeter.pipeline.readings import place_of
from ulcermeter.readings import PlaceKey
from ulcermeter.review.reading_list import ListedPhoto
from ulcermeter.review.worklist import Reason
from ulcermeter.tables.cells import PASSED, by_key

__all__ = ["Item", "items_of_list", "items_of_run"]


@dataclass(frozen=True)
class Item:
    """One thing to read.

    Attributes
    ----------
    id : str
        As the page calls it.
    place : PlaceKey
    position : int
        Of its first row in the study's order.
    keys : tuple of str
        Of its rows' results in the store.
    results : tuple of PhotoResult
        The machine's, of its rows.
    occasion : int
        1, or 2 where a reading list shows the photo again.
    reasons : tuple of Reason
    """

    id: str
    place: PlaceKey
    position: int
    keys: tuple[str, ...]
    results: tuple[PhotoResult, ...] = field(repr=False)
    occasion: int = 1
    reasons: tuple[Reason, ...] = ()

    @property
    def photo(self) -> Mapping[str, object]:
        """The first row of photos.csv."""
        return self.results[0].photo

    @property
    def whose(self) -> tuple[str, ...]:
        """Subject, hand and finger."""
        return tuple(str(self.photo.get(name, "")) for name in ("subject_id", "hand", "finger"))

    def without_outlines(self, reasons: tuple[Reason, ...]) -> Item:
        """Return the item as if the machine had outlined nothing."""
        results = tuple(PhotoResult(result.photo) for result in self.results)
        return replace(self, results=results, reasons=reasons)

    @property
    def sha256(self) -> str:
        """Of the photo's file; empty where it could not be read."""
        return str(self.photo.get("sha256", "") or "")

    @property
    def is_readable(self) -> bool:
        """Whether the photo passed, so that it can be read."""
        return any(result.photo["status"] in PASSED for result in self.results)

    @property
    def outlines(self) -> dict[int, Points]:
        """The machine's outlines by label."""
        return {label: points for result in self.results for label, points in result.outlines}

    @property
    def rows(self) -> dict[int, Mapping[str, object]]:
        """The machine's measurements by label."""
        return {int(row["label"]): row for result in self.results for row in result.measurements}


def items_of_run(
    kept: Sequence[tuple[str, PhotoResult]], reasons: Mapping[PlaceKey, Sequence[Reason]]
) -> dict[PlaceKey, Item]:
    """Return the items of a run, in the study's order.

    Parameters
    ----------
    kept : sequence of (str, PhotoResult)
        As `ulcermeter.store.KeptResults.results` returns them.
    reasons : mapping
        By place.

    Returns
    -------
    dict of PlaceKey to Item
    """
    rows = by_key((place_of(result), position) for position, (_, result) in enumerate(kept))
    return {
        place: Item(
            id=f"p{at[0]}",
            place=place,
            position=at[0],
            keys=tuple(kept[i][0] for i in at),
            results=tuple(kept[i][1] for i in at),
            reasons=tuple(reasons.get(place, ())),
        )
        for place, at in rows.items()
    }


def items_of_list(listed: Sequence[ListedPhoto], items: Mapping[PlaceKey, Item], *, machine: bool) -> list[Item]:
    """Return the items of a blinded reading in the list's order, with nothing that tells which photo it is.

    Parameters
    ----------
    listed : sequence of ListedPhoto
    items : mapping of PlaceKey to Item
        Of the run.
    machine : bool
        Whether the machine's outlines are shown.

    Returns
    -------
    list of Item
        A photo that is no longer in the run is left out.
    """
    found = []
    for one in listed:
        item = items.get(one.place)
        if item is None:
            continue
        results = item.results if machine else item.without_outlines(()).results
        found.append(Item(one.code, one.place, item.position, item.keys, results, one.occasion))
    return found
