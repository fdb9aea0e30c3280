"""Is a JPEG whole? A decoder fills what is missing with grey and decodes what is blank to stripes, and says nothing.

Places within segments are those of ITU T.81, annex B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo.limits import damaged

__all__ = ["COMPLAINTS", "MAX_SCANS", "JpegHead", "check_complaints", "check_whole_jpeg", "read_head"]

MAX_SCANS = 100
"""Most scans of a progressive JPEG (assumption). Encoders write about 10, at most 6 for each of 4 channels; each costs
a pass over the whole picture, whatever its own length."""
_SCAN, _TABLES, _END, _INTERVAL = 0xDA, 0xC4, 0xD9, 0xDD
"""Second bytes of markers (ITU T.81, table B.1): SOS, DHT, EOI, DRI."""
_SEQUENTIAL = (0xC0, 0xC1)
"""SOF0 and SOF1."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_TABLES, 0xC8, 0xCC}
"""SOF0 to SOF15, of which three numbers mean something else."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a segment."""
_COMMENT = 0xFE
"""COM."""
_NOTES = frozenset((_COMMENT, *range(0xE0, 0xF0)))
"""COM and APP0 to APP15: what stands in them is no part of the picture."""
_BETWEEN_SCANS = frozenset((_SCAN, _TABLES, _INTERVAL, 0xDB, 0xDC, 0xCC)) | _NOTES
"""What may follow a scan but the end: another scan, tables, the number of lines, a comment, a note of the camera."""
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_NO_RESTART = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_VIDEO = re.compile(rb"\x00\x00\x00.ftyp|RIFF....AVI ", re.DOTALL)
_VIDEO_NAMES = (b"ftyp", b"AVI ")
"""What such a video has: looking for plain bytes first takes a seventh of the pattern's time."""
COMPLAINTS = ("Corrupt JPEG data", "Premature end of JPEG file")
"""How the words of libjpeg begin when it lost its way (jerror.h)."""
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
# Two whole units of the coarsest kind (4 luma and 2 chroma blocks, 97 bytes of zeros by the standard's tables).
_BLANK = bytes(256)


@dataclass(frozen=True)
class Harmless:
    """Bytes that a decoder complains of and that belong to no picture."""

    padding: int
    """Zeros before the end mark: some cameras pad so."""
    in_head: frozenset[tuple[int, int]]
    """As `JpegHead.passed_over`."""

    def explains(self, complaint: str) -> bool:
        """Tell whether a complaint is of these bytes alone."""
        found = _LEFT_OVER.search(complaint)
        if found is None:
            return False
        count, marker = int(found[1]), int(found[2], 16)
        return (count, marker) in self.in_head or (marker == _END and count <= self.padding)


@dataclass(frozen=True)
class JpegHead:
    """The marker segments before a JPEG's first scan, and where that scan's marker stands."""

    segments: tuple[tuple[int, bytes], ...]
    scan_at: int
    passed_over: frozenset[tuple[int, int]] = frozenset()
    """Bytes that are no segment, and the marker behind them: a damaged note of the camera leaves such."""

    def body(self, *markers: int) -> bytes:
        """Return the last segment of these markers, empty where there is none."""
        return next((body for marker, body in reversed(self.segments) if marker in markers), b"")

    @property
    def component_ids(self) -> bytes:
        """The identifiers of the frame's components, one byte each."""
        frame = self.body(*_FRAMES)
        return frame[6 : 6 + 3 * frame[5] : 3] if len(frame) > 5 else b""

    @property
    def restart_interval(self) -> int:
        """Units between two restart marks, 0 where there are none."""
        return int.from_bytes(self.body(_INTERVAL)[:2], "big")

    def restarts(self, scan: bytes) -> int | None:
        """Return how many restart marks a whole scan holds; None where there are more scans, or no size.

        Units by ITU T.81, A.2: of several components the interleaved ones, of one its own blocks.
        """
        frame = self.body(*_SEQUENTIAL)
        if len(frame) < 9 or frame[5:6] != scan[4:5] or len(frame) < 6 + 3 * frame[5]:
            return None
        high, wide = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
        factors = frame[7 : 6 + 3 * frame[5] : 3]
        wide_factor, high_factor = max(f >> 4 for f in factors), max(f & 15 for f in factors)
        wide_factor, high_factor = (1, 1) if len(factors) == 1 else (wide_factor, high_factor)
        if not (high and wide and wide_factor and high_factor):
            return None
        return ceil(ceil(wide / (8 * wide_factor)) * ceil(high / (8 * high_factor)) / self.restart_interval) - 1


