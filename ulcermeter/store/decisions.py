"""What the investigator decided, carried from an earlier run's eligibility_summary.csv into the next one's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.errors import TableError
from ulcermeter.store.files import unguarded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECIDED", "read_decisions", "with_decisions"]

DECIDED = ("investigator_decision", "decided_by", "decided_on")
"""The columns of eligibility_summary.csv that are the investigator's."""


def read_decisions(root: str | Path) -> list[dict[str, str]]:
    """Return what a results folder's eligibility_summary.csv says of each subject: the verdict, and what was decided.

    People fill it in with a spreadsheet, so semicolons and tabs part its cells as well as commas.

    Raises
    ------
    TableError
        The file is there and cannot be read: a run would lose what was decided.
    """
    import pandas as pd

    path = Path(root) / "eligibility_summary.csv"
    if not path.is_file():
        return []
    try:
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
        parted = max(",;\t", key=header.count)
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", sep=parted, index_col=False)
        got = "" if "subject_id" in frame.columns else "one without subject_id"
    except ValueError as error:
        got = " ".join(str(error).split())
    if got:
        raise TableError(
            f"{path}: expected the table of an earlier run, whose decisions are carried over, got: {got}; save it as "
            "CSV UTF-8 with its header, or move it away."
        )
    names = ("subject_id", "verdict", *DECIDED)
    return [{name: unguarded(str(row.get(name, ""))) for name in names} for row in frame.to_dict("records")]


def with_decisions(
    summary: pd.DataFrame, decisions: Mapping[str, Mapping[str, str]]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Put earlier decisions into a summary of eligibility.

    Parameters
    ----------
    summary : DataFrame
        By the contract ``eligibility_summary``.
    decisions : mapping
        By subject, as `ulcermeter.store.PhotoStore.decisions` returns them; each with the verdict it was made on.

    Returns
    -------
    DataFrame
        The summary with them.
    dict
        By subject a sentence where the verdict is another one now, or the subject is not in the study any more.
    """
    cells = {name: [decisions.get(s, {}).get(name, "") for s in summary["subject_id"]] for name in DECIDED}
    now = dict(zip(summary["subject_id"], summary["verdict"], strict=True))
    told = {}
    for subject, made in sorted(decisions.items()):
        words = zip(("decided", "by", "on"), DECIDED, strict=True)
        what = " ".join(f"{word} {made[name]}" for word, name in words if made[name])
        if subject not in now:
            told[subject] = f"{what}, and not in the study any more; kept in store.sqlite until the subject is back"
        elif made["verdict"] and made["verdict"] != now[subject]:
            told[subject] = (
                f"{what}, when the proposed verdict was {made['verdict']}; it is {now[subject]} now: decide again in "
                "eligibility_summary.csv"
            )
    return summary.assign(**cells), told
