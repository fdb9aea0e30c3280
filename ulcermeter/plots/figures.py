"""What figures share: their style, and SVG that comes out byte for byte the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ulcermeter.plots.loading import load_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GREY", "INK", "drawing", "svg"]

INK = "#1d3557"
GREY = "#5c626c"
# Of every figure: the same bytes each time, text as text, and lines only where they say something.
_SETTINGS: dict[str, str | float | bool] = {
    "svg.hashsalt": "ulcermeter",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa1ab",
    # A title stands where it is put: by itself it is moved clear of ticks above a panel, of which there are none.
    "axes.titley": 1.0,
    "path.simplify": False,
}


@contextmanager
def drawing(size: tuple[float, float]) -> Iterator[Figure]:
    """Yield a figure in the style of all figures.

    Parameters
    ----------
    size : (float, float)
        Width and height, inch of 72 pt.

    Yields
    ------
    Figure
        Draw it with `svg` before the style is left.
    """
    matplotlib = load_matplotlib()
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        yield figure


def svg(figure: Figure) -> str:
    """Return a figure as SVG without dates or random ids.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str
        From ``<svg`` on.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