def check_whole_jpeg(data: bytes, path: Path) -> Harmless:
    """Refuse a JPEG that is broken off, has a blank in its picture, or more scans than any encoder writes.

    From the first scan on, each marker must be one that may stand there, up to the end mark: entropy-coded data hide
    theirs (ITU T.81, B.1.1.5), while a video or a second picture behind a JPEG that was broken off does not. A blank is
    what a disk or a copy leaves of a lost sector: zeros, where zeros cannot stand for any picture
    (`_zeros_say_nothing`). A JPEG has no checksum; what its decoder complains of is judged in `check_complaints`.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For what is said of it.

    Returns
    -------
    Harmless
        What `check_complaints` may pass over.

    Raises
    ------
    PhotoError
        Such a JPEG.
    """
    head = read_head(data)
    at = head.scan_at
    end = _find_end(data, head, path)
    coded = data[at:end].rstrip(b"\0")
    if any(name in coded for name in _VIDEO_NAMES) and _VIDEO.search(coded):
        raise damaged(path, "the end of the JPEG is missing before a video")
    if _BLANK in coded and _zeros_code_no_picture(head, data[at : at + 20]):
        raise damaged(path, "a part of its data is blank")
    _check_restarts(coded, head, path)
    return Harmless(end - at - len(coded), head.passed_over)


def check_complaints(complaints: list[str], harmless: Harmless, path: Path) -> None:
    """Refuse a JPEG in which libjpeg lost its way, by its own words; it goes on and invents the rest.

    Codes that are wrong end too early or too late: what is short is filled with grey, what is left over is passed over.

    Parameters
    ----------
    complaints : list of str
        Lines that libjpeg wrote.
    harmless : Harmless
        Which of them belong to no picture.
    path : Path
        For what is said of it.

    Raises
    ------
    PhotoError
        Any other complaint.
    """
    for line in complaints:
        if not harmless.explains(line):
            raise damaged(path, line)


def read_head(data: bytes) -> JpegHead:
    """Return what stands before the first scan, passing over what is no marker as decoders do.

    Parameters
    ----------
    data : bytes
        The file's bytes.

    Returns
    -------
    JpegHead
    """
    segments, passed_over, at = [], set(), 2
    marker = _COMMENT
    while (found := _MARKER.search(data, at)) is not None and found[0][1] not in (_SCAN, _END):
        # Behind a table or the frame they are a part of it that was pushed out, and it is no longer what it was.
        if marker in _NOTES:
            passed_over.add((found.start() - at, found[0][1]))
        marker, at = found[0][1], found.end()
        if marker in _ALONE:
            continue
        length = max(2, int.from_bytes(data[at : at + 2], "big"))
        segments.append((marker, data[at + 2 : at + length]))
        at += length
    if found is not None and marker in _NOTES:
        passed_over.add((found.start() - at, found[0][1]))
    return JpegHead(tuple(segments), len(data) if found is None else found.start(), frozenset(passed_over))


def _find_end(data: bytes, head: JpegHead, path: Path) -> int:
    """Return where the end mark stands, walking over the scans and what stands between them."""
    pattern = _MARKER_NO_RESTART if head.restart_interval else _MARKER
    at, scans = head.scan_at, 0
    while (found := pattern.search(data, at)) is not None:
        marker, at = found[0][1], found.end()
        if marker == _END:
            if not scans:
                break
            return found.start()
        if marker not in _BETWEEN_SCANS:
            raise damaged(path, "the end of the JPEG is missing")
        scans += marker == _SCAN
        _check_scans(scans, path)
        if marker == _INTERVAL:
            pattern = _MARKER_NO_RESTART
        at += int.from_bytes(data[at : at + 2], "big")
    raise damaged(path, "the end of the JPEG is missing")


def _check_scans(scans: int, path: Path) -> None:
    if scans > MAX_SCANS:
        raise PhotoError(
            Problem(
                where=str(path),
                expected=f"at most {MAX_SCANS} scans in a JPEG",
                got="more",
                action="export the photo as an ordinary JPEG",
            )
        )


def _check_restarts(coded: bytes, head: JpegHead, path: Path) -> None:
    """Refuse a picture in one scan whose restart marks are not those of its size, in their order."""
    expected = head.restarts(coded[:20]) if head.restart_interval else None
    if expected is None:
        return
    count = 0
    for count, mark in enumerate(_RESTART.finditer(coded), start=1):
        if count > expected + 1 or mark[1][0] - 0xD0 != (count - 1) % 8:
            raise damaged(path, "a part of the JPEG is out of place")
    if count < expected:
        raise damaged(path, "a part of the JPEG is missing")


def _zeros_code_no_picture(head: JpegHead, scan: bytes) -> bool:
    """Tell whether no picture is coded by zeros alone.

    A table's code of zeros alone belongs to its first symbol (ITU T.81, Annex C). Where that is "end of block", zeros
    are a flat area. Where it is a coefficient, as in the standard's table for luma, they are blocks whose coefficients
    are all filled and all alike, which nothing that was photographed is. Told for sequential JPEGs of one scan only.
    """
    first: dict[int, int] = {}
    for marker, body in head.segments:
        first |= _first_symbols(body) if marker == _TABLES else {}
    in_one_scan = head.body(*_SEQUENTIAL)[5:6] == scan[4:5] != b""
    count = scan[4] if in_one_scan else 0
    return any(first.get(0x10 | selector & 0x0F, 0) for selector in scan[6 : 6 + 2 * count : 2])


def _first_symbols(body: bytes) -> dict[int, int]:
    """Return the first symbol of each Huffman table in a segment, by the table's class and number."""
    found = {}
    while len(body) > 17:
        found[body[0]] = body[17]
        body = body[17 + sum(body[1:17]) :]
    return found
