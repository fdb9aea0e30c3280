"""ulcermeter: digital ulcers on visit photos, measured in millimetres with an interval.

Research use only, not a medical device: verdicts are proposals, the investigator decides.

The public names load on first use (PEP 562), so that ``import ulcermeter`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "assess_eligibility": "eligibility",
    "calibrate": "calibration",
    "categorise_subjects": "outcomes.effects",
    "compare_hazards": "outcomes.effects",
    "compare_rates": "outcomes.effects",
    "compare_shares": "outcomes.effects",
    "compare_slopes": "outcomes.effects",
    "draw_phantom": "phantom",
    "estimate_healing_curve": "outcomes.effects",
    "follow_healing": "healing",
    "incidence_by": "outcomes.effects",
    "locate_finger": "finger",
    "measure": "planimetry",
    "measure_photo": "pipeline",
    "read_photo": "photo",
    "read_protocol": "protocol",
    "read_results": "store",
    "read_study": "study",
    "rectify": "calibration",
    "run_study": "pipeline",
    "segment": "segmentation",
    "tabulate_effects": "outcomes.effects",
    "tabulate_outcomes": "outcomes",
    "track": "tracking",
    "ulcer_probability": "segmentation",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it."""
    if name in _WHERE:
        return getattr(importlib.import_module(f"ulcermeter.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'ulcermeter' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
