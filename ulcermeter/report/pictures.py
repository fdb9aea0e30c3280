"""Overlays and curves as data URIs, small enough that the page stays one file one can mail."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

from ulcermeter.plots import shrink_jpeg
from ulcermeter.store import overlay_name
from ulcermeter.tables.cells import Record

__all__ = ["add_overlays", "curve_uri"]

# A page under 6 MB opens at once and passes most mail servers; pictures travel as base64, 4 bytes for 3.
_PAGE_BYTES = 5_500_000
# Longer sides of overlays that are tried, px: the largest that fit the page.
_SIDES_PX = (720, 560, 440, 340, 260, 200, 150)
# Bytes a JPEG of an overlay takes for each pixel at quality 80, on the safe side.
_BYTES_PER_PX = 0.22
# Shorter over longer side of an overlay, on the safe side.
_ASPECT = 0.85


def curve_uri(svg: str) -> str:
    """Return an SVG as a data URI: as a picture its ids cannot meet those of another curve.

    Parameters
    ----------
    svg : str
        The figure as SVG.

    Returns
    -------
    str
    """
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def add_overlays(photo_rows: list[Record], folder: Path, *, other_bytes: int) -> None:
    """Give each photo row its ``overlay`` (data URI) and ``overlay_link`` (relative), empty where there is none.

    `other_bytes` is what the page already holds in curves; the thumbnails share what is left.

    Parameters
    ----------
    photo_rows : list of dict
        Rows of photos to show.
    folder : Path
        The results folder's ``overlays``.
    other_bytes : int
        Bytes of the page without pictures.
    """
    longest_px = _longest_px(len(photo_rows), _PAGE_BYTES - other_bytes)
    rows_so_far: dict[tuple[str, str, str], int] = {}
    for row in photo_rows:
        key = (row["photo"], row["hand"], row["finger"])
        nth = rows_so_far.get(key, 0)
        rows_so_far[key] = nth + 1
        path = folder / overlay_name(*key, nth)
        data = shrink_jpeg(path.read_bytes(), longest_px=longest_px) if path.is_file() else b""
        row["overlay"] = "data:image/jpeg;base64," + base64.b64encode(data).decode() if data else ""
        row["overlay_link"] = quote(f"overlays/{path.name}") if data else ""


def _longest_px(n_photos: int, budget_bytes: int) -> int:
    for side in _SIDES_PX:
        if n_photos * side * _ASPECT * side * _BYTES_PER_PX * 4 / 3 <= budget_bytes:
            return side
    return _SIDES_PX[-1]
