"""Calibration: from photo pixels to millimetres, by a thing of known size, with its error; and the gates.

One file for each kind of reference; `calibrate` chooses. Adding a kind: write a `Finder` (see `references`) and name
it in `calibrate.FINDERS`.
"""

from ulcermeter.calibration.calibrate import calibrate
from ulcermeter.calibration.card.colour import standardise_colour
from ulcermeter.calibration.geometry.camera import read_lens, write_lens
from ulcermeter.calibration.geometry.rectification import MAX_RECTIFIED_MEGAPIXELS, rectify
from ulcermeter.calibration.references.reference import FoundReference, Reference, parse_reference

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
