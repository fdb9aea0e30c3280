"""What persons decided about ulcers on photos: the log of it, which reading counts, and readings.csv."""

from __future__ import annotations

from ulcermeter.readings.audit import LogFault, check_log, log_table
from ulcermeter.readings.choice import READING_ACTION, Chosen, choose_readings, current_readings, reading_of_entry
from ulcermeter.readings.labels import fit_labels, label_shown
from ulcermeter.readings.log import EMPTY_HEAD, LOG_FILE, Entry, ReadingLog, log_head
from ulcermeter.readings.records import (
    PlaceKey,
    PlaceReading,
    PlaceVerdict,
    UlcerReading,
    UlcerVerdict,
    reading_from_state,
    state_of,
)

__all__ = [
    "EMPTY_HEAD",
    "LOG_FILE",
    "READING_ACTION",
    "Chosen",
    "Entry",
    "LogFault",
    "PlaceKey",
    "PlaceReading",
    "PlaceVerdict",
    "ReadingLog",
    "UlcerReading",
    "UlcerVerdict",
    "check_log",
    "choose_readings",
    "current_readings",
    "fit_labels",
    "label_shown",
    "log_head",
    "log_table",
    "reading_from_state",
    "reading_of_entry",
    "state_of",
]
