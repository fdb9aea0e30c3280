"""Pictures for people: overlays, thumbnails of refused photos, healing curves, effects, what a validation showed.

Every picture is drawn the same way from the same inputs, byte for byte. Numbers of layout (inches, points, px, shares
of an axis, opacity) stand where they are used, chosen by eye; those that say something of the data have names.
"""

from __future__ import annotations

from ulcermeter.plots.curves import healing_curve
from ulcermeter.plots.effects import forest_figure, healing_share_figure, slopes_figure
from ulcermeter.plots.finger_marks import FingerMarks, finger_marks
from ulcermeter.plots.finger_view import FINGER_VIEW_PX, PX_PER_MM, draw_finger_view, place_in_view
from ulcermeter.plots.overlay import draw_overlay, draw_refusal, shrink_jpeg
from ulcermeter.plots.study_plot import study_courses, study_states
from ulcermeter.plots.subject_plot import subject_courses
from ulcermeter.plots.validation import bland_altman_figure, calls_figure, coverage_figure, error_figure

__all__ = [
    "FINGER_VIEW_PX",
    "PX_PER_MM",
    "FingerMarks",
    "bland_altman_figure",
    "calls_figure",
    "coverage_figure",
    "draw_finger_view",
    "draw_overlay",
    "draw_refusal",
    "error_figure",
    "forest_figure",
    "finger_marks",
    "healing_curve",
    "healing_share_figure",
    "place_in_view",
    "shrink_jpeg",
    "slopes_figure",
    "study_courses",
    "study_states",
    "subject_courses",
]
