"""What a training run left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TrainingReport"]


@dataclass(frozen=True)
class TrainingReport:
    """What a training run left.

    Attributes
    ----------
    model : Path
        The ONNX file.
    card : Path
        Its model card (Markdown).
    sha256 : str
        Of the model.
    steps : int
    n_training, n_held_out : int
        Photos.
    held_out_dice : float
        Image-mean Dice on the held-out photos at the chosen step; NaN when none was held out.
    temperature, logit_shift : float
        Calibration fitted on the held-out photos.
    """

    model: Path
    card: Path
    sha256: str
    steps: int
    n_training: int
    n_held_out: int
    held_out_dice: float
    temperature: float
    logit_shift: float
