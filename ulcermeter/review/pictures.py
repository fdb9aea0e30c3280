"""Photos as the page shows them: upright, at their own resolution, without anything that their files say beside."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from ulcermeter.datatypes import Photo
from ulcermeter.errors import PhotoError, Problem
from ulcermeter.photo import read_photo

__all__ = ["Pictures"]

# Of photos of 12 million pixels, 36 MB each.
_KEPT = 6
_QUALITY = 92


class Pictures:
    """The last photos that were looked at, decoded."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, Photo] = OrderedDict()
        self._lock = Lock()

    def photo(self, path: Path, sha256: str) -> Photo:
        """Return a photo, read where it is not kept.

        Raises
        ------
        PhotoError
            It cannot be read any more, or is another than the one of that hash: its outlines would lie on another skin.
        """
        photo = self._photo(path)
        if photo.sha256 != sha256:
            raise PhotoError(
                Problem("the photo is another file now than the run measured", action="run `ulcermeter run` again")
            )
        return photo

    def _photo(self, path: Path) -> Photo:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        photo = read_photo(path)
        with self._lock:
            self._kept[path] = photo
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return photo

    def jpeg(self, path: Path, sha256: str, crop: Sequence[float] | None = None) -> bytes:
        """Return a photo, or a part of it (x, y, width, height, whole px), as JPEG without EXIF.

        Raises
        ------
        PhotoError
            As `photo`.
        ValueError
            Nothing of the photo lies in the part.
        """
        pixels = self.photo(path, sha256).pixels
        if crop is not None:
            x, y, width, height = (int(value) for value in crop)
            pixels = pixels[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        if pixels.size == 0:
            raise ValueError("no part of the photo")
        bgr = np.ascontiguousarray(pixels[..., ::-1])
        done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        assert done
        return encoded.tobytes()
