"""The sample study's stories: what happens to each subject, as data, and what must come out.

Everybody here is drawn. Days are counted from treatment (day 0); every expectation follows from the story by the
trial's criteria and not from what the program answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["STORIES", "Place", "Shot", "Story"]


@dataclass(frozen=True)
class Place:
    """Where an ulcer sits on its finger, and how it looks: see `ulcermeter.phantom.UlcerSpec`."""

    s_mm: float = 9.0
    t_mm: float = 0.0
    bed: str = "granulation"
    irregularity: float = 0.25
    aspect: float = 0.85


@dataclass(frozen=True)
class Shot:
    """A photo of one finger at a visit (or a visit without one), and what is expected of it.

    ``sizes`` gives each open ulcer's diameter in mm by its number, ``states`` the state of every known ulcer.
    ``camera`` and ``reference`` change the phantom; ``status`` and ``reason`` are what the run must answer.
    """

    visit: str
    day: int
    sizes: dict[int, float] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    camera: dict[str, object] = field(default_factory=dict)
    reference: dict[str, object] = field(default_factory=dict)
    covered: str = ""
    crust: float = 0.0
    reader_state: str = ""
    status: str = "measured"
    reason: str = ""
    photographed: bool = True


@dataclass(frozen=True)
class Story:
    """A subject: who, where, what was photographed, what the clinic wrote, and what must come out.

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
    events: tuple[dict[str, object], ...] = ()
    results: dict[str, str] = field(default_factory=dict)
    effects: dict[str, str] = field(default_factory=dict)
    verdict: str = "eligible"
    qualifying: int | None = 1


def _seen(visit: str, day: int, size: float, state: str = "persistent", **more: object) -> Shot:
    return Shot(visit, day, {1: size}, {1: state}, **more)  # type: ignore[arg-type]


def _clear(visit: str, day: int, **more: object) -> Shot:
    return Shot(visit, day, {}, {1: "healed"}, status="no ulcer", **more)  # type: ignore[arg-type]


def _refused(visit: str, day: int, reason: str, **more: object) -> Shot:
    return Shot(visit, day, {1: 3.0}, {1: "not photographed"}, status="refused", reason=reason, **more)  # type: ignore[arg-type]


_SCREENED = (_seen("screening", -14, 3.2, "first seen"),)

