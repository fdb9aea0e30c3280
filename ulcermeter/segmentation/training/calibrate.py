"""Make probability and outline mean something: temperature and shift of the logit, fitted on held-out photos."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ulcermeter.segmentation.network import load_model, pyramid_logits
from ulcermeter.segmentation.training.samples import Pool

# Logits are counted up to this size, in bins of 0.01: beyond it the probability is 0 or 1 for every loss.
LIMIT, BINS = 20.0, 4000
# Of the logit that are tried: 0.1 moves an outline by less than a tenth of a pixel.
SHIFTS = np.round(np.arange(-2.0, 2.01, 0.1), 1)
# Dice over which a wound decides where the outline lies (assumption): one that was missed says nothing of it.
WELL_FOUND = 0.6
# Temperatures that are tried: the shipped one is near 1 (assumption).
_TEMPERATURES = (0.3, 4.0)
# Round a wound that is looked at: half its size and so many px, for finds that are wider.
_MARGIN_PX = 8
# Of the two diameters, the longest and the equivalent: half each, and of an area's logarithm half again.
_LONGEST_SHARE, _AREA_SHARE = 0.5, 0.25
# Just inside the last bin.
_INSIDE = 1e-3


def fit_calibration(model_path: Path, held_out: Pool) -> tuple[float, float]:
    """Fit p = sigmoid((logit + shift) / temperature) on the held-out photos.

    The shift moves the outline: it is the one at which the median log ratio of found to true diameter (mean of the
    longest and the equivalent one) is nearest 0 over the wounds that were well found (Dice over 0.6), so that outlines
    are neither short nor wide. Maximum likelihood would move it too, but to make up for wounds that were missed. The
    temperature is the one of greatest likelihood over all pixels (Guo et al. 2017). The logits are those of the engine,
    mirrored view included.

    Parameters
    ----------
    model_path : Path
        The ONNX file to calibrate.
    held_out : Pool
        Photos and masks that it was not trained on.

    Returns
    -------
    temperature, logit_shift : float
        1 and 0 when nothing was held out or no wound was well found.
    """
    model = load_model(model_path)
    ulcer, other, ratios = np.zeros(BINS), np.zeros(BINS), []
    for photo, mask in zip(held_out.photos, held_out.masks, strict=True):
        logits = np.clip(pyramid_logits(photo, model=model), -LIMIT + _INSIDE, LIMIT - _INSIDE)
        ulcer += np.histogram(logits[mask > 0], bins=BINS, range=(-LIMIT, LIMIT))[0]
        other += np.histogram(logits[mask == 0], bins=BINS, range=(-LIMIT, LIMIT))[0]
        ratios += _diameter_ratios(logits, mask > 0)
    if not ratios:
        return 1.0, 0.0
    shift = float(SHIFTS[np.abs(np.median(ratios, axis=0)).argmin()])
    return _fit_temperature(ulcer, other, shift), shift


def _diameter_ratios(logits: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Log of found over true diameter at each shift, longest and equivalent averaged, for each wound well found."""
    count, wounds, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    ratios = []
    for wound in range(1, count):
        part = _with_margin(stats[wound], mask.shape)
        true, level = wounds[part] == wound, logits[part]
        found = [_joined(level > -shift, true) for shift in SHIFTS]
        usual = found[int(np.abs(SHIFTS).argmin())]
        if 2 * int((true & usual).sum()) >= WELL_FOUND * int(true.sum() + usual.sum()):
            longest = np.array([max(_longest_px(one), 1.0) for one in found]) / _longest_px(true)
            area = np.array([max(int(one.sum()), 1) for one in found]) / int(true.sum())
            ratios.append(_LONGEST_SHARE * np.log(longest) + _AREA_SHARE * np.log(area))
    return ratios


def _with_margin(box: NDArray[np.int32], shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, top, wide, high = (int(v) for v in box[:4])
    margin = max(wide, high) // 2 + _MARGIN_PX
    rows = slice(max(top - margin, 0), min(top + high + margin, shape[0]))
    return rows, slice(max(left - margin, 0), min(left + wide + margin, shape[1]))


def _joined(found: NDArray[np.bool_], wound: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the parts of what was found that meet the wound."""
    parts = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)[1]
    return np.isin(parts, np.setdiff1d(parts[wound], [0]))


def _longest_px(mask: NDArray[np.bool_]) -> float:
    points = cv2.findNonZero(mask.astype(np.uint8))
    hull = np.zeros((1, 2)) if points is None else cv2.convexHull(points).reshape(-1, 2).astype(np.float64)
    return float(np.hypot(*(hull[:, None] - hull[None]).transpose(2, 0, 1)).max()) + float(points is not None)


def _fit_temperature(ulcer: NDArray[np.float64], other: NDArray[np.float64], shift: float) -> float:
    centres = np.linspace(-LIMIT, LIMIT, BINS + 1)[:-1] + LIMIT / BINS + shift

    def loss(log_temperature: float) -> float:
        scaled = centres / np.exp(log_temperature)
        return float((ulcer * np.logaddexp(0, -scaled) + other * np.logaddexp(0, scaled)).sum() / ulcer.sum())

    best = minimize_scalar(loss, bounds=(np.log(_TEMPERATURES[0]), np.log(_TEMPERATURES[1])), method="bounded")
    return round(float(np.exp(best.x)), 4)
