"""Queries on cells of the study folder: what looks wrong in them."""

from __future__ import annotations

from collections.abc import Iterator

from ulcermeter.datatypes import Finding, Kind, Study
from ulcermeter.queries.query import Query, Subject
from ulcermeter.queries.stakes import Stakes
from ulcermeter.tables.cells import Record, records
from ulcermeter.tables.queries import AnsweredBy, QueryKind
from ulcermeter.wording import cell_in_words, finding_expected, finding_observed

__all__ = ["cells_of_the_study"]

_PLACE = ("visit", "hand", "finger", "photo")
# Of the protocol's own file: its author is no one who answers queries.
_NOT_ASKED = (Kind.PROTOCOL,)


def cells_of_the_study(study: Study, stakes: Stakes) -> Iterator[Query]:
    """Ask about every finding in the study folder.

    Parameters
    ----------
    study : Study
    stakes : Stakes

    Yields
    ------
    Query
    """
    tables: dict[str, list[Record]] = {}
    for finding in study.findings:
        if finding.kind in _NOT_ASKED:
            continue
        name = finding.file.removesuffix(".csv")
        if name not in tables:
            tables[name] = records(getattr(study, name)) if hasattr(study, name) else []
        place = _place(tables[name], finding)
        yield Query(
            QueryKind.CELL_IN_DOUBT if finding.in_doubt else QueryKind.CELL_TO_CHECK,
            AnsweredBy.CLINIC,
            Subject(finding.subject_id, **place),
            file=finding.file,
            cell=cell_in_words((finding.column,), rows=finding.rows),
            observed=finding_observed(finding),
            expected=finding_expected(finding),
            verdict=finding.in_doubt and stakes.cell(finding),
            outcome=finding.in_doubt and stakes.cell_of_outcome(finding),
            asked=(str(finding.kind), finding.column, finding.got, finding.meant),
        )


def _place(table: list[Record], finding: Finding) -> dict[str, str]:
    """Return visit, hand, finger and photo of the finding's rows, where they agree."""
    rows = [table[row - 2] for row in finding.rows if 0 <= row - 2 < len(table)]
    cells = {name: {str(row.get(name, "")) for row in rows} for name in _PLACE}
    return {name: next(iter(found)) if len(found) == 1 else "" for name, found in cells.items()}
