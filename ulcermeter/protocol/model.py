"""The rules of a protocol as a typed model: every clinical number with its unit and the range it may have.

Values come from TOML (`ulcermeter.protocol.reading`); the names of the fields are the names in the file. Where a number
is from, or why it was assumed, stands beside its value in ``protocols/manus.toml``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ulcermeter.errors import Refusal
from ulcermeter.reference import parse_reference

__all__ = [
    "GROUPS",
    "PHASES",
    "CalibrationRules",
    "EligibilityRules",
    "FingerRules",
    "SkinRules",
    "GateRules",
    "Group",
    "HealingRules",
    "IdentityRules",
    "MeasurementRules",
    "OutcomeRules",
    "QualityRules",
    "RefractoryRules",
    "RetakeRules",
]

PHASES = ("history", "screening", "baseline", "follow-up", "unscheduled")
"""The phases of a trial that a visit can belong to."""
Phase = Literal["history", "screening", "baseline", "follow-up", "unscheduled"]


def _reference(text: str) -> str:
    """Keep the text of a reference; pydantic wants ValueError of one that is none."""
    try:
        parse_reference(text)
    except Refusal as error:
        raise ValueError(str(error)) from error
    return text


def _reference_on_a_photo(text: str) -> str:
    if not parse_reference(_reference(text)).kind.is_thing:
        raise ValueError("no reference that a photo can show")
    return text


def _whole(value: Any) -> Any:
    """TOML writes 4000.0 where 4000 is meant."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("empty")
    return text


Whole = Annotated[int, BeforeValidator(_whole)]
Word = Annotated[str, AfterValidator(_filled)]
Names = Annotated[tuple[Word, ...], Field(strict=False)]
ShownReference = Annotated[str, AfterValidator(_reference_on_a_photo)]


def _rule(unit: str, **limits: Any) -> Any:
    """Declare a rule: its unit, and its limits as pydantic writes them (gt, ge, le)."""
    return Field(json_schema_extra={"unit": unit}, **limits)


def _number(unit: str, **limits: Any) -> Any:
    return _rule(unit, allow_inf_nan=False, **limits)


def _listed(unit: str) -> Any:
    """Declare a list that may not be empty; TOML's arrays become tuples."""
    return _rule(unit, min_length=1, strict=False)


class Group(BaseModel):
    """Rules that belong together; frozen, and nothing but what is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MeasurementRules(Group):
    """An ulcer's size, its interval, and what the interval is made of."""

    threshold_diameter_mm: float = _number("mm", gt=0, le=100)
    confidence_flag_below: float = _number("0..1", gt=0, le=1)
    finger_box_min_mm: float = _number("mm", gt=0, le=500)
    detection_limit_min_mm: float = _number("mm", gt=0, le=10)
    detection_limit_min_px: float = _number("px of the photo", gt=0, le=100)
    monte_carlo_draws: Whole = _number("draws", ge=100, le=1_000_000)
    outline_spread_factor: float = _number("times the spread at the rim", ge=0, le=100)
    outline_sharp_px: float = _number("px of the network", ge=0, le=10)
    outline_least_px: float = _number("px of the network", ge=0, le=10)
    boundary_smooth_sd_mm: float = _number("mm", ge=0, le=10)
    reader_boundary_sd_mm: float = _number("mm", ge=0, le=10)
    primary_reader: str = _rule("a reader's name as given to --reader; empty for none")
    height_skin_sd_mm: float = _number("mm", ge=0, le=50)
    height_table_mm: float = _number("mm", ge=0, le=100)
    height_table_sd_mm: float = _number("mm", ge=0, le=50)
    height_finger_sd_pct: float = _number("% of the finger's width", ge=0, le=100)
    slope_finger_sd_deg: float = _number("deg", ge=0, le=45)
    slope_unknown_sd_deg: float = _number("deg", ge=0, le=45)
    slope_max_deg: float = _number("deg", gt=0, le=90)


