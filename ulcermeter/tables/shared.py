"""Columns that several of a results folder's tables have."""

from __future__ import annotations

from ulcermeter.tables.contract import text
from ulcermeter.tables.inputs import FINGERS, HANDS

__all__ = ["FINGER", "FLAGS_MEANING", "HAND", "SUBJECT", "ULCER"]

SUBJECT = text("subject_id", "the subject's code")
HAND = text("hand", "hand", HANDS)
FINGER = text("finger", "finger", FINGERS)
ULCER = text("ulcer_id", "identity of the ulcer within the study, for example S01-left-index-1")
FLAGS_MEANING = "what a reader should check, as data: a JSON list, each with a kind such as healed_by_machine"
