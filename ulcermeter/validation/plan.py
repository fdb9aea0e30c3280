"""Which phantoms the instrument is held against: one sample of the working range, and one sweep for each factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ulcermeter.calibration.card.layout import CARD_MM, OPENING_MM
from ulcermeter.calibration.references.printed_card import card_texture
from ulcermeter.phantom import PhantomSpec, random_spec

__all__ = ["DEVELOPMENT_SEED", "FIRST_SEED", "SIZES", "WORKING_RANGE", "Case", "Size", "plan_cases"]

# Seeds of the reported run; those of training pictures begin at 5 000 000. Intervals are tuned on the development
# seeds alone, so that the reported coverage is of phantoms nobody has looked at.
FIRST_SEED = 900_000
DEVELOPMENT_SEED = 950_000
# Tries of chance for a spec as finely sampled as asked.
_SEEDS_PER_CASE = 10

# What the instrument is declared to work on: diameters of 1-5 mm, at least 15 px/mm, tilt up to 25 degrees. Lenses
# distort as much as the protocol expects of one without a profile.
WORKING_RANGE: dict[str, Any] = {
    "diameter_mm": (1.0, 5.0),
    "px_per_mm": (15.0, 25.0),
    "tilt_deg": (0.0, 25.0),
    "skin_tone": (1.0, 6.0),
    "blur_px": (0.5, 1.2),
    "distortion": True,
}
# What stays the same while one factor is varied; the finger, its ulcer's shape and bed, and the light vary freely.
_BASE: dict[str, Any] = {
    "diameter_mm": (1.5, 4.0),
    "px_per_mm": (17.0, 19.0),
    "tilt_deg": (5.0, 10.0),
    "skin_tone": (1.5, 3.5),
    "blur_px": (0.6, 0.8),
    "noise_sd": (1.0, 2.0),
    "t_mm": (-1.0, 1.0),
}
# Steps of the sweep, mm: closest about the threshold of 2 mm, beyond the declared range at both ends.
_DIAMETERS_MM = (0.8, 1.0, 1.25, 1.5, 1.75, 1.9, 2.0, 2.1, 2.25, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
# Steps of the other sweeps, beyond the declared range where an instrument should begin to refuse.
_NUMBERS: dict[str, tuple[float, ...]] = {
    "px_per_mm": (8.0, 10.0, 12.0, 15.0, 20.0, 25.0),
    "tilt_deg": (0.0, 10.0, 20.0, 25.0, 30.0, 40.0),
    "blur_px": (0.3, 0.8, 1.2, 1.8, 2.5, 3.5),
    "skin_tone": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
}
# Distances of the marker from the ulcer, in its sides.
_OFFSETS_SIDES = (1.5, 2.0, 3.0, 4.0, 5.0)
# Side of the marker, mm.
_MARKER_MM = 10.0
# Each kind in the range that is declared for it; a bank card and a ruler need more of the photo.
_KINDS: dict[str, dict[str, Any]] = {
    "card": {"tilt_deg": (0.0, 30.0), "px_per_mm": (9.0, 20.0), "size_px": (1600, 1200)},
    "aruco": {"tilt_deg": (0.0, 30.0), "px_per_mm": (12.0, 25.0)},
    "id1": {"tilt_deg": (0.0, 30.0), "px_per_mm": (12.0, 20.0), "size_px": (1600, 1200)},
    "disc": {"tilt_deg": (0.0, 15.0), "px_per_mm": (15.0, 25.0)},
    "ruler": {"tilt_deg": (0.0, 15.0), "px_per_mm": (12.0, 20.0), "size_px": (1600, 1200)},
}
# Finer than any photo of it; and how much of the opening stays free before the fingertip.
_CARD_PX_PER_MM, _TIP_FREE_MM = 16.0, 2.0
_REFERENCE_TEXT = {"aruco": "aruco:10", "disc": "disc:10", "id1": "id1", "ruler": "ruler", "card": "card"}


@dataclass(frozen=True)
class Size:
    """How many phantoms: of the working range, and for each level of a sweep; every n-th level is taken."""

    name: str
    n_working: int
    n_per_diameter: int
    n_per_level: int
    n_per_kind: int
    every: int = 1
    size_px: tuple[int, int] = (1200, 900)


# ``full``: 240 of the working range tell a coverage of 95 % to 3 %; ``small`` shows that everything runs.
SIZES = {
    "small": Size("small", 4, 1, 1, 1, every=4, size_px=(960, 720)),
    "full": Size("full", 240, 8, 6, 16),
}


@dataclass(frozen=True)
class Case:
    """One phantom to draw and measure.

    Attributes
    ----------
    name : str
        Also the photo's name.
    sample : {'working range', 'sweep'}
    factor, level : str
        What is varied and where it stands; empty in the working range.
    seed : int
    spec : PhantomSpec
    reference : str
        As photos.csv says it.
    """

    name: str
    sample: str
    factor: str
    level: str
    seed: int
    spec: PhantomSpec = field(repr=False)
    reference: str


def plan_cases(size: Size, *, first_seed: int = FIRST_SEED) -> list[Case]:
    """Return the phantoms of a run, always the same ones for the same arguments.

    Parameters
    ----------
    size : Size
        How many of each.
    first_seed : int, optional
        Of the first phantom; each has ten of its own.

    Returns
    -------
    list of Case
        In the order in which they are reported.
    """
    cases: list[Case] = []
    for sample, factor, level, arguments in _conditions(size):
        seed = first_seed + _SEEDS_PER_CASE * len(cases)
        spec, seed = _spec(seed, {"size_px": size.size_px, **arguments})
        number = sum(c.factor == factor and c.level == level for c in cases) + 1
        name = "-".join(part.replace(" ", "_") for part in (sample, factor, level, f"{number:03d}") if part)
        cases.append(Case(f"{name}.jpg", sample, factor, level, seed, spec, _REFERENCE_TEXT[spec.reference.kind]))
    return cases


def _spec(seed: int, arguments: dict[str, Any]) -> tuple[PhantomSpec, int]:
    """Return the first spec that can be as finely sampled as asked: chance may put the reference too far off."""
    least_px_per_mm = arguments["px_per_mm"][0] if arguments.pop("as_fine_as_asked", False) else 0.0
    if arguments.get("reference") == "card":
        return _in_the_card(seed, arguments), seed
    for attempt in range(_SEEDS_PER_CASE):
        spec = random_spec(seed + attempt, **arguments)
        if spec.camera.px_per_mm >= least_px_per_mm:
            break
    return spec, seed + attempt


def _in_the_card(seed: int, arguments: dict[str, Any]) -> PhantomSpec:
    """Return a finger in the opening of the printed card, its tip near the opening's end."""
    printed: dict[str, Any] = {"texture": card_texture(_CARD_PX_PER_MM), "texture_size_mm": CARD_MM}
    tip_mm = random_spec(seed, **arguments, **printed).ulcers[0].s_mm
    end_mm = OPENING_MM[1] - CARD_MM[1] / 2
    return random_spec(seed, **arguments, **printed, reference_offset_mm=(0.0, -tip_mm - _TIP_FREE_MM - end_mm))


