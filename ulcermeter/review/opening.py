"""A results folder opened for a reader: the work list, a blinded list, or what others differ in."""

from __future__ import annotations

from pathlib import Path

from ulcermeter.errors import Problem, StudyError
from ulcermeter.pipeline.finish import folder_of_study
from ulcermeter.readings import ReadingLog, current_readings
from ulcermeter.review.disagreement import disagreements
from ulcermeter.review.items import items_of_list, items_of_run
from ulcermeter.review.reading_list import read_list
from ulcermeter.review.session import Mode, Session
from ulcermeter.review.worklist import Reason, in_order_of_need, reasons_of_run
from ulcermeter.store import KeptResults, protocol_of
from ulcermeter.store.reading import read_record

__all__ = ["open_session"]


def open_session(
    root: str | Path, *, reader: str, study: str | Path | None = None, adjudicating: bool = False
) -> Session:
    """Open a results folder for a reader: with its reading list, where one is there that names the reader.

    Parameters
    ----------
    root : str or Path
        The results folder.
    reader : str
    study : str or Path, optional
        Where the study is now; where run.json says without it.
    adjudicating : bool
        Show what readers differ in, to be settled.

    Returns
    -------
    Session

    Raises
    ------
    StudyError
        No finished results folder, or no reader's name.
    UlcermeterError
        The log is not as it was written.
    """
    folder = Path(root)
    if not reader.strip() or reader.strip().casefold() == "machine":
        raise StudyError(
            Problem(
                where="--reader", expected="a reader's name or code", got=f"'{reader}'", action="give one, such as R1"
            )
        )
    kept = KeptResults(folder)
    results = kept.results()
    # Not the whole study, whose checks open every photo: only the tables after readings need it.
    photos, protocol = folder_of_study(folder, study), protocol_of(read_record(folder))
    reasons, identities = reasons_of_run(folder, [result for _, result in results], protocol)
    places = items_of_run(results, reasons)
    listed = read_list(folder)
    if adjudicating:
        readings = current_readings(ReadingLog(folder).entries())
        found = disagreements(readings, places, protocol, kept)
        items = [places[place].without_outlines((Reason.DISAGREE,)) for place in found]
        mode = Mode(adjudicating=True, whole=True)
        session = Session(folder, reader=reader, photos=photos, mode=mode, items=items, kept=kept)
    elif listed is not None and (name := listed.name_of(reader)) is not None:
        machine = listed.outlines == "machine"
        items = items_of_list(listed.for_reader(name), places, machine=machine)
        mode = Mode(blinded=True, whole=not machine)
        return Session(folder, reader=name, photos=photos, mode=mode, items=items, kept=kept)
    else:
        order = in_order_of_need({item.position: item.reasons for item in places.values()})
        at = {item.position: item for item in places.values()}
        items = [at[position] for position in order]
        session = Session(folder, reader=reader, photos=photos, mode=Mode(), items=items, kept=kept)
    session.identities = identities
    return session
