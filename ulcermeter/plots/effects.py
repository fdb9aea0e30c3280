"""Effects of treatment: healing curves with bands and numbers at risk, a forest of estimands, courses with slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ulcermeter.datatypes import HealingCurve, Measure
from ulcermeter.plots.figures import GREY, INK, drawing, svg
from ulcermeter.tables.cells import Record, records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["forest_figure", "healing_share_figure", "slopes_figure"]

_COLOURS = (INK, "#b3261e", "#1b7837", "#b7791f")
# Strokes and gaps, in line widths: arms differ in black and white too.
_DASHES: tuple[str | tuple[float, tuple[float, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_RATIOS = (Measure.RISK_RATIO, Measure.HAZARD_RATIO, Measure.RATE_RATIO)
# Share of the axis that a number at risk takes; visits nearer than that would touch.
_NAME_EVERY = 0.07
# A ratio or its end beyond this is shown as "over", since its digits say nothing.
_LARGE = 1000.0


def healing_share_figure(curves: Sequence[HealingCurve]) -> str:
    """Draw the share healed against the day, an arm a line with its 95 % band, and the numbers at risk below.

    Parameters
    ----------
    curves : sequence of HealingCurve
        As `ulcermeter.outcomes.effects.healing_curves` gives them.

    Returns
    -------
    str
        An SVG; the same curves give the same text.
    """
    with drawing((9.6, 3.6 + 0.22 * len(curves))) as figure:
        axes = figure.subplots()
        below = (0.9 + 0.22 * len(curves)) / (3.6 + 0.22 * len(curves))
        figure.subplots_adjust(left=0.12, right=0.985, top=0.95, bottom=below)
        end = max([day for c in curves for _, day, at_risk, _ in c.visits if at_risk] + [1.0])
        end = max([end, *(float(c.days[-1]) for c in curves if len(c.days))])
        for curve, colour, dashes in zip(curves, _COLOURS, _DASHES, strict=False):
            days = [*curve.days, end]
            low, high, share = (
                [*ends, ends[-1]] if len(ends) else [math.nan] for ends in (curve.low, curve.high, curve.share)
            )
            if len(curve.days):
                axes.fill_between(days, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
                axes.step(
                    days, share, where="post", color=colour, linestyle=dashes, linewidth=1.7, label=curve.arm or "all"
                )
        axes.set_xlim(0, 1.01 * end)
        axes.set_ylim(0, 1)
        axes.set_ylabel("share of ulcers healed", color=GREY)
        axes.set_xlabel("days since treatment", color=GREY, labelpad=1)
        axes.tick_params(colors=GREY, labelsize=8)
        if len(curves) > 1:
            axes.legend(frameon=False, fontsize=8.5, loc="upper left")
        _numbers_at_risk(axes, curves, end)
        return svg(figure)


def _numbers_at_risk(axes: Axes, curves: Sequence[HealingCurve], end: float) -> None:
    """Write the numbers under the axis, leaving out a visit that would touch the one before."""
    points = axes.get_window_extent().height * 72 / axes.figure.dpi
    for row, (curve, colour) in enumerate(zip(curves, _COLOURS, strict=False)):
        y = -(36 + 15 * (row + 1)) / points
        axes.text(
            -0.015, y, f"{curve.arm or 'all'}: at risk", transform=axes.transAxes, ha="right", fontsize=8, color=colour
        )
        last = -math.inf
        for _, day, at_risk, _ in curve.visits:
            if day <= end and day - last >= _NAME_EVERY * end:
                axes.annotate(
                    str(at_risk), (day, y), xycoords=("data", "axes fraction"), ha="center", fontsize=8, color=colour,
                    annotation_clip=False,
                )  # fmt: skip
                last = day


def forest_figure(effects: pd.DataFrame, *, outcome: str, measure: Measure | str) -> str:
    """Draw one measure of one outcome over estimands, arms and strata, each with its 95 % interval.

    Parameters
    ----------
    effects : DataFrame
        Table ``effects``.
    outcome, measure : str
        Of that table, for example ``time to healing`` and ``hazard ratio``. Ratios stand on a log scale. What could not
        be estimated keeps its line, without a point.

    Returns
    -------
    str
        An SVG.
    """
    rows = records(effects[(effects["outcome"] == outcome) & (effects["measure"] == str(measure))])
    ratio = str(measure) in set(map(str, _RATIOS))
    with drawing((9.6, 0.9 + 0.3 * max(1, len(rows)))) as figure:
        axes = figure.subplots()
        height = 0.9 + 0.3 * max(1, len(rows))
        figure.subplots_adjust(left=0.35, right=0.665, top=1 - 0.32 / height, bottom=0.5 / height)
        limits = _limits(rows, ratio)
        for y, row in enumerate(rows):
            _forest_line(axes, len(rows) - 1 - y, row, limits)
        axes.axvline(1.0 if ratio else 0.0, color="#9aa1ab", linewidth=0.8, zorder=1)
        axes.set_xscale("log" if ratio else "linear")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        axes.set_xlim(*limits)
        axes.set_ylim(-0.7, max(1, len(rows)) - 0.3)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_title(f"{outcome}: {measure}", loc="left", fontsize=9.5, color=INK, fontweight="bold")
        axes.tick_params(colors=GREY, labelsize=8)
        return svg(figure)


def _limits(rows: Sequence[Record], ratio: bool) -> tuple[float, float]:
    ends = [row[name] for row in rows for name in ("estimate", "low", "high")]
    ends = [end for end in ends if math.isfinite(end) and (end > 0 or not ratio)]
    if ratio:
        return max(0.01, min([0.5, *ends]) / 1.2), min(100.0, 1.2 * max([2.0, *ends]))
    low, high = min([0.0, *ends]), max([0.0, *ends])
    space = 0.08 * (high - low) or 1.0
    return low - space, high + space


def _forest_line(axes: Axes, y: float, row: Record, limits: tuple[float, float]) -> None:
    against = f" against {row['reference_arm']}" if row["reference_arm"] else ""
    part = f", {row['stratum']}" if row["stratum"] else ""
    label = f"{row['estimand']}{part}: {row['arm']}{against}"
    axes.text(-0.02, y, label, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=8, color=INK)
    axes.text(1.02, y, _estimate_text(row), transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=INK)
    if not math.isfinite(row["low"]) and not math.isfinite(row["estimate"]):
        return
    # An end beyond the picture, or open, is an arrow.
    low, high = max(row["low"], limits[0]), min(row["high"], limits[1])
    axes.plot([low, high], [y, y], color=INK, linewidth=1.4, solid_capstyle="butt", zorder=2)
    for end, stated, marker in ((low, row["low"], "<"), (high, row["high"], ">")):
        if end != stated:
            axes.plot([end], [y], marker=marker, color=INK, markersize=4.5, clip_on=False, zorder=3)
    if limits[0] <= row["estimate"] <= limits[1]:
        axes.plot([row["estimate"]], [y], marker="s", color=INK, markersize=5, zorder=3)


def _estimate_text(row: Record) -> str:
    if not math.isfinite(row["low"]) and not math.isfinite(row["estimate"]):
        return "not estimable"
    p = f", p {row['p_value']:.3f}" if math.isfinite(row["p_value"]) else ""
    estimate, low, high = (_number(row[name]) for name in ("estimate", "low", "high"))
    return f"{estimate} ({low} to {high}){p}; {int(row['n_subjects'])} subjects"


def _number(value: float) -> str:
    if value >= _LARGE:
        return "∞" if math.isinf(value) else f"over {_LARGE:g}"
    return f"{value:.2f}".replace("-", "−")


def slopes_figure(areas: pd.DataFrame, effects: pd.DataFrame) -> str:
    """Draw every ulcer's area against the day, an arm a panel on one scale, with the arm's estimated slope.

    Parameters
    ----------
    areas : DataFrame
        As `ulcermeter.outcomes.effects.analysed_areas` gives it: arm, ulcer_id, day, area_mm2.
    effects : DataFrame
        Table ``effects``; its slopes under treatment policy, all strata together. The line starts at the mean of the
        arm's first areas.

    Returns
    -------
    str
        An SVG.
    """
    arms = sorted(set(areas["arm"]))
    whole = (effects["measure"] == str(Measure.SLOPE)) & (effects["stratum"] == "")
    slopes = effects[whole & (effects["estimand"] == "treatment policy")].set_index("arm")
    with drawing((9.6, 3.2)) as figure:
        panels = figure.subplots(1, max(1, len(arms)), sharey=True, sharex=True, squeeze=False)[0]
        figure.subplots_adjust(left=0.06, right=0.985, top=0.86, bottom=0.16, wspace=0.08)
        for axes, arm, colour in zip(panels, arms, _COLOURS, strict=False):
            own = areas[areas["arm"] == arm].astype({"day": "float64"})
            for _, course in own.groupby("ulcer_id", sort=True):
                axes.plot(
                    course["day"], course["area_mm2"], color=colour, alpha=0.4, linewidth=1, marker="o", markersize=2.5
                )
            title = arm
            if arm in slopes.index:
                row = slopes.loc[arm]
                ends = " to ".join(map(_number, (row["low"], row["high"])))
                title = f"{arm}: {_number(row['estimate'])} ({ends}) mm² a week"
                _slope_line(axes, own, float(row["estimate"]), colour)
            axes.set_title(title, loc="left", fontsize=9.5, color=colour, fontweight="bold")
            axes.set_xlabel("days since treatment", color=GREY)
            axes.tick_params(colors=GREY, labelsize=8)
        panels[0].set_ylabel("area, mm²", color=GREY)
        panels[0].set_ylim(bottom=0)
        return svg(figure)


def _slope_line(axes: Axes, own: pd.DataFrame, slope: float, colour: str) -> None:
    first = own.sort_values("day").drop_duplicates("ulcer_id")
    start, day, end = float(first["area_mm2"].mean()), float(first["day"].mean()), float(own["day"].max())
    if math.isfinite(slope):
        axes.plot([day, end], [start, start + slope * (end - day) / 7], color=colour, linewidth=2.4, zorder=4)