class CalibrationRules(Group):
    """The reference, how well it is made and laid, and what is known of the camera."""

    reference: Annotated[str, AfterValidator(_reference)] = _rule("reference")
    reference_on: Literal["skin", "table"] = _rule("skin | table")
    references_auto: tuple[ShownReference, ...] = _listed("references")
    reference_size_sd_pct: float = _number("%", ge=0, le=20)
    disc_size_sd_pct: float = _number("%", ge=0, le=20)
    reference_point_sd_mm: float = _number("mm", ge=0, le=5)
    marker_bend_max_pct: float = _number("% of the marker's side, root mean square", gt=0, le=50)
    reference_level_sd_deg: float = _number("deg, about either axis", ge=0, le=45)
    tilt_scale_deg: float = _number("deg", gt=0, le=45)
    table_level_scale_deg: float = _number("deg", gt=0, le=45)
    focal_exif_sd_pct: float = _number("%", ge=0, le=100)
    focal_cropped_sd_pct: float = _number("%", ge=0, le=100)
    focal_crop_max: float = _number("times", ge=1, le=100)
    focal_assumed_mm: float = _number("mm (35 mm equivalent)", gt=0, le=1000)
    focal_assumed_sd_mm: float = _number("mm (35 mm equivalent)", ge=0, le=1000)
    camera_centre_sd_pct: float = _number("% of the longer side", ge=0, le=50)
    camera_centre_cropped_sd_pct: float = _number("% of the longer side", ge=0, le=50)
    lens_k1_sd: float = _number("1 (first radial distortion coefficient, OpenCV)", ge=0, le=1)


class GateRules(Group):
    """What a photo must pass at the ulcer before its millimetres count."""

    on_failure: Literal["refuse", "report"] = Field(alias="gates", json_schema_extra={"unit": "refuse | report"})
    scale_se_max_pct: float = _number("%", gt=0, le=100)
    px_per_mm_min: float = _number("px/mm", gt=0, le=1000)
    tilt_max_deg: float = _number("deg", gt=0, le=90)
    disc_tilt_max_deg: float = _number("deg", gt=0, le=90)
    focus_min: float = _number("1/mm (inverse 10-90 % width of the sharpest edges at the ulcer)", gt=0, le=1000)
    exposure_min: float = _number("share of pixels, 0..1", gt=0, le=1)
    brightest_min: Whole = _number(
        "8-bit level, 99th percentile of the brightest channel within 20 mm of the ulcer", ge=0, le=255
    )
    finger_contrast_levels_min: Whole = _number(
        "8-bit levels, 99th less 1st percentile on the finger round the ulcer", ge=0, le=255
    )
    tracing_max_mm: float = _number("mm", gt=0, le=500)
    tracing_max_widths: float = _number("times the finger's width", gt=0, le=10)
    tracing_max_finger_share: float = _number("share of what is in view of the finger, 0..1", gt=0, le=1)


class QualityRules(Group):
    """Six quality criteria that refuse nothing (after doi 10.1093/rap/rkac105)."""

    quality_focus_min: float = _number("1/mm (inverse 10-90 % width of the sharpest edges at the ulcer)", gt=0, le=1000)
    quality_shadow_step: float = _number("ratio of linear light", gt=1, le=100)
    quality_shadow_share_max: float = _number("share of neighbouring places 3 mm apart, 0..1", gt=0, le=1)
    quality_light_ratio_max: float = _number("ratio of linear light", gt=1, le=100)
    quality_tilt_max_deg: float = _number("deg", gt=0, le=90)
    quality_off_centre_max: float = _number("share of the photo's width and height, 0..0.5", gt=0, le=0.5)


class RetakeRules(Group):
    """When a photo is asked for again, or its date doubted."""

    retake_px_per_mm: float = _number("px/mm", gt=0, le=1000)
    retake_half_width_mm: float = _number("mm", gt=0, le=10)
    taken_date_max_days: Whole = _number("days", ge=0, le=3650)


class FingerRules(Group):
    """What a finger can look like."""

    finger_width_min_mm: float = _number("mm", gt=0, le=100)
    finger_width_max_mm: float = _number("mm", gt=0, le=100)
    finger_sides_min_mm: float = _number("mm", gt=0, le=100)
    finger_wander_max_mm: float = _number("mm", gt=0, le=100)
    finger_straight_min: float = _number("share of the outline", gt=0, le=1)
    finger_contrast_min: float = _number("CIE 1976 colour difference", gt=0, le=100)
    finger_off_mm: float = _number("mm", ge=0, le=50)


