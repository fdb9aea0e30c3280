"""The engine: one ONNX file, run by onnxruntime on a stated number of threads, the same on every run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Pixels
from ulcermeter.errors import ModelError, PhotoError, Problem
from ulcermeter.networks.engine import OpenNetwork, Session, open_network, sigmoid
from ulcermeter.segmentation.confidence import MIN_CONFIDENCE_ONE_PASS, expected_dice, is_trusted, surroundings
from ulcermeter.segmentation.prompt_channels import no_prompt

WEIGHTS = Path(__file__).parent / "weights" / "ulcer.onnx"
MODEL_KIND = "ulcermeter-segmentation-1"
# The encoder halves its input five times.
STRIDE_PX = 32
# Side and overlap of tiles, px: the overlap is broader than what the network sees clearly around a pixel; memory
# decides the side (assumption).
TILE_PX = 576
OVERLAP_PX = 128
# Longest side that goes through the network in one piece, px: memory decides it (assumption).
WHOLE_PX = 896
# A picture over this side is also looked at in half its size, px: the network knows wounds of some 12 to 300 px
# (`ulcer_probability`).
LEVEL_PX = 768
# Probability that a part which is no ulcer is lowered to: as near under the outline's level as two decimals show.
_SUPPRESSED = np.float32(0.49)
# Weight of a tile at its very edge: above 0, so that the picture's own edge has one.
_LEAST_WEIGHT = 0.01

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A segmentation network that is ready to run.

    Attributes
    ----------
    sha256 : str
        Of the file's bytes.
    version : str
    temperature, logit_shift : float
        The probability is sigmoid((logit + logit_shift) / temperature), fitted on held-out photos.
    path : Path
    threads : int
        Threads of one forward pass.
    """

    sha256: str
    version: str
    temperature: float
    logit_shift: float
    path: Path
    threads: int
    session: Session = field(repr=False, compare=False)

    def probability(self, logits: Logits) -> NDArray[np.float32]:
        """Calibrated probability of raw logits, float32 in 0..1, same shape."""
        scaled = (np.asarray(logits, dtype=np.float32) + np.float32(self.logit_shift)) / np.float32(self.temperature)
        return sigmoid(scaled)


def load_model(path: str | Path | None = None, *, threads: int = 1) -> Model:
    """Open a model once per process; the shipped one when no path is given.

    Parameters
    ----------
    path : str or Path, optional
        An ONNX file that `train` wrote; without it the shipped one.
    threads : int, optional
        Threads of one forward pass.

    Returns
    -------
    Model
        Opened once per process.

    Raises
    ------
    ModelError
        The file is missing, damaged, or not a segmentation network of this package.
    MissingDependencyError
        onnxruntime is not installed.
    """
    otherwise = "give --model the path of an .onnx file that `ulcermeter train` wrote, or reinstall the package"
    return _model(open_network(WEIGHTS if path is None else Path(path), threads=threads, otherwise=otherwise), threads)


def try_model(path: str | Path) -> str:
    """Open a model, let it look at a plain picture and return its SHA-256.

    Parameters
    ----------
    path : str or Path
        An ONNX file.

    Returns
    -------
    str
        SHA-256 of its bytes, hexadecimal.

    Raises
    ------
    ModelError
        As `load_model`, or what it answers is not one finite number a pixel.
    """
    model, plain = load_model(path), np.full((64, 96, 3), 128, np.uint8)
    try:
        logits = forward(plain, None, model=model, views=1)
        got = "" if np.isfinite(logits).all() else "not a finite one for each"
        got = got or ("" if logits.shape == plain.shape[:2] else f"an array of shape {logits.shape}")
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no base of their own
        got = " ".join(str(error).split())
    if got:
        raise ModelError(
            Problem(
                expected=f"a network in {path} that gives one number a pixel",
                got=str(got),
                action="train one with `ulcermeter train`",
            )
        )
    return model.sha256


