"""The contracts of what compares: two readings of the same photos, the instrument against phantoms, and the arms."""

from __future__ import annotations

from ulcermeter.tables.contract import Column, Table
from ulcermeter.tables.contract import count as _count
from ulcermeter.tables.contract import number as _number
from ulcermeter.tables.contract import text as _text

__all__ = ["COMPARISONS"]

_CALLS = ("yes", "no", "uncertain")


def _range(name: str, meaning: str, unit: str = "") -> tuple[Column, ...]:
    """Return a value with the ends of its 95 % interval."""
    ends = (_number(f"{name}_{end}", f"{end} end of its 95 % interval", unit) for end in ("low", "high"))
    return (_number(name, meaning, unit), *ends)


def _of_both(name: str, meaning: str, unit: str) -> tuple[Column, ...]:
    return tuple(_number(f"{name}_{side}", f"{meaning}, reading {side.upper()}", unit) for side in "ab")


# --- agreement ------------------------------------------------------------------------------------------------------

_PAIRS = Table(
    "agreement/pairs",
    "an ulcer on a photo: read by both, or by one alone",
    (
        _text("photo", "the photo's name"),
        _text("hand", "left or right"),
        _text("finger", "thumb to little"),
        _text("subject_id", "the subject's code"),
        _count("label_a", "label in reading A; empty when A has it not"),
        _count("label_b", "label in reading B; empty when B has it not"),
        _text("paired_by", "what the pair was found by", ("overlap", "centroid")),
        _number("dice", "2 |A and B| / (|A| + |B|) of the two outlines, 0..1"),
        _text("reader_a", "who drew the outline of A; empty or 'machine' for nobody"),
        _text("reader_b", "who drew the outline of B"),
        _text(
            "comparison",
            "read: one was drawn without the other; accepted: let stand as it was shown; machine: nobody read either",
            ("read", "accepted", "machine"),
        ),
        *_of_both("diameter_mm", "diameter", "mm"),
        *_of_both("width_mm", "width", "mm"),
        *_of_both("area_mm2", "area", "mm2"),
        *_of_both("perimeter_mm", "perimeter", "mm"),
        _text("over_threshold_a", "the call of reading A", _CALLS),
        _text("over_threshold_b", "the call of reading B", _CALLS),
    ),
    order=("photo", "hand", "finger", "label_a", "label_b"),
)

_COUNTS = Table(
    "agreement/counts",
    "all pairs together",
    (
        _count("n_read", "pairs read again, of which sizes and calls are"),
        _count("n_accepted", "pairs of which one was accepted as it was shown; they measure no error"),
        _count("n_machine", "pairs that nobody read"),
    ),
)

_SIZES = Table(
    "agreement/sizes",
    "a measure; ln_area is the natural logarithm of the area",
    (
        _text("measure", "diameter_mm, width_mm, area_mm2, perimeter_mm or ln_area; units below are its own"),
        _count("n", "pairs"),
        _count("n_subjects", "subjects they are of"),
        *_range("icc_1_1", "intraclass correlation: readers differ from ulcer to ulcer"),
        *_range("icc_2_1", "intraclass correlation: readers are a sample, absolute agreement"),
        *_range("icc_3_1", "intraclass correlation: these readers only, consistency"),
        _number("bias", "mean of A - B", "its own"),
        _number("sd", "standard deviation of A - B, pairs of a subject belonging together", "its own"),
        _number("limit_low", "lower 95 % limit of agreement", "its own"),
        _number("limit_high", "upper 95 % limit of agreement", "its own"),
        _number(
            "limit_margin",
            "half the 95 % interval of either limit: t sd sqrt(3 / n) (Bland and Altman 1986), pairs as if independent",
            "its own",
        ),
        _number("sem", "standard error of measurement; of ln_area it is what sem_log_area stands for", "its own"),
        _number("smallest_detectable_change", "1.96 sqrt(2) SEM", "its own"),
    ),
)

_AGREED_CALLS = Table(
    "agreement/calls",
    "the three-way call at the threshold, all pairs together",
    (
        _count("n", "pairs"),
        _number("alike", "share of pairs called alike, 0..1"),
        _number("kappa", "Cohen's kappa"),
        _number("kappa_linear", "kappa with linear weights (no, uncertain, yes)"),
        _count("n_with_missed", "pairs, ulcers that one reading alone has, and photos on which neither found any"),
        _number("kappa_with_missed", "Cohen's kappa of these; what a reading has not is a call of its own, none"),
    ),
)

_CONFUSION = Table(
    "agreement/confusion",
    "a call of reading A; the counts are of reading B's calls",
    (
        _text("call_a", "the call of reading A", _CALLS),
        _count("no", "pairs that B calls no"),
        _count("uncertain", "pairs that B calls uncertain"),
        _count("yes", "pairs that B calls yes"),
    ),
)

_OVERLAP = Table(
    "agreement/overlap",
    "all photos that both readings have",
    (
        _count("n_photos", "photos whose outlines can be compared"),
        _number("dice_mean", "mean Dice over photos, an empty photo against an empty one counting 1, 0..1"),
        _number("dice_pooled", "Dice of all outlines taken together, 0..1"),
        _count("n_both_empty", "photos on which neither drew anything"),
    ),
)

# --- validation -----------------------------------------------------------------------------------------------------

_MODES = ("geometry", "instrument")

