"""Two references on one photo must agree on the scale; when they do not, one stated size is wrong."""

from __future__ import annotations

import math

from ulcermeter.datatypes import Calibration
from ulcermeter.errors import Problem, Refusal

__all__ = ["refuse_contradiction"]

_LEAST_DIFFERENCE = 0.10
"""Share of scale that two references may always differ by: they may lie at heights that differ by 2 cm at 20 cm."""
_STANDARD_ERRORS = 3.0
"""Two right references differ by more in 3 of 1000 photos."""


def refuse_contradiction(calibration: Calibration, second: Calibration) -> None:
    """Refuse a calibration that a second reference on the same photo contradicts.

    Compared is the scale where the second reference lies. They contradict each other when it differs by more than three
    of its standard errors and by more than 10 %.

    Parameters
    ----------
    calibration : Calibration
        By the reference that was asked for.
    second : Calibration
        By another reference on the same photo.

    Raises
    ------
    Refusal
        Naming both scales.
    """
    place = second.points_px.mean(axis=0)
    first_scale, second_scale = calibration.px_per_mm(place), second.px_per_mm(place)
    difference = abs(math.log(first_scale / second_scale))
    expected = math.hypot(calibration.scale_se(place), second.scale_se(place))
    if difference > max(_LEAST_DIFFERENCE, _STANDARD_ERRORS * expected):
        raise Refusal(
            Problem(
                where=f"reference {calibration.reference}",
                expected=f"the scale that {second.reference} on the same photo gives, {second_scale:.2f} px/mm",
                got=f"{first_scale:.2f} px/mm",
                action="check the stated size, or that both lie on one level",
            )
        )
