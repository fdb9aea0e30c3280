"""Which cell would settle what is open: never one that is filled and counts."""

from __future__ import annotations

from collections.abc import Sequence

from ulcermeter.datatypes import Ask, Need
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.timing import Dated, Horizon, last_ones
from ulcermeter.tables.cells import not_known

__all__ = ["ask_of_ulcer", "ask_photo"]


def ask_of_ulcer(
    case: Case, ulcer: Ulcer, items: Sequence[Dated], column: str, date: str, *, horizon: Horizon
) -> tuple[Ask, ...]:
    """Return what is asked for in ulcers.csv, so that a column's last answer is known.

    The number, where the rows could be another ulcer's; the answer, where the last row has none or there is no row;
    its date, where that is missing or partial; else the answer anew, where two contradict each other or none counts.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer
    items : sequence of Dated
        The ulcer's rows, as `column` is dated.
    column, date : str
        The cells of the answer and of its day.
    horizon : Horizon
        The days whose evidence counts.

    Returns
    -------
    tuple[Ask, ...]
    """
    if ulcer.assessments and not any(sure for _, sure in ulcer.assessments):
        return _whose(case, ulcer)
    return (_cell(case, ulcer, items, (column, date), horizon),)


def _cell(case: Case, ulcer: Ulcer, items: Sequence[Dated], names: tuple[str, str], horizon: Horizon) -> Ask:
    who, (column, date) = (case.subject_id, ulcer.called), names
    last = [item for item in last_ones(items, horizon) if item.sure]
    answered = [item for item in last if not not_known(item.row[column])]
    if not answered:
        undated = not any(item.when for item in last)
        if not undated:
            return Ask("ulcers.csv", who[0], (column,), who[1])
        return horizon.within(Ask("ulcers.csv", who[0], names, who[1]))
    if any(item.when is None for item in answered):
        return Ask("ulcers.csv", who[0], (date,), who[1])
    if any(item.when and not item.when.exact for item in answered):
        return Ask("ulcers.csv", who[0], (date,), who[1], Need.EXACT)
    contradict = len({item.row[column] for item in answered}) > 1
    if contradict and any(item.counts(horizon) for item in answered):
        return Ask("ulcers.csv", who[0], (column,), who[1], Need.CORRECT)
    if len(answered) < len(last):
        return Ask("ulcers.csv", who[0], (column,), who[1])
    return horizon.within(Ask("ulcers.csv", who[0], names, who[1], Need.AGAIN))


def _whose(case: Case, ulcer: Ulcer) -> tuple[Ask, ...]:
    """Return what would tell whose the clinic's rows are: the numbers that are missing, else a place that is wrong."""
    nameless = ["photos.csv"] if ulcer.ulcer_id and not ulcer.ulcer_no else []
    nameless += ["ulcers.csv"] if any(not row["ulcer_no"] for row, _ in ulcer.assessments) else []
    if nameless:
        return tuple(Ask(file, case.subject_id, ("ulcer_no",), ulcer.called) for file in nameless)
    return (Ask("ulcers.csv", case.subject_id, ("hand", "finger"), ulcer.called, Need.CORRECT),)


def ask_photo(case: Case, ulcer: Ulcer) -> Ask:
    """Return that a passing photo of an ulcer is asked for; with its number where no photo is tied to it.

    Parameters
    ----------
    case : Case
    ulcer : Ulcer

    Returns
    -------
    Ask
    """
    number = ("ulcer_no",) if not ulcer.ulcer_id and not ulcer.missing_photos else ()
    ask = Ask("photos.csv", case.subject_id, number, ulcer.called, Need.PHOTO, photos=ulcer.missing_photos)
    return case.photo_horizon.within(ask)
