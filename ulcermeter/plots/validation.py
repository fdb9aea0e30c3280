"""The instrument against phantoms: error over diameter, Bland-Altman, calls round the threshold, coverage by factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ulcermeter.plots.figures import GREY, INK, drawing, svg
from ulcermeter.statistics import Z_95_AS_PRINTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["bland_altman_figure", "calls_figure", "coverage_figure", "error_figure"]

_RED, _GREEN, _AMBER, _PALE = "#b3261e", "#1b7837", "#b7791f", "#9db4cc"
_MODES = (("geometry", "True outline: reference, height and slope alone"), ("instrument", "The whole instrument"))
# Coverage that is claimed, and the least that is asked of a cell where the caller does not say.
_NOMINAL, _LEAST = 0.95, 0.88
# Where a diameter's logarithmic axis is marked, mm.
_TICKS_MM = (0.8, 1, 1.5, 2, 3, 4, 5, 7, 10)
_FACTORS = {
    "all": "",
    "diameter_true_mm": "diameter, mm",
    "px_per_mm": "px/mm",
    "tilt_deg": "tilt, °",
    "blur_px": "blur, px",
    "skin_tone": "skin tone",
    "slope_true_deg": "slope, °",
    "offset_mm": "reference off, mm",
    "side": "side",
    "bed": "bed",
    "finger_found": "finger found",
    "diameter_mm": "diameter, mm",
    "offset_sides": "reference off, sides",
    "reference_on": "reference on",
    "reference": "reference",
}


def error_figure(phantoms: pd.DataFrame, curve: pd.DataFrame, *, within_mm: dict[str, float]) -> str:
    """Draw the error curve: measured minus true diameter over the true one, a panel a mode.

    Parameters
    ----------
    phantoms : DataFrame
        Table ``validation/phantoms``; every measured phantom with a marker is a dot.
    curve : DataFrame
        By diameter: mode, diameter_mm, bias_mm, low_mm, high_mm (95 % of the errors).
    within_mm : dict
        By mode the error that 95 % should stay within: dashed lines.

    Returns
    -------
    str
        An SVG; the same tables give the same text.
    """
    with drawing((9.6, 3.7)) as figure:
        panels = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.07, right=0.985, top=0.86, bottom=0.15, wspace=0.2)
        for axes, (mode, title) in zip(panels, _MODES, strict=True):
            _error_panel(axes, phantoms[phantoms["mode"] == mode], curve[curve["mode"] == mode], within_mm[mode])
            axes.set_title(title, loc="left", fontsize=9.5, color=INK, fontweight="bold")
        panels[0].set_ylabel("measured − true, mm", color=GREY)
        return svg(figure)


def _error_panel(axes: Axes, phantoms: pd.DataFrame, curve: pd.DataFrame, within_mm: float) -> None:
    measured = phantoms[phantoms["found"] == "yes"]
    axes.set_xscale("log")
    axes.axhline(0, color="#9aa1ab", linewidth=0.8)
    for sign in (-1, 1):
        axes.axhline(sign * within_mm, color=_RED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(
        measured["diameter_true_mm"], measured["error_mm"], linestyle="none", marker="o", markersize=2.6,
        color=_PALE, markeredgewidth=0, zorder=2,
    )  # fmt: skip
    if len(curve):
        x = curve["diameter_mm"]
        axes.fill_between(x, curve["low_mm"], curve["high_mm"], color=INK, alpha=0.16, linewidth=0, zorder=1)
        axes.plot(x, curve["bias_mm"], color=INK, linewidth=1.6, marker="o", markersize=3.2, zorder=3)
    # The largest sizes err most; up to 5 mm, where the limits are meant, is what must be readable.
    ends = curve[curve["diameter_mm"] <= 6][["low_mm", "high_mm"]].to_numpy(dtype=np.float64)
    _clipped_y(axes, measured, 1.2 * float(np.nanmax([1.4 * within_mm, *np.abs(ends).ravel()])))
    axes.set_xticks(_TICKS_MM, [f"{tick:g}" for tick in _TICKS_MM])
    axes.minorticks_off()
    axes.set_xlim(0.72, 11)
    axes.set_xlabel("true diameter, mm", color=GREY)
    axes.tick_params(colors=GREY, labelsize=8)


def _clipped_y(axes: Axes, measured: pd.DataFrame, reach: float) -> None:
    """Limit the axis and put what lies beyond at its edge as a triangle, so that no error is hidden."""
    axes.set_ylim(-reach, reach)
    for sign, marker in ((-1, "v"), (1, "^")):
        beyond = measured[sign * measured["error_mm"] > reach]
        axes.plot(
            beyond["diameter_true_mm"], [sign * 0.97 * reach] * len(beyond), linestyle="none", marker=marker,
            color=_RED, markersize=4.5, clip_on=False, zorder=4,
        )  # fmt: skip


def bland_altman_figure(phantoms: pd.DataFrame) -> str:
    """Draw difference against mean of measured and true diameter: whole instrument, working range.

    Lines are the bias and the 95 % limits of agreement (± 1.96 sd), bands their 95 % intervals (Bland & Altman 1986).

    Parameters
    ----------
    phantoms : DataFrame
        Table ``validation/phantoms``.

    Returns
    -------
    str
    """
    some = phantoms[(phantoms["mode"] == "instrument") & (phantoms["sample"] == "working range")]
    some = some[some["found"] == "yes"]
    with drawing((6.4, 3.9)) as figure:
        axes = figure.subplots()
        figure.subplots_adjust(left=0.1, right=0.8, top=0.95, bottom=0.14)
        mean = (some["diameter_true_mm"] + some["diameter_mm"]) / 2
        axes.plot(mean, some["error_mm"], linestyle="none", marker="o", markersize=3.4, color=INK, alpha=0.55)
        if len(some) > 2:
            _limits(axes, some["error_mm"].to_numpy(dtype=np.float64))
        axes.set_xlabel("mean of measured and true diameter, mm", color=GREY)
        axes.set_ylabel("measured − true, mm", color=GREY)
        axes.tick_params(colors=GREY, labelsize=8)
        return svg(figure)


def _limits(axes: Axes, errors: np.ndarray) -> None:
    n, bias, sd = len(errors), float(errors.mean()), float(errors.std(ddof=1))
    # Standard errors of Bland & Altman 1986: sd / sqrt(n) of the bias, about sqrt(3) times that of a limit.
    for place, se, name, colour in (
        (bias, sd / np.sqrt(n), "bias", INK),
        (bias - Z_95_AS_PRINTED * sd, sd * np.sqrt(3 / n), "−1.96 sd", _RED),
        (bias + Z_95_AS_PRINTED * sd, sd * np.sqrt(3 / n), "+1.96 sd", _RED),
    ):
        axes.axhline(place, color=colour, linewidth=1.1)
        reach = Z_95_AS_PRINTED * se
        axes.axhspan(place - reach, place + reach, color=colour, alpha=0.12, linewidth=0)
        axes.annotate(
            f"{name}\n{place:+.3f} mm", (1, place), xycoords=("axes fraction", "data"), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=8.5, color=colour, annotation_clip=False,
        )  # fmt: skip
    axes.axhline(0, color="#9aa1ab", linewidth=0.8, linestyle=(0, (1, 2)))


def calls_figure(calls: pd.DataFrame, *, threshold_mm: float, clear_mm: float) -> str:
    """Draw how often the call is right, uncertain or wrong against the true diameter; bars are Wilson's 95 % intervals.

    Parameters
    ----------
    calls : DataFrame
        By diameter, whole instrument: diameter_mm, n, and share, share_low, share_high of each ``call``
        (right, uncertain, wrong).
    threshold_mm : float
        The protocol's threshold on the diameter, mm; a dotted line.
    clear_mm : float
        Half the width of the shaded zone round it in which a call need not be certain, mm.

    Returns
    -------
    str
        An SVG.
    """
    styles = {"right": (_GREEN, "o", -0.008), "uncertain": (_AMBER, "s", 0.0), "wrong": (_RED, "v", 0.008)}
    with drawing((6.4, 3.9)) as figure:
        axes = figure.subplots()
        figure.subplots_adjust(left=0.1, right=0.8, top=0.95, bottom=0.14)
        axes.axvspan(threshold_mm - clear_mm, threshold_mm + clear_mm, color="#e8eef4", linewidth=0)
        axes.axvline(threshold_mm, color=_RED, linewidth=1, linestyle=(0, (4, 3)))
        for call, (colour, marker, aside) in styles.items():
            part = calls[calls["call"] == call]
            x = part["diameter_mm"] * (1 + aside)
            axes.vlines(x, part["share_low"], part["share_high"], color=colour, linewidth=1, alpha=0.6)
            axes.plot(x, part["share"], color=colour, marker=marker, markersize=4.5, linewidth=1.2, label=call)
        axes.set(ylim=(-0.03, 1.03), xlim=(threshold_mm - 1.1, threshold_mm + 1.6))
        axes.set_xlabel("true diameter, mm", color=GREY)
        axes.set_ylabel("share of measured ulcers", color=GREY)
        axes.tick_params(colors=GREY, labelsize=8)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
        return svg(figure)


def coverage_figure(summary: pd.DataFrame, *, nominal: float = _NOMINAL, least: float = _LEAST) -> str:
    """Draw the share of intervals that hold the truth, cell by cell, with Wilson's 95 % intervals, both modes.

    Parameters
    ----------
    summary : DataFrame
        Table ``validation/summary``.
    nominal : float, optional
        The coverage that is claimed.
    least : float, optional
        The least coverage that is asked.

    Returns
    -------
    str
    """
    n_rows = _most_cells(summary)
    height = 1.0 + 0.175 * n_rows
    with drawing((9.6, height)) as figure:
        panels = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.165, right=0.985, top=1 - 0.3 / height, bottom=0.75 / height, wspace=0.5)
        for axes, (sample, title) in zip(panels, _SAMPLES, strict=True):
            _coverage_panel(axes, summary[summary["sample"] == sample], nominal=nominal, least=least, n_rows=n_rows)
            axes.set_title(title, loc="left", fontsize=9.5, color=INK, fontweight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="lower center", ncols=2, frameon=False, fontsize=8.5)
        return svg(figure)


_SAMPLES = (("working range", "Working range, cut by one factor"), ("sweep", "One factor at a time"))


def _most_cells(summary: pd.DataFrame) -> int:
    cells = [len(summary[summary["sample"] == sample][["factor", "level"]].drop_duplicates()) for sample, _ in _SAMPLES]
    return max([*cells, 6])


def _coverage_panel(axes: Axes, cells: pd.DataFrame, *, nominal: float, least: float, n_rows: int) -> None:
    names = cells[["factor", "level"]].drop_duplicates().reset_index(drop=True)
    place = {(f, v): -k for k, (f, v) in enumerate(zip(names["factor"], names["level"], strict=True))}
    axes.axvline(nominal, color=GREY, linewidth=0.9)
    axes.axvline(least, color=_RED, linewidth=0.9, linestyle=(0, (4, 3)))
    for mode, colour, marker, aside in (("geometry", _PALE, "D", 0.16), ("instrument", INK, "o", -0.16)):
        part = cells[(cells["mode"] == mode) & cells["coverage"].notna()]
        y = [place[key] + aside for key in zip(part["factor"], part["level"], strict=True)]
        axes.hlines(y, part["coverage_low"], part["coverage_high"], color=colour, linewidth=1.3)
        words = {"geometry": "true outline", "instrument": "whole instrument"}[mode]
        axes.plot(
            part["coverage"], y, linestyle="none", marker=marker, markersize=4, color=colour, label=words, clip_on=False
        )
    axes.set_yticks(list(place.values()), [_cell_name(f, v) for f, v in place])
    _part_factors(axes, list(place))
    axes.set_ylim(-n_rows + 0.3, 0.7)
    axes.set_xlim(min(0.5, float(cells["coverage_low"].min()) if len(cells) else 0.5) - 0.02, 1.005)
    axes.set_xlabel("share of 95 % intervals that hold the true diameter", color=GREY)
    axes.tick_params(colors=GREY, labelsize=7.5)


def _cell_name(factor: str, level: str) -> str:
    return "all" if factor == "all" else f"{_FACTORS.get(factor, factor)}: {level}"


def _part_factors(axes: Axes, cells: list[tuple[str, str]]) -> None:
    for k in range(1, len(cells)):
        if cells[k][0] != cells[k - 1][0]:
            axes.axhline(0.5 - k, color="#d5dbe2", linewidth=0.7)
