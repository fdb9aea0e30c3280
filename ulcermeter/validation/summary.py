"""What the phantoms say, cell by cell: bias, limits, coverage, width of the interval, calls, with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.datatypes.arrays import Floats
from ulcermeter.statistics import CENTRAL_95_PCT, Z_95_AS_PRINTED, wilson
from ulcermeter.tables import from_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BINS", "CLEAR_MM", "empirical_width", "summarise"]


# An ulcer is clear of the threshold from here on, mm: there a call may not be wrong and should not be uncertain. A
# little more than what 95 % of errors stay within (assumption).
CLEAR_MM = 0.3
# Cells of the working range, by what is true of a phantom; edges are [from, to), of the last one [from, to].
BINS: dict[str, tuple[float, ...]] = {
    "diameter_true_mm": (1.0, 1.7, 2.3, 3.0, 4.0, 5.0),
    "px_per_mm": (15.0, 17.0, 20.0, 25.0),
    "tilt_deg": (0.0, 8.0, 16.0, 25.0),
    "blur_px": (0.5, 0.75, 1.0, 1.2),
    "skin_tone": (1.0, 2.5, 4.5, 6.0),
    "slope_true_deg": (0.0, 8.0, 16.0, 90.0),
    "offset_mm": (0.0, 16.0, 22.0, 90.0),
}
_NAMES = ("side", "bed", "finger_found")
# Of the bootstrap: ends of an interval are then known to a few per cent of its width.
_RESAMPLES = 1000
# Per cent of errors that `abs_error_95_mm` holds.
_MOST_PCT = 95
# Any number: the same rows give the same interval.
_SEED = 20110
# Below this many errors their outer percentiles are single values; 3.92 sd is the steadier width.
_ENOUGH_FOR_PERCENTILES = 40
# Fewer errors than this have no interval of their own by drawing from them again (assumption).
_FEWEST = 3


def summarise(phantoms: pd.DataFrame, *, threshold_mm: float) -> pd.DataFrame:
    """Return table ``validation/summary`` of a table ``validation/phantoms``.

    Shares have Wilson's 95 % interval (1927), means and widths a percentile bootstrap's over phantoms, with a fixed
    seed: the same rows give the same numbers.

    Parameters
    ----------
    phantoms : DataFrame
        Table ``validation/phantoms``.
    threshold_mm : float
        The threshold on the diameter, mm.

    Returns
    -------
    DataFrame
    """
    rows = [
        {"sample": sample, "factor": factor, "level": level, "mode": mode, **_cell(part, threshold_mm)}
        for mode, of_mode in phantoms.groupby("mode", sort=True)
        for sample, factor, level, part in _cells(of_mode)
    ]
    return from_rows("validation/summary", rows)


def _cells(phantoms: pd.DataFrame) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    working = phantoms[phantoms["sample"] == "working range"]
    if len(working):
        yield "working range", "all", "", working
        for factor, edges in BINS.items():
            for low, high in zip(edges[:-1], edges[1:], strict=True):
                last = (working[factor] == high) & (high == edges[-1])
                part = working[((working[factor] >= low) & (working[factor] < high)) | last]
                if len(part):
                    yield "working range", factor, f"{low:g} to {high:g}", part
        for factor in _NAMES:
            for level, part in working[working[factor] != ""].groupby(factor, sort=True):
                yield "working range", factor, str(level), part
    swept = phantoms[phantoms["sample"] == "sweep"]
    for names, part in swept.groupby(["factor", "level"], sort=False):
        swept_factor, at = names
        yield "sweep", str(swept_factor), str(at), part


def _cell(part: pd.DataFrame, threshold_mm: float) -> dict[str, Any]:
    accepted, measured = part[part["found"] != ""], part[part["found"] == "yes"]
    clear = measured[(measured["diameter_true_mm"] - threshold_mm).abs() >= CLEAR_MM]
    called, truly = clear["over_threshold"], clear["over_threshold_true"]
    refused = int((part["status"] == "refused").sum())
    return {
        "n": len(part),
        "n_measured": len(measured),
        **_share("refused", refused, len(part)),
        **_share("found", len(measured), len(accepted)),
        "false_per_photo": float(accepted["n_false"].sum()) / len(accepted) if len(accepted) else math.nan,
        **_errors(measured),
        **_share("coverage", int((measured["covered"] == "yes").sum()), len(measured)),
        "n_clear": len(clear),
        **_share("wrong_side", int(((called != "uncertain") & (called != truly)).sum()), len(clear)),
        **_share("uncertain", int((called == "uncertain").sum()), len(clear)),
    }


def _errors(measured: pd.DataFrame) -> dict[str, float]:
    errors = measured["error_mm"].to_numpy(dtype=np.float64)
    widths = (measured["diameter_high_mm"] - measured["diameter_low_mm"]).to_numpy(dtype=np.float64)
    if not len(errors):
        return {}
    bias, sd = float(errors.mean()), float(errors.std(ddof=1)) if len(errors) > 1 else math.nan
    reach = Z_95_AS_PRINTED * sd
    row = {"sd_mm": sd, "limit_low_mm": bias - reach, "limit_high_mm": bias + reach}
    row["interval_width_mm"] = float(np.median(widths))
    for name, value in (("bias_mm", _mean), ("abs_error_95_mm", _largest), ("width_ratio", _ratio)):
        row |= _bootstrapped(name, value, errors, widths)
    return row


def _mean(errors: Floats, widths: Floats) -> Floats:
    return np.asarray(errors.mean(axis=-1))


def _largest(errors: Floats, widths: Floats) -> Floats:
    return np.asarray(np.percentile(np.abs(errors), _MOST_PCT, axis=-1))


def _ratio(errors: Floats, widths: Floats) -> Floats:
    spread = empirical_width(errors)
    return np.median(widths, axis=-1) / np.where(spread > 0, spread, np.nan)


def empirical_width(errors: Floats) -> Floats:
    """Return the width that holds 95 % of errors: percentiles 2.5 to 97.5; 3.92 sd of fewer than 40.

    Parameters
    ----------
    errors : float64 (..., n)
        mm.

    Returns
    -------
    float64 (...)
        mm; NaN of a single error.
    """
    n = errors.shape[-1]
    if n >= _ENOUGH_FOR_PERCENTILES:
        return np.asarray(np.subtract(*np.percentile(errors, CENTRAL_95_PCT[::-1], axis=-1)))
    return (
        2 * Z_95_AS_PRINTED * np.asarray(errors.std(ddof=1, axis=-1) if n > 1 else np.full(errors.shape[:-1], np.nan))
    )


def _bootstrapped(
    name: str, value: Callable[[Floats, Floats], Floats], errors: Floats, widths: Floats
) -> dict[str, float]:
    row = {name: float(value(errors, widths))}
    if len(errors) < _FEWEST:
        return row
    draws = np.random.default_rng(_SEED).integers(len(errors), size=(_RESAMPLES, len(errors)))
    low, high = np.nanpercentile(value(errors[draws], widths[draws]), CENTRAL_95_PCT)
    return {**row, f"{name}_low": float(low), f"{name}_high": float(high)}


def _share(name: str, count: int, total: int) -> dict[str, float]:
    if total == 0:
        return {}
    low, high = wilson(count / total, total)
    return {name: count / total, f"{name}_low": low, f"{name}_high": high}
