"""Wording: facts into English, at one place.

Rooms hand each other facts; a text column (`evidence`, `reason`, `would_settle`) and every sentence for a person is
made here of them. Nothing reads these words back: replace them all by noise, and no state, verdict, outcome or number
changes.
"""

from ulcermeter.wording.asks import (
    ask_in_words,
    asks_in_words,
    date_in_words,
)
from ulcermeter.wording.counts import counts_in_words
from ulcermeter.wording.courses import (
    arm_words,
    beside_photos_words,
    compared_words,
    course_words,
    end_not_known_words,
    first_after_words,
    judged_words,
    no_course_words,
    no_statement_words,
    not_used_words,
    photos_silent_words,
    reopened_words,
    seen_words,
    window_words,
)
from ulcermeter.wording.criteria import (
    age_words,
    bedside_words,
    best_ulcer_words,
    born_words,
    cell_words,
    consent_words,
    cutoff_in_words,
    diameter_words,
    flagged_in_words,
    history_words,
    joined,
    neoplasm_words,
    no_photo_words,
    no_ulcer_words,
    no_xray_words,
    score_words,
    sign_words,
    still_active_words,
    too_old_words,
    without_outline_words,
    xray_words,
)
from ulcermeter.wording.findings import (
    finding_in_words,
    problem_of,
    record_of,
)
from ulcermeter.wording.flags import (
    evidence_of_visit,
    flag_in_words,
    flags_in_words,
)
from ulcermeter.wording.notes import (
    note_in_words,
    reason_of_photo,
)
from ulcermeter.wording.readings import reading_not_kept

__all__ = [
    "age_words",
    "arm_words",
    "ask_in_words",
    "asks_in_words",
    "bedside_words",
    "beside_photos_words",
    "best_ulcer_words",
    "born_words",
    "cell_words",
    "compared_words",
    "consent_words",
    "counts_in_words",
    "course_words",
    "cutoff_in_words",
    "date_in_words",
    "diameter_words",
    "end_not_known_words",
    "evidence_of_visit",
    "finding_in_words",
    "first_after_words",
    "flag_in_words",
    "flagged_in_words",
    "flags_in_words",
    "history_words",
    "joined",
    "judged_words",
    "neoplasm_words",
    "no_course_words",
    "no_photo_words",
    "no_statement_words",
    "no_ulcer_words",
    "no_xray_words",
    "not_used_words",
    "note_in_words",
    "photos_silent_words",
    "problem_of",
    "reading_not_kept",
    "reason_of_photo",
    "record_of",
    "reopened_words",
    "score_words",
    "seen_words",
    "sign_words",
    "still_active_words",
    "too_old_words",
    "window_words",
    "without_outline_words",
    "xray_words",
]
