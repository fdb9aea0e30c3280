"""Calibration: from photo pixels to millimetres, by a thing of known size, with its error; and the gates.

One file for each kind of reference; `calibrate` chooses. Adding a kind: name it and its form in `ulcermeter.reference`,
write what finds it as a file in `references`, and enter that in `references.registry`.
"""

from ulcermeter.calibration.calibrate import calibrate
from ulcermeter.calibration.card.colour import standardise_colour
from ulcermeter.calibration.geometry.camera import read_lens, write_lens
from ulcermeter.calibration.geometry.rectification import MAX_RECTIFIED_MEGAPIXELS, rectify
from ulcermeter.calibration.references.reference import FoundReference
from ulcermeter.reference import Reference, parse_reference

__all__ = [
    "MAX_RECTIFIED_MEGAPIXELS",
    "FoundReference",
    "Reference",
    "calibrate",
    "parse_reference",
    "read_lens",
    "rectify",
    "standardise_colour",
    "write_lens",
]
