"""The study of which ulcer is which against what is asked of it; minutes; run with ``-m slow``."""

from __future__ import annotations

import pytest
from identity import KINDS, draw_study, judge, track_study

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        (
            "sd 0.6",
            {"IDF1": 0.975, "states right": 0.955},
            {"new ulcers silently old": 0.03, "flags on right links": 0.1},
        ),
        ("sd 1.2", {"IDF1": 0.955}, {"new ulcers silently old": 0.08, "flags on right links": 0.12}),
        ("sd 1.2, stated 0.4", {"IDF1": 0.95}, {"new ulcers silently old": 0.08}),
        ("sd 0.6, palmar and tip", {"IDF1": 0.97}, {"new ulcers silently old": 0.03}),
    ],
)
def test_ulcers_are_told_apart(kind: str, least: dict[str, float], most: dict[str, float]) -> None:
    study = draw_study(7, 100, next(k for k in KINDS if k.name == kind))
    figures = judge(study, track_study(study))
    assert all(figures[name].share >= bound for name, bound in least.items()), figures
    assert all(figures[name].share <= bound for name, bound in (most | {"false healed": 0.005}).items()), figures
