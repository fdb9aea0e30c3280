"""Make probability and outline mean something: temperature and shift of the logit, fitted on held-out photos."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ulcermeter.segmentation.network import load_model, pyramid_logits
from ulcermeter.segmentation.training.samples import Pool

LIMIT, BINS = 20.0, 4000
SHIFTS = np.round(np.arange(-2.0, 2.01, 0.1), 1)
WELL_FOUND = 0.6


def fit_calibration(model_path: Path, held_out: Pool) -> tuple[float, float]:
    """Fit p = sigmoid((logit + shift) / temperature) on the held-out photos.

    The shift moves the outline: it is the one at which the median log ratio of found to true area is nearest 0 over
    the photos whose wound was well found (Dice over 0.6), so that outlines are neither short nor wide. Maximum
    likelihood would move it too, but to make up for wounds that were missed. The temperature is the one of greatest
    likelihood over all pixels (Guo et al. 2017). The logits are those of the engine, mirrored views included.

    Returns
    -------
    temperature, logit_shift : float
        1 and 0 when nothing was held out or no wound was well found.
    """
    model = load_model(model_path)
    ulcer, other, ratios = np.zeros(BINS), np.zeros(BINS), []
    for photo, mask in zip(held_out.photos, held_out.masks, strict=True):
        logits = np.clip(pyramid_logits(photo, model=model), -LIMIT + 1e-3, LIMIT - 1e-3)
        ulcer += np.histogram(logits[mask > 0], bins=BINS, range=(-LIMIT, LIMIT))[0]
        other += np.histogram(logits[mask == 0], bins=BINS, range=(-LIMIT, LIMIT))[0]
        ratios += _area_ratios(logits, mask > 0)
    if not ratios:
        return 1.0, 0.0
    shift = float(SHIFTS[np.abs(np.median(ratios, axis=0)).argmin()])
    return _fit_temperature(ulcer, other, shift), shift


def _area_ratios(logits: NDArray[np.float32], mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Log of found over true area at each shift, for a wound that was well found; an empty list otherwise."""
    total = int(mask.sum()) + int((logits > 0).sum())
    if not mask.any() or 2 * int((mask & (logits > 0)).sum()) < WELL_FOUND * total:
        return []
    found = np.array([(logits > -shift).sum() for shift in SHIFTS])
    return [np.log(np.maximum(found, 1) / mask.sum())]


def _fit_temperature(ulcer: NDArray[np.float64], other: NDArray[np.float64], shift: float) -> float:
    centres = np.linspace(-LIMIT, LIMIT, BINS + 1)[:-1] + LIMIT / BINS + shift

    def loss(log_temperature: float) -> float:
        scaled = centres / np.exp(log_temperature)
        return float((ulcer * np.logaddexp(0, -scaled) + other * np.logaddexp(0, scaled)).sum() / ulcer.sum())

    best = minimize_scalar(loss, bounds=(np.log(0.3), np.log(4.0)), method="bounded")
    return round(float(np.exp(best.x)), 4)
