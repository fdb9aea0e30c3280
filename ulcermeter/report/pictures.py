"""The report's pictures: as links, or as data URIs where the page is to be one file that one can mail."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from ulcermeter.plots import shrink_jpeg
from ulcermeter.store import PICTURES

__all__ = ["Pictures", "svg_uri"]

# A page under 6 MB opens at once and passes most mail servers; pictures travel as base64, 4 bytes for 3.
_PAGE_BYTES = 5_500_000
_SIDES_PX = (500, 400, 300, 220, 160, 120)
# Bytes that a JPEG takes for each pixel at quality 80, on the safe side.
_BYTES_PER_PX = 0.4


def svg_uri(svg: str) -> str:
    """Return an SVG as a data URI: as a picture its ids cannot meet those of another figure.

    Parameters
    ----------
    svg : str
        The figure as SVG.

    Returns
    -------
    str
    """
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


class Pictures:
    """The small pictures of a results folder.

    Parameters
    ----------
    root : Path
        The results folder.
    inside : bool
        They go into the page, and share what it may weigh.
    count : int
        How many photo rows there are.
    """

    def __init__(self, root: Path, *, inside: bool, count: int) -> None:
        self.root, self._inside = root, inside
        self._longest_px = _longest_px(count)
        self._uri = lru_cache(maxsize=16)(self._read)

    def source(self, name: str) -> str:
        """Return what an image element names; empty where there is no such picture."""
        if not (self.root / PICTURES / name).is_file():
            return ""
        return self._uri(name) if self._inside else f"pictures/{quote(name)}"

    def overlay_link(self, name: str) -> str:
        """Return the way to a photo's overlay; empty where there is none."""
        if not (self.root / "overlays" / name).is_file():
            return ""
        return quote(f"overlays/{name}" if self._inside else f"../overlays/{name}")

    def size_px(self, name: str) -> tuple[int, int]:
        """Return a picture's width and height; (0, 0) where there is none that can be read."""
        try:
            with Image.open(self.root / PICTURES / name) as picture:
                return picture.size
        except OSError:
            return 0, 0

    def _read(self, name: str) -> str:
        data = (self.root / PICTURES / name).read_bytes()
        if max(self.size_px(name)) > self._longest_px:
            data = shrink_jpeg(data, longest_px=self._longest_px)
        return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _longest_px(count: int) -> int:
    """Return how large pictures inside the page may be; a finger's view is half as wide as high."""
    for side in _SIDES_PX:
        if count * side * side / 2 * _BYTES_PER_PX * 4 / 3 <= _PAGE_BYTES:
            return side
    return _SIDES_PX[-1]