class SkinRules(Group):
    """When skin on which no ulcer was found is not said to be seen clear."""

    skin_redness_min: float = _number("a* over (L* + 30), 8-bit CIELAB", ge=0, le=1)
    skin_relief_max: float = _number("middling change of ln brightness over tenths of a mm", gt=0, le=10)
    unclear_probability: float = _number("probability, 0..1", gt=0, lt=1)
    ground_hue_max: float = _number("CIE 1976 difference of a* and b*, 8-bit", ge=0, le=100)
    fissure_min_mm: float = _number("mm", gt=0, le=100)
    doubtful_min_mm: float = _number("mm", gt=0, le=100)
    colourless_levels_below: float = _number("8-bit levels, the largest difference of channels", ge=0, le=255)


class IdentityRules(Group):
    """Which ulcer is which over the visits."""

    same_place_mm: float = _number("mm", gt=0, le=50)
    identity_odds: float = _number("odds", gt=0, le=1e6)
    outline_growth: float = _number("ratio of lengths", gt=0, le=10)
    position_sd_factor_max: float = _number("true over stated standard deviation", ge=1, le=20)
    finger_moved_share: float = _number("share of photos, 0..1", ge=0, lt=1)
    finger_moved_mm: float = _number("mm, standard deviation an axis", gt=0, le=50)
    finger_radius_mm: float = _number("mm", gt=0, le=30)
    view_turn_sd_deg: float = _number("deg", gt=0, le=90)
    tip_view_sd_mm: float = _number("mm", ge=0, le=20)
    ulcers_new_per_visit: float = _number("ulcers a finger and visit", gt=0, le=10)
    ulcers_healed_per_visit: float = _number("share of open ulcers, 0..1", gt=0, lt=1)
    ulcers_recurred_per_visit: float = _number("share of healed ulcers, 0..1", gt=0, lt=1)
    ulcer_outlined_share: float = _number("share of open ulcers in view, 0..1", gt=0, lt=1)
    new_ulcer_range_mm: float = _number("mm along and across the finger", gt=0, le=200)
    size_change_log_sd: float = _number("ln(mm) a visit", gt=0, le=5)
    new_ulcer_size_ratio: float = _number("largest over smallest diameter", gt=1, le=1000)
    size_prior_outlines: float = _number("outlines", gt=0, le=1e6)
    rate_prior_visits: float = _number("visits", gt=0, le=1e6)
    new_inside_share: float = _number("times the usual rate of new ulcers, 0..1", gt=0, le=1)
    ulcers_on_first_photo: float = _number("ulcers a finger", gt=0, le=10)
    ulcers_on_other_side: float = _number("ulcers a side", gt=0, le=10)
    ulcers_on_side_beside: float = _number("ulcers a side", gt=0, le=10)
    side_beside_share: float = _number("share of ulcers, 0..1", gt=0, lt=1)
    split_odds: float = _number("odds", gt=0, le=1000)
    merged_share: float = _number("share of cases, 0..1", gt=0, lt=1)
    closed_under_share: float = _number("share of cases, 0..1", gt=0, lt=1)
    there_at_first_share: float = _number("share of ulcers, 0..1", gt=0, lt=1)
    opens_per_visit: float = _number("share of ulcers not there yet, 0..1", gt=0, lt=1)
    photo_upright_share: float = _number("share of photos, 0..1", ge=0, le=1)
    photo_upright_sd_deg: float = _number("deg", gt=0, le=90)
    photo_flat_sd_mm: float = _number("mm an axis", gt=0, le=20)
    arrangement_wrong_share: float = _number("share of photos, 0..1", gt=0, lt=1)
    position_sd_prior_power: float = _number("power of the factor", ge=0, le=100)


class HealingRules(Group):
    """Baseline, change and confirmation."""

    baseline_max_days_before: Whole = _number("days", ge=0, le=3650)
    confirmation_days: Whole = _number("days", ge=0, le=3650)
    confirmation_min_days: Whole = _number("days", ge=0, le=3650)
    sustained_weeks: Whole = _number("weeks", gt=0, le=520)
    sem_log_area: float = _number("ln(mm2)", gt=0, le=5)
    change_rule: Literal["detectable", "percent"] = _rule("detectable | percent")
    change_area_pct: float = _number("% of the area before", gt=0, lt=100)
    healed_word: Literal["photo", "reader"] = _rule("photo | reader")
    healed_lasts: Literal["seen", "confirmed", "sustained"] = _rule("seen | confirmed | sustained")


