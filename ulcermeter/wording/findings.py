"""What was found in a study folder, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from ulcermeter.datatypes import Finding, Kind
from ulcermeter.errors import Problem
from ulcermeter.files import Json

__all__ = ["finding_in_words", "problem_of", "record_of"]


def finding_in_words(finding: Finding) -> str:
    """Return a finding in words, with the place and what to do.

    Parameters
    ----------
    finding : Finding
        One thing found in a study folder.

    Returns
    -------
    str
    """
    problem = problem_of(finding)
    if problem.expected or not problem.where:
        return str(problem)
    return f"{problem.where}: {problem.got}" + (f"; {problem.action}." if problem.action else ".")


def problem_of(finding: Finding) -> Problem:
    """Return a finding as a problem at its place.

    Parameters
    ----------
    finding : Finding
        One thing found in a study folder.

    Returns
    -------
    Problem
    """
    if finding.kind is Kind.WOULD_FAIL:
        return _own(finding).at(finding.place)
    problem = _PROBLEMS[finding.kind](finding)
    return replace(problem, where=finding.place) if finding.place else problem


def record_of(finding: Finding) -> dict[str, Json]:
    """Return a finding for run.json: its facts, its place and its words.

    Parameters
    ----------
    finding : Finding
        One thing found in a study folder.

    Returns
    -------
    dict of str to JSON values
    """
    facts = {name: value for name, value in asdict(finding).items() if name != "problem"}
    return {**facts, "place": finding.place, "words": finding_in_words(finding)}


def _own(finding: Finding) -> Problem:
    return finding.problem or Problem(finding.got)


def _file_name(finding: Finding) -> Problem:
    got = f"there is no file '{finding.got}'; '{finding.meant}' is meant, which differs {finding.why}"
    return Problem(got, action="write the cell as the file is named, or this row will fail")


_PROBLEMS: dict[Kind, Callable[[Finding], Problem]] = {
    Kind.PROTOCOL: _own,
    Kind.BROKEN: _own,
    Kind.SHORT_ROW: lambda f: Problem(
        f.got, f"{f.meant} cells as in the header", "write the cells that are missing before its end"
    ),
    Kind.TABLE_NAME: lambda f: Problem(
        f"no table of a study is called so, and it is not read; {f.meant} is meant", action="rename it"
    ),
    Kind.FILE_MISSING: lambda f: Problem(f"there is no file '{f.got}'; this row will fail"),
    Kind.FILE_NAME: _file_name,
    Kind.PHOTO_NOT_NAMED: lambda f: Problem("no row of photos.csv names this photo, and it is not measured"),
    Kind.CAMERA_DATE: lambda f: Problem(
        f"got {f.got}, but the camera's clock says {f.meant}; one of them, or the photo, is wrong"
    ),
    Kind.DATES_OUT_OF_ORDER: lambda f: Problem(
        f"{f.got} cannot be together with {f.why}, {f.meant}", action="mend what is wrong"
    ),
    Kind.CONSENT_LATE: lambda f: Problem(f"{f.got} is later than {f.why} {f.meant}", action="mend it if it is wrong"),
    Kind.VISITS_OUT_OF_ORDER: lambda f: Problem(
        f"{f.got} does not go with {f.why}, {f.meant}, by the order of visits", action="mend visit or date"
    ),
    Kind.OUTSIDE_WINDOW: lambda f: Problem(f"{f.got} lies outside the window of {f.why} ({f.meant})"),
    Kind.NOT_ATTENDED: lambda f: Problem(
        f"a photo of {f.got}, which {f.meant} says was not attended", action="mend one of them"
    ),
    Kind.AFTER_DEATH: lambda f: Problem(
        f"{f.got} is later than the death on {f.meant} ({f.why})", action="mend one of them"
    ),
    Kind.IMPLAUSIBLE: lambda f: Problem(f"{f.got} is implausible: {f.why}", action="mend it"),
    Kind.AGE_AND_BIRTH: lambda f: Problem(f"{f.got} does not go with {f.meant} ({f.why})", action="mend one of them"),
    Kind.READ_AS: lambda f: Problem(f"'{f.got}' is read as {f.meant}"),
    Kind.NEARLY: lambda f: Problem(
        f"'{f.got}' is no word that is known; is {f.meant} meant? Until it is written so it is not known"
    ),
}
