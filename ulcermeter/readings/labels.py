"""Which outline of a run a reading is of: a later run may number or draw the same ulcers otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ulcermeter.agreement.overlap import common_area
from ulcermeter.datatypes import Points
from ulcermeter.readings.records import PlaceReading, UlcerReading, UlcerVerdict

__all__ = ["fit_labels", "label_shown"]


def label_shown(ulcer: UlcerReading, outlines: Mapping[int, Points]) -> int | None:
    """Return which of the machine's outlines a reading is of; None where it was of none, or none lies there any more.

    Parameters
    ----------
    ulcer : UlcerReading
    outlines : mapping of int to float64 (K, 2)
        By label, photo px.

    Returns
    -------
    int or None
        The same label where its outline is the one that was shown, else that of the outline that shares most with it.
    """
    if ulcer.shown_px is None:
        return None
    own = outlines.get(ulcer.label)
    if own is not None and own.shape == ulcer.shown_px.shape and np.array_equal(own, ulcer.shown_px):
        return ulcer.label
    shared = {label: common_area(points, ulcer.shown_px) for label, points in outlines.items()}
    best = max(shared, key=lambda label: shared[label], default=None)
    return best if best is not None and shared[best] > 0 else None


def fit_labels(reading: PlaceReading, outlines: Mapping[int, Points]) -> PlaceReading:
    """Return a reading with the labels that a run's outlines have now.

    Parameters
    ----------
    reading : PlaceReading
    outlines : mapping of int to float64 (K, 2)
        The machine's by label, photo px.

    Returns
    -------
    PlaceReading
        An ulcer that the machine outlines no more is one that the reader added; what was said not to be one is gone
        with it. Labels of added ulcers are free ones.
    """
    fitted: dict[int, UlcerReading] = {}
    added = []
    for ulcer in reading.ulcers:
        label = label_shown(ulcer, outlines)
        if label is not None and label not in fitted:
            fitted[label] = replace(ulcer, label=label)
        elif ulcer.outline_px is not None:
            added.append(replace(ulcer, verdict=UlcerVerdict.ADDED, shown_px=None))
    for ulcer in added:
        taken = {*outlines, *fitted}
        label = ulcer.label if ulcer.label not in taken else max(taken) + 1
        fitted[label] = replace(ulcer, label=label)
    return replace(reading, ulcers=tuple(fitted[label] for label in sorted(fitted)))
