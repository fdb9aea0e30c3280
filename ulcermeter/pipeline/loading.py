"""What measuring needs, loaded beforehand in the process that will measure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

__all__ = ["load_measuring"]


def load_measuring() -> None:
    """Import what a photo's stages import when they are first used, and make ready what is made once.

    OpenCV's tables of colours and the networks take a fifth of a second in which Python can import, so a thread beside
    this one makes them; what it calls has been imported before. The skin network is left to the first photo without an
    ulcer: most first photos of a command have one, and would wait a tenth of a second for it.
    """
    import cv2  # noqa: F401

    from ulcermeter.finger import network as of_fingers
    from ulcermeter.segmentation import network as of_ulcers

    with ThreadPoolExecutor(max_workers=1) as beside:
        for make in (of_ulcers.load_model, of_fingers.load_finger_model, _fill_colour_tables):
            beside.submit(make)
        # These libraries load parts only when they are asked for.
        import numpy.ma
        import numpy.random  # noqa: F401
        from PIL import Image
        from skimage.measure import find_contours  # noqa: F401

        import ulcermeter.pipeline.one_photo  # noqa: F401

        Image.preinit()


def _fill_colour_tables() -> None:
    """Let OpenCV fill its tables for CIE Lab, of bytes and of floats."""
    import cv2
    import numpy as np

    for kind in (np.uint8, np.float32):
        cv2.cvtColor(np.zeros((1, 1, 3), kind), cv2.COLOR_RGB2LAB)
