"""Pictures for people: overlays on photos, thumbnails of refused ones, and healing curves.

Every picture is drawn the same way from the same inputs, byte for byte.
"""

from __future__ import annotations

from ulcermeter.plots.curves import healing_curve
from ulcermeter.plots.overlay import draw_overlay, draw_refusal, shrink_jpeg

__all__ = ["draw_overlay", "draw_refusal", "healing_curve", "shrink_jpeg"]
