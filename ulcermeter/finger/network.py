"""The finger network's engine: one ONNX file, run by onnxruntime on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ulcermeter.finger.views import Pixels, click_map, network_input
from ulcermeter.networks.engine import OpenNetwork, open_network, sigmoid

WEIGHTS = Path(__file__).parent / "weights" / "finger.onnx"
MODEL_KIND = "ulcermeter-finger-1"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Answer:
    """What the network says of one view.

    Attributes
    ----------
    mask : float32 (112, 112)
        Probability that a pixel shows the finger at the view's middle.
    tip : float32 (56, 56)
        A bump of height up to 1 at its tip; a pixel is two of the view.
    finger : float
        Probability that a finger is at the view's middle.
    tip_in_view : float
        Probability that its tip is in the view.
    log_width : float
        Logarithm of its width in view pixels over the expected `FINGER_PX`.
    inwards : (float, float)
        Unit vector from the tip towards the hand, x and y of the view.
    """

    mask: Floats = field(repr=False)
    tip: Floats = field(repr=False)
    finger: float
    tip_in_view: float
    log_width: float
    inwards: tuple[float, float]


def load_finger_model(path: str | Path | None = None) -> OpenNetwork:
    """Open a finger network once per process; the shipped one when no path is given.

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
    otherwise = "reinstall the package with its weights, or give the path of a finger network"
    network = open_network(WEIGHTS if path is None else Path(path), threads=1, otherwise=otherwise)
    network.check_kind(MODEL_KIND, what="finger network")
    return network


def ask(views: Sequence[Pixels], *, model: OpenNetwork) -> list[Answer]:
    """Ask the network about views (112, 112, 3) whose middle is the point in question.

    Parameters
    ----------
    views : sequence of uint8 (112, 112, 3)
        sRGB.
    model : OpenNetwork

    Returns
    -------
    list of Answer
        One a view.
    """
    x = np.stack([network_input(view, click_map()) for view in views])
    masks, tips, numbers = model.session.run(None, {"view": x})
    return [
        _answer(sigmoid(mask[0]), sigmoid(tip[0]), five.astype(float))
        for mask, tip, five in zip(masks, tips, numbers, strict=True)
    ]


def ask_turned(view: Pixels, *, model: OpenNetwork, turns: Sequence[tuple[int, bool]]) -> Answer:
    """Ask about one view in several turns and average the answers.

    Parameters
    ----------
    view : uint8 (112, 112, 3)
        sRGB.
    model : OpenNetwork
    turns : sequence of (int, bool)
        Quarter turns counter-clockwise, and whether mirrored left to right before them.

    Returns
    -------
    Answer
        In the view as it was given.
    """
    turned = [np.ascontiguousarray(np.rot90(view[:, ::-1] if mirrored else view, k)) for k, mirrored in turns]
    back = [_turned_back(one, k, mirrored) for one, (k, mirrored) in zip(ask(turned, model=model), turns, strict=True)]
    way = np.mean([one.inwards for one in back], axis=0)
    way /= max(float(np.hypot(*way)), 1e-9)
    return Answer(
        mask=np.mean([one.mask for one in back], axis=0),
        tip=np.mean([one.tip for one in back], axis=0),
        finger=float(np.mean([one.finger for one in back])),
        tip_in_view=float(np.mean([one.tip_in_view for one in back])),
        log_width=float(np.mean([one.log_width for one in back])),
        inwards=(float(way[0]), float(way[1])),
    )


def _turned_back(answer: Answer, quarter_turns: int, mirrored: bool) -> Answer:
    x, y = answer.inwards
    for _ in range(quarter_turns % 4):
        # A counter-clockwise turn of the picture took (x, y), y down, to (y, -x).
        x, y = -y, x
    maps = [np.rot90(each, -quarter_turns) for each in (answer.mask, answer.tip)]
    if mirrored:
        x, maps = -x, [each[:, ::-1] for each in maps]
    return Answer(maps[0], maps[1], answer.finger, answer.tip_in_view, answer.log_width, (x, y))


def _answer(mask: Floats, tip: Floats, numbers: NDArray[np.float64]) -> Answer:
    finger, tip_in_view, log_width, x, y = (float(v) for v in numbers)
    long = max(float(np.hypot(x, y)), 1e-9)
    return Answer(mask, tip, float(sigmoid(finger)), float(sigmoid(tip_in_view)), log_width, (x / long, y / long))
