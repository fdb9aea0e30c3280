"""What an answer can change: a verdict, or an outcome that is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ulcermeter.datatypes import Finding, OpenAnswer, Study
from ulcermeter.outcomes.doubts import resting_on
from ulcermeter.tables.cells import Record, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stakes", "unknown_of"]

_BEFORE = ("history", "screening", "baseline")
_UNKNOWN = "unknown"
# Unknown for want of a healing, which is no doubt of its own.
_OF_HEALING = ("healing_confirmed", "healing_sustained", "recurred")
# Unknown until a reader has confirmed what the machine called healed, which is asked at that visit.
_OF_READERS = ("healed_by_reader",)


def unknown_of(row: Record) -> list[str]:
    """Return the outcomes that are unknown in a row of an outcomes table.

    What can only follow a healing counts where there is one.

    Parameters
    ----------
    row : dict
        Of ``outcomes`` or ``outcomes_by_subject``.

    Returns
    -------
    list of str
        Columns.
    """
    others = _OF_READERS if row.get("healed", "yes") == "yes" else (*_OF_READERS, *_OF_HEALING)
    return [name for name, cell in row.items() if cell == _UNKNOWN and name not in others]


class Stakes:
    """What the answers to a study's queries can change.

    Parameters
    ----------
    study : Study
    tables : mapping of str to DataFrame
        As `ulcermeter.queries.list_queries` takes them.
    open_answers : tuple of OpenAnswer
    """

    def __init__(
        self, study: Study, tables: Mapping[str, pd.DataFrame], open_answers: tuple[OpenAnswer, ...] = ()
    ) -> None:
        self.open_answers = open_answers
        # Open criteria by ulcer, and by subject and cell in doubt: looked up, so that time grows with the rows alone.
        self._of_ulcer: dict[str, set[str]] = {}
        self._of_cell: dict[tuple[object, ...], set[str]] = {}
        for answer in open_answers:
            self._of_ulcer.setdefault(answer.ulcer_id, set()).add(answer.criterion)
            for ask in answer.asks:
                for column in ask.columns if ask.rows else ():
                    cell = (answer.subject_id, ask.file, ask.rows, column)
                    self._of_cell.setdefault(cell, set()).add(answer.criterion)
        self._phases = {visit.name: visit.phase for visit in study.protocol.visits}
        self._effects: dict[str, dict[str, str]] = {}
        for row in records(tables["eligibility"]):
            self._effects.setdefault(row["subject_id"], {})[row["criterion"]] = row["effect"]
        self._unknown = {row["ulcer_id"] for row in records(tables["outcomes"]) if unknown_of(row)}
        places = {row["ulcer_id"]: _place(row) for row in records(tables["trajectories"])}
        self._places = {place for ulcer, place in places.items() if ulcer in self._unknown}
        both = (*records(tables["outcomes"]), *records(tables["outcomes_by_subject"]))
        doubted = {row["subject_id"] for row in both if row["in_doubt"]}
        self._resting = {finding for name, found in resting_on(study).items() if name in doubted for finding in found}

    def criterion(self, subject_id: str, criterion: str) -> bool:
        """Say whether another answer to a criterion could change the verdict: it counts, and no other one fails."""
        effects = self._effects.get(subject_id, {})
        failing = [name for name, effect in effects.items() if effect == "fails"]
        return effects.get(criterion, "none") != "none" and failing in ([], [criterion])

    def ulcer_before_treatment(self, subject_id: str, ulcer_id: str, visit: str) -> bool:
        """Say whether what is doubtful about an ulcer at a visit could change the verdict: a condition of it is open.

        Verdicts rest on nothing after inclusion, so a visit after treatment changes none.
        """
        if self._phases.get(visit, "") not in _BEFORE:
            return False
        own = self._of_ulcer.get(ulcer_id, set()) if ulcer_id else set()
        return any(self.criterion(subject_id, criterion) for criterion in own)

    def cell(self, finding: Finding) -> bool:
        """Say whether a criterion is open because of a cell in doubt, and could change the verdict."""
        cell = (finding.subject_id, finding.file, finding.rows, finding.column)
        return any(self.criterion(finding.subject_id, criterion) for criterion in self._of_cell.get(cell, set()))

    def cell_of_outcome(self, finding: Finding) -> bool:
        """Say whether an outcome rests on a cell in doubt."""
        return finding in self._resting

    def outcome_of(self, ulcer_id: str) -> bool:
        """Say whether an outcome of an ulcer is unknown."""
        return ulcer_id in self._unknown

    def outcome_at(self, row: Record) -> bool:
        """Say whether an ulcer on a photo's finger has an unknown outcome."""
        return _place(row) in self._places


def _place(row: Record) -> tuple[str, ...]:
    return row["subject_id"], row["hand"], row["finger"]