_PHANTOMS = Table(
    "validation/phantoms",
    "a phantom in a mode: geometry measures its true outline, instrument is the whole way from the JPEG on",
    (
        _text("phantom", "its name"),
        _text("sample", "drawn from the whole working range, or for a sweep of one factor", ("working range", "sweep")),
        _text("factor", "what the sweep varies"),
        _text("level", "where that stands"),
        _text("mode", "what was measured", _MODES),
        _count("seed", "of the drawing"),
        _text("reference", "as photos.csv says it"),
        _text("reference_on", "where it lies", ("skin", "table")),
        _number("px_per_mm", "true scale at the ulcer", "px/mm"),
        _number("tilt_deg", "true angle between camera axis and plane normal", "deg"),
        _number("blur_px", "sd of the lens's blur", "px"),
        _number("skin_tone", "Fitzpatrick type, 1..6"),
        _number("offset_mm", "from the ulcer to the reference's middle, in the plane", "mm"),
        _number("slope_true_deg", "between skin and reference plane at the ulcer", "deg"),
        _text("side", "side of the finger that faces the camera"),
        _text("bed", "what fills the ulcer"),
        _number("diameter_true_mm", "longest straight caliper of the drawn edge on the skin", "mm"),
        _number("area_true_mm2", "drawn area, projected on the reference's plane", "mm2"),
        _text("over_threshold_true", "whether the true diameter is over the threshold", ("yes", "no")),
        _text("status", "what became of the photo", ("measured", "no ulcer", "indeterminate", "refused", "failed")),
        _text("reason", "why, or what was noted"),
        _text("found", "whether the drawn ulcer was found; empty when the photo was refused", ("yes", "no")),
        _count("n_false", "finds that are not the drawn ulcer"),
        _number("diameter_mm", "measured diameter", "mm"),
        _number("diameter_low_mm", "low end of its 95 % interval", "mm"),
        _number("diameter_high_mm", "high end of its 95 % interval", "mm"),
        _number("error_mm", "measured minus true diameter", "mm"),
        _text("covered", "whether the interval holds the true diameter", ("yes", "no")),
        _number("area_mm2", "measured area", "mm2"),
        _number("area_low_mm2", "low end of its 95 % interval", "mm2"),
        _number("area_high_mm2", "high end of its 95 % interval", "mm2"),
        _text("over_threshold", "the call", _CALLS),
        _text("dominant_error", "the term that widens the interval most"),
        _number("dice", "of the found outline with the drawn one, 0..1"),
        _text("finger_found", "whether the finger was found, so that its slope is known", ("yes", "no")),
        _number("scale_se_pct", "relative standard error of length at the ulcer", "%"),
        _number("confidence", "of the network that this is an ulcer, 0..1"),
    ),
    order=("sample", "factor", "seed", "mode"),
)

_SUMMARY = Table(
    "validation/summary",
    "a cell: phantoms of a sample, alike in one factor, in a mode",
    (
        _text("sample", "working range or sweep", ("working range", "sweep")),
        _text("factor", "all: every phantom of the sample; else what the cell is cut by"),
        _text("level", "the level, or [from, to)"),
        _text("mode", "what was measured", _MODES),
        _count("n", "phantoms"),
        _count("n_measured", "of these measured: accepted by the gates and found"),
        *_range("refused", "share of photos refused, 0..1; Wilson interval"),
        *_range("found", "share of the accepted photos whose ulcer was found, 0..1; Wilson interval"),
        _number("false_per_photo", "finds that are no ulcer, per accepted photo"),
        *_range("bias_mm", "mean of measured minus true diameter; bootstrap interval", "mm"),
        _number("sd_mm", "standard deviation of that difference", "mm"),
        _number("limit_low_mm", "bias - 1.96 sd: lower 95 % limit of agreement", "mm"),
        _number("limit_high_mm", "bias + 1.96 sd: upper 95 % limit of agreement", "mm"),
        *_range("abs_error_95_mm", "95th percentile of the absolute error; bootstrap interval", "mm"),
        *_range("coverage", "share of intervals that hold the true diameter, 0..1; Wilson interval"),
        _number("interval_width_mm", "median width of the interval", "mm"),
        *_range("width_ratio", "that over the empirical 95 % width of the errors; bootstrap interval"),
        _count("n_clear", "measured ulcers at least 0.3 mm from the threshold"),
        *_range("wrong_side", "share of these called on the wrong side, 0..1; Wilson interval"),
        *_range("uncertain", "share of these called uncertain, 0..1; Wilson interval"),
    ),
)

_ESTIMANDS = ("treatment policy", "censored at rescue", "reader-confirmed only", "largest ulcer only")

# In its own order: estimands as above, then as computed. Written only by ``outcomes --unblind``.
_EFFECTS = Table(
    "effects",
    "an effect: one estimate of one arm, or of one against the reference arm",
    (
        _text("estimand", "how rescue, machine-read healing and further ulcers are taken", _ESTIMANDS),
        _text("outcome", "what was counted or timed"),
        _text("arm", "the arm, or the first of two"),
        _text("reference_arm", "the arm it is held against; empty where it stands alone"),
        _text(
            "stratum", "of the allocation, or the limb; empty for all; 'adjusted' where strata are columns of the model"
        ),
        _text("measure", "what the estimate is: differences are arm - reference_arm, ratios arm / reference_arm"),
        _number("estimate", "the effect; empty where it cannot be estimated", "the measure's"),
        _number("low", "low end of its 95 % interval", "the measure's"),
        _number("high", "high end of its 95 % interval; inf where it is open", "the measure's"),
        _number("p_value", "two-sided; of a difference of shares or rates by permutation between subjects"),
        _count("n_ulcers", "ulcers that took part"),
        _count("n_subjects", "subjects that took part"),
        _text("method", "how estimate and interval were made"),
        _text("warning", "what a reader has to know, parted by '; '"),
    ),
)

COMPARISONS = (_PAIRS, _COUNTS, _SIZES, _AGREED_CALLS, _CONFUSION, _OVERLAP, _PHANTOMS, _SUMMARY, _EFFECTS)
