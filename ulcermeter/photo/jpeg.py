"""Is a JPEG whole? A decoder fills what is missing with grey and decodes what is blank to stripes, and says nothing."""

from __future__ import annotations

from pathlib import Path

from ulcermeter.photo.limits import damaged

_SCAN, _TABLES, _SEQUENTIAL = 0xDA, 0xC4, (0xC0, 0xC1)
_END = b"\xff\xd9"
# Two whole units of the coarsest kind (4 luma and 2 chroma blocks, 97 bytes of zeros by the standard's tables).
_BLANK = bytes(256)


def check_whole_jpeg(data: bytes, path: Path) -> None:
    """Refuse a JPEG without its end mark, or with a blank in its picture.

    The mark FF D9 cannot stand inside entropy-coded data (ITU T.81, B.1.1.5), so it is looked for behind the last
    start of a scan; thumbnails lie before the first. A blank is what a disk or a copy leaves of a lost sector: zeros,
    where zeros cannot stand for any picture (`_zeros_say_nothing`). Damage of other kinds is not noticed.
    """
    segments, at = _head(data)
    end = data.find(_END, at)
    if end < 0:
        raise damaged(path, "the end of the JPEG is missing")
    # Some cameras pad with zeros before the end mark.
    if _BLANK in data[at:end].rstrip(b"\0") and _zeros_say_nothing(segments, data[at : at + 20]):
        raise damaged(path, "a part of its data is blank")


def _head(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Return the marker segments before the first scan, and where that scan starts."""
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments, at


def _zeros_say_nothing(segments: list[tuple[int, bytes]], scan: bytes) -> bool:
    """Tell whether no picture is coded by zeros alone.

    A table's code of zeros alone belongs to its first symbol (ITU T.81, Annex C). Where that is "end of block", zeros
    are a flat area. Where it is a coefficient, as in the standard's table for luma, they are blocks whose coefficients
    are all filled and all alike, which nothing that was photographed is. Told for sequential JPEGs of one scan only.
    """
    frame = next((body for marker, body in segments if marker in _SEQUENTIAL), b"")
    first: dict[int, int] = {}
    for marker, body in segments:
        first |= _first_symbols(body) if marker == _TABLES else {}
    in_one_scan = frame[5:6] == scan[4:5] != b""
    count = scan[4] if in_one_scan else 0
    return any(first.get(0x10 | selector & 0x0F, 0) for selector in scan[6 : 6 + 2 * count : 2])


def _first_symbols(body: bytes) -> dict[int, int]:
    """Return the first symbol of each Huffman table in a segment, by the table's class and number."""
    found = {}
    while len(body) > 17:
        found[body[0]] = body[17]
        body = body[17 + sum(body[1:17]) :]
    return found
