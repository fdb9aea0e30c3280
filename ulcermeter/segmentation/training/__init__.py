"""Training: from outlined photos to an ONNX model with its card. Needs the extra ``train`` (torch, onnx).

The shipped weights come from this same code; see ``weights/MODEL_CARD.md`` for the recipe.
"""

from ulcermeter.segmentation.training.report import TrainingReport
from ulcermeter.segmentation.training.run import train

__all__ = ["TrainingReport", "train"]
