"""From outlines to millimetres: diameter, width, area and perimeter, with intervals and the three-way answer.

The diameter is the longest straight caliper between two points of the ulcer's edge on the skin, the area the one
projected on the reference's plane; `ulcermeter.planimetry.skin` says how an outline gets from the photo to the skin,
`ulcermeter.planimetry.interval` what the intervals hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ulcermeter import tables
from ulcermeter.datatypes import Finger, OutlineSource, Segmentation
from ulcermeter.geometry import area, centroid, perimeter
from ulcermeter.planimetry.calipers import (
    Caliper,
    equivalent_diameter,
    longest_caliper,
    resample,
    transverse_width,
)
from ulcermeter.planimetry.interval import TERMS, SizeDraws, draw_sizes, error_sizes
from ulcermeter.planimetry.plausibility import check_on_finger
from ulcermeter.planimetry.skin import SkinOutline, lay_on_skin
from ulcermeter.protocol import Protocol
from ulcermeter.statistics import CENTRAL_95_PCT
from ulcermeter.tables.cells import Record

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Caliper",
    "area",
    "centroid",
    "diameter_line",
    "equivalent_diameter",
    "longest_caliper",
    "measure",
    "measure_rows",
    "perimeter",
    "resample",
    "transverse_width",
]


def measure(segmentation: Segmentation, *, finger: Finger | None = None, protocol: Protocol) -> pd.DataFrame:
    """Measure every ulcer of a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
        Its outlines are measured on the skin of the rectified photo's calibration.
    finger : Finger, optional
        Lets slope and height be corrected and fills the surface and finger columns.
    protocol : Protocol
        Threshold, slope limit and the sizes of the interval's terms.

    Returns
    -------
    DataFrame
        Table ``measurements``, one row a label in their order. What a photo cannot know (subject, visit, ulcer_id,
        run_id, ...) stays empty.

    Raises
    ------
    Refusal
        A reader's outline is larger than the finger.
    """
    return tables.from_rows("measurements", measure_rows(segmentation, finger=finger, protocol=protocol))


def measure_rows(segmentation: Segmentation, *, finger: Finger | None, protocol: Protocol) -> list[Record]:
    """Measure every ulcer of a segmentation as `measure` does; its rows as dicts, which takes half the time.

    Parameters
    ----------
    segmentation : Segmentation
        Its outlines are measured on the skin of the rectified photo's calibration.
    finger : Finger or None
        None when none was found.
    protocol : Protocol
        Threshold, slope limit and the sizes of the interval's terms.

    Returns
    -------
    list of dict
        Rows of ``measurements``, one a label in their order.

    Raises
    ------
    Refusal
        A reader's outline is larger than the finger.
    """
    check_on_finger(segmentation, finger, protocol=protocol)
    return [
        _row(segmentation, label, finger=finger, protocol=protocol)
        for label in range(1, len(segmentation.outlines) + 1)
    ]


def diameter_line(segmentation: Segmentation, label: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the longest caliper's ends ((x0, y0), (x1, y1)) in photo pixels.

    They are vertices of the outline, the farthest apart in the reference's plane: where the finger slopes, `measure`
    may choose a neighbouring pair on the skin.

    Parameters
    ----------
    segmentation : Segmentation
        The outlines.
    label : int
        Number of the outline, from 1.

    Returns
    -------
    ((float, float), (float, float))
        The two ends (x, y), photo px.
    """
    outline = segmentation.outlines[label - 1]
    found = longest_caliper(segmentation.rectified.calibration.to_mm(outline))
    (x0, y0), (x1, y1) = outline[found.start], outline[found.end]
    return (float(x0), float(y0)), (float(x1), float(y1))


