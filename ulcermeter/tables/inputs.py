"""The contracts of a study folder's files (`study/...`). Empty means not known, never no."""

from __future__ import annotations

from ulcermeter.tables.contract import Column, Table
from ulcermeter.tables.contract import number as _number
from ulcermeter.tables.contract import text as _text

__all__ = ["FINGERS", "HANDS", "INPUTS", "VIEWS", "YES_NO"]

YES_NO = ("yes", "no")
HANDS = ("left", "right")
FINGERS = ("thumb", "index", "middle", "ring", "little")
VIEWS = ("palmar", "dorsal", "tip", "radial", "ulnar")
_PARTIAL = "ISO 8601 date, may be partial (2016-05)"


def _yes_no(name: str, meaning: str) -> Column:
    return _text(name, meaning, YES_NO)


_SUBJECT = _text("subject_id", "the subject's code in the trial, never a name", required=True)
_ULCER_NO = _text("ulcer_no", "the clinic's own number of the ulcer within the subject")
_HAND = _text("hand", "hand", HANDS)
_FINGER = _text("finger", "finger; a toe is refused", FINGERS)
_SITE = _text("site", "where on the finger, in the clinic's words, for example tip or PIP")

PHOTOS = Table(
    "study/photos",
    "a photo of one finger",
    (
        _text("photo", "the file, relative to the study folder", required=True),
        _SUBJECT,
        _text("visit", "a visit's name in the protocol", required=True),
        _text("date", "day of the photo, " + _PARTIAL, required=True),
        _text("hand", "hand", HANDS, required=True),
        _text("finger", "finger; a toe is refused", FINGERS, required=True),
        _ULCER_NO,
        _SITE,
        _text("view", "side of the finger that faces the camera", VIEWS),
        _text("reference", "the thing of known size, for example aruco:10"),
        _text("reference_on", "where the reference lies", ("skin", "table")),
        _text(
            "reference_box",
            "x y width height of the region that holds the reference, where several are in view, px, parted by spaces",
        ),
        _number("x", "a click on the ulcer or where it was, x right from the upright photo's first pixel", "px"),
        _number("y", "a click on the ulcer or where it was, y down from the upright photo's first pixel", "px"),
        _text("box", "x y width height of the region that holds the finger or ulcer, px, parted by spaces"),
        _text(
            "mask",
            "a tracing: a mask picture, outlines.csv, or LabelMe, COCO or GeoJSON, relative to the study folder",
        ),
        _yes_no("covered", "a dressing or crust hides the place"),
        _text("reader_state", "a reader's word on the place", ("open", "healed", "indeterminate")),
    ),
)

SUBJECTS = Table(
    "study/subjects",
    "a subject",
    (
        _SUBJECT,
        _text("consent_date", "written informed consent, " + _PARTIAL),
        _text("screening_date", "first screening examination, " + _PARTIAL),
        _text("inclusion_date", "inclusion; evidence later than this is not used for eligibility, " + _PARTIAL),
        _text("treatment_date", "first treatment = day 0, " + _PARTIAL),
        _text("sex", "sex", ("female", "male", "other")),
        _text("birth_date", _PARTIAL),
        _number("age", "age at inclusion, where no birth date is given", "years"),
        _text("injected_limb", "the limb treated", HANDS),
        _yes_no("ssc_established", "established SSc by the 2013 ACR/EULAR criteria, the clinic's word"),
        _yes_no(
            "skin_thickening_proximal_mcp", "skin thickening of the fingers of both hands proximal to the MCP joints: 9"
        ),
        _text("fingers", "fingers, the higher only: puffy 2, sclerodactyly 4", ("none", "puffy", "sclerodactyly")),
        _text(
            "fingertips", "fingertips, the higher only: ulcers 2, pitting scars 3", ("none", "ulcers", "pitting scars")
        ),
        _yes_no("telangiectasia", "telangiectasia: 2"),
        _yes_no("abnormal_capillaries", "abnormal nailfold capillaries: 2"),
        _yes_no("pah_or_ild", "pulmonary arterial hypertension and/or interstitial lung disease: 2"),
        _yes_no("raynaud", "Raynaud's phenomenon: 3"),
        _yes_no("ssc_antibodies", "anticentromere, anti-topoisomerase I or anti-RNA polymerase III: 3"),
        _yes_no("better_explained", "an SSc-like disorder explains the findings better"),
        _yes_no("fingers_spared", "the fingers' skin is spared"),
        _text("neoplasm_last_active", "last sign of a neoplasm or malignancy, " + _PARTIAL),
        _yes_no("neoplasm_last_10y", "neoplasm or malignancy in the past 10 years"),
        _yes_no("childbearing_potential", "can become pregnant"),
        _yes_no("pregnant", "pregnant"),
        _yes_no("contraception_refused", "unwilling to use adequate contraception during the study"),
        _yes_no("life_expectancy_under_1y", "serious concomitant disease with a life expectancy under 1 year"),
        _yes_no("uncontrolled_hypertension", "uncontrolled hypertension"),
        _yes_no("uncontrolled_infection_systemic", "uncontrolled infection with systemic symptoms"),
        _yes_no("follow_up_impossible", "follow-up impossible"),
    ),
    ("subject_id",),
)