class RefractoryRules(Group):
    """Refractory to a course of intravenous prostacyclin."""

    prostacyclins: tuple[Word, ...] = _listed("drug names")
    prostacyclin_names: dict[str, Names] = _rule("brands, salts and other names by drug")
    drug_forms: tuple[Word, ...] = _listed("words beside a drug's name")
    intravenous_routes: tuple[Word, ...] = _listed("ways to write the route")
    other_routes: tuple[Word, ...] = _listed("ways to write the route")
    route_forms: tuple[Word, ...] = _listed("words beside a route")
    worsening_months: Whole = _number("calendar months", gt=0, le=120)
    no_improvement_months: Whole = _number("calendar months", gt=0, le=120)
    recurrence_months: Whole = _number("calendar months", gt=0, le=120)
    reference_max_days_before_course: Whole = _number("days", ge=0, le=3650)
    physician_no_needs_closed_window: bool = _rule("true | false")
    physician_word_needs_course: bool = _rule("true | false")


ClassificationItem = Literal[
    "skin_thickening_proximal_mcp",
    "fingers",
    "fingertips",
    "telangiectasia",
    "abnormal_capillaries",
    "pah_or_ild",
    "raynaud",
    "ssc_antibodies",
]
Points = Annotated[Whole, Field(ge=0, le=100)]


class EligibilityRules(Group):
    """Who can take part."""

    active_photo_phases: tuple[Phase, ...] = _listed("phases of visits")
    active_photo_max_days: Whole = _number("days", ge=0, le=3650)
    examination_max_days: Whole = _number("days", ge=0, le=3650)
    xray_max_days: Whole = _number("days", ge=0, le=3650)
    bedside_settles_uncertain: bool = _rule("true | false")
    fissure_width_mm: float = _number("mm", gt=0, le=100)
    neoplasm_years: Whole = _number("years", gt=0, le=150)
    age_min_years: Whole = _number("years", gt=0, le=150)
    age_advisory_low_years: Whole = _number("completed years", gt=0, le=150)
    age_advisory_high_years: Whole = _number("completed years", gt=0, le=150)
    age_plausible_min_years: Whole = _number("years", ge=0, le=150)
    age_plausible_max_years: Whole = _number("years", gt=0, le=150)
    age_birth_date_apart_years: Whole = _number("years", ge=0, le=150)
    bedside_max_mm: float = _number("mm", gt=0, le=500)
    bedside_far_ratio: float = _number("ratio of diameters", gt=1, le=100)
    acr_eular_points: dict[ClassificationItem, dict[str, Points]] = _rule("points by answer", min_length=1)
    score_definite_ssc: Whole = _number("points", gt=0, le=100)


class OutcomeRules(Group):
    """How outcomes are counted and arms compared."""

    primary_visit: Word = _rule("visit")
    amputation_undoes_healing: bool = _rule("true | false")
    censor_at_rescue: bool = _rule("true | false")
    worsened_at: Literal["any visit", "primary visit"] = _rule("any visit | primary visit")
    new_needs_clear_place: bool = _rule("true | false")
    recurred_after: Literal["healed", "confirmed"] = _rule("healed | confirmed")
    healed_stays_healed: bool = _rule("true | false")
    no_new_ulcer_needs_all_fingers: bool = _rule("true | false")
    burden_counts_indeterminate: bool = _rule("true | false")
    permutation_exact_max: Whole = _number("splits", gt=0, le=1e9)
    permutation_draws: Whole = _number("random splits", gt=0, le=1e9)
    permutation_seed: Whole = _number("seed", ge=0, le=2**32 - 1)


GROUPS: dict[str, type[Group]] = {
    "measurement": MeasurementRules,
    "calibration": CalibrationRules,
    "gates": GateRules,
    "quality": QualityRules,
    "retake": RetakeRules,
    "finger": FingerRules,
    "skin": SkinRules,
    "identity": IdentityRules,
    "healing": HealingRules,
    "refractory": RefractoryRules,
    "eligibility": EligibilityRules,
    "outcomes": OutcomeRules,
}
"""The groups of rules by the name they have on a `Protocol`."""
