"""Damaged photos and tracings: through the door, and where their pixels differ through the whole instrument."""

from __future__ import annotations

import io
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mutations.chance import Mutation, damage
from mutations.files import PHOTOS, SIZES_MM, Pixels, Whole, drawn, masks
from mutations.harmless import harmless
from mutations.pieces import TOLERANCE_MM, Answer, Outcome, Piece, answer, refused
from ulcermeter.errors import PhotoError
from ulcermeter.phantom import write_phantom
from ulcermeter.photo import read_photo, read_shares
from ulcermeter.pipeline import measure_photo
from ulcermeter.protocol import read_protocol

__all__ = ["ask_mask", "ask_photo", "write_masks", "write_photos"]

TRACED = "traced.jpg"
_HARMLESS_EVERY = 12
_ROW = {"reference": "aruco:10", "reference_on": "skin"}


@dataclass(frozen=True)
class Base:
    """A whole photo or tracing with what is right of it."""

    whole: Whole
    pixels: np.ndarray
    diameters_mm: tuple[float, ...] = ()
    verdict: str = ""


def write_photos(kind: str, folder: Path, most: int) -> list[str]:
    """Write the whole photos of a kind and what is right of them; return their names."""
    names = []
    for whole in islice(PHOTOS[kind](), most):
        path = folder / whole.name
        path.write_bytes(whole.data)
        row = _measure(path)
        base = Base(whole, read_photo(path).pixels, _diameters(row), _verdict(row))
        assert len(base.diameters_mm) == 1, (whole.name, row.photo)
        assert min(abs(base.diameters_mm[0] - size) for size in SIZES_MM) < 0.15, (whole.name, base.diameters_mm)
        (folder / f"{whole.name}.base").write_bytes(pickle.dumps(base))
        names.append(whole.name)
    return names


def write_masks(_: str, folder: Path, most: int) -> list[str]:
    """Write the whole tracings and what is right of them; return their names."""
    names, photo = [], drawn(SIZES_MM[0])
    write_phantom(photo, folder / TRACED)
    for whole in islice(masks(), most):
        path = folder / whole.name
        path.write_bytes(whole.data)
        row, shares = _measure(folder / TRACED, mask=whole.name), read_shares(path, photo.pixels.shape[:2])
        base = Base(whole, shares, _diameters(row), _verdict(row))
        assert len(base.diameters_mm) == 1 and abs(base.diameters_mm[0] - SIZES_MM[0]) < 0.15, (whole.name, row.photo)
        (folder / f"{whole.name}.base").write_bytes(pickle.dumps(base))
        names.append(whole.name)
    return names


@lru_cache(maxsize=4)
def _base(path: Path) -> Base:
    return pickle.loads(path.read_bytes())


def ask_photo(piece: Piece) -> Answer:
    """Damage a photo, read it, and measure it where its pixels are not the whole one's."""
    base = _base(piece.folder / f"{piece.base}.base")
    mutation = _damage_picture(base.whole, piece.seed)
    path = _put(piece, mutation)
    return answer(mutation.what, lambda: _judge_photo(base, mutation, path, piece.measured))


def _put(piece: Piece, mutation: Mutation) -> Path:
    path = piece.place / f"damaged{Path(piece.base).suffix}"
    path.write_bytes(mutation.data)
    return path


def _damage_picture(whole: Whole, seed: int) -> Mutation:
    """Damage a picture: one in twelve harmlessly, one PNG in eight by a changed head whose checksum is mended."""
    if seed % _HARMLESS_EVERY == 5 and (mutation := harmless(whole.name, whole.data, seed)) is not None:
        return mutation
    if whole.name.endswith(".png") and seed % 8 == 0:
        rng = np.random.default_rng(seed)
        at = 16 + int(rng.integers(13))
        head = bytearray(whole.data[12:29])
        head[at - 12] = int(rng.integers(256)) if rng.random() < 0.5 else head[at - 12] ^ 1 << int(rng.integers(8))
        data = whole.data[:12] + bytes(head) + zlib.crc32(head).to_bytes(4, "big") + whole.data[33:]
        return Mutation(f"byte {at} of the head set to {head[at - 12]}, checksum mended", data, ((at, at + 1),))
    return damage(whole.data, seed, whole.spans)


