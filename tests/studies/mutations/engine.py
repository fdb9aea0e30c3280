"""Damaged networks and stores: what a run opens beside the study."""

from __future__ import annotations

import json
import logging
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mutations.chance import Mutation, damage
from mutations.files import drawn
from mutations.pieces import TOLERANCE_MM, Answer, Outcome, Piece, answer, refused
from ulcermeter.phantom import write_phantom
from ulcermeter.pipeline import measure_photo, run_study
from ulcermeter.protocol import read_protocol
from ulcermeter.segmentation.network import WEIGHTS, try_model
from ulcermeter.store import PhotoStore

__all__ = ["ask_network", "ask_store", "write_network", "write_store"]

_ROW = {"photo": "a.jpg", "reference": "aruco:10", "reference_on": "skin"}


# --- networks ---------------------------------------------------------------------------------------------------------


def write_network(_: str, folder: Path, most: int) -> list[str]:
    """Copy the shipped network, beside a drawn photo and what it measures on it."""
    shutil.copy(WEIGHTS, folder / "ulcer.onnx")
    write_phantom(drawn(2.2), folder / "a.jpg")
    (folder / "right.base").write_bytes(pickle.dumps(_measured(folder, None)))
    return ["ulcer.onnx"][:most][:most]


def _measured(folder: Path, model: Path | None) -> tuple[str, str, list[float]]:
    result = measure_photo(_ROW, read_protocol(), root=folder, model=model, overlay=False)
    return result.photo["status"], result.photo["reason"], [row["diameter_mm"] for row in result.measurements]


def ask_network(piece: Piece) -> Answer:
    """Damage the network, try it as a run does, and measure with it."""
    whole = (piece.folder / piece.base).read_bytes()
    # What is not weights stands at the front and at the end: the graph's names and sizes.
    mutation = damage(whole, piece.seed, ((20_000, len(whole) - 60_000),))
    path = piece.place / "damaged.onnx"
    path.write_bytes(mutation.data)
    return answer(mutation.what, lambda: _judge_network(piece.folder, path))


def _judge_network(folder: Path, path: Path) -> tuple[Outcome, str]:
    _no_session_kept()
    try_model(path)
    _, _, right = pickle.loads((folder / "right.base").read_bytes())
    status, reason, got = _measured(folder, path)
    if status in ("refused", "failed"):
        return refused(reason)
    if len(got) == len(right) and all(abs(a - b) <= TOLERANCE_MM for a, b in zip(got, right, strict=True)):
        return Outcome.RIGHT, "the same number"
    # Weights have no checksum of their own: a run names its network by the hash of its bytes.
    return Outcome.LISTED, f"{right} became {got} ({status})"


def _no_session_kept() -> None:
    from ulcermeter.networks import engine
    from ulcermeter.segmentation import network

    engine._open.cache_clear()
    network._model.cache_clear()


# --- stores -----------------------------------------------------------------------------------------------------------


def write_store(_: str, folder: Path, most: int) -> list[str]:
    """Run a study of two drawn photos, decide on its subject, and keep the store and the tables."""
    study = folder / "study"
    study.mkdir()
    for name, size in (("a.jpg", 2.2), ("b.jpg", 1.8)):
        write_phantom(drawn(size), study / name)
    (study / "photos.csv").write_text(
        "photo,subject_id,visit,date,hand,finger,view,reference,reference_on\n"
        "a.jpg,S01,screening,2024-03-01,left,index,palmar,aruco:10,skin\n"
        "b.jpg,S01,baseline,2024-03-11,left,index,palmar,aruco:10,skin\n"
    )
    (study / "subjects.csv").write_text("subject_id,screening_date\nS01,2024-03-01\n")
    run_study(study, folder / "results")
    decided = folder / "results" / "eligibility_summary.csv"
    lines = decided.read_text().splitlines()
    lines[1] = lines[1].rstrip(",") + ("," * (lines[0].count(",") - 2 - lines[1].rstrip(",").count(","))) + (
        "include,reader A,2024-05-06")  # fmt: skip
    decided.write_text("\n".join(lines) + "\n")
    run_study(study, folder / "results")
    (folder / "right.base").write_bytes(pickle.dumps((_kept(folder / "results" / "store.sqlite"), _tables(folder))))
    return ["results"][:most]


