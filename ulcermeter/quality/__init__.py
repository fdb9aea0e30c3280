"""Quality: the gates a photo must pass at the ulcer, its focus, six criteria that refuse nothing, clear skin."""

from ulcermeter.quality.criteria import judge_quality
from ulcermeter.quality.gates import GateReport, check_gates, check_gates_along, check_scale, tilt_limit_deg
from ulcermeter.quality.skin import DoubtfulArea, DoubtfulKind, SkinView, judge_skin, unclear_shares

__all__ = [
    "DoubtfulArea",
    "DoubtfulKind",
    "GateReport",
    "SkinView",
    "check_gates",
    "check_gates_along",
    "check_scale",
    "judge_quality",
    "judge_skin",
    "unclear_shares",
    "tilt_limit_deg",
]