def _row(segmentation: Segmentation, label: int, *, finger: Finger | None, protocol: Protocol) -> Record:
    at = label - 1
    outline = segmentation.outlines[at]
    calibration = segmentation.rectified.calibration
    skin = lay_on_skin(outline, calibration, finger=finger, protocol=protocol)
    caliper, plane = longest_caliper(skin.edge_mm), skin.edge_mm[:, :2]
    middle = centroid(outline)
    sizes = error_sizes(
        calibration,
        finger=finger,
        rim=segmentation.rims[at] if segmentation.rims else None,
        diameter_mm=caliper.length_mm,
        source=segmentation.source,
        protocol=protocol,
    )
    draws = draw_sizes(
        skin,
        calibration,
        centroid_px=middle,
        diameter_mm=caliper.length_mm,
        area_mm2=area(plane),
        sizes=sizes,
        count=protocol.measurement.monte_carlo_draws,
        seed=f"{segmentation.rectified.photo.sha256}:{label}",
    )
    s, s_sd, t, t_sd = skin.finger_place
    return {
        "label": label,
        **_sizes(skin, caliper, plane),
        **_answer(caliper.length_mm, area(plane), draws, skin, protocol, cut_off=segmentation.touches_border[at]),
        "centroid_x_px": float(middle[0]),
        "centroid_y_px": float(middle[1]),
        "finger_s_mm": s,
        "finger_s_sd_mm": s_sd,
        "finger_t_mm": t,
        "finger_t_sd_mm": t_sd,
        "touches_border": "yes" if segmentation.touches_border[at] else "no",
        "confidence": segmentation.confidence[at],
        "presence": segmentation.presence.value,
        "method": _method(segmentation),
    }


def _method(segmentation: Segmentation) -> str:
    """Return the column's words for where the outlines come from."""
    if segmentation.source is OutlineSource.NETWORK:
        return "+".join(filter(None, ("network", segmentation.prompt)))
    return "truth" if segmentation.source is OutlineSource.TRUTH else "reader's tracing"


def _sizes(skin: SkinOutline, caliper: Caliper, plane: NDArray[np.float64]) -> dict[str, float]:
    unrolled = skin.unrolled_mm
    return {
        "diameter_mm": caliper.length_mm,
        "width_mm": transverse_width(skin.tangent_mm, caliper=caliper),
        "area_mm2": area(plane),
        "perimeter_mm": perimeter(plane),
        "equivalent_diameter_mm": equivalent_diameter(area(plane)),
        "surface_diameter_mm": float("nan") if unrolled is None else longest_caliper(unrolled).length_mm,
        "surface_area_mm2": float("nan") if unrolled is None else area(unrolled),
    }


def _answer(
    diameter_mm: float,
    area_mm2: float,
    draws: SizeDraws,
    skin: SkinOutline,
    protocol: Protocol,
    *,
    cut_off: bool,
) -> Record:
    """Return the intervals and the three-way answer; an interval always contains its estimate.

    Of an ulcer cut off by the photo's border they are those of the part in view: it can be over the threshold, but
    when it is not the whole ulcer still may be.
    """
    threshold = protocol.measurement.threshold_diameter_mm
    low, high = np.percentile(draws.diameter_mm, CENTRAL_95_PCT)
    area_low, area_high = np.percentile(draws.area_mm2, CENTRAL_95_PCT)
    low, high = min(float(low), diameter_mm), max(float(high), diameter_mm)
    over = _over(low, high, threshold)
    if skin.slope_deg > protocol.measurement.slope_max_deg or (cut_off and over == "no"):
        over = "uncertain"
    return {
        "diameter_low_mm": low,
        "diameter_high_mm": high,
        "area_low_mm2": min(float(area_low), area_mm2),
        "area_high_mm2": max(float(area_high), area_mm2),
        "over_threshold": over,
        "probability_over_threshold": float(np.mean(draws.diameter_mm > threshold)),
        "dominant_error": draws.budget.dominant,
        **{f"u_{term}_mm": getattr(draws.budget, f"{term}_mm") for term in (*TERMS, "combined")},
    }


def _over(low: float, high: float, threshold: float) -> str:
    if low > threshold:
        return "yes"
    return "no" if high <= threshold else "uncertain"
