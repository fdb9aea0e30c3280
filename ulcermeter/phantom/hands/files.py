"""Drawn hands as files: a JPEG, a PNG of labels, and a JSON file of the fingers' truth for each picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from ulcermeter.phantom.hands.scene import HandPicture, HandStudio
from ulcermeter.phantom.hands.truth import FingerTruth

# In the PNG: labels in the low five bits, nail and sore in one bit each.
LABEL_BITS, NAIL_BIT, SORE_BIT = 31, 32, 64
# As phones save photos (assumption).
JPEG_QUALITY = 92


def write_pictures(studio: HandStudio, seeds: Iterable[int], folder: Path) -> Iterator[Path]:
    """Draw the pictures of seeds into a folder, one file name a seed; those already there are left alone.

    Parameters
    ----------
    studio : HandStudio
        What draws them.
    seeds : iterable of int
        One picture each.
    folder : Path
        Made when missing.

    Returns
    -------
    iterator of Path
        Each picture's JSON file, once it is there; JPEG and PNG stand beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        path = folder / f"{seed:06d}.json"
        if not path.exists():
            _write(studio.draw(seed), path)
        yield path


def _write(picture: HandPicture, path: Path) -> None:
    """Write the pixels first: a truth file without its picture is never there."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    cv2.imwrite(str(path.with_suffix(".jpg")), cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2BGR), quality)
    marks = picture.labels | (picture.nails * np.uint8(NAIL_BIT)) | (picture.sores * np.uint8(SORE_BIT))
    cv2.imwrite(str(path.with_suffix(".png")), marks)
    truth = {"px_per_mm": picture.px_per_mm, "fingers": [asdict(finger) for finger in picture.fingers]}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(truth), encoding="utf-8")
    part.rename(path)


def read_picture(path: Path) -> HandPicture:
    """Read a picture that `write_pictures` wrote.

    Parameters
    ----------
    path : Path
        Of its JSON file.

    Returns
    -------
    HandPicture
        Its pixels as the JPEG has them.

    Raises
    ------
    ValueError
        The JPEG or PNG beside it is missing or damaged.
    """
    truth = json.loads(path.read_text(encoding="utf-8"))
    bgr = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_COLOR)
    marks = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
    if bgr is None or marks is None:
        raise ValueError(f"expected a .jpg and a .png beside {path}, got none that can be read")
    fingers = tuple(
        FingerTruth(**{**one, "tip_px": tuple(one["tip_px"]), "inwards": tuple(one["inwards"])})
        for one in truth["fingers"]
    )
    return HandPicture(
        pixels=cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8),
        labels=(marks & LABEL_BITS).astype(np.uint8),
        nails=(marks & NAIL_BIT) > 0,
        sores=(marks & SORE_BIT) > 0,
        fingers=fingers,
        px_per_mm=float(truth["px_per_mm"]),
    )
