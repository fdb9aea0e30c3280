"""Changes that leave a picture's pixels as they are: what programs add to files and every decoder passes over."""

from __future__ import annotations

import zlib

import numpy as np

from mutations.chance import Mutation

__all__ = ["harmless"]


def harmless(name: str, whole: bytes, seed: int) -> Mutation | None:
    """Return the file with a note in it, or with bytes behind its end; None for a kind that has no place for them."""
    rng = np.random.default_rng(seed)
    note = bytes(rng.integers(97, 123, int(rng.integers(1, 400)), dtype=np.uint8))
    add = next((add for ending, add in _BY_ENDING.items() if name.endswith(ending)), None)
    data = None if add is None else add(whole, note)
    return None if data is None else Mutation(f"a note of {len(note)} bytes added", data, ())


def _comment(whole: bytes, note: bytes) -> bytes:
    """Put a comment segment before all others (ITU T.81, B.2.4.5)."""
    return whole[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + whole[2:]


def _text_chunk(whole: bytes, note: bytes) -> bytes:
    """Put a text chunk behind the head (PNG 3rd ed., 11.3.3.2)."""
    chunk = b"tEXtComment\0" + note
    return whole[:33] + (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + whole[33:]


def _behind(whole: bytes, note: bytes) -> bytes:
    return whole + note


def _free_box(whole: bytes, note: bytes) -> bytes:
    """Put a box of free space at the end (ISO/IEC 14496-12, 8.1.2)."""
    return whole + (len(note) + 8).to_bytes(4, "big") + b"free" + note


def _padding(whole: bytes, note: bytes) -> bytes | None:
    """Put trailing padding behind the pixels (DICOM PS3.10, 7.2), where the file is not deflated."""
    if b"1.2.840.10008.1.2.1.99" in whole[:400]:
        return None
    note += b"\0" * (len(note) % 2)
    return whole + b"\xfc\xff\xfc\xffOB\0\0" + len(note).to_bytes(4, "little") + note


_BY_ENDING = {".jpg": _comment, ".png": _text_chunk, ".tif": _behind, ".heic": _free_box, ".dcm": _padding}
