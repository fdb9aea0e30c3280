"""Calibration: from photo pixels to millimetres, by a thing of known size, with its error; and the gates.

One file for each kind of reference; `calibrate` chooses. Adding a kind: write a `Finder` (see `references`) and name
it in `calibrate.FINDERS`.
"""

from ulcermeter.calibration.calibrate import calibrate
from ulcermeter.calibration.camera import read_lens, write_lens
from ulcermeter.calibration.colour import standardise_colour
from ulcermeter.calibration.gates import GateReport, check_gates, tilt_limit_deg
from ulcermeter.calibration.quality import judge_quality
from ulcermeter.calibration.rectification import MAX_RECTIFIED_MEGAPIXELS, rectify
from ulcermeter.calibration.references import FoundReference, Reference, parse_reference

__all__ = [
    "MAX_RECTIFIED_MEGAPIXELS",
    "FoundReference",
    "GateReport",
    "Reference",
    "calibrate",
    "check_gates",
    "judge_quality",
    "parse_reference",
    "read_lens",
    "rectify",
    "standardise_colour",
    "tilt_limit_deg",
    "write_lens",
]
