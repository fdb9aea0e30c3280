"""The contracts of a results folder's tables. Every column positive = healing, except where its name says change."""

from __future__ import annotations

from ulcermeter.tables.contract import Table
from ulcermeter.tables.contract import count as _count
from ulcermeter.tables.contract import number as _number
from ulcermeter.tables.contract import text as _text
from ulcermeter.tables.inputs import VIEWS, YES_NO
from ulcermeter.tables.shared import FINGER, FLAGS_MEANING, HAND, SUBJECT, ULCER
from ulcermeter.tables.verdicts import VERDICTS

__all__ = ["OUTPUTS", "PRESENCES", "QUALITY", "STATES"]

STATES = (
    "first seen",
    "new",
    "persistent",
    "healed",
    "recurrent",
    "merged",
    "split",
    "indeterminate",
    "not photographed",
    "amputated",
)
_RETAKE_STATUSES = ("indeterminate", "refused", "failed", "uncertain")
PRESENCES = ("ulcer", "possible")
_CHANGES = ("better", "worse", "same", "uncertain")
QUALITY = {
    "quality_in_focus": "the ulcer's surroundings are sharp: focus is quality_focus_min or more",
    "quality_no_shadow": "no shadow's edge crosses the finger (quality_shadow_step, quality_shadow_share_max)",
    "quality_even_light": "the light on the finger's parts differs by less than quality_light_ratio_max",
    "quality_reference_present": "a reference was found and can be used; empty for a stated scale",
    "quality_reference_square": "the reference is seen square on: tilt_deg is quality_tilt_max_deg or less",
    "quality_ulcer_centred": "the largest ulcer, else the click, lies in the photo's middle (quality_off_centre_max)",
}
"""The six quality criteria of photos, after doi 10.1093/rap/rkac105; `ulcermeter.quality.criteria` defines them."""


_VISIT = _text("visit", "a visit's name in the protocol")
_DATE = _text("date", "day of the photo, ISO 8601")
_DAY = _count("day", "days since treatment_date; empty when either date is not known to the day", "days")
_PHOTO = _text("photo", "the file, relative to the study folder")
_PHOTO_ROW = (_PHOTO, SUBJECT, _VISIT, _DATE, HAND, FINGER)
_VIEW = _text("view", "side of the finger that faces the camera", VIEWS)


PHOTOS = Table(
    "photos",
    "a photo row",
    (
        *_PHOTO_ROW,
        _VIEW,
        _text("status", "what became of it", ("measured", "no ulcer", "indeterminate", "refused", "failed")),
        _text("reason", "why refused or failed, and what to do; then warnings, parted by '; '"),
        _text("instruction", "what to do so that it can be measured; empty when it was"),
        _text("reference", "the reference used, with what was found of it"),
        _text("reference_on", "where the reference lies", ("skin", "table")),
        _number("px_per_mm", "scale at the ulcer, or in the middle of the finger that was judged", "px/mm"),
        _number("tilt_deg", "angle between camera axis and the plane's normal", "deg"),
        _number("distance_mm", "camera to plane", "mm"),
        _number("scale_se_pct", "relative standard error of length at the ulcer", "%"),
        _number("focus", "inverse 10-90 % width of the sharpest edges at the ulcer; higher is sharper", "1/mm"),
        _number("exposure", "share of pixels at the ulcer's finger neither burnt out nor black, 0..1; 0 in dim light"),
        _count("n_ulcers", "ulcers measured; possible ones are not counted"),
        _number("detection_limit_mm", "smallest diameter that would have been found here", "mm"),
        *(_text(name, meaning + "; never refuses", YES_NO) for name, meaning in QUALITY.items()),
        _text("sha256", "of the photo file"),
    ),
    ("subject_id", "date", "visit", "hand", "finger", "photo"),
)

RETAKE = Table(
    "retake",
    "a photo row to take again: not measured, or uncertain at the threshold for what a better photo would mend",
    (
        _count(
            "priority",
            "1 = the subject's eligibility is open and this photo counts for it; 2 = no photo of that finger passed at "
            "that visit; 3 = other",
        ),
        *_PHOTO_ROW,
        _text(
            "status", "what became of it; uncertain = measured, and cannot be told from the threshold", _RETAKE_STATUSES
        ),
        _text("reason", "why it is to be taken again"),
        _text("instruction", "how to take it again"),
    ),
    ("priority", "subject_id", "date", "visit", "hand", "finger", "photo"),
)

