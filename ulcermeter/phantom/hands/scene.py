"""A photograph of hands by chance, with the truth of every finger in it.

The numbers of this file are ranges and shares of how hands are photographed, chosen by eye (assumption); the truth is
read off what is then in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.hands.backgrounds import Backgrounds
from ulcermeter.phantom.hands.lighting import draw_lighting, lit, photographed
from ulcermeter.phantom.hands.mesh import HandMesh, pose_mesh
from ulcermeter.phantom.hands.pose import draw_pose
from ulcermeter.phantom.hands.props import lay_prop
from ulcermeter.phantom.hands.renderer import HandRenderer, SkinAppearance, View
from ulcermeter.phantom.hands.rest_pose import RestHand
from ulcermeter.phantom.hands.sampling import (
    ORDINARY,
    Odds,
    draw_appearance,
    draw_body,
    draw_nails,
    draw_shape,
    read_details,
)
from ulcermeter.phantom.hands.truth import FingerTruth, fingers_in_view

# The forearm counts neither for where the hand lies on the table nor for the picture's middle.
FOREARM_Y_MM = -95.0
# How often back, palm, and either edge of the hand face the camera, mostly and where it is to be seen edge on.
_BACK_OR_PALM, _EDGE_ON = (0.44, 0.38, 0.09, 0.09), (0.06, 0.04, 0.45, 0.45)
# What the picture is wide at the hand's height, and what it is where one finger fills it, mm.
_FIELD_MM, _CLOSE_FIELD_MM = (38, 260), (22, 80)


@dataclass(frozen=True)
class HandPicture:
    """A drawn photograph of hands.

    Attributes
    ----------
    pixels : uint8 (M, N, 3)
        sRGB.
    labels : uint8 (M, N)
        0 ground and things over the hand, 1 palm and arm, 2 to 6 thumb to little finger; 9 and 10 to 14 a second hand.
    nails, sores : bool (M, N)
    fingers : tuple of FingerTruth
        Those of which any skin is in view.
    px_per_mm : float
        At the height of the hand's middle.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    nails: NDArray[np.bool_] = field(repr=False)
    sores: NDArray[np.bool_] = field(repr=False)
    fingers: tuple[FingerTruth, ...]
    px_per_mm: float


class HandStudio:
    """Draws pictures of hands one after the other.

    Parameters
    ----------
    size_px : int
        Side of the square pictures.
    skins, backgrounds : Path, optional
        Folders of skin textures (laid out as MakeHuman's) and of background pictures; without them both are drawn.
    odds : Odds
        How often fingers are hard to tell apart.
    """

    def __init__(
        self,
        size_px: int = 320,
        *,
        skins: Path | None = None,
        backgrounds: Path | None = None,
        odds: Odds = ORDINARY,
    ) -> None:
        self.odds = odds
        self.renderer = HandRenderer(size_px)
        self.details = read_details(skins)
        self.backgrounds = Backgrounds(backgrounds)

    def draw(self, seed: int) -> HandPicture:
        """Draw the picture of a seed; the same one again on the same machine and library."""
        rng = np.random.default_rng([31, seed])
        view, lighting = (
            _draw_view(self.renderer.size_px, rng, close=_happens(self.odds.close, rng)),
            draw_lighting(rng),
        )
        body = draw_body(rng)
        hands = [self._hand(body, rng, view)]
        if rng.random() < self.odds.second_hand:
            hands.append(
                _laid_over(self._hand(body if rng.random() < 0.5 else draw_body(rng), rng, view), hands[0], rng)
            )
        self.renderer.clear()
        detail = self.details[rng.integers(len(self.details))]
        for number, one in enumerate(hands):
            self.renderer.draw(
                one.mesh, one.appearance, view=view, stand=one.stand, lamp=lighting.towards, detail=detail, hand=number
            )
        layers = self.renderer.layers()
        lowest = min(_lowest(one) for one in hands)
        background_mm = lowest if rng.random() < 0.6 else lowest - rng.uniform(5, 150)
        background = self._background(view, rng)
        light = lit(layers, background, lighting, view=view, background_mm=background_mm)
        labels = layers.labels.copy()
        if rng.random() < 0.08:
            labels[lay_prop(light, px_per_mm=view.px_per_mm, rng=rng) > 0.5] = 0
        inside = labels > 0
        fingers = [
            truth
            for number, one in enumerate(hands)
            for truth in fingers_in_view(one.mesh, one.stand, view, labels, layers.height_mm, hand=number)
        ]
        return HandPicture(
            pixels=photographed(light, rng),
            labels=labels,
            nails=(layers.nail > 0.5) & inside,
            sores=(layers.sore > 0.5) & inside,
            fingers=tuple(fingers),
            px_per_mm=view.px_per_mm,
        )

    def _background(self, view: View, rng: np.random.Generator) -> Reals:
        background = self.backgrounds.draw(view.size_px, rng, skin=_happens(self.odds.skin_behind, rng))
        for _ in range(int(rng.choice([0, 1, 2, 4], p=(0.5, 0.3, 0.15, 0.05)))):
            lay_prop(background, px_per_mm=view.px_per_mm, rng=rng)
        if rng.random() < 0.3:
            background = cv2.GaussianBlur(background, (0, 0), rng.uniform(0.5, 4))
        return background

    def _hand(self, body: RestHand, rng: np.random.Generator, view: View) -> _PlacedHand:
        hand, shapes = draw_shape(body, rng)
        touching, pointing = (_happens(odds, rng) for odds in (self.odds.touching, self.odds.pointing))
        pose = draw_pose(hand, rng, touching=touching, kind="pointing" if pointing else None)
        mesh = pose_mesh(hand, pose, long_nails=draw_nails(rng, odds=self.odds))
        appearance = draw_appearance(hand, shapes, rng, odds=self.odds)
        held_out = _straightest(mesh) if pointing else None
        stand = _draw_stand(mesh, view, rng, edge_on=_happens(self.odds.edge_on, rng), finger=held_out)
        return _PlacedHand(mesh, appearance, stand)