_FIRST = (
    Story(
        "S01",
        "heals, and the next visit confirms it; iloprost did not help (physician's word)",
        (
            _seen("screening", -14, 3.3, "first seen"),
            _seen("baseline", 0, 3.2),
            _seen("week 2", 14, 2.7),
            _seen("week 4", 28, 1.9),
            _clear("week 8", 56, reader_state="healed"),
            _clear("week 12", 85, reader_state="healed"),
        ),
        subject={"injected_limb": "right", "sex": "female", "childbearing_potential": "no", "birth_date": "1957-03-12"},
        results={"age_65_74": "met"},
        effects={"age_65_74": "none"},
    ),
    Story(
        "S02",
        "2.4 mm at screening; heals and recurs at the same place; SSc by its score alone; worsened after iloprost",
        (
            _seen("screening", -14, 2.4, "first seen"),
            _seen("baseline", 0, 2.5),
            _seen("48h", 2, 2.5),
            _seen("week 2", 14, 1.7),
            _clear("week 4", 29),
            _seen("week 8", 57, 2.3, "recurrent"),
            _seen("week 12", 84, 3.0),
        ),
        hand="left",
        finger="middle",
        side="nail",
        skin_tone=4.0,
        places={1: Place(s_mm=22.0, t_mm=1.0)},
        marker_s_mm=37.0,
        subject={
            "ssc_established": "",
            "fingers": "sclerodactyly",
            "raynaud": "yes",
            "ssc_antibodies": "yes",
            "injected_limb": "left",
        },
        ulcers={1: {"diameter_mm_bedside": 2.5, "measured_by": "reader A", "site": "PIP"}},
        refractory={1: {"worsened_1_month": "yes", "no_improvement_2_months": "", "recurred_3_months": ""}},
    ),
    Story(
        "S03",
        "recurred within 3 months after iloprost, on photos alone; gets worse during the trial",
        (
            _seen("history", -92, 3.0, "first seen"),
            _clear("history", -60, reader_state="healed"),
            _seen("history", -30, 2.7, "recurrent"),
            _seen("screening", -14, 2.9),
            _seen("baseline", 0, 3.0),
            _seen("week 4", 28, 3.8),
            _seen("week 8", 56, 4.6),
            _seen("week 12", 84, 5.5),
        ),
        finger="ring",
        skin_tone=3.0,
        places={1: Place(s_mm=8.0, t_mm=-2.0, bed="slough", irregularity=0.35)},
        refractory={1: None},
    ),
    Story(
        "S04",
        "worse within 1 month after iloprost, on photos alone; a new ulcer beside the old one; a visit without a photo",
        (
            _seen("history", -92, 2.3, "first seen"),
            _seen("history", -60, 3.5),
            _seen("screening", -14, 3.6),
            _seen("baseline", 0, 3.5),
            Shot("week 4", 28, {1: 3.2, 2: 2.2}, {1: "persistent", 2: "new"}),
            Shot("week 8", 56, {}, {1: "not photographed", 2: "not photographed"}, photographed=False),
            Shot("week 12", 84, {1: 2.6, 2: 2.8}, {1: "persistent", 2: "persistent"}),
        ),
        hand="left",
        finger="index",
        skin_tone=1.0,
        places={1: Place(s_mm=8.0, t_mm=-3.0), 2: Place(s_mm=13.0, t_mm=3.5, irregularity=0.2)},
        refractory={1: None},
    ),
    Story(
        "S05",
        "two ulcers on one finger, told apart by clicks; only the second has no calcinosis under it",
        (
            Shot("screening", -14, {1: 3.4, 2: 3.0}, {1: "first seen", 2: "first seen"}),
            Shot("baseline", 0, {1: 3.4, 2: 3.0}, {1: "persistent", 2: "persistent"}),
            Shot("week 4", 28, {1: 3.1, 2: 2.5}, {1: "persistent", 2: "persistent"}),
        ),
        finger="middle",
        skin_tone=2.5,
        places={1: Place(s_mm=8.0, t_mm=-2.5), 2: Place(s_mm=16.0, t_mm=2.0)},
        marker_s_mm=29.0,
        clicks=True,
        ulcers={1: {"calcinosis_on_xray": "yes"}},
        qualifying=2,
    ),
    Story(
        "S06",
        "1.6 mm at screening: not over 2 mm",
        (_seen("screening", -14, 1.6, "first seen"),),
        places={1: Place(irregularity=0.15, aspect=0.95)},
        results={"active_ulcer": "not met"},
        effects={"active_ulcer": "fails"},
        verdict="not eligible",
        qualifying=None,
    ),
    Story(
        "S07",
        "2.0 mm at screening: the photo cannot tell, and nobody measured at the bedside",
        (_seen("screening", -14, 2.0, "first seen"),),
        finger="thumb",
        places={1: Place(irregularity=0.15, aspect=0.9)},
        results={"active_ulcer": "not assessable"},
        effects={"active_ulcer": "unknown"},
        verdict="undetermined",
        qualifying=None,
    ),
    Story(
        "S08",
        "no X-ray yet: undetermined because a cell is empty",
        (_seen("screening", -14, 3.4, "first seen"), _seen("baseline", 0, 3.4)),
        skin_tone=5.0,
        ulcers={1: {"calcinosis_on_xray": "", "xray_date": ""}},
        results={"calcinosis": "not assessable"},
        effects={"calcinosis": "unknown"},
        verdict="undetermined",
        qualifying=None,
    ),
    Story(
        "S09",
        "the physician says no improvement after iloprost; the photos show the ulcer shrinking",
        (
            _seen("history", -92, 4.6, "first seen"),
            _seen("screening", -14, 2.9),
            _seen("baseline", 0, 2.9),
        ),
        finger="little",
        skin_tone=3.5,
        reference_place="table",
    ),
    Story(
        "S10",
        "a dressing covers the ulcer at week 2",
        (
            _seen("screening", -14, 3.0, "first seen"),
            _seen("baseline", 0, 3.0),
            Shot(
                "week 2",
                14,
                {1: 2.9},
                {1: "indeterminate"},
                covered="yes",
                crust=1.0,
                status="no ulcer",
                reason="covered",
            ),
            _seen("week 4", 28, 2.8),
        ),
        hand="left",
        finger="ring",
        skin_tone=6.0,
    ),
    Story(
        "S11",
        "photos that must be refused, each for its own reason",
        (
            _seen("screening", -14, 3.0, "first seen"),
            _seen("baseline", 0, 3.0),
            _refused("48h", 2, "marker", reference={"kind": "none"}),
            _refused("week 2", 14, "tilt", camera={"tilt_deg": 46.0}),
            _refused("week 4", 28, "focus", camera={"blur_px": 9.0}),
            _refused("week 8", 56, "burnt out", camera={"exposure_ev": 3.2}),
            _refused("week 12", 84, "scale", reference={"size_mm": 3.0, "offset_mm": (0.0, 33.0)}),
            _refused("week 24", 168, "px/mm", camera={"px_per_mm": 6.0}),
        ),
        skin_tone=2.0,
    ),
)