MEASUREMENTS = Table(
    "measurements",
    "an ulcer on a photo",
    (
        SUBJECT,
        _VISIT,
        _DATE,
        _DAY,
        _PHOTO,
        HAND,
        FINGER,
        _text("site", "where on the finger, in the clinic's words"),
        _VIEW,
        _count("label", "number on the photo, from 1 by falling area; ulcers that a reader added come behind"),
        ULCER,
        _text("reader", "who drew or confirmed the outline: 'machine', a reader's name, or the tracing's file"),
        _number("diameter_mm", "longest straight caliper between two points of the edge (maximum Feret)", "mm"),
        _number("diameter_low_mm", "low end of its 95 % interval", "mm"),
        _number("diameter_high_mm", "high end of its 95 % interval", "mm"),
        _number("width_mm", "longest extent at right angles to the diameter", "mm"),
        _number("area_mm2", "area inside the outline, projected on the reference's plane", "mm2"),
        _number("area_low_mm2", "low end of its 95 % interval", "mm2"),
        _number("area_high_mm2", "high end of its 95 % interval", "mm2"),
        _number("perimeter_mm", "length of the outline", "mm"),
        _number("equivalent_diameter_mm", "diameter of the disc of the same area", "mm"),
        _number(
            "surface_diameter_mm", "longest caliper after unrolling the finger; empty when no finger was found", "mm"
        ),
        _number("surface_area_mm2", "area along the skin; empty when no finger was found", "mm2"),
        _text(
            "presence",
            "ulcer, or possible: too weak to be called one, it counts for nothing until a reader confirms it",
            PRESENCES,
        ),
        _text("over_threshold", "diameter over the protocol's threshold", ("yes", "no", "uncertain")),
        _number("probability_over_threshold", "share of the Monte Carlo draws over the threshold", "0..1"),
        _text("dominant_error", "the term that widens the interval most", ("reference", "height", "outline", "slope")),
        _number("u_reference_mm", "standard uncertainty of the diameter by the reference alone", "mm"),
        _number(
            "u_height_mm", "the same by the ulcer's height over the reference's plane and the camera's place", "mm"
        ),
        _number("u_outline_mm", "the same by the placing of the outline", "mm"),
        _number("u_slope_mm", "the same by the slope of the skin", "mm"),
        _number(
            "u_combined_mm", "root of the sum of their squares; the interval is about 1.96 times it to each side", "mm"
        ),
        _number("centroid_x_px", "centroid of the outline on the photo", "px"),
        _number("centroid_y_px", "centroid of the outline on the photo", "px"),
        _number("finger_s_mm", "distance from the finger's tip along its axis", "mm"),
        _number("finger_s_sd_mm", "its standard deviation", "mm"),
        _number(
            "finger_t_mm", "arc from the finger's mid-line; positive to the right when the fingertip points up", "mm"
        ),
        _number("finger_t_sd_mm", "its standard deviation", "mm"),
        _text("touches_border", "the outline is cut by the photo's border", YES_NO),
        _number("confidence", "how sure the method is that this is an ulcer", "0..1"),
        _text("method", "how the outline was made"),
        _text("run_id", "hash of version, protocol, parameters and networks"),
    ),
    ("subject_id", "date", "visit", "hand", "finger", "photo", "label"),
)

_IDENTITY_PROBABILITY = _number(
    "identity_probability",
    "how probable it is that the outline is of this ulcer, or of a new one where it is its first, against all others",
    "0..1",
)

# What tracking adds. `track` returns measurements plus these; rows with an empty label stand for an ulcer at a visit
# where nothing of it was outlined.
TRACKED = Table(
    "tracked",
    "an ulcer on a photo, or an ulcer at a visit without one",
    (
        *MEASUREMENTS.columns,
        _text("state", "state of the ulcer at the visit", STATES),
        _text("flags", FLAGS_MEANING),
        _text("merged_into", "the ulcer that this one merged into; empty for none"),
        _IDENTITY_PROBABILITY,
    ),
    MEASUREMENTS.order,
)

OUTLINES = Table(
    "outlines",
    "a vertex",
    (
        _PHOTO,
        HAND,
        FINGER,
        _count("label", "number on the photo"),
        _count("vertex", "from 0; the outline closes itself"),
        _number("x_px", "x right from the upright photo's first pixel", "px"),
        _number("y_px", "y down from the upright photo's first pixel", "px"),
    ),
    ("photo", "hand", "finger", "label", "vertex"),
)

_VERDICTS = ("accepted", "edited", "added", "no ulcer", "merged", "healed", "covered", "cannot be judged", "machine")

