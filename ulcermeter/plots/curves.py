"""The course of one ulcer over the visits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from ulcermeter.plots.figures import GREY, INK, drawing, svg
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import Record, grouped, not_known, records
from ulcermeter.tables.dates import parse_date

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MARKS", "healing_curve", "label_visits"]

_THRESHOLD = "#b3261e"
_BAND = "#e8eef4"
MARKS: dict[str, tuple[str, str, bool]] = {
    "first seen": (">", INK, True),
    "persistent": ("o", INK, True),
    "new": ("D", "#b3261e", True),
    "recurrent": ("^", "#b3261e", True),
    "merged": ("s", INK, True),
    "split": ("s", INK, False),
    "healed": ("o", "#1b7837", False),
    "indeterminate": ("$?$", GREY, True),
    "not photographed": ("x", GREY, True),
    "amputated": ("X", "#000000", True),
}
"""Marker, colour and whether it is filled: a state is told by shape first, so that it survives grey print."""

Quantity = Literal["both", "diameter", "area"]
_PANELS = {"diameter": ("mm", "Diameter (mm)"), "area": ("mm2", "Area (mm²)")}
# Of visits' names above a panel, pt: written slanting, each needs about its letters' height.
_NAMES_EVERY_PT = 9.5
_NAME_PT, _NAME_SLANT_DEG, _LEADER_PT = 7.0, 50, 11.0


def healing_curve(trajectory_rows: pd.DataFrame, *, protocol: Protocol, quantity: Quantity = "both") -> str:
    """Draw one ulcer's diameter and area against the day, with 95 % intervals, states and the threshold.

    Every visit is named above the panel. Other states than *persistent* have shapes of their own.

    Parameters
    ----------
    trajectory_rows : DataFrame
        The rows of ``trajectories`` of one ulcer. Days count from treatment; without any day, from the first photo
        whose date is known to the day. A row without either is not drawn and the figure says so.
    protocol : Protocol
        Its threshold is the dashed line, its visits' windows are shaded.
    quantity : {'both', 'diameter', 'area'}
        Both stand side by side; one alone is as wide as a phone's page.

    Returns
    -------
    str
        An SVG without dates or random ids: the same rows give the same text.
    """
    rows, counted_from = _with_days(records(trajectory_rows))
    quantities = tuple(_PANELS) if quantity == "both" else (quantity,)
    both = quantity == "both"
    with drawing((9.8, 3.3) if both else (3.9, 3.1)) as figure:
        margins = {"left": 0.04, "right": 0.965} if both else {"left": 0.09, "right": 0.91}
        figure.subplots_adjust(**margins, top=0.68, bottom=0.25, wspace=0.16)
        panels = figure.subplots(1, len(quantities), squeeze=False)[0]
        for axes, name in zip(panels, quantities, strict=True):
            unit, title = _PANELS[name]
            _panel(axes, rows, quantity=name, unit=unit, title=title)
            if name == "diameter":
                _draw_threshold(axes, protocol.measurement.threshold_diameter_mm)
            _dress(axes, rows, protocol if counted_from == "treatment" else None, counted_from)
        if quantity != "area":  # beside the diameter's, whose marks are the same
            _legend(figure, rows, n_left_out=len(trajectory_rows) - len(rows), columns=8 if both else 3)
        return svg(figure)


def _draw_threshold(axes: Axes, threshold_mm: float) -> None:
    axes.axhline(threshold_mm, color=_THRESHOLD, linewidth=1, linestyle=(0, (4, 3)), zorder=2)
    axes.annotate(
        f"{threshold_mm:g} mm", (1, threshold_mm), xycoords=("axes fraction", "data"), xytext=(2, 0),
        textcoords="offset points", color=_THRESHOLD, va="center", fontsize=8,
    )  # fmt: skip


def _with_days(rows: list[Record]) -> tuple[list[Record], str]:
    """Return the rows that can be placed in time, by day, and what the day counts from."""
    if any(not not_known(row["day"]) for row in rows):
        placed = [{**row, "day": int(row["day"])} for row in rows if not not_known(row["day"])]
        return sorted(placed, key=lambda row: row["day"]), "treatment"
    dated = [(exact, row) for row in rows if (exact := _exact_date(row["date"])) is not None]
    first = min((exact for exact, _ in dated), default=date.min)
    placed = [{**row, "day": (exact - first).days} for exact, row in dated]
    return sorted(placed, key=lambda row: row["day"]), "first photo"


def _exact_date(text: str) -> date | None:
    interval = parse_date(text)
    return interval.low if interval is not None and interval.exact else None


def _panel(axes: Axes, rows: list[Record], *, quantity: str, unit: str, title: str) -> None:
    drawn = [row for row in rows if not math.isnan(row[f"{quantity}_{unit}"])]
    _course(axes, rows, f"{quantity}_{unit}")
    _intervals(axes, [(row["day"], row[f"{quantity}_low_{unit}"], row[f"{quantity}_high_{unit}"]) for row in drawn])
    by_state = grouped(rows, key=itemgetter("state"))
    for state, same in by_state.items():
        values = [row[f"{quantity}_{unit}"] for row in same]
        _mark(axes, state, [row["day"] for row in same], [0.0 if math.isnan(value) else value for value in values])
    highest = max(
        [row[f"{quantity}_high_{unit}"] for row in drawn] + [row[f"{quantity}_{unit}"] for row in drawn] + [1]
    )
    floor = 2.6 if quantity == "diameter" else 1.0
    axes.set_ylim(-0.06 * max(highest, floor), 1.12 * max(floor, *(h for h in [highest] if h == h)))
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, fontweight="bold", pad=47)


def _intervals(axes: Axes, intervals: list[tuple[float, float, float]]) -> None:
    """Draw intervals (day, low, high), each with its two ends."""
    known = [(day, low, high) for day, low, high in intervals if not math.isnan(low) and high > low]
    if not known:
        return
    days, lows, highs = map(list, zip(*known, strict=True))
    # One line for all, broken by what is not a number: each line of its own takes two milliseconds.
    axes.plot(*_broken([((day, low), (day, high)) for day, low, high in known]),
              color=INK, linewidth=1.6, zorder=3, solid_capstyle="butt")  # fmt: skip
    axes.plot([*days, *days], [*lows, *highs], color=INK, linewidth=0, marker="_", markersize=5, zorder=3)


def _broken(lines: list[tuple[tuple[float, float], ...]]) -> tuple[list[float], list[float]]:
    """Return x and y of lines as of one, a gap of not-a-number behind each."""
    points = [point for line in lines for point in (*line, (math.nan, math.nan))]
    return [x for x, _ in points], [y for _, y in points]


def _course(axes: Axes, rows: list[Record], column: str) -> None:
    """Join neighbouring values; dashed over visits without one, so that a gap is seen as a gap."""
    joined: dict[bool, list[tuple[tuple[float, float], ...]]] = {False: [], True: []}
    before: Record | None = None
    gap = False
    for row in rows:
        if math.isnan(row[column]):
            gap = True
            continue
        if before is not None:
            joined[gap].append(((before["day"], before[column]), (row["day"], row[column])))
        before, gap = row, False
    for dashed, lines in joined.items():
        if lines:
            style = (0, (2, 2)) if dashed else "-"
            axes.plot(*_broken(lines), color=INK, linewidth=1, alpha=0.7, linestyle=style, zorder=2)


def _mark(axes: Axes, state: str, days: list[float], values: list[float]) -> None:
    marker, colour, filled = MARKS.get(state, ("o", GREY, True))
    axes.plot(
        days, values, linestyle="none", marker=marker, markersize=8 if marker == "$?$" else 6.5,
        markeredgecolor=colour, markerfacecolor=colour if filled else "white",
        markeredgewidth=1.4 if marker != "$?$" else 0.3, zorder=4, clip_on=False,
    )  # fmt: skip


def _dress(axes: Axes, rows: list[Record], protocol: Protocol | None, counted_from: str) -> None:
    from matplotlib.ticker import MaxNLocator

    days = [row["day"] for row in rows] or [0]
    space = max(0.03 * (max(days) - min(days)), 3)
    axes.set_xlim(min(days) - space, max(days) + space)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.set_xlabel(f"days since {counted_from}", color=GREY)
    axes.tick_params(colors=GREY, labelsize=8)
    axes.axhline(0, color="#9aa1ab", linewidth=0.8, zorder=1)
    _shade_visits(axes, protocol)
    label_visits(axes, [(row["day"], row["visit"]) for row in rows])


def _shade_visits(axes: Axes, protocol: Protocol | None) -> None:
    low, high = axes.get_xlim()
    for visit in protocol.visits if protocol is not None else ():
        if visit.day is None or visit.window_days is None or not low <= visit.day <= high:
            continue
        half = max(visit.window_days, 0.5)
        axes.axvspan(visit.day - half, visit.day + half, color=_BAND, linewidth=0, zorder=0)


def label_visits(axes: Axes, visits: Iterable[tuple[float, str]]) -> None:
    """Name every visit above a panel, names moved apart that would touch, each with a line to its day.

    Parameters
    ----------
    axes : Axes
        Its limits along x are set.
    visits : iterable of (float, str)
        Day and name; of equal ones the first is written.
    """
    named = sorted(dict.fromkeys(visits))
    low, high = axes.get_xlim()
    width_pt = axes.get_window_extent().width * 72 / axes.figure.dpi
    per_day = width_pt / (high - low)
    places = _apart([(day - low) * per_day for day, _ in named], width_pt)
    for (day, name), place in zip(named, places, strict=True):
        axes.annotate(
            name, (day, 1), xycoords=("data", "axes fraction"),
            xytext=(place - (day - low) * per_day, _LEADER_PT), textcoords="offset points",
            ha="left", va="bottom", rotation=_NAME_SLANT_DEG, rotation_mode="anchor", fontsize=_NAME_PT, color=GREY,
            arrowprops={"arrowstyle": "-", "color": "#b9c0c9", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0,
                        "relpos": (0.12, 0)},
            annotation_clip=False,
        )  # fmt: skip


def _apart(places: list[float], width: float) -> list[float]:
    """Return places moved right as far as needed to stand apart, then back into the width; closer where too many."""
    every = min(_NAMES_EVERY_PT, width / max(1, len(places)))
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + every) if moved else place)
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], width - every * (len(moved) - 1 - i))
    return moved


def _legend(figure: Figure, rows: list[Record], *, n_left_out: int, columns: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    for state in (s for s in MARKS if any(row["state"] == s for row in rows)):
        marker, colour, filled = MARKS[state]
        face = colour if filled else "white"
        handles.append(Line2D([], [], linestyle="none", marker=marker, color=colour, markerfacecolor=face, label=state))
    if any(axes.patches for axes in figure.axes):
        handles.append(Patch(color=_BAND, label="visit's window"))
    if n_left_out:
        handles.append(Line2D([], [], linestyle="none", label=f"{n_left_out} visit(s) without an exact date not drawn"))
    figure.legend(
        handles=handles, loc="lower center", ncols=columns, borderpad=0, frameon=False, fontsize=8, handletextpad=0.4
    )
