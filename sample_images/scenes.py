"""The sample study's photos of several fingers or a whole hand: how the hand lies, and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCENES", "HandScene"]


@dataclass(frozen=True)
class HandScene:
    """A photo of several fingers or a whole hand: how the hand lies, what is in view, the reference beside it.

    ``side`` 'palm' or 'back' faces the camera, ``pose`` is one that `ulcermeter.phantom.hands` knows, drawn with
    ``pose_seed``; ``turn_deg`` turns the hand to the left. The camera is aimed at ``aim_mm`` (x right, y down) from the
    middle finger's middle joint, with ``px_per_mm`` at the table; ``reference`` is put together as a phantom's, its
    ``offset_mm`` from the same joint.
    """

    reference: dict[str, object]
    side: str = "palm"
    pose: str = "flat"
    pose_seed: int = 1
    touching: bool = False
    turn_deg: float = 0.0
    aim_mm: tuple[float, float] = (0.0, 30.0)
    px_per_mm: float = 8.8
    size_px: tuple[int, int] = (1344, 1792)
    background: str = "drape"
    tilt_deg: float = 6.0


def _marker(size_mm: float, x_mm: float, y_mm: float) -> dict[str, object]:
    return {"kind": "aruco", "size_mm": size_mm, "offset_mm": (x_mm, y_mm)}


_SEVERAL = (1600, 1200)

SCENES = {
    "open hand": HandScene(_marker(20.0, 46.0, -54.0)),
    "four fingers": HandScene(
        _marker(15.0, -50.0, -50.0),
        pose="relaxed",
        pose_seed=2,
        turn_deg=-8.0,
        aim_mm=(0.0, -18.0),
        px_per_mm=13.0,
        size_px=_SEVERAL,
        background="paper",
    ),
    "backs of four fingers": HandScene(
        _marker(15.0, 30.0, -50.0),
        side="back",
        pose="relaxed",
        pose_seed=3,
        turn_deg=10.0,
        aim_mm=(0.0, -20.0),
        px_per_mm=12.0,
        size_px=_SEVERAL,
        background="green",
    ),
    "hand below a bank card": HandScene(
        {"kind": "id1", "offset_mm": (0.0, -85.0), "colour": "blue"},
        pose="relaxed",
        pose_seed=5,
        touching=True,
        aim_mm=(0.0, -28.0),
        background="wood",
    ),
    "fingers that touch": HandScene(
        _marker(15.0, 42.0, -44.0),
        pose_seed=7,
        touching=True,
        aim_mm=(4.0, -10.0),
        px_per_mm=12.5,
        size_px=_SEVERAL,
        background="grey",
    ),
    "back of a hand": HandScene(
        _marker(20.0, -44.0, -50.0), side="back", pose_seed=9, aim_mm=(0.0, 25.0), background="towel"
    ),
    "hand without an ulcer": HandScene(
        _marker(20.0, -52.0, -57.0), pose="relaxed", pose_seed=11, aim_mm=(0.0, 26.0), background="paper"
    ),
}
