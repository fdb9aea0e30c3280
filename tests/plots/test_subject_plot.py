"""All subjects on one scale: who is drawn, who is not, and that every panel has the same axes."""

from __future__ import annotations

import re
from typing import Any

from ulcermeter.plots import subject_courses
from ulcermeter.protocol import read_protocol
from ulcermeter.tables import from_rows

PROTOCOL = read_protocol("manus")


def visit(
    subject: str, day: float | None, diameter: float | None, state: str = "persistent", n: int = 1
) -> dict[str, Any]:
    size = (
        {} if diameter is None else {"diameter_mm": diameter, "diameter_low_mm": diameter, "diameter_high_mm": diameter}
    )
    return {"subject_id": subject, "ulcer_id": f"{subject}-{n}", "day": day, "state": state} | size


def test_subjects_with_two_measured_visits_are_drawn_and_the_others_counted() -> None:
    rows = [
        visit("S01", 0, 3.0, "first seen"),
        visit("S01", 28, 0.0, "healed"),
        visit("S01", 28, 2.2, "new", n=2),
        # A second size without a day, on the same day, or a day without a size, is no course.
        visit("S02", 0, 3.0, "first seen"),
        visit("S02", None, 2.0),
        visit("S03", 0, 3.0, "first seen"),
        visit("S03", 0, 2.5, "first seen", n=2),
        visit("S04", 0, 3.0, "first seen"),
        visit("S04", 28, None, "not photographed"),
        visit("S05", -14, 2.0, "first seen"),
        visit("S05", 0, 9.0),
    ]
    picture = subject_courses(from_rows("trajectories", rows), protocol=PROTOCOL)
    assert re.findall(r"S0\d", picture) == ["S01", "S05"]
    assert "3 of 5 subjects" in picture
    assert picture == subject_courses(from_rows("trajectories", rows[::-1]), protocol=PROTOCOL)


def test_a_study_without_any_course_is_an_empty_page() -> None:
    assert "0 of 0 subjects" in subject_courses(from_rows("trajectories", []), protocol=PROTOCOL)
