"""How sure a find is, and from when on it is taken for an ulcer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Drawn ulcers of over 1.2 mm and all but one photographed wound held out of training reach both; the surest find where
# there is no ulcer reaches 0.62.
MIN_CONFIDENCE = 0.75
# A find under that limit and over this one is a possible ulcer: over the surest find where there is no ulcer.
POSSIBLE_CONFIDENCE = 0.65
# One look alone is less sure than the surer of two.
MIN_CONFIDENCE_ONE_PASS = 0.60
# Least probability of a find's surest pixel, see `MIN_CONFIDENCE`.
MIN_PEAK = 0.80
# How much of what is around a part counts as its surroundings: a share of its longer side, at least so many pixels
# (assumption).
_AROUND, _LEAST_AROUND_PX = 0.3, 4


def surroundings(
    labels: NDArray[np.int32], label: int, box: NDArray[np.int32]
) -> tuple[tuple[slice, slice], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a part's box with its surroundings, and which pixels there are the part's own or other parts'.

    Parameters
    ----------
    labels : int32 (M, N)
        Label of each pixel; 0 is none.
    label : int
        The part, from 1.
    box : int32 (>= 4,)
        Left, top, width and height of the part, as OpenCV's component statistics begin.

    Returns
    -------
    (slice, slice)
        Rows and columns.
    bool (m, n)
        The part's own pixels.
    bool (m, n)
        Other parts' pixels.
    """
    left, top, wide, high = (int(v) for v in box[:4])
    reach = int(max(_LEAST_AROUND_PX, _AROUND * max(wide, high)))
    part = slice(max(top - reach, 0), top + high + reach), slice(max(left - reach, 0), left + wide + reach)
    own = labels[part] == label
    return part, own, ~own & (labels[part] > 0)


def expected_dice(probability: NDArray[np.floating], own: NDArray[np.bool_]) -> float:
    """Dice that a part may expect if the probabilities are right, 0..1.

    Twice the probability inside over the part's area plus the probability in its surroundings.

    Parameters
    ----------
    probability : float (M, N)
        Of the part and its surroundings, 0..1.
    own : bool (M, N)
        The part's pixels.

    Returns
    -------
    float
        0..1.
    """
    inside = float(probability[own].sum(dtype=np.float64))
    return 2 * inside / (float(own.sum()) + float(probability.sum(dtype=np.float64)))


def is_trusted(confidence: float, peak: float, *, least: float = MIN_CONFIDENCE) -> bool:
    """Whether a find is an ulcer rather than a speck, a nail or a print.

    Parameters
    ----------
    confidence : float
        Expected Dice of the outline, 0..1, see `expected_dice`.
    peak : float
        Largest probability inside, 0..1.
    least : float, optional
        Least confidence; less where only one pass was made.

    Returns
    -------
    bool
        Whether both are reached.
    """
    return confidence >= least and peak >= MIN_PEAK