@dataclass(frozen=True)
class _PlacedHand:
    mesh: HandMesh
    appearance: SkinAppearance
    stand: Reals


def _happens(share: float, rng: np.random.Generator) -> bool:
    """Draw whether something happens; no number for what never does: a seed's ordinary picture stays what it was."""
    return share > 0 and bool(rng.random() < share)


def _straightest(mesh: HandMesh) -> int:
    """Return the finger, 0 the thumb, whose end lies farthest from its knuckle beside its length."""
    ends = np.linalg.norm(mesh.joints[:, 0] - mesh.joints[:, 3], axis=1)
    lengths = np.linalg.norm(np.diff(mesh.joints, axis=1), axis=2).sum(axis=1)
    return 1 + int((ends / lengths)[1:].argmax())


def _draw_view(size_px: int, rng: np.random.Generator, *, close: bool = False) -> View:
    """Draw how near the camera is: a fingertip fills the picture, or two hands have room in it."""
    field_mm = float(np.exp(rng.uniform(*np.log(_CLOSE_FIELD_MM if close else _FIELD_MM))))
    return View(size_px, size_px / field_mm, float(np.exp(rng.uniform(np.log(150), np.log(700)))))


def _draw_stand(
    mesh: HandMesh, view: View, rng: np.random.Generator, *, edge_on: bool = False, finger: int | None = None
) -> Reals:
    """Draw how the hand lies before the camera: back, palm or side up, turned, one finger or all in the middle."""
    side = rng.choice([np.pi, 0.0, np.pi / 2, -np.pi / 2], p=_EDGE_ON if edge_on else _BACK_OR_PALM)
    stand = np.diag([rng.choice([-1.0, 1.0]), 1, 1, 1])
    turn = _about(2, rng.uniform(-np.pi, np.pi)) @ _about(0, rng.normal(0, 0.3)) @ _about(1, side + rng.normal(0, 0.3))
    stand = turn @ stand
    any_finger, part = int(rng.integers(5)), int(rng.choice([0, 1, 2], p=(0.5, 0.3, 0.2)))
    chosen = finger if finger is not None else 0 if edge_on and rng.random() < 0.5 else any_finger
    field_mm = view.size_px / view.px_per_mm
    middle = mesh.joints[:, :2].mean((0, 1)) if field_mm > 120 and rng.random() < 0.7 else mesh.joints[chosen, part]
    stand[:3, 3] = -(stand[:3, :3] @ middle)
    reach = rng.choice([0.15, 0.35]) * field_mm
    stand[:2, 3] += rng.uniform(-reach, reach, 2)
    highest = float((_own_points(mesh) @ stand[2, :3] + stand[2, 3]).max())
    stand[2, 3] -= max(0.0, highest - 0.6 * view.distance_mm)
    return stand


def _own_points(mesh: HandMesh) -> Reals:
    points = mesh.corners[::7, :3]
    return points[mesh.corners[::7, 7] > FOREARM_Y_MM]


def _lowest(hand: _PlacedHand) -> float:
    return float((_own_points(hand.mesh) @ hand.stand[2, :3] + hand.stand[2, 3]).min())


def _laid_over(second: _PlacedHand, first: _PlacedHand, rng: np.random.Generator) -> _PlacedHand:
    """Lay the second hand a little over or under the first: holding it, or in the way."""
    heights = [(_own_points(one.mesh) @ one.stand[2, :3] + one.stand[2, 3]) for one in (first, second)]
    stand = second.stand.copy()
    if rng.random() < 0.6:
        stand[2, 3] += heights[0].min() - heights[1].max() + rng.uniform(0, 15)
    else:
        stand[2, 3] += heights[0].max() - heights[1].min() - rng.uniform(0, 15)
    return replace(second, stand=stand)


def _about(axis: int, angle: float) -> Reals:
    cosine, sine = np.cos(angle), np.sin(angle)
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    out = np.eye(4)
    out[first, first] = out[second, second] = cosine
    out[first, second], out[second, first] = -sine, sine
    return out
