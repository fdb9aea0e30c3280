"""A drawn photo of a finger's skin as it is known once its gates are judged."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ulcermeter.calibration import calibrate
from ulcermeter.datatypes import CameraInfo, Finger, Photo
from ulcermeter.pipeline.steps.prompt import Prompt
from ulcermeter.pipeline.steps.records import Judged
from ulcermeter.protocol import read_protocol
from ulcermeter.quality import check_gates

PROTOCOL = read_protocol("manus")
OUTLINE = np.array([[12.0, 45.0], [12, 8], [20, 5], [28, 8], [28, 45]])
FINGER = Finger(OUTLINE, (20.0, 5.0), (0.0, 1.0), 8.0, 0.2, side="palmar")


def judged(dead_mm: float = 0.0, **more: Any) -> Judged:
    """A photo of skin all over with a dead disc 10 mm from the finger's tip, on which nothing was found."""
    y, x = np.mgrid[0:480, 0:400] / 10
    pixels = np.random.default_rng(1).integers(0, 9, (480, 400, 1)) + np.array([190, 150, 125])
    pixels[np.hypot(x - 20, y - 15) < dead_mm / 2] = (34, 27, 26)
    photo = Photo(pixels.astype(np.uint8), "0" * 64, None, CameraInfo(), Path("a.png"))
    calibration, prompt = calibrate(photo, reference="scale:10"), Prompt()
    gates = check_gates(photo, calibration, prompt.place(photo), protocol=PROTOCOL)
    known: dict[str, Any] = {
        "photo": photo,
        "prompt": prompt,
        "calibration": calibration,
        "gates": gates,
        "balanced": photo,
        "segmentation": SimpleNamespace(outlines=()),
        "finger": FINGER,
        "detection_limit_mm": 0.8,
        "reports": (gates,),
    }
    return Judged(**known | more)