def _judge_photo(base: Base, mutation: Mutation, path: Path, measured: bool) -> tuple[Outcome, str]:
    try:
        pixels = read_photo(path).pixels
    except PhotoError as error:
        outcome, said = refused(str(error))
        # Pillow does not pass on what libjpeg complains of, and a strict decoder ends there.
        whole = outcome is Outcome.REFUSED and "Corrupt JPEG data" not in said and _is_whole(base, mutation)
        return (Outcome.OVERDONE, said) if whole else (outcome, said)
    same = pixels.shape == base.pixels.shape and np.array_equal(pixels, base.pixels)
    if same and not measured:
        return Outcome.RIGHT, "the same pixels"
    result = _measure(path)
    row, diameters = result.photo, _diameters(result)
    if row["status"] in ("refused", "failed"):
        return (Outcome.OVERDONE, row["reason"]) if same else refused(row["reason"])
    if _is_right(base, diameters, _verdict(result)):
        return Outcome.RIGHT, "measured"
    effect = f"{_said(base.diameters_mm, base.verdict)} became {_said(diameters, _verdict(result))} ({row['status']})"
    unprotected = not same and _is_unprotected(base, mutation, path)
    return Outcome.LISTED if unprotected else Outcome.WRONG, effect


def _is_unprotected(base: Base, mutation: Mutation, path: Path) -> bool:
    """Tell whether only pixels that their format does not protect were changed: what else was touched changes none."""
    if mutation.is_within(base.whole.spans):
        return True
    rest = mutation.without(base.whole.spans, base.whole.data) if mutation.touched else None
    if rest is None:
        return False
    path.write_bytes(rest)
    try:
        return np.array_equal(read_photo(path).pixels, base.pixels)
    except PhotoError:
        return False


def _measure(path: Path, **cells: str) -> Any:
    return measure_photo({**_ROW, "photo": path.name, **cells}, read_protocol(), root=path.parent, overlay=False)


def _diameters(result: Any) -> tuple[float, ...]:
    return tuple(row["diameter_mm"] for row in result.measurements)


def _verdict(result: Any) -> str:
    return ", ".join(row["over_threshold"] for row in result.measurements)


def _said(diameters: Sequence[float], verdict: str) -> str:
    return f"{' and '.join(f'{d:.2f}' for d in diameters) or 'none'} mm {verdict}".strip()


def _is_right(base: Base, diameters: Sequence[float], verdict: str) -> bool:
    if len(diameters) != len(base.diameters_mm):
        return False
    near = all(abs(a - b) <= TOLERANCE_MM for a, b in zip(diameters, base.diameters_mm, strict=True))
    return near and verdict in (base.verdict, "uncertain")


# --- an opinion of its own on whether a refused file is whole ---------------------------------------------------------


def _is_whole(base: Base, mutation: Mutation) -> bool:
    """Tell whether another strict way of reading gives the whole file's pixels: then it should not be refused."""
    try:
        if not mutation.touched:
            return True
        data = mutation.data
        if base.whole.name.endswith(".png"):
            return _checksums_fit(data) and np.array_equal(_by_pillow(data), base.pixels)
        if base.whole.name.endswith(".jpg"):
            ends = data.rstrip(b"\0").endswith(b"\xff\xd9")
            return ends and np.array_equal(_by_pillow(data), _by_pillow(base.whole.data))
        if base.whole.name.endswith(".tif"):
            return np.array_equal(_by_pillow(data), base.pixels)
        return False
    except Exception:  # noqa: BLE001 - whatever it raises, it is not whole
        return False


def _by_pillow(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        # Other pages are looked for too: where the way to them is damaged, the file is not whole.
        assert image.format in ("MPO", "JPEG") or getattr(image, "n_frames", 1) == 1
        return np.asarray(image.convert("RGB"))


def _checksums_fit(data: bytes) -> bool:
    at, kind = 8, b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if len(data) < end + 4 or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        at = end + 4
    return data[:8] == b"\x89PNG\r\n\x1a\n"


# --- tracings ---------------------------------------------------------------------------------------------------------


def ask_mask(piece: Piece) -> Answer:
    """Damage a tracing, read it, and measure the photo by it where its pixels are not the whole one's."""
    base = _base(piece.folder / f"{piece.base}.base")
    mutation = _damage_picture(base.whole, piece.seed)
    path = _put(piece, mutation)
    return answer(mutation.what, lambda: _judge_mask(base, mutation, path))


def _judge_mask(base: Base, mutation: Mutation, path: Path) -> tuple[Outcome, str]:
    try:
        shares = read_shares(path, base.pixels.shape)
    except PhotoError as error:
        return refused(str(error)) if mutation.touched else (Outcome.OVERDONE, str(error))
    if np.array_equal(shares, base.pixels):
        return Outcome.RIGHT, "the same pixels"
    result = _measure(path.parents[1] / TRACED, mask=f"{path.parent.name}/{path.name}")
    row, diameters = result.photo, _diameters(result)
    if row["status"] in ("refused", "failed"):
        return refused(row["reason"])
    if _is_right(base, diameters, _verdict(result)):
        return Outcome.RIGHT, "measured"
    if "follows no edge" in row["reason"]:
        return Outcome.REFUSED, row["reason"]
    effect = f"{_said(base.diameters_mm, base.verdict)} became {_said(diameters, _verdict(result))} ({row['status']})"
    return (Outcome.LISTED if mutation.is_within(base.whole.spans) else Outcome.WRONG), effect
