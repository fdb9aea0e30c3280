"""The contract of queries.csv: what a data manager has to ask, and of whom."""

from __future__ import annotations

from enum import Enum, StrEnum, auto

from ulcermeter.tables.contract import Table, text
from ulcermeter.tables.inputs import FINGERS, HANDS, YES_NO

__all__ = ["QUERIES", "AnsweredBy", "Phrase", "QueryKind"]


class AnsweredBy(StrEnum):
    """Who can answer a query."""

    CLINIC = "clinic"
    READER = "reader"
    PHYSICIAN = "physician"


class QueryKind(StrEnum):
    """What sort of doubt it is."""

    DECISION = "decision"  # of the investigator: not readable, or made on another verdict
    READING = "reading"  # of several readers who differ, or one that could not be used
    CELL_IN_DOUBT = "cell in doubt"  # nothing rests on it until it is mended
    CELL_TO_CHECK = "cell to check"
    MISSING_ANSWER = "missing answer"  # what would settle a criterion
    CONTRADICTION = "contradiction"  # two answers that cannot both be right
    EVIDENCE = "evidence to check"  # beside a criterion's answer
    PHOTO = "photo not measured"
    THRESHOLD = "uncertain at the threshold"
    OUTLINE = "outline to check"
    POSSIBLE_ULCER = "possible ulcer"
    IDENTITY = "which ulcer"
    STATE = "state to check"
    OUTCOME = "unknown outcome"


class Phrase(Enum):
    """What is observed or expected where no further fact makes the words; see `ulcermeter.wording`."""

    WHICH_ULCER = auto()
    WHETHER_AN_ULCER = auto()
    CUT_OFF = auto()
    NO_IDENTITY = auto()
    ALL_FINGERS = auto()
    DAY_OF_TREATMENT = auto()
    READABLE_DECISION = auto()
    DECISION_STANDS = auto()
    READ_AGAIN = auto()
    WHICH_COUNT = auto()
    ADJUDICATED = auto()


QUERIES = Table(
    "queries",
    "a question about the study",
    (
        text("query_id", "a hash of what is asked: the same question has the same id in every run, whatever its row"),
        text("kind", "what sort of doubt it is", tuple(QueryKind)),
        text("subject_id", "the subject's code"),
        text("visit", "a visit's name in the protocol"),
        text("hand", "hand", HANDS),
        text("finger", "finger", FINGERS),
        text("ulcer_id", "identity of the ulcer within the study"),
        text("photo", "the file, relative to the study folder"),
        text("file", "the study's file in which it is answered"),
        text("cell", "row, whose row and columns there, as far as they are known"),
        text("about", "criteria or outcome that it stands behind, parted by '; '"),
        text("observed", "what is observed"),
        text("expected", "what is expected"),
        text("answered_by", "who can answer", tuple(AnsweredBy)),
        text("touches_verdict", "the answer can change the subject's verdict", YES_NO),
        text("touches_outcome", "the answer can change an outcome", YES_NO),
    ),
    ("subject_id", "kind", "visit", "hand", "finger", "ulcer_id", "photo", "file", "cell", "query_id"),
)
