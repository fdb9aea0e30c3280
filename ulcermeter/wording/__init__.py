"""Wording: facts into English, at one place.

Rooms hand each other facts; a text column (`evidence`, `reason`, `would_settle`) and every sentence for a person is
made here of them. Nothing reads these words back: replace them all by noise, and no state, verdict, outcome or number
changes.
"""

from ulcermeter.wording.findings import finding_in_words, problem_of, record_of
from ulcermeter.wording.flags import evidence_of_visit, flag_in_words, flags_in_words
from ulcermeter.wording.notes import note_in_words, reason_of_photo
from ulcermeter.wording.readings import reading_not_kept

__all__ = [
    "evidence_of_visit",
    "finding_in_words",
    "flag_in_words",
    "flags_in_words",
    "note_in_words",
    "problem_of",
    "reading_not_kept",
    "reason_of_photo",
    "record_of",
]