ULCERS = Table(
    "study/ulcers",
    "the clinic's look at an ulcer",
    (
        _SUBJECT,
        _ULCER_NO,
        _HAND,
        _FINGER,
        _SITE,
        _text("assessed_on", "day of the look, " + _PARTIAL),
        _yes_no("painful", "the area is painful"),
        _yes_no("visible_depth", "visible depth"),
        _yes_no("loss_of_dermis", "loss of dermis"),
        _number("diameter_mm_bedside", "longest diameter read at the bedside", "mm"),
        _text("measured_by", "who read it"),
        _yes_no("calcinosis_on_xray", "calcinosis under the ulcer on the X-ray"),
        _text("xray_date", "day of the X-ray, " + _PARTIAL),
    ),
)

TREATMENTS = Table(
    "study/treatments",
    "a course",
    (
        _SUBJECT,
        _text("drug", "drug", required=True),
        _text("route", "iv, oral, inhaled, ..."),
        _text("start", "first day of the course, " + _PARTIAL),
        _text("end", "last day of the course, " + _PARTIAL),
    ),
)

REFRACTORY = Table(
    "study/refractory",
    "an ulcer × course: the physician's word",
    (
        _SUBJECT,
        _ULCER_NO,
        _text("course_end", "end of the course it speaks of, " + _PARTIAL),
        _yes_no("worsened_1_month", "worsened within 1 month after the course"),
        _yes_no("no_improvement_2_months", "no improvement 2 months after the course"),
        _yes_no("recurred_3_months", "exactly the same ulcer recurred within 3 months after the course"),
        _text("judged_by", "who judged"),
        _text("judged_on", "day of the judgement, " + _PARTIAL),
    ),
)

VISITS = Table(
    "study/visits",
    "a visit",
    (
        _SUBJECT,
        _text("visit", "a visit's name in the protocol", required=True),
        _text("date", _PARTIAL),
        _yes_no("attended", "the subject came"),
        _yes_no("all_fingers_examined", "all ten fingers were looked at"),
        Column("n_active_clinician", "count", "active digital ulcers counted by the clinician"),
    ),
)

EVENTS = Table(
    "study/events",
    "an event",
    (
        _SUBJECT,
        _HAND,
        _FINGER,
        _ULCER_NO,
        _text(
            "event",
            "what happened",
            ("amputation", "debridement", "infection", "gangrene", "rescue", "withdrawal", "death", "other"),
            required=True,
        ),
        _text("date", _PARTIAL),
    ),
)

ALLOCATION = Table(
    "study/allocation",
    "a subject's arm; read only by `outcomes --unblind`",
    (
        _SUBJECT,
        _text("arm", "the arm", required=True),
        _text("stratum", "the stratum of the randomisation, where there were any"),
    ),
)

ID_CORRECTIONS = Table(
    "study/id_corrections",
    "a reader's correction of which ulcer is which, for `run --ids`",
    (
        _text("action", "what is to be done with the ulcer", ("join", "split", "rename"), required=True),
        _text("ulcer_id", "the ulcer's id as the last run gave it", required=True),
        _text(
            "into",
            "join: the ulcer whose id both keep; rename: its new id; split: the id of what is split off, else the next "
            "free one",
        ),
        _text("photo", "split: the photo on which it is another ulcer; empty where from_date says"),
        _number("label", "split: the outline's number on that photo; empty for all outlines of the ulcer on it"),
        _text("from_date", "split: the day from which on it is another ulcer, ISO 8601"),
        _text("who", "who decided", required=True),
        _text("when", "day of the decision, " + _PARTIAL, required=True),
        _text("why", "the reason", required=True),
    ),
)

INPUTS = (PHOTOS, SUBJECTS, ULCERS, TREATMENTS, REFRACTORY, VISITS, EVENTS, ALLOCATION, ID_CORRECTIONS)