_Condition = tuple[str, str, str, dict[str, Any]]


def _conditions(size: Size) -> Iterator[_Condition]:
    """Yield sample, factor, level and the arguments of `random_spec`."""
    working = {**WORKING_RANGE, "as_fine_as_asked": True}
    for _ in range(size.n_working):
        yield "working range", "", "", working
    for diameter in _taken(_DIAMETERS_MM, size):
        for _ in range(size.n_per_diameter):
            yield "sweep", "diameter_mm", f"{diameter:g}", {**working, "diameter_mm": (diameter, diameter)}
    yield from _sweeps(size)
    for kind, arguments in _KINDS.items():
        # A small run's small photos show a bank card at 8 px/mm, which is enough to see that it is measured.
        smaller = {"size_px": size.size_px} if size.every > 1 else {}
        for _ in range(size.n_per_kind):
            yield "sweep", "reference", kind, {**WORKING_RANGE, **arguments, **smaller, "reference": kind}


def _sweeps(size: Size) -> Iterator[_Condition]:
    for factor, levels in _NUMBERS.items():
        for level in _taken(levels, size):
            for _ in range(size.n_per_level):
                yield "sweep", factor, f"{level:g}", {**_BASE, factor: (level, level)}
    wide, high = size.size_px
    for sides in _taken(_OFFSETS_SIDES, size):
        along = {**_BASE, "reference_offset_mm": (0.0, sides * _MARKER_MM), "size_px": (high, wide)}
        for _ in range(size.n_per_level):
            yield "sweep", "offset_sides", f"{sides:g}", along
    for place in ("skin", "table"):
        for _ in range(2 * size.n_per_level if size.every == 1 else 1):
            yield "sweep", "reference_on", place, {**_BASE, "place": place}


def _taken(levels: tuple[float, ...], size: Size) -> tuple[float, ...]:
    """Return every level, or every n-th from the second on."""
    return levels if size.every == 1 else levels[1 :: size.every]
