"""What was found in a study folder, in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ulcermeter.datatypes import Finding, Kind

__all__ = ["finding_in_words", "record_of"]

_WORDS = {
    Kind.PROTOCOL: "{why}",
    Kind.BROKEN: "{place}: {why}.",
    Kind.SHORT_ROW: "{place}: expected {meant} cells as in the header, got {got}; cells are missing before its end.",
    Kind.TABLE_NAME: "{place}: no table of a study is called so, and it is not read; {meant} is meant: rename it.",
    Kind.FILE_MISSING: "{place}: there is no file '{got}'; this row will fail.",
    Kind.FILE_NAME: "{place}: there is no file '{got}'; '{meant}' is meant, which differs {why}: write the cell as the "
    "file is named, or this row will fail.",
    Kind.PHOTO_NOT_NAMED: "{place}: no row of photos.csv names this photo, and it is not measured.",
    Kind.CAMERA_DATE: "{place}: got {got}, but the camera's clock says {meant}; one of them, or the photo, is wrong.",
    Kind.DATES_OUT_OF_ORDER: "{place}: {got} cannot be together with {why}, {meant}; mend what is wrong.",
    Kind.CONSENT_LATE: "{place}: {got} is later than {why} {meant}; mend it if it is wrong.",
    Kind.VISITS_OUT_OF_ORDER: "{place}: {got} does not go with {why}, {meant}, by the order of visits; mend visit or "
    "date.",
    Kind.OUTSIDE_WINDOW: "{place}: {got} lies outside the window of {why} ({meant}).",
    Kind.NOT_ATTENDED: "{place}: a photo of {got}, which {meant} says was not attended; mend one of them.",
    Kind.AFTER_DEATH: "{place}: {got} is later than the death on {meant} ({why}); mend one of them.",
    Kind.IMPLAUSIBLE: "{place}: {got} is implausible: {why}; mend it.",
    Kind.AGE_AND_BIRTH: "{place}: {got} does not go with {meant} ({why}); mend one of them.",
    Kind.READ_AS: "{place}: '{got}' is read as {meant}.",
    Kind.NEARLY: "{place}: '{got}' is no word that is known; is {meant} meant? Until it is written so it is not known.",
}


def finding_in_words(finding: Finding) -> str:
    """Return a finding in words, with the place and what to do."""
    return _WORDS[finding.kind].format(place=finding.place, **asdict(finding))


def record_of(finding: Finding) -> dict[str, Any]:
    """Return a finding for run.json: its facts, its place and its words."""
    return {**asdict(finding), "place": finding.place, "words": finding_in_words(finding)}