def _failing(subject_id: str, title: str, criterion: str, result: str, **more: object) -> Story:
    """One subject who is like an eligible one but for one criterion."""
    return Story(
        subject_id,
        title,
        _SCREENED,
        results={criterion: result},
        effects={criterion: "fails"},
        verdict="not eligible",
        qualifying=None if criterion in ("refractory_prostacyclin", "calcinosis") else 1,
        **more,  # type: ignore[arg-type]
    )


_FAILING = (
    _failing(
        "S12",
        "consent after inclusion",
        "informed_consent",
        "not met",
        subject={"consent_date": "2024-05-02"},
        finger="ring",
    ),
    _failing(
        "S13", "calcinosis on the X-ray", "calcinosis", "met", ulcers={1: {"calcinosis_on_xray": "yes"}}, hand="left"
    ),
    _failing(
        "S14",
        "malignancy in 2019",
        "neoplasm_10y",
        "met",
        subject={"neoplasm_last_active": "2019-05", "neoplasm_last_10y": ""},
    ),
    _failing(
        "S15",
        "pregnant",
        "pregnancy_contraception",
        "met",
        subject={"sex": "female", "childbearing_potential": "yes", "pregnant": "yes", "birth_date": "1990-07-01"},
        skin_tone=4.5,
    ),
    _failing(
        "S16", "life expectancy under a year", "life_expectancy_1y", "met", subject={"life_expectancy_under_1y": "yes"}
    ),
    _failing(
        "S17",
        "uncontrolled hypertension",
        "uncontrolled_hypertension",
        "met",
        subject={"uncontrolled_hypertension": "yes"},
    ),
    _failing(
        "S18",
        "infection with fever",
        "uncontrolled_infection",
        "met",
        subject={"uncontrolled_infection_systemic": "yes"},
        places={1: Place(bed="slough")},
    ),
    _failing(
        "S19",
        "cannot come back",
        "follow_up_impossible",
        "met",
        subject={"follow_up_impossible": "yes"},
        side="nail",
        places={1: Place(s_mm=21.0)},
        marker_s_mm=36.0,
    ),
    _failing("S20", "17 years old", "age_18", "not met", subject={"birth_date": "2006-09-15"}, skin_tone=5.5),
    _failing(
        "S21",
        "too few points for systemic sclerosis",
        "ssc_acr_eular_2013",
        "not met",
        subject={
            "ssc_established": "no",
            "skin_thickening_proximal_mcp": "no",
            "fingers": "puffy",
            "fingertips": "ulcers",
            "telangiectasia": "no",
            "abnormal_capillaries": "no",
            "pah_or_ild": "no",
            "raynaud": "yes",
            "ssc_antibodies": "no",
        },
    ),
    _failing(
        "S22",
        "iloprost helped",
        "refractory_prostacyclin",
        "not met",
        refractory={1: {"worsened_1_month": "no", "no_improvement_2_months": "no", "recurred_3_months": "no"}},
        places={1: Place(bed="eschar")},
    ),
)

STORIES: tuple[Story, ...] = (*_FIRST, *_FAILING)
