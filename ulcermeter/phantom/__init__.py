"""Phantoms: drawn photographs of fingers with ulcers of exactly known size.

A finger is a lit solid; an ulcer lies on its skin, in mm; a printed reference lies level with it or on the table; a
pinhole camera with its faults sees them. Truth comes from the geometry, before the camera. Nothing here is shared with
the measuring side, so that the two can be held against each other.

Two conventions matter to whoever measures: the focal length in px is the EXIF 35 mm value × photo diagonal in px /
43.267, and the lens blurs *linear* light, so that in sRGB values a blurred edge's middle lies off the true edge,
towards its dark side; undo the sRGB curve before placing edges.
"""

from ulcermeter.phantom.drawing import Phantom, PhantomTruth, draw_phantom, ulcer_mask, without_reference
from ulcermeter.phantom.files import encode_phantom, write_phantom
from ulcermeter.phantom.sampling import random_spec
from ulcermeter.phantom.specs import (
    CameraSpec,
    FingerSpec,
    FissureSpec,
    LightSpec,
    PhantomSpec,
    ReferenceSpec,
    UlcerSpec,
)
from ulcermeter.phantom.study import write_study
from ulcermeter.phantom.truth import UlcerTruth

__all__ = [
    "CameraSpec",
    "FingerSpec",
    "FissureSpec",
    "LightSpec",
    "Phantom",
    "PhantomSpec",
    "PhantomTruth",
    "ReferenceSpec",
    "UlcerSpec",
    "UlcerTruth",
    "draw_phantom",
    "encode_phantom",
    "random_spec",
    "ulcer_mask",
    "without_reference",
    "write_phantom",
    "write_study",
]