def _tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "results").glob("*.csv"))}


def _kept(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return every result and decision of a whole store."""
    with PhotoStore(path) as store:
        keys = [row[0] for row in store._db.execute("SELECT key FROM photo_results")]
        return {key: _plain(store.get(key)) for key in keys}, store.decisions()


def _plain(result: Any) -> Any:
    """Return a result as plain values that can be compared."""
    if result is None:
        return None
    outlines = [(label, points.tolist()) for label, points in result.outlines]
    return repr((dict(result.photo), [dict(row) for row in result.measurements], outlines)), result.overlay


def ask_store(piece: Piece) -> Answer:
    """Damage or edit the store, and take what it gives; one in ten goes through a whole run."""
    folder = piece.place / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(piece.folder / "results", folder / "results")
    path = folder / "results" / "store.sqlite"
    rng = np.random.default_rng(piece.seed)
    mutation = damage(path.read_bytes(), piece.seed) if rng.random() < 0.6 else _edited(path, rng)
    path.write_bytes(mutation.data)
    return answer(mutation.what, lambda: _judge_store(piece, folder))


def _edited(path: Path, rng: np.random.Generator) -> Mutation:
    """Edit a row as a person with a database browser would, its seal left as it is."""
    with sqlite3.connect(path) as db:
        column, what, value = _EDITS[int(rng.integers(len(_EDITS)))]
        table = "decisions" if column in ("verdict", "investigator_decision", "decided_on") else "photo_results"
        row = int(rng.integers(db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]))
        rowid = db.execute(f"SELECT rowid FROM {table} LIMIT 1 OFFSET {row}").fetchone()[0]
        if what == "diameter":
            text = db.execute(f"SELECT result FROM {table} WHERE rowid = {rowid}").fetchone()[0]
            parts = json.loads(text)
            for measured in parts["measurements"]:
                measured["diameter_mm"] = float(value)
            value = json.dumps(parts)
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))
    db.close()
    return Mutation(f"{table} row {row}: {column} edited ({what})", path.read_bytes(), ())


_EDITS: tuple[tuple[str, str, Any], ...] = (
    ("result", "diameter", 1.2), ("result", "diameter", 9.9), ("result", "no JSON", "{"), ("result", "empty", ""),
    ("result", "JSON of another kind", "[1, 2]"), ("result", "bytes", b"\xff\xfe"), ("status", "failed", "failed"),
    ("status", "other", "no ulcer"), ("sha256", "other", "0" * 64), ("overlay", "none", None),
    ("overlay", "other", b"\x89PNG"), ("key", "other", "f" * 64), ("seal", "other", "0" * 64), ("seal", "number", 7),
    ("verdict", "other", "not eligible"), ("investigator_decision", "other", "exclude"), ("decided_on", "other", ""),
)  # fmt: skip


def _judge_store(piece: Piece, folder: Path) -> tuple[Outcome, str]:
    (results, decisions), tables = pickle.loads((piece.folder / "right.base").read_bytes())
    if piece.measured:
        with _heard() as said:
            run_study(piece.folder / "study", folder / "results")
        other = [name for name, data in _tables(folder).items() if data != tables.get(name)]
        lost = other and not said
        return (Outcome.WRONG, f"other tables: {other}") if lost else (Outcome.RIGHT, f"run again; told: {said}")
    with _heard() as said, PhotoStore(folder / "results" / "store.sqlite") as store:
        got, decided = {key: _plain(store.get(key)) for key in results}, store.decisions()
    wrong = [key[:8] for key in results if got[key] is not None and got[key] != results[key]]
    if wrong:
        return Outcome.WRONG, f"another result of {wrong}"
    if decided != decisions and not said:
        return Outcome.WRONG, f"decided {decisions} became {decided}"
    again = sum(one is None for one in got.values())
    return Outcome.RIGHT, f"{again} measured again; told: {said[:1]}"


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Yield what is logged as a warning meanwhile."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("ulcermeter").addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger("ulcermeter").removeHandler(handler)
