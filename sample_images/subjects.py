"""The sample study's subjects: what happens to each of them, as data, and what must come out.

Everybody here is drawn. Days are counted from treatment (day 0); every expectation follows from the subject's history
by the trial's criteria and not from what the program answers.
"""

from __future__ import annotations

from dataclasses import replace

from histories import Outline, Place, Shot, SubjectHistory
from scenes import SCENES

__all__ = ["SUBJECTS", "Outline", "Place", "Shot", "SubjectHistory"]


def _open(visit: str, day: int, size: float, state: str = "persistent", **more: object) -> Shot:
    return Shot(visit, day, {1: size}, {1: state}, **more)  # type: ignore[arg-type]


def _healed(visit: str, day: int, **more: object) -> Shot:
    return Shot(visit, day, {}, {1: "healed"}, status="no ulcer", **more)  # type: ignore[arg-type]


def _refused(visit: str, day: int, reason: str, **more: object) -> Shot:
    return Shot(visit, day, {1: 3.0}, {1: "not photographed"}, status="refused", reason=reason, **more)  # type: ignore[arg-type]


_SCREENED = (_open("screening", -14, 3.2, "first seen"),)

_FIRST = (
    SubjectHistory(
        "S01",
        "heals, and the next visit confirms it; iloprost did not help (physician's word)",
        (
            _open("screening", -14, 3.3, "first seen"),
            _open("baseline", 0, 3.2),
            _open("week 2", 14, 2.7),
            _open("week 4", 28, 1.9),
            _healed("week 8", 56, reader_state="healed"),
            _healed("week 12", 85, reader_state="healed"),
        ),
        subject={"injected_limb": "right", "sex": "female", "childbearing_potential": "no", "birth_date": "1957-03-12"},
        results={"age_65_74": "met"},
        effects={"age_65_74": "none"},
    ),
    SubjectHistory(
        "S02",
        "2.4 mm at screening; heals and recurs at the same place; SSc by its score alone; worsened after iloprost",
        (
            _open("screening", -14, 2.4, "first seen"),
            _open("baseline", 0, 2.5),
            _open("48h", 2, 2.5),
            _open("week 2", 14, 1.7),
            _healed("week 4", 29),
            _open("week 8", 57, 2.3, "recurrent"),
            _open("week 12", 84, 3.0),
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
    SubjectHistory(
        "S03",
        "recurred within 3 months after iloprost, on photos alone; gets worse during the trial",
        (
            _open("history", -92, 3.0, "first seen"),
            _healed("history", -60, reader_state="healed"),
            _open("history", -30, 2.7, "recurrent"),
            _open("screening", -14, 2.9),
            _open("baseline", 0, 3.0),
            _open("week 4", 28, 3.8),
            _open("week 8", 56, 4.6),
            _open("week 12", 84, 5.5),
        ),
        finger="ring",
        skin_tone=3.0,
        places={1: Place(s_mm=8.0, t_mm=-2.0, bed="slough", irregularity=0.35)},
        refractory={1: None},
    ),
    SubjectHistory(
        "S04",
        "worse within 1 month after iloprost, on photos alone; a new ulcer beside the old one; a visit without a photo",
        (
            _open("history", -92, 2.3, "first seen"),
            _open("history", -60, 3.5),
            _open("screening", -14, 3.6),
            _open("baseline", 0, 3.5),
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
    SubjectHistory(
        "S05",
        "two ulcers on one finger, told apart by clicks; only the second has no calcinosis under it",
        (
            Shot("screening", -14, {1: 3.4, 2: 3.0}, {1: "first seen", 2: "first seen"}),
            Shot("week 4", 28, {1: 3.1, 2: 2.5}, {1: "persistent", 2: "persistent"}),
        ),
        finger="middle",
        skin_tone=2.5,
        places={1: Place(s_mm=8.0, t_mm=-2.5), 2: Place(s_mm=16.0, t_mm=2.0)},
        marker_s_mm=29.0,
        clicks=True,
        ulcers={1: {"calcinosis_on_xray": "yes"}},
        qualifying=(2,),
    ),
    SubjectHistory(
        "S06",
        "1.6 mm at screening: not over 2 mm",
        (_open("screening", -14, 1.6, "first seen"),),
        places={1: Place(irregularity=0.15, aspect=0.95), 2: Place(s_mm=15.0, t_mm=2.5)},
        late=(Shot("history", -92, {2: 2.6}, {2: "first seen"}),),
        results={"active_ulcer": "not met"},
        effects={"active_ulcer": "fails"},
        verdict="not eligible",
        qualifying=(),
    ),
    SubjectHistory(
        "S07",
        "2.0 mm at screening: the photo cannot tell, and nobody measured at the bedside",
        (_open("screening", -14, 2.0, "first seen"),),
        finger="thumb",
        places={1: Place(irregularity=0.15, aspect=0.9)},
        results={"active_ulcer": "not assessable"},
        effects={"active_ulcer": "unknown"},
        verdict="undetermined",
        qualifying=(),
    ),
    SubjectHistory(
        "S08",
        "no X-ray yet: undetermined because a cell is empty",
        (_open("screening", -14, 3.4, "first seen"),),
        skin_tone=5.0,
        ulcers={1: {"calcinosis_on_xray": "", "xray_date": ""}},
        results={"calcinosis": "not assessable"},
        effects={"calcinosis": "unknown"},
        verdict="undetermined",
        qualifying=(),
    ),
    SubjectHistory(
        "S09",
        "the physician says no improvement after iloprost; the photos show the ulcer shrinking; dies on day 40",
        (
            _open("history", -92, 4.6, "first seen"),
            _open("screening", -14, 2.9),
            _open("baseline", 0, 2.9),
        ),
        finger="little",
        skin_tone=3.5,
        reference_place="table",
        events=(("death", 40),),
    ),
    SubjectHistory(
        "S10",
        "a dressing covers the ulcer at week 2; at week 4 the clinic counts two ulcers where photos show one",
        (
            _open("screening", -14, 3.0, "first seen"),
            _open("baseline", 0, 3.0),
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
            _open("week 4", 28, 2.8),
        ),
        hand="left",
        finger="ring",
        skin_tone=6.0,
        counts={"week 4": 2},
    ),
    SubjectHistory(
        "S11",
        "photos that must be refused, each for its own reason",
        (
            _open("screening", -14, 3.0, "first seen"),
            _open("baseline", 0, 3.0),
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


def _failing(
    subject_id: str, title: str, criterion: str, result: str, *, scene: str = "", clicked: bool = True, **more: object
) -> SubjectHistory:
    """One subject who is like an eligible one but for one criterion; photographed by the finger, or by the hand."""
    (shot,) = _SCREENED
    return SubjectHistory(
        subject_id,
        title,
        (replace(shot, scene=SCENES[scene], clicked=clicked) if scene else shot,),
        results={criterion: result},
        effects={criterion: "fails"},
        verdict="not eligible",
        qualifying=() if criterion in ("refractory_prostacyclin", "calcinosis") else (1,),
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
        "S13",
        "calcinosis on the X-ray",
        "calcinosis",
        "met",
        scene="open hand",
        ulcers={1: {"calcinosis_on_xray": "yes"}},
        hand="left",
        places={1: Place(s_mm=9.0, t_mm=0.5)},
    ),
    _failing(
        "S14",
        "malignancy in 2019",
        "neoplasm_10y",
        "met",
        scene="four fingers",
        clicked=False,
        subject={"neoplasm_last_active": "2019-05", "neoplasm_last_10y": ""},
        finger="middle",
        places={1: Place(t_mm=-1.0, bed="slough")},
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
        "S16",
        "life expectancy under a year",
        "life_expectancy_1y",
        "met",
        scene="backs of four fingers",
        clicked=False,
        subject={"life_expectancy_under_1y": "yes"},
        finger="ring",
        places={1: Place(s_mm=24.0, t_mm=0.5)},
        ulcers={1: {"site": "DIP"}},
    ),
    _failing(
        "S17",
        "uncontrolled hypertension",
        "uncontrolled_hypertension",
        "met",
        scene="hand below a bank card",
        subject={"uncontrolled_hypertension": "yes"},
        hand="left",
        finger="middle",
        skin_tone=3.0,
        places={1: Place(s_mm=10.0, bed="slough")},
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
    _failing(
        "S20",
        "17 years old",
        "age_18",
        "not met",
        scene="fingers that touch",
        subject={"birth_date": "2006-09-15"},
        skin_tone=5.5,
    ),
    _failing(
        "S21",
        "too few points for systemic sclerosis",
        "ssc_acr_eular_2013",
        "not met",
        scene="back of a hand",
        skin_tone=4.0,
        places={1: Place(s_mm=23.0)},
        ulcers={1: {"site": "DIP"}},
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
        # The last window, three months, has closed when the physician judges on day -14.
        course_days=(-120, -115),
        places={1: Place(bed="eschar")},
    ),
)

# Along the finger, so that what lies in one line on it can merge, split, or lie between two places.
_ALONG = Place(irregularity=0.1, aspect=0.9, angle_deg=90.0)
_TIP, _BASE = replace(_ALONG, s_mm=9.0, t_mm=-1.0), replace(_ALONG, s_mm=13.5, t_mm=-1.0)
# From the tip's far edge (9 - 2.1 / 2) to the other's (13.5 + 2.7 / 2): 6.9 mm about s 11.4.
_BOTH = replace(_ALONG, s_mm=11.4, t_mm=-1.0, aspect=0.55)
_LONG = replace(_ALONG, s_mm=11.0, t_mm=1.0, aspect=0.5)
# Two parts of about 2 mm whose outer ends lie 5.8 mm apart, inside the 6.5 mm that the ulcer was long.
_PART_1, _PART_2 = replace(_ALONG, s_mm=9.1, t_mm=1.0), replace(_ALONG, s_mm=12.9, t_mm=1.0)
_FIRST_OF_TWO, _SECOND_OF_TWO = replace(_ALONG, s_mm=9.5, t_mm=0.5), replace(_ALONG, s_mm=13.5, t_mm=0.5)
# 1.5 mm from the one place and 2.5 mm from the other, where one place can seem to move by 4 mm between photos.
_BETWEEN = replace(_ALONG, s_mm=11.0, t_mm=0.5)

_IDENTITY = (
    SubjectHistory(
        "S23",
        "two ulcers grow into one: the larger keeps its identity, the other has merged into it",
        (
            Shot("screening", -14, {1: 2.1, 2: 2.7}, {1: "first seen", 2: "first seen"}),
            Shot("baseline", 0, {1: 2.2, 2: 2.6}, {1: "persistent", 2: "persistent"}),
            Shot(
                "week 4",
                28,
                states={1: "merged", 2: "merged"},
                elsewhere=(Outline(2, 7.0, _BOTH),),
                merged_into={1: 2},
                flags={1: "merged_into"},
                clicked=False,
            ),
            Shot(
                "week 8",
                56,
                states={1: "merged", 2: "persistent"},
                elsewhere=(Outline(2, 5.6, _BOTH),),
                merged_into={1: 2},
                flags={1: "merged_into"},
                clicked=False,
            ),
        ),
        finger="middle",
        places={1: _TIP, 2: _BASE},
        marker_s_mm=29.0,
        clicks=True,
        qualifying=(2,),
    ),
    SubjectHistory(
        "S24",
        "one long ulcer comes apart into two: both parts are still that one ulcer",
        (
            _open("screening", -14, 6.4, "first seen"),
            _open("baseline", 0, 6.5),
            Shot(
                "week 4",
                28,
                states={1: "split"},
                elsewhere=(Outline(1, 2.1, _PART_1), Outline(1, 1.9, _PART_2)),
            ),
        ),
        hand="left",
        finger="ring",
        skin_tone=3.0,
        places={1: _LONG},
        marker_s_mm=29.0,
    ),
    SubjectHistory(
        "S25",
        "one outline between the places of two ulcers: which one it is cannot be told, and neither is called healed",
        (
            Shot("screening", -14, {1: 3.0, 2: 2.6}, {1: "first seen", 2: "first seen"}),
            Shot("baseline", 0, {1: 3.0, 2: 2.6}, {1: "persistent", 2: "persistent"}),
            Shot(
                "week 2",
                14,
                states={1: "persistent", 2: "indeterminate"},
                elsewhere=(Outline(1, 2.3, _BETWEEN),),
                flags={1: "ambiguous_identity", 2: "ambiguous_identity_of_an_outline"},
                clicked=False,
            ),
        ),
        skin_tone=2.5,
        places={1: _FIRST_OF_TWO, 2: _SECOND_OF_TWO},
        marker_s_mm=29.0,
        clicks=True,
        qualifying=(1, 2),
    ),
)

_LATEST = (
    SubjectHistory(
        "S26",
        "an ulcer heals; another opens 3.7 mm from its place, with skin between: it is new and not the old one back",
        (
            _open("screening", -14, 2.5, "first seen"),
            _open("baseline", 0, 2.2),
            _healed("week 4", 28),
            Shot("week 8", 56, {2: 2.2}, {1: "healed", 2: "new"}),
        ),
        finger="ring",
        skin_tone=2.5,
        # 2.0 mm along the finger and 3.1 mm across it; 1.4 mm of skin lie between the two outlines.
        places={1: Place(s_mm=9.0, t_mm=-2.5), 2: Place(s_mm=11.0, t_mm=0.6)},
    ),
    SubjectHistory(
        "S27",
        "no ulcer on any finger, and the clinic examined them all: not eligible, rather than undetermined",
        (Shot("screening", -14, status="no ulcer", scene=SCENES["hand without an ulcer"]),),
        also=("ring",),
        places={},
        results={"active_ulcer": "not met", "refractory_prostacyclin": "not met"},
        effects={"active_ulcer": "fails", "refractory_prostacyclin": "fails"},
        verdict="not eligible",
        qualifying=(),
    ),
)

SUBJECTS: tuple[SubjectHistory, ...] = (*_FIRST, *_FAILING, *_IDENTITY, *_LATEST)
