"""Drugs and routes in treatments.csv that are not written as the protocol writes them."""

from __future__ import annotations

from collections.abc import Iterator

from ulcermeter.datatypes import Finding, Kind, Severity, Study
from ulcermeter.protocol import ReadWord, read_drug, read_route

__all__ = ["drug_findings"]


def drug_findings(study: Study) -> Iterator[Finding]:
    """Yield brands and forms with what they are read as, and words that are nearly known, or no known route.

    Parameters
    ----------
    study : Study
        The study folder as read.

    Returns
    -------
    Iterator[Finding]
    """
    for position, row in enumerate(study.treatments.to_dict("records")):
        drug, route = (read(row[c], study.protocol) for c, read in (("drug", read_drug), ("route", read_route)))
        for column, word in (("drug", drug), ("route", route)):
            if kind := _kind(column, row[column], word):
                meant = word.meant or "iv, or a route that is not, such as oral,"
                place = ("treatments.csv", (position + 2,), column)
                yield Finding(kind, Severity.WARNING, *place, row[column], meant, subject_id=row["subject_id"])


def _kind(column: str, text: str, word: ReadWord) -> Kind | None:
    if not text or (word.sure and word.as_written):
        return None
    if word.sure:
        return Kind.READ_AS
    # A drug of another name is another drug; a route that is in no list may still be intravenous.
    return Kind.NEARLY if word.meant or column == "route" else None
