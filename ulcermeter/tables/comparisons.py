"""The contracts of what compares: two readings of the same photos, and the instrument against phantoms."""

from __future__ import annotations

from ulcermeter.tables.contract import Column, Table

__all__ = ["COMPARISONS"]

_CALLS = ("yes", "no", "uncertain")


def _text(name: str, meaning: str, values: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", meaning, values=values)


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, "number", meaning, unit=unit)


def _count(name: str, meaning: str) -> Column:
    return Column(name, "count", meaning)


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
        *_of_both("diameter_mm", "diameter", "mm"),
        *_of_both("width_mm", "width", "mm"),
        *_of_both("area_mm2", "area", "mm2"),
        *_of_both("perimeter_mm", "perimeter", "mm"),
        _text("over_threshold_a", "the call of reading A", _CALLS),
        _text("over_threshold_b", "the call of reading B", _CALLS),
    ),
    order=("photo", "hand", "finger", "label_a", "label_b"),
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

COMPARISONS = (_PAIRS, _SIZES, _AGREED_CALLS, _CONFUSION, _OVERLAP)
