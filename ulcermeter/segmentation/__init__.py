"""Segmentation: the network, its prompts, imported tracings, and its training.

`segment` outlines the ulcers of a rectified photo; `ulcer_probability` gives the bare probability for any picture;
`ulcermeter.segmentation.training.train` fine-tunes on a clinic's own outlined photos (extra ``train``).
"""

from ulcermeter.segmentation.network import Model, load_model, ulcer_probability
from ulcermeter.segmentation.segment import detection_limit_mm, segment

__all__ = ["Model", "detection_limit_mm", "load_model", "segment", "ulcer_probability"]
