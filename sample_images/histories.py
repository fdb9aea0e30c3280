"""What a history of the sample study is made of: subjects, their visits, their ulcers' outlines."""

from __future__ import annotations

from dataclasses import dataclass, field

from scenes import HandScene

__all__ = ["Outline", "Place", "Shot", "SubjectHistory"]


@dataclass(frozen=True)
class Place:
    """Where an ulcer sits on its finger, and how it looks: see `ulcermeter.phantom.UlcerSpec`.

    Without ``angle_deg`` its long side is turned by 35° times its number.
    """

    s_mm: float = 9.0
    t_mm: float = 0.0
    bed: str = "granulation"
    irregularity: float = 0.25
    aspect: float = 0.85
    angle_deg: float | None = None


@dataclass(frozen=True)
class Outline:
    """One outline to draw on a photo: of which ulcer, how long, and where."""

    ulcer: int
    diameter_mm: float
    place: Place


@dataclass(frozen=True)
class Shot:
    """A photo of one finger at a visit (or a visit without one), and what is expected of it.

    ``sizes`` gives each open ulcer's diameter in mm by its number, ``states`` the state of every known ulcer.
    ``elsewhere`` are outlines that do not lie at their ulcer's own place, or are several of one ulcer (its parts).
    ``merged_into`` gives the host of what has merged, ``flags`` a kind of flag that an ulcer's row must carry.
    ``camera`` and ``reference`` change the phantom; ``status`` and ``reason`` are what the run must answer.
    ``clicked``: the clinic clicked on each ulcer and gave its number, if it does so for this subject at all.
    ``scene``: the photo shows a hand, and the clinic clicked on the ulcer, or on the finger that has none.
    """

    visit: str
    day: int
    sizes: dict[int, float] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    elsewhere: tuple[Outline, ...] = ()
    merged_into: dict[int, int] = field(default_factory=dict)
    flags: dict[int, str] = field(default_factory=dict)
    camera: dict[str, object] = field(default_factory=dict)
    reference: dict[str, object] = field(default_factory=dict)
    covered: str = ""
    crust: float = 0.0
    reader_state: str = ""
    status: str = "measured"
    reason: str = ""
    photographed: bool = True
    clicked: bool = True
    scene: HandScene | None = None

    def outlines(self, places: dict[int, Place]) -> tuple[Outline, ...]:
        """Return everything to draw, where `places` are the ulcers' own places."""
        return (*(Outline(n, size, places[n]) for n, size in self.sizes.items()), *self.elsewhere)


@dataclass(frozen=True)
class SubjectHistory:
    """A subject: who, where, what was photographed, what the clinic wrote, and what must come out.

    ``events`` are what happened and on which day; ``counts`` the clinic's counts of active ulcers at further visits.
    ``late`` are photos that reach the study after it was run once; ``also`` are fingers that have a row of their own on
    every photo of a hand, beside ``finger``.
    ``results`` and ``effects`` hold only the criteria that differ from an eligible subject's.
    """

    subject_id: str
    title: str
    shots: tuple[Shot, ...]
    treatment_date: str = "2024-05-06"
    hand: str = "right"
    finger: str = "index"
    side: str = "pulp"
    skin_tone: float = 2.0
    places: dict[int, Place] = field(default_factory=lambda: {1: Place()})
    clicks: bool = False
    marker_s_mm: float = 25.0
    reference_place: str = "skin"
    subject: dict[str, object] = field(default_factory=dict)
    ulcers: dict[int, dict[str, object]] = field(default_factory=dict)
    refractory: dict[int, dict[str, object] | None] = field(default_factory=dict)
    course_days: tuple[int, int] = (-85, -80)
    events: tuple[tuple[str, int], ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    late: tuple[Shot, ...] = ()
    also: tuple[str, ...] = ()
    results: dict[str, str] = field(default_factory=dict)
    effects: dict[str, str] = field(default_factory=dict)
    verdict: str = "eligible"
    qualifying: tuple[int, ...] = (1,)
