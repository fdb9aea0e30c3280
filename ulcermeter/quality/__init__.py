"""Quality: the gates a photo must pass at the ulcer, its focus, its light, and six criteria that refuse nothing."""

from ulcermeter.quality.criteria import judge_quality
from ulcermeter.quality.gates import GateReport, check_gates, tilt_limit_deg

__all__ = ["GateReport", "check_gates", "judge_quality", "tilt_limit_deg"]
