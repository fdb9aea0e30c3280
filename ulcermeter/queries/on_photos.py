"""Queries on photos and what was measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ulcermeter.protocol import Protocol
from ulcermeter.queries.query import Query, Subject
from ulcermeter.queries.stakes import Stakes
from ulcermeter.tables.cells import PASSED, Record, is_unconfirmed, known_number, records
from ulcermeter.tables.queries import AnsweredBy, Phrase, QueryKind
from ulcermeter.wording import (
    again_expected,
    low_confidence_words,
    not_measured_words,
    phrase,
    threshold_words,
    whole_ulcer_expected,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["outlines_to_check", "photos_not_measured", "uncertain_at_threshold"]

_PLACE = ("subject_id", "visit", "hand", "finger", "photo")
# In ``retake``: the subject's eligibility is open and the photo counts for it.
_DECIDES = 1


def photos_not_measured(tables: Mapping[str, pd.DataFrame], stakes: Stakes) -> Iterator[Query]:
    """Ask for another photo in place of each that was refused or failed.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    stakes : Stakes

    Yields
    ------
    Query
    """
    deciding = {_key(row) for row in records(tables["retake"]) if row["priority"] == _DECIDES}
    for row in records(tables["photos"]):
        if row["status"] not in PASSED:
            yield Query(
                QueryKind.PHOTO,
                AnsweredBy.CLINIC,
                Subject.of(row),
                file="photos.csv",
                cell="photo",
                observed=not_measured_words(row["status"], row["reason"]),
                expected=again_expected(row["instruction"]),
                verdict=_key(row) in deciding,
                outcome=stakes.outcome_at(row),
            )


def uncertain_at_threshold(tables: Mapping[str, pd.DataFrame], stakes: Stakes, protocol: Protocol) -> Iterator[Query]:
    """Ask about diameters that cannot be told from the threshold: a better photo, where one would tell, or a caliper.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    stakes : Stakes
    protocol : Protocol

    Yields
    ------
    Query
    """
    better = {_key(row): row["instruction"] for row in records(tables["retake"]) if row["status"] == "uncertain"}
    threshold = protocol.measurement.threshold_diameter_mm
    for row in records(tables["measurements"]):
        if row["over_threshold"] == "uncertain" and not is_unconfirmed(row):
            yield Query(
                QueryKind.THRESHOLD,
                AnsweredBy.CLINIC,
                Subject.of(row),
                file="photos.csv",
                cell="photo",
                observed=threshold_words(row, threshold),
                expected=again_expected(better.get(_key(row), ""), bedside=True),
                verdict=stakes.ulcer_before_treatment(row["subject_id"], row["ulcer_id"], row["visit"]),
            )


def outlines_to_check(tables: Mapping[str, pd.DataFrame], stakes: Stakes, protocol: Protocol) -> Iterator[Query]:
    """Ask about outlines that may be none of an ulcer, are cut off, or belong to no known ulcer.

    Possible ulcers, which nothing rests on, are asked about with their course.

    Parameters
    ----------
    tables : mapping of str to DataFrame
    stakes : Stakes
    protocol : Protocol

    Yields
    ------
    Query
    """
    lowest = protocol.measurement.confidence_flag_below
    for row in records(tables["measurements"]):
        confidence = known_number(row["confidence"])
        if confidence < lowest and not is_unconfirmed(row):
            words = low_confidence_words(confidence), phrase(Phrase.WHETHER_AN_ULCER)
            yield _outline(row, stakes, "confidence", words, by=AnsweredBy.READER, column="mask")
        if row["touches_border"] == "yes":
            words = phrase(Phrase.CUT_OFF), whole_ulcer_expected()
            yield _outline(row, stakes, "border", words, by=AnsweredBy.CLINIC, column="photo")
        if not row["ulcer_id"]:
            words = phrase(Phrase.NO_IDENTITY), phrase(Phrase.WHICH_ULCER)
            yield _outline(row, stakes, "identity", words, by=AnsweredBy.READER, column="ulcer_no")


def _outline(row: Record, stakes: Stakes, reason: str, words: tuple[str, str], *, by: AnsweredBy, column: str) -> Query:
    observed, expected = words
    return Query(
        QueryKind.OUTLINE if row["ulcer_id"] or reason != "identity" else QueryKind.IDENTITY,
        by,
        Subject.of(row),
        file="photos.csv",
        cell=column,
        observed=observed,
        expected=expected,
        verdict=stakes.ulcer_before_treatment(row["subject_id"], row["ulcer_id"], row["visit"]),
        outcome=stakes.outcome_of(row["ulcer_id"]) if row["ulcer_id"] else stakes.outcome_at(row),
        asked=(reason,),
    )


def _key(row: Record) -> tuple[str, ...]:
    return tuple(row[name] for name in _PLACE)
