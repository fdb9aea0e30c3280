"""One drawn hand's body, shape, hold and skin by chance: healthy and as systemic sclerosis makes hands.

The numbers of this file are ranges (drawn uniformly between) and shares (0..1), all assumptions: wide enough that the
finger network meets what it may meet, not as frequent as patients have it. Figures of drawn hands hold for them. Those
of colour and gloss are appearance; those at the head of the file change the fingers' form, and with it their truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes.arrays import Reals
from ulcermeter.phantom.hands.body import read_body
from ulcermeter.phantom.hands.mesh import LongNail
from ulcermeter.phantom.hands.renderer import SkinAppearance
from ulcermeter.phantom.hands.rest_pose import FingerShape, RestHand, along_finger, hand_at_rest, reshaped
from ulcermeter.phantom.hands.subdivision import smooth_hand
from ulcermeter.phantom.skin import BACK_SRGB, PALM_SRGB, linear, tone_colour

# Of bodies: how far origins mix (Dirichlet: some of one, most between), and MakeHuman's targets for a hand's size, its
# fingers' girth and their length, either way.
_ORIGINS, _BUILD = 0.7, 0.7
# Share of ill hands, and of their fingers: resorbed ends, with what is left of the end phalanx; swollen ones, with
# their girth; tapered ones, with what the tip loses. Girth of all others.
_ILL = 0.5
_RESORBED, _END_LEFT = 0.25, (0.4, 0.95)
_SWOLLEN, _SWOLLEN_GIRTH, _GIRTH = 0.2, (1.1, 1.5), (0.94, 1.06)
_TAPERED, _TAPER = 0.4, (0.0, 0.35)
# Dressings: share of fingers, thickness, mm, share that go over the tip and from where then; start and length, mm.
_WRAPPED, _WRAP_MM, _OVER_TIP, _OVER_TIP_MM = 0.05, (0.2, 2.5), 0.2, -5.0
_WRAP_FROM_MM, _WRAP_LONG_MM = (3, 35), (10, 28)
# Of nails that grow past the tip: length on a hand, mm, and how the fingers' differ.
_NAIL_MM, _NAIL_DIFFERS = (0.8, 9), (0.8, 1.1)
# Colours of sores: granulation, slough, eschar, blood; sRGB (assumption).
WOUND_BED_SRGB = np.array([(140, 30, 30), (190, 60, 50), (200, 160, 90), (225, 205, 150), (45, 25, 20), (90, 10, 15)])
# Colours of tips: necrosis, pallor, cyanosis, redness; sRGB (assumption).
TIP_SRGB = np.array([(28, 22, 22), (45, 25, 25), (235, 225, 210), (120, 80, 130), (90, 70, 120), (150, 30, 35)])
# Nail polish; sRGB (assumption).
POLISH_SRGB = np.array([(170, 20, 40), (220, 120, 140), (40, 20, 60), (240, 235, 230), (60, 120, 160), (20, 20, 20)])
# Plasters and gauze; sRGB (assumption).
BAND_SRGB = np.array([(205, 160, 120), (235, 235, 230), (190, 140, 100), (120, 160, 200), (245, 240, 220)])
# Examination gloves; sRGB (assumption).
GLOVE_SRGB = np.array([(120, 150, 215), (240, 240, 240), (40, 40, 45), (150, 120, 190), (215, 220, 200)])


@dataclass(frozen=True)
class Odds:
    """How often a picture has what makes its fingers hard to tell apart, 0..1 each.

    Attributes
    ----------
    second_hand : float
        Another hand lies over or under the first.
    skin_behind : float
        The background is skin, beside the share that `Backgrounds` draws anyway.
    long_nails, polish : float
        Of hands.
    touching : float
        Of hands whose fingers are made to lie against one another.
    close : float
        Of pictures taken so near that one finger fills them, or the border cuts it lengthwise.
    pointing : float
        Of hands that hold out one finger, the others clenched; it is the one in the picture's middle.
    edge_on : float
        Of pictures of a thumb or finger seen from its side.
    ill : float
        Of hands that would else have dead, pale or purple tips, and of those with sores: 0 draws healthy skin only.
    """

    second_hand: float = 0.3
    skin_behind: float = 0.0
    long_nails: float = 0.25
    polish: float = 0.3
    touching: float = 0.0
    close: float = 0.0
    pointing: float = 0.0
    edge_on: float = 0.0
    ill: float = 1.0


# As photos of clinics have them (assumption), and for the mistakes that the network makes most.
ORDINARY = Odds()
HARD = Odds(second_hand=0.5, skin_behind=0.3, long_nails=0.55, polish=0.65, touching=0.7)
# One finger near the camera, as photos of an ulcer are taken (assumption).
CLOSE = Odds(
    second_hand=0.4, skin_behind=0.2, long_nails=0.4, polish=0.5, touching=0.3, close=0.75, pointing=0.35, edge_on=0.3
)
# One finger held out near the camera, to count what is located with nothing pointed at.
ALONE = Odds(second_hand=0.05, close=1.0, pointing=0.9)
# Healthy skin near the camera, with all that is worn on it.
HEALTHY = Odds(polish=0.6, close=1.0, ill=0.0)


def draw_body(rng: np.random.Generator) -> RestHand:
    """Draw a grown person's hand: sex, age, origin and weight mixed, fingers of any length.

    Parameters
    ----------
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    RestHand
        At rest, mm.
    """
    sex, old = str(rng.choice(["female", "male"])), rng.uniform(0, 1)
    origins = dict(zip(("african", "asian", "caucasian"), rng.dirichlet([_ORIGINS] * 3), strict=True))
    weight = rng.uniform(0, 1)
    builds = {"minweight": max(0, 1 - 2 * weight), "maxweight": max(0, 2 * weight - 1)}
    builds["averageweight"] = 1 - sum(builds.values())
    targets: dict[str, float] = {}
    for age, share in (("young", 1 - old), ("old", old)):
        for origin, part in origins.items():
            targets[f"macrodetails/{origin}-{sex}-{age}"] = share * part
        for build, part in builds.items():
            if part > 0:
                targets[f"macrodetails/universal-{sex}-{age}-averagemuscle-{build}"] = share * part
    for name in ("fingers-diameter", "fingers-length", "scale"):
        amount = rng.uniform(-_BUILD, _BUILD)
        targets[f"hands/r-hand-{name}-{'incr' if amount > 0 else 'decr'}"] = abs(amount)
    return hand_at_rest(read_body(), targets)


def draw_shape(hand: RestHand, rng: np.random.Generator) -> tuple[RestHand, dict[int, FingerShape]]:
    """Draw each finger's departure from healthy; half of the hands have none.

    Parameters
    ----------
    hand : RestHand
        The hand at rest.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    RestHand
        With these shapes.
    dict of int to FingerShape
        By finger, 1 (thumb) to 5.
    """
    ill = rng.random() < _ILL
    shapes = {
        finger: FingerShape(
            end_share=rng.uniform(*_END_LEFT) if ill and rng.random() < _RESORBED else 1.0,
            girth=rng.uniform(*_SWOLLEN_GIRTH) if ill and rng.random() < _SWOLLEN else rng.uniform(*_GIRTH),
            taper=rng.uniform(*_TAPER) if ill and rng.random() < _TAPERED else 0.0,
            wrapped_mm=_wrapped(rng),
            wrap_mm=rng.uniform(*_WRAP_MM),
        )
        for finger in range(1, 6)
    }
    return reshaped(hand, shapes), shapes


def _wrapped(rng: np.random.Generator) -> tuple[float, float]:
    """Return where a plaster or gauze lies: round the end phalanx, the middle one, or over the tip."""
    if rng.random() > _WRAPPED:
        return (0.0, 0.0)
    start = _OVER_TIP_MM if rng.random() < _OVER_TIP else rng.uniform(*_WRAP_FROM_MM)
    return (float(start), float(start + rng.uniform(*_WRAP_LONG_MM)))


def draw_nails(rng: np.random.Generator, *, odds: Odds = ORDINARY) -> dict[int, LongNail]:
    """Draw nails that grow past the tip, on some hands.

    Parameters
    ----------
    rng : Generator
        What chance is drawn from.
    odds : Odds
        How often.

    Returns
    -------
    dict of int to LongNail
        By finger, 1 (thumb) to 5; empty for short nails.
    """
    if rng.random() > odds.long_nails:
        return {}
    length, pointed = rng.uniform(*_NAIL_MM), rng.uniform(0, 1)
    return {finger: LongNail(length * rng.uniform(*_NAIL_DIFFERS), pointed) for finger in range(1, 6)}


def draw_appearance(
    hand: RestHand, shapes: dict[int, FingerShape], rng: np.random.Generator, *, odds: Odds = ORDINARY
) -> SkinAppearance:
    """Draw the skin: any tone, purple or red hands, polish, rings, dressings, tips, sores, gloves.

    Parameters
    ----------
    hand : RestHand
        The hand at rest, for the sores' places.
    shapes : dict of int to FingerShape
        By finger, for where dressings lie.
    rng : Generator
        What chance is drawn from.
    odds : Odds
        How often nails are polished.

    Returns
    -------
    SkinAppearance
        Colours in linear light 0..1, lengths in mm.
    """
    tone = rng.uniform(1, 6)
    hue = 1 + rng.normal(0, 0.05, 3)
    appearance = SkinAppearance(
        back=tone_colour(BACK_SRGB, tone) * hue,
        palm=tone_colour(PALM_SRGB, tone) * hue,
        mottling=rng.uniform(0.1, 1.3),
        creases=rng.uniform(0.1, 1.2),
        gloss=rng.uniform(0.01, 0.16),
        detail_share=rng.uniform(0.4, 1.0),
    )
    if rng.random() < 0.15:
        cast = np.array([0.92, 0.72, 0.98]) if rng.random() < 0.6 else np.array([1.05, 0.72, 0.70])
        strength = rng.uniform(0.2, 1)
        appearance.back, appearance.palm = (
            c * (1 - strength + strength * cast) for c in (appearance.back, appearance.palm)
        )
    if rng.random() < 0.03:
        appearance.glove = linear(GLOVE_SRGB[rng.integers(len(GLOVE_SRGB))].astype(float))
    _paint_nails(appearance, rng, share=odds.polish)
    _paint_tips(appearance, rng, share=odds.ill)
    _put_on(appearance, shapes, rng)
    appearance.sores = _draw_sores(hand, rng, share=odds.ill)
    return appearance


def _paint_nails(appearance: SkinAppearance, rng: np.random.Generator, *, share: float) -> None:
    if rng.random() < share:
        colour = POLISH_SRGB[rng.integers(len(POLISH_SRGB))] if rng.random() < 0.6 else rng.uniform(0, 255, 3)
        appearance.polish[1:, :3] = linear(colour.astype(float))
        appearance.polish[1:, 3] = rng.uniform(0.5, 1.0)


def _paint_tips(appearance: SkinAppearance, rng: np.random.Generator, *, share: float) -> None:
    probability = 0.25 if rng.random() < 0.35 * share else 0.0
    for finger in range(1, 6):
        if rng.random() < probability:
            appearance.tip[finger, :3] = linear(TIP_SRGB[rng.integers(len(TIP_SRGB))].astype(float))
            appearance.tip[finger, 3] = rng.uniform(0.4, 1.0)
            appearance.tip_mm[finger] = rng.uniform(2, 22)


def _put_on(appearance: SkinAppearance, shapes: dict[int, FingerShape], rng: np.random.Generator) -> None:
    appearance.ring = linear(rng.choice([(212, 170, 90), (200, 200, 205), (60, 60, 65)]).astype(float))
    for finger, shape in shapes.items():
        appearance.band_mm[finger] = shape.wrapped_mm
        appearance.band[finger] = (*linear(BAND_SRGB[rng.integers(len(BAND_SRGB))].astype(float)), rng.uniform(0, 1))
        if rng.random() < 0.06:
            start = rng.uniform(38, 55)
            appearance.ring_mm[finger] = (start, start + rng.uniform(1.5, 6))


def _draw_sores(hand: RestHand, rng: np.random.Generator, *, share: float) -> Reals:
    """Draw up to four sores on the skin of fingers, most near the tip, on two hands of five."""
    if rng.random() > 0.4 * share:
        return np.zeros((0, 9))
    matrix, triangles, _, finger_of = smooth_hand()
    rest = np.asarray(matrix @ hand.points)
    out = []
    for _ in range(int(rng.integers(1, 5))):
        finger = int(rng.integers(1, 6))
        own = np.unique(triangles[finger_of == finger])
        s, _ = along_finger(rest[own], hand.joints(finger))
        reach = float(rng.choice([8, 20, 45]))
        near = own[(s < reach)] if (s < reach).any() else own
        colour = linear(WOUND_BED_SRGB[rng.integers(len(WOUND_BED_SRGB))] * rng.uniform(0.7, 1.1))
        out.append([finger, *rest[rng.choice(near)], np.exp(rng.normal(0.7, 0.5)), *colour, rng.uniform(0, 1)])
    return np.array(out)


def read_details(folder: Path | None) -> list[NDArray[np.uint8]]:
    """Read skin textures as ratios to their mean over the hand, 128 for 1; an even one without a folder.

    Parameters
    ----------
    folder : Path or None
        JPEG and PNG laid out as MakeHuman's skin textures.

    Returns
    -------
    list of uint8 (M, N, 3)
        128 is the mean colour over the fingers; at least one.
    """
    paths = [] if folder is None else sorted(folder.glob("*.jpg")) + sorted(folder.glob("*.png"))
    pictures = [picture for path in paths if (picture := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None]
    if not pictures:
        return [np.full((16, 16, 3), 128, np.uint8)]
    return [_detail(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) for picture in pictures]


def _detail(srgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, _, uv, finger_of = smooth_hand()
    rows, cols = srgb.shape[:2]
    own = uv[finger_of > 0].reshape(-1, 2)
    light = linear(srgb)
    mean = light[((1 - own[:, 1]) * (rows - 1)).astype(int), (own[:, 0] * (cols - 1)).astype(int)].mean(0)
    return np.asarray(np.clip(128 * light / mean, 0, 255).astype(np.uint8))