@lru_cache(maxsize=4)
def _model(network: OpenNetwork, threads: int) -> Model:
    path, facts = network.path, network.facts
    _check_kind(path, network.session, facts)
    return Model(
        sha256=network.sha256,
        version=facts.get("version", ""),
        path=path,
        temperature=_fact(path, facts, "temperature", 1.0),
        logit_shift=_fact(path, facts, "logit_shift", 0.0),
        threads=threads,
        session=network.session,
    )


def _check_kind(path: Path, session: Session, facts: Mapping[str, str]) -> None:
    inputs = session.get_inputs()
    if facts.get("kind") != MODEL_KIND or len(inputs) != 1 or inputs[0].shape[1] != 5:
        raise ModelError(
            Problem(
                expected=f"a model of kind {MODEL_KIND} (red, green, blue, click, region) in {path}",
                got=f"kind {facts.get('kind') or 'unknown'}",
                action="train one with `ulcermeter train`",
            )
        )


def _fact(path: Path, facts: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(json.loads(facts.get(name, str(default))))
    except ValueError as error:
        raise ModelError(Problem(expected=f"a number as {name} in {path}", got=f"{facts[name]!r}")) from error
    if not math.isfinite(value) or (name == "temperature" and value <= 0):
        raise ModelError(Problem(expected=f"a finite {name} (and a positive temperature) in {path}", got=str(value)))
    return value


def ulcer_probability(pixels: Pixels, *, model: Model | str | Path | None = None) -> NDArray[np.float32]:
    """Probability that each pixel is ulcer, at the picture's own resolution.

    A picture larger than 768 px is also looked at in halves of its size, down to the one that fits, because the
    network sees wounds of some 12 to 300 px; a pixel's logit is the mean of its two best neighbouring levels. Parts
    too doubtful to be taken for an ulcer stay under 0.5.

    Parameters
    ----------
    pixels : uint8 (M, N, 3), RGB, upright
    model : Model, path or None
        None is the shipped network.

    Returns
    -------
    float32 (M, N), in 0..1

    Raises
    ------
    PhotoError
        When `pixels` is not such an array.
    ModelError
        When the model cannot be opened.
    """
    check_pixels(pixels)
    opened = model if isinstance(model, Model) else load_model(model)
    return suppress_untrusted(opened.probability(pyramid_logits(pixels, model=opened)))


def suppress_untrusted(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lower to 0.49 each part over 0.5 whose confidence or peak is too low for an ulcer, see `is_trusted`.

    Parameters
    ----------
    probability : float32 (M, N)
        0..1.

    Returns
    -------
    float32 (M, N)
        A copy.
    """
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((probability > 0.5).astype(np.uint8), connectivity=8)
    suppressed = probability.copy()
    for label in range(1, count):
        part, own, others = surroundings(labels, label, boxes[label])
        local = np.where(others, np.float32(0), probability[part])
        if not is_trusted(expected_dice(local, own), float(local[own].max()), least=MIN_CONFIDENCE_ONE_PASS):
            suppressed[part][own] = np.minimum(local[own], _SUPPRESSED)
    return suppressed


def check_pixels(pixels: Pixels) -> None:
    """Refuse what is not uint8 (M, N, 3) with at least one pixel, as a PhotoError that says what came instead.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        What a caller gave for it.

    Raises
    ------
    PhotoError
        Another type, shape or an empty picture.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        got = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise PhotoError(
            Problem(expected="an RGB picture as uint8 (rows, cols, 3)", got=str(got), action="read it with read_photo")
        )
    if min(pixels.shape[:2]) < 1:
        raise PhotoError(Problem(expected="a picture with pixels", got=f"an empty one of shape {pixels.shape}"))


def pyramid_logits(pixels: Pixels, *, model: Model) -> Logits:
    """Return raw logits of a picture of any size, level by level, see `ulcer_probability`.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    model : Model
        The network, opened.

    Returns
    -------
    float32 (M, N)
        At the picture's own resolution, not calibrated.
    """
    finer, best = photo_logits(pixels, model=model), None
    small = pixels
    while max(small.shape[:2]) > LEVEL_PX:
        small = cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        coarser = _enlarge(photo_logits(small, model=model), pixels.shape[:2])
        finer += coarser
        finer *= np.float32(0.5)
        best = finer if best is None else np.maximum(best, finer, out=best)
        finer = coarser
    return finer if best is None else best


def _enlarge(logits: Logits, shape: tuple[int, ...]) -> Logits:
    if logits.shape == shape:
        return logits
    return np.asarray(cv2.resize(logits, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))


def photo_logits(pixels: Pixels, *, model: Model, prompt: NDArray[np.float32] | None = None, views: int = 2) -> Logits:
    """Return raw logits at one scale; pictures over 896 px go in overlapping tiles of 576 px, each seen once.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    model : Model
        The network, opened.
    prompt : float32 (2, M, N), optional
        Click bump and region.
    views : {2, 1}
        Of a picture that goes in one piece, see `forward`.

    Returns
    -------
    float32 (M, N)
        Not calibrated.
    """
    rows, cols = pixels.shape[:2]
    if max(rows, cols) <= WHOLE_PX:
        return forward(pixels, prompt, model=model, views=views)
    total, weight = np.zeros((rows, cols), np.float32), np.zeros((rows, cols), np.float32)
    for top in _starts(rows):
        for left in _starts(cols):
            part = np.s_[top : top + TILE_PX, left : left + TILE_PX]
            tile = pixels[part]
            share = _taper(tile.shape[0])[:, None] * _taper(tile.shape[1])[None, :]
            inner = None if prompt is None else prompt[:, part[0], part[1]]
            total[part] += share * forward(tile, inner, model=model, views=1)
            weight[part] += share
    return np.divide(total, weight, out=total)


def _starts(length: int) -> list[int]:
    step = TILE_PX - OVERLAP_PX
    return list(range(0, max(length - OVERLAP_PX, 1), step))


def _taper(length: int) -> NDArray[np.float32]:
    ramp = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) / OVERLAP_PX
    return np.clip(ramp, _LEAST_WEIGHT, 1.0).astype(np.float32)


def forward(pixels: Pixels, prompt: NDArray[np.float32] | None, *, model: Model, views: int = 2) -> Logits:
    """Return logits of a whole picture in one pass or two.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    prompt : float32 (2, M, N) or None
        Click bump and region.
    model : Model
        The network, opened.
    views : {2, 1}
        Two: the mean of the picture as it is and mirrored left to right; one costs half as much.

    Returns
    -------
    float32 (M, N)
        Not calibrated.
    """
    guide = no_prompt(pixels.shape[:2]) if prompt is None else prompt
    logits = _run(pixels, guide, model)
    if views == 1:
        return logits
    return 0.5 * (logits + _run(pixels[:, ::-1], guide[:, :, ::-1], model)[:, ::-1])


def _run(pixels: Pixels, guide: NDArray[np.float32], model: Model) -> Logits:
    """One pass of the network over a picture padded at right and bottom to a multiple of 32."""
    rows, cols = pixels.shape[:2]
    down, right = -rows % STRIDE_PX, -cols % STRIDE_PX
    padded = cv2.copyMakeBorder(np.ascontiguousarray(pixels), 0, down, 0, right, cv2.BORDER_REPLICATE)
    x = np.empty((1, 5, *padded.shape[:2]), np.float32)
    np.multiply(padded.transpose(2, 0, 1), np.float32(1 / 255), out=x[0, :3])
    x[0, 3:] = np.pad(guide, ((0, 0), (0, down), (0, right)))
    logits = model.session.run(None, {model.session.get_inputs()[0].name: x})[0]
    return np.ascontiguousarray(logits[0, 0, :rows, :cols])
