"""All ulcers of a study at a glance: their courses in one panel, what they were at each visit in another."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from statistics import quantiles
from typing import TYPE_CHECKING

from ulcermeter.plots.figures import GREY, INK, drawing, svg
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import Record, grouped, known_number, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["study_courses", "study_states"]

_SIZE = (4.2, 3.1)
# As vectors so many lines still open at once on a phone; more of them become one picture inside the figure.
_MOST_VECTORS = 400
_DPI = 200
# A median of fewer says nothing [assumption].
_FEWEST = 3
# From the worst to what is not known; open ulcers of before are blue, new and returned ones red, healed ones green.
_STATES = {
    "new": "#b3261e",
    "recurrent": "#e08b84",
    "first seen": "#1d3557",
    "persistent": "#5b7aa6",
    "split": "#8fa8c9",
    "merged": "#b9c9de",
    "healed": "#5fae72",
    "amputated": "#000000",
    "indeterminate": "#9aa1ab",
    "not photographed": "#dfe3e8",
}


def study_courses(trajectories: pd.DataFrame, *, protocol: Protocol) -> str:
    """Draw every ulcer's diameter against the day after treatment, and the median at each visit with its quartiles.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``; rows without a day or a diameter are not drawn.
    protocol : Protocol
        Its threshold is the dashed line; medians stand at the days of its visits.

    Returns
    -------
    str
        An SVG. No arm is known in it. Healed ulcers count as 0 mm.
    """
    placed = [row for row in records(trajectories) if math.isfinite(known_number(row["day"]) + row["diameter_mm"])]
    lines = [
        [(row["day"], row["diameter_mm"]) for row in sorted(rows, key=lambda row: row["day"])]
        for _, rows in sorted(grouped(placed, key=itemgetter("ulcer_id")).items())
    ]
    with drawing(_SIZE) as figure:
        from matplotlib.collections import LineCollection  # only now: `drawing` loads it so that it leaves nothing

        figure.subplots_adjust(left=0.09, right=0.91, top=0.9, bottom=0.2)
        figure.set_dpi(_DPI)
        axes = figure.subplots()
        many = len(lines) > _MOST_VECTORS
        alpha = min(0.6, max(0.05, 12 / max(1, len(lines))))
        axes.add_collection(LineCollection(lines, colors=INK, linewidths=0.8, alpha=alpha, rasterized=many))
        _draw_medians(axes, placed, protocol)
        axes.autoscale_view()
        threshold = protocol.measurement.threshold_diameter_mm
        axes.axhline(threshold, color="#b3261e", linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"{threshold:g} mm", (1, threshold), xycoords=("axes fraction", "data"), xytext=(2, 0),
            textcoords="offset points", color="#b3261e", va="center", fontsize=8,
        )  # fmt: skip
        axes.set_ylim(-0.1, 1.15 * max(axes.get_ylim()[1], 1))
        axes.set_xlabel("days since treatment", color=GREY)
        axes.tick_params(colors=GREY, labelsize=8)
        axes.set_title(f"Diameter (mm) of {len(lines)} ulcers", loc="left", fontsize=9.5, color=INK, fontweight="bold")
        return svg(figure)


def _draw_medians(axes: Axes, rows: Sequence[Record], protocol: Protocol) -> None:
    by_visit = grouped(rows, key=itemgetter("visit"))
    drawn = False
    for visit in protocol.visits:
        values = [row["diameter_mm"] for row in by_visit.get(visit.name, ())]
        if visit.day is None or len(values) < _FEWEST:
            continue
        low, middle, high = quantiles(values, n=4, method="inclusive")
        label = "" if drawn else "median and quartiles at a visit"
        axes.plot([visit.day] * 2, [low, high], color="#d97706", linewidth=2.4, solid_capstyle="butt", zorder=5)
        axes.plot([visit.day], [middle], "o", color="#d97706", markersize=6, zorder=6, label=label)
        drawn = True
    if drawn:
        axes.legend(frameon=False, fontsize=8, loc="upper right", handletextpad=0.3)


def study_states(trajectories: pd.DataFrame, *, protocol: Protocol) -> str:
    """Draw how many ulcers were in which state at each visit, as stacked bars in the order of the visits.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``.
    protocol : Protocol
        The order of its visits.

    Returns
    -------
    str
        An SVG.
    """
    counts = Counter((row["visit"], row["state"]) for row in records(trajectories))
    names = sorted({visit for visit, _ in counts}, key=lambda name: (protocol.places.get(name, math.inf), name))
    with drawing(_SIZE) as figure:
        figure.subplots_adjust(left=0.1, right=0.64, top=0.9, bottom=0.24)
        axes = figure.subplots()
        below = [0] * len(names)
        for state, colour in _STATES.items():
            heights = [counts[name, state] for name in names]
            if any(heights):
                axes.bar(range(len(names)), heights, bottom=below, color=colour, label=state, width=0.78)
                below = [low + height for low, height in zip(below, heights, strict=True)]
        axes.set_xticks(range(len(names)), names, rotation=50, ha="right", rotation_mode="anchor")
        axes.tick_params(colors=GREY, labelsize=8, length=0)
        axes.set_title("Ulcers by state at each visit", loc="left", fontsize=9.5, color=INK, fontweight="bold")
        if names:
            handles, labels = axes.get_legend_handles_labels()
            axes.legend(
                handles[::-1], labels[::-1], frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.02)
            )
        return svg(figure)
