"""The skin network's engine: one ONNX file that says where a finger's skin is not clear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulcermeter.errors import ModelError, Problem
from ulcermeter.networks.engine import OpenNetwork, open_network, sigmoid
from ulcermeter.quality.skin_grid import Mask, SkinGrid
from ulcermeter.quality.skin_views import VIEW_COLS, VIEW_ROWS, network_input

__all__ = ["MODEL_KIND", "WEIGHTS", "ask_skin", "load_skin_model"]

WEIGHTS = Path(__file__).parent / "weights" / "skin.onnx"
MODEL_KIND = "ulcermeter-skin-1"
# From one view of a finger that is wider than a view to the next, cells: every place is seen away from a view's side.
SHIFT_COLS = VIEW_COLS // 2


def load_skin_model(path: str | Path | None = None) -> OpenNetwork:
    """Open a skin network once per process; the shipped one when no path is given.

    Parameters
    ----------
    path : str or Path, optional
        An ONNX file.

    Returns
    -------
    OpenNetwork

    Raises
    ------
    ModelError
        The file is missing, damaged, or another network.
    MissingDependencyError
        onnxruntime is not installed.
    """
    otherwise = "reinstall the package with its weights, or give the path of a skin network"
    network = open_network(WEIGHTS if path is None else Path(path), threads=1, otherwise=otherwise)
    network.check_kind(MODEL_KIND, what="skin network")
    return network


def ask_skin(pixels: NDArray[np.uint8], inside: Mask, grid: SkinGrid, *, model: OpenNetwork) -> NDArray[np.float32]:
    """Ask how likely it is, cell by cell, that a finger's skin is not clear; as it is and mirrored, averaged.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        On the grid.
    inside : bool (M, N)
        What the finger's outline holds.
    grid : SkinGrid
    model : OpenNetwork

    Returns
    -------
    float32 (M, N)
        0..1; NaN beyond what the network sees, which is the finger up to 32 mm from its tip and what lies beside it.

    Raises
    ------
    ModelError
        The network answers something else.
    """
    middle = int(np.argmin(np.abs(grid.u)))
    rows = np.clip(np.arange(VIEW_ROWS), 0, len(grid.s) - 1)
    out = np.full(inside.shape, np.nan, np.float32)
    for start in _starts(inside, middle):
        columns = start + np.arange(VIEW_COLS)
        cols = np.clip(columns, 0, len(grid.u) - 1)
        seen = (np.arange(VIEW_ROWS) == rows)[:, None] & (columns == cols)[None]
        given = network_input(pixels[np.ix_(rows, cols)], inside[np.ix_(rows, cols)] & seen)
        likely = np.repeat(np.repeat(_likely(given, model), 2, axis=0), 2, axis=1)
        at = np.nonzero(seen)
        out[rows[at[0]], cols[at[1]]] = np.fmax(out[rows[at[0]], cols[at[1]]], likely[at])
    return out


def _starts(inside: Mask, middle: int) -> list[int]:
    """Return the first columns of the views: about the mid-line, and beside it until all of the finger is seen."""
    start, columns = middle - VIEW_COLS // 2, np.flatnonzero(inside.any(axis=0))
    if not len(columns):
        return [start]
    left = -(-max(start - int(columns[0]), 0) // SHIFT_COLS)
    right = -(-max(int(columns[-1]) + 1 - start - VIEW_COLS, 0) // SHIFT_COLS)
    return [start + step * SHIFT_COLS for step in range(-left, right + 1)]


def _likely(given: NDArray[np.float32], model: OpenNetwork) -> NDArray[np.float32]:
    """Return the probability for each cell of the answer, as given and mirrored, averaged."""
    both = np.ascontiguousarray(np.stack([given, given[..., ::-1]]))
    logits = np.asarray(model.session.run(None, {"view": both})[0])
    if logits.shape != (2, 1, VIEW_ROWS // 2, VIEW_COLS // 2) or not np.isfinite(logits).all():
        raise ModelError(
            Problem(
                expected="a finite number for each cell of a finger from the skin network",
                got=f"{logits.shape} numbers, {np.count_nonzero(~np.isfinite(logits))} of them not finite",
                action="install the package again, with its weights",
            )
        )
    return sigmoid((logits[0, 0] + logits[1, 0][:, ::-1]) / 2)