READINGS = Table(
    "readings",
    "a person's reading of an ulcer on a photo, and the machine's beside it",
    (
        SUBJECT,
        _VISIT,
        _DATE,
        _PHOTO,
        HAND,
        FINGER,
        _count("label", "number on the photo; empty where the reading is of the photo as a whole"),
        _text("reader", "who read, or 'machine'"),
        _count("occasion", "1, or 2 where a reading list showed the photo again"),
        _text("verdict", "what the reader says", _VERDICTS),
        _text("counts", "whether it is the reading that stands in measurements.csv", YES_NO),
        _text("adjudicated", "whether it settles what other readers differ in", YES_NO),
        _text("ulcer_id", "the identity that the reader gave the ulcer; empty for none"),
        _number("diameter_mm", "longest straight caliper of the reading's outline", "mm"),
        _number("diameter_low_mm", "low end of its 95 % interval", "mm"),
        _number("diameter_high_mm", "high end of its 95 % interval", "mm"),
        _number("width_mm", "longest extent at right angles to the diameter", "mm"),
        _number("area_mm2", "area inside the outline", "mm2"),
        _number("perimeter_mm", "length of the outline", "mm"),
        _text("over_threshold", "diameter over the protocol's threshold", ("yes", "no", "uncertain")),
        _number("centroid_x_px", "centroid of the outline on the photo", "px"),
        _number("centroid_y_px", "centroid of the outline on the photo", "px"),
        _text("why", "the reason that was given"),
        _text("not_kept", "why the reading could not be used; empty where it could"),
        _text("sha256", "of the photo file that was read"),
        _text("run_id", "the run whose outlines the reader was shown"),
    ),
    ("subject_id", "date", "visit", "hand", "finger", "photo", "label", "reader", "occasion"),
)

LOG = Table(
    "log",
    "an entry of the log of decisions",
    (
        _count("number", "from 1"),
        _text("when", "UTC, ISO 8601"),
        _text("who", "as named to the program; nobody is authenticated"),
        _text("action", "what was done"),
        SUBJECT,
        _PHOTO,
        HAND,
        FINGER,
        _text("ulcer", "label of the ulcer; empty for the photo as a whole"),
        _text("before", "what was there, as JSON"),
        _text("after", "what is there now, as JSON"),
        _text("why", "the reason that was given"),
        _text("run_id", "the run whose results were shown"),
        _text("photo_sha256", "of the photo file that was shown"),
        _text("previous", "hash of the entry before it"),
        _text("hash", "SHA-256 of the entry"),
        _text("fault", "what is wrong with it, by the check of the chain; empty for nothing"),
    ),
)

TRAJECTORIES = Table(
    "trajectories",
    "an ulcer at a visit",
    (
        SUBJECT,
        ULCER,
        HAND,
        FINGER,
        _VISIT,
        _DATE,
        _DAY,
        _text("state", "state at the visit", STATES),
        _number(
            "diameter_mm",
            "mean over the visit's passing photos, parts of a split take the longest; 0 when healed",
            "mm",
        ),
        _number("diameter_low_mm", "low end of its 95 % interval", "mm"),
        _number("diameter_high_mm", "high end of its 95 % interval", "mm"),
        _number("detection_limit_mm", "smallest diameter that the best of these photos would have shown", "mm"),
        _number("area_mm2", "mean over the visit's passing photos, parts of a split add; 0 when healed", "mm2"),
        _number("area_low_mm2", "low end of its 95 % interval", "mm2"),
        _number("area_high_mm2", "high end of its 95 % interval", "mm2"),
        _count("n_photos", "passing photos of the place at the visit"),
        _number("area_reduction_pct", "100 (A0 - At) / A0 against baseline", "%"),
        _number(
            "margin_advance_mm_per_week",
            "loss of area over mean perimeter since the previous measurement (Gilman)",
            "mm/week",
        ),
        _text("change_from_baseline", "area against baseline", _CHANGES),
        _text("change_from_previous", "area against the previous measured visit", _CHANGES),
        _text("evidence", "photos the row rests on, and the flags, in words"),
        _text("flags", FLAGS_MEANING),
        _text("merged_into", "the ulcer that this one has merged into by this visit; empty for none"),
        _IDENTITY_PROBABILITY,
    ),
    ("subject_id", "ulcer_id", "date", "visit"),
)

IDS = Table(
    "ids",
    "an outline and the id it was given, which it keeps",
    (
        SUBJECT,
        HAND,
        FINGER,
        ULCER,
        _VISIT,
        _DATE,
        _PHOTO,
        _text("sha256", "of the photo file, by which it is known again under another name"),
        _count("label", "number on the photo when the id was given"),
        _number("centroid_x_px", "centroid of the outline on the photo", "px"),
        _number("centroid_y_px", "centroid of the outline on the photo", "px"),
        _number("diameter_px", "longest caliper of the outline on the photo", "px"),
        _IDENTITY_PROBABILITY,
        _text("given_by", "who gave the id: 'machine', or the reader who joined, split or renamed it"),
        _text("given_on", "day on which a reader did; empty for the machine's"),
        _text("why", "the reader's reason"),
    ),
    ("subject_id", "hand", "finger", "ulcer_id", "date", "visit", "photo", "label"),
)

OUTPUTS = (
    PHOTOS,
    RETAKE,
    MEASUREMENTS,
    TRACKED,
    OUTLINES,
    READINGS,
    IDS,
    LOG,
    TRAJECTORIES,
    *VERDICTS,
)
