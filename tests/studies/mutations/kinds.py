"""Every kind of file that is damaged: how its whole files are written, how one is tried, and its share of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutations import engine, pictures, protocols, tables
from mutations.pieces import MOST_S, Answer, Outcome, Piece
from ulcermeter.isolation import Fate, Limits, Lost, Workers

__all__ = ["KINDS", "Kind", "pieces_of", "try_pieces"]

MEASURED_EVERY = 10
"""Of photos with unchanged pixels one in so many is measured; of the others all are."""


@dataclass(frozen=True)
class Kind:
    """A kind of file; `write` gives the names of the whole files it put into a folder, at most so many."""

    write: Callable[[str, Path, int], list[str]]
    ask: Callable[[Piece], Answer]
    share: float


_PHOTO = (pictures.write_photos, pictures.ask_photo)
KINDS = {
    "jpeg": Kind(*_PHOTO, 0.15),
    "png": Kind(*_PHOTO, 0.12),
    "tiff": Kind(*_PHOTO, 0.12),
    "heic": Kind(*_PHOTO, 0.08),
    "dicom": Kind(*_PHOTO, 0.13),
    "mask": Kind(pictures.write_masks, pictures.ask_mask, 0.12),
    "csv": Kind(tables.write_tables, tables.ask_table, 0.12),
    "toml": Kind(protocols.write_protocols, protocols.ask_protocol, 0.07),
    "onnx": Kind(engine.write_network, engine.ask_network, 0.04),
    "store": Kind(engine.write_store, engine.ask_store, 0.05),
}


def pieces_of(name: str, *, count: int, seed: int, folder: Path, bases: int = 99) -> list[Piece]:
    """Write the whole files of a kind and draw so many pieces of damage; none where they cannot be written here."""
    folder.mkdir()
    names = KINDS[name].write(name, folder, bases)
    seeds = [1_000_000 * seed + k for k in range(count if names else 0)]
    return [Piece(name, names[k % len(names)], each, folder, k % MEASURED_EVERY == 0) for k, each in enumerate(seeds)]


def try_pieces(pieces: Sequence[Piece], *, jobs: int) -> Iterator[tuple[Piece, Answer]]:
    """Damage and try each in a process of its own, as a run measures photos; in no fixed order."""
    with Workers(jobs=jobs, limits=Limits(time_s=2 * MOST_S)) as workers:
        for number, came in workers.each(_ask, pieces):
            yield pieces[number], _of_lost(came) if isinstance(came, Lost) else came


def _ask(piece: Piece) -> Answer:
    return KINDS[piece.kind].ask(piece)


def _of_lost(lost: Lost) -> Answer:
    """Count a process that died: the pipeline makes a failed row of a crash; what ends by the clock is a hang."""
    if lost.fate is Fate.TOOK_TOO_LONG:
        return Answer(Outcome.HANG, "?", lost.ended_by)
    return Answer(Outcome.REFUSED, "?", f"its process ended by {lost.ended_by}, and the row failed")
