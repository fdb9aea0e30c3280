"""The ulcers of each subject in a panel of its own, all panels on one scale: whose ulcers healed, whose did not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from ulcermeter.plots.curves import MARKS
from ulcermeter.plots.figures import GREY, INK, drawing, svg
from ulcermeter.protocol import Protocol
from ulcermeter.tables.cells import Record, grouped, known_number, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["subject_courses"]

# On a page 9.6 inches wide a panel of a quarter of it still shows a course of eight visits.
_COLUMNS, _WIDE, _HIGH = 4, 9.6, 1.55
_COLOURS = (INK, "#b7791f", "#6b4c9a", "#2a7f86")
_THRESHOLD = "#b3261e"


def subject_courses(trajectories: pd.DataFrame, *, protocol: Protocol) -> str:
    """Draw each subject's ulcers, diameter against the day after treatment, with the same axes for all subjects.

    Parameters
    ----------
    trajectories : DataFrame
        Table ``trajectories``. Subjects without two visits that have a day and a diameter are left out, and the last
        line says how many.
    protocol : Protocol
        Its threshold is the dashed line.

    Returns
    -------
    str
        An SVG. Bars are 95 % intervals, a healed ulcer is an open circle at 0 mm, the other states have the marks of
        `healing_curve`.
    """
    by_subject = grouped(records(trajectories), key=itemgetter("subject_id"))
    placed = {subject: [row for row in rows if _is_placed(row)] for subject, rows in sorted(by_subject.items())}
    shown = {subject: rows for subject, rows in placed.items() if len({row["day"] for row in rows}) > 1}
    high = max(1, math.ceil(len(shown) / _COLUMNS))
    tall = _HIGH * high + 0.7
    with drawing((_WIDE, tall)) as figure:
        figure.subplots_adjust(left=0.05, right=0.99, top=1 - 0.3 / tall, bottom=0.55 / tall, hspace=0.32, wspace=0.08)
        panels = figure.subplots(high, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, (subject, rows) in zip(panels, shown.items(), strict=False):
            _draw_subject(panel, subject, rows, protocol.measurement.threshold_diameter_mm)
        for panel in panels[len(shown) :]:
            panel.set_axis_off()
        for panel in panels[max(0, len(shown) - _COLUMNS) : len(shown)]:
            panel.tick_params(labelbottom=True)
        panels[0].set_ylim(
            -0.35, 1.06 * max([row["diameter_high_mm"] for rows in shown.values() for row in rows] or [1])
        )
        figure.text(
            0.05,
            0.012,
            f"Diameter, mm, against days since treatment. {len(by_subject) - len(shown)} of {len(by_subject)} subjects "
            "have fewer than two visits with a size and are not drawn.",
            fontsize=8,
            color=GREY,
        )
        return svg(figure)


def _is_placed(row: Record) -> bool:
    return math.isfinite(known_number(row["day"]) + row["diameter_mm"])


def _draw_subject(panel: Axes, subject: str, rows: Sequence[Record], threshold_mm: float) -> None:
    panel.axhline(threshold_mm, color=_THRESHOLD, linewidth=0.8, linestyle=(0, (4, 3)))
    panel.axvline(0, color="#d4d9e0", linewidth=0.8)
    for (_, course), colour in zip(
        sorted(grouped(rows, key=itemgetter("ulcer_id")).items()), _COLOURS * len(rows), strict=False
    ):
        course = sorted(course, key=itemgetter("day"))
        panel.plot([row["day"] for row in course], [row["diameter_mm"] for row in course], color=colour, linewidth=1.1)
        for row in course:
            _mark(panel, row, colour)
    panel.set_title(subject, loc="left", fontsize=8.5, color=INK, fontweight="bold", pad=2)
    panel.tick_params(colors=GREY, labelsize=7.5, length=2)


def _mark(panel: Axes, row: Record, colour: str) -> None:
    """Draw a visit: its interval, and its state's shape in the ulcer's colour (healed: in its own)."""
    low, high = row["diameter_low_mm"], row["diameter_high_mm"]
    if math.isfinite(low + high):
        panel.plot([row["day"]] * 2, [low, high], color=colour, linewidth=0.9, alpha=0.55)
    shape, own, filled = MARKS[row["state"]]
    ink = own if row["state"] == "healed" else colour
    panel.plot(
        row["day"], row["diameter_mm"], shape, color=ink, markersize=4, markerfacecolor=ink if filled else "white"
    )
