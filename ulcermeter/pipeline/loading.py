"""What measuring needs, loaded beforehand in the process that will measure."""

from __future__ import annotations

__all__ = ["load_measuring"]


def load_measuring() -> None:
    """Import what a photo's stages import when they are first used, and open the shipped networks."""
    # Both libraries load these parts only when they are asked for.
    from skimage.measure import find_contours  # noqa: F401

    import ulcermeter.pipeline.one_photo  # noqa: F401
    from ulcermeter.finger.network import load_finger_model
    from ulcermeter.segmentation.network import load_model

    load_finger_model()
    load_model()
