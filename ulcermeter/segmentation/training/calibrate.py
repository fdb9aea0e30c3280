"""Make the probability mean something: temperature and shift of the logit, fitted on photos that were held out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ulcermeter.segmentation.network import load_model, pyramid_logits
from ulcermeter.segmentation.training.samples import Pool

LIMIT, BINS = 20.0, 4000


def fit_calibration(model_path: Path, held_out: Pool) -> tuple[float, float]:
    """Fit p = sigmoid((logit + shift) / temperature) to the held-out masks by maximum likelihood (Platt 1999).

    The logits are those of the engine as it runs on photos, mirrored views included.

    Returns
    -------
    temperature, logit_shift : float
        1 and 0 when nothing was held out or no held-out pixel is ulcer.
    """
    ulcer, other = logit_histograms(model_path, held_out)
    if ulcer.sum() == 0 or other.sum() == 0:
        return 1.0, 0.0
    centres = np.linspace(-LIMIT, LIMIT, BINS + 1)[:-1] + LIMIT / BINS

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = (centres + parameters[1]) / np.exp(parameters[0])
        return float((ulcer * np.logaddexp(0, -scaled) + other * np.logaddexp(0, scaled)).sum() / ulcer.sum())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9, "maxiter": 2000})
    return round(float(np.exp(best.x[0])), 4), round(float(best.x[1]), 4)


def logit_histograms(model_path: Path, held_out: Pool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count the held-out pixels in 4000 bins of logit from -20 to 20: those of ulcers and the others."""
    model = load_model(model_path)
    ulcer, other = np.zeros(BINS), np.zeros(BINS)
    for photo, mask in zip(held_out.photos, held_out.masks, strict=True):
        logits = np.clip(pyramid_logits(photo, model=model), -LIMIT + 1e-3, LIMIT - 1e-3)
        for count, chosen in ((ulcer, mask > 0), (other, mask == 0)):
            count += np.histogram(logits[chosen], bins=BINS, range=(-LIMIT, LIMIT))[0]
    return ulcer, other
