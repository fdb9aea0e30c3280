"""Where a row says to look: a click, a box, a tracing, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ulcermeter.datatypes import Box, Photo, Points
from ulcermeter.errors import Problem, StudyError
from ulcermeter.study import parse_box

__all__ = ["Prompt", "PromptKind", "parse_prompt"]


class PromptKind(Enum):
    """What a prompt is; a tracing's click only chooses among its outlines, and a click's box is its finger's."""

    MASK = "mask"
    CLICK = "click"
    BOX = "box"
    NONE = ""


@dataclass(frozen=True)
class Prompt:
    """Where to look on a photo, never that there is an ulcer.

    Attributes
    ----------
    click : (float, float) or None
        (x, y), photo px.
    box : Box or None
        Round an ulcer or a finger, photo px.
    mask : str
        The file of a reader's tracing as the row names it; empty for none.
    """

    click: tuple[float, float] | None = None
    box: Box | None = None
    mask: str = ""

    @property
    def kind(self) -> PromptKind:
        """What decides what becomes an outline: a tracing before a click before a box."""
        if self.mask:
            return PromptKind.MASK
        if self.click is not None:
            return PromptKind.CLICK
        return PromptKind.NONE if self.box is None else PromptKind.BOX

    @property
    def points(self) -> bool:
        """Whether it names a place, by a click or a box."""
        return self.click is not None or self.box is not None

    def place(self, photo: Photo) -> Points:
        """Return the photo pixel (x, y), float64 (2,), that it speaks of: click, box's middle or photo's middle."""
        if self.click is not None:
            return np.array(self.click, dtype=np.float64)
        rows, cols = photo.pixels.shape[:2]
        x, y, width, height = self.box or (0.0, 0.0, float(cols - 1), float(rows - 1))
        return np.array([x + width / 2, y + height / 2])

    def within(self, window: Box | None) -> Prompt:
        """Return the prompt with a window of the photo in place of a box that it does not have."""
        return self if self.points else replace(self, box=window)

    def without_tracing(self) -> Prompt:
        """Return the prompt as if nobody had traced: its click only chose among the tracing's outlines."""
        return replace(self, click=None, mask="")


def parse_prompt(*, x: str, y: str, box: str, mask: str) -> Prompt:
    """Read a prompt from the cells of a row, each empty where it says nothing.

    Parameters
    ----------
    x : str
        x, mm or px.
    y : str
        y, mm or px.
    box : str
        A box x, y, width, height, photo px.
    mask : str
        True where it is, bool (M, N).

    Returns
    -------
    Prompt

    Raises
    ------
    StudyError
        A click or a box that is none.
    """
    return Prompt(_click(x, y) if x and y else None, parse_box(box), mask)


def _click(x: str, y: str) -> tuple[float, float]:
    try:
        return float(x), float(y)
    except ValueError:
        problem = Problem(where="x, y", expected="a click in px of the upright photo", got=f"'{x}', '{y}'")
        raise StudyError(problem) from None
