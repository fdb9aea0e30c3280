"""2013 ACR/EULAR classification of systemic sclerosis (doi 10.1002/art.38098), from its items."""

from __future__ import annotations

from dataclasses import dataclass

from ulcermeter.eligibility.answers import Answer, listed
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.three_valued import Truth, yes_no
from ulcermeter.tables.flags import Flag, FlagKind

__all__ = ["Score", "established", "score"]


@dataclass(frozen=True)
class Score:
    """The sum as far as it is known.

    Attributes
    ----------
    low, high : int
        Lowest and highest sum the known items allow, points.
    known : tuple of str
        Items that are known, with their points.
    unknown : tuple of str
        Items that are not.
    """

    low: int
    high: int
    known: tuple[str, ...]
    unknown: tuple[str, ...]

    def reaches(self, points: int) -> Truth:
        """Is the sum at least so many points; unknown while the open items could change it."""
        if self.low >= points:
            return True
        return False if self.high < points else None


def score(case: Case) -> Score:
    """Sum the items. ``acr_eular_points`` of the protocol gives each answer's points; of a pair only the higher.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Score
    """
    low = high = 0
    known: list[str] = []
    unknown: list[str] = []
    for item, points in case.protocol.eligibility.acr_eular_points.items():
        reply = case.person[item]
        if not reply:
            high += max(points.values())
            unknown.append(item)
            continue
        low += points.get(reply, 0)
        high += points.get(reply, 0)
        known.append(f"{item} {reply} ({points.get(reply, 0)})")
    return Score(low, high, tuple(known), tuple(unknown))


def established(case: Case) -> Answer:
    """Say whether SSc is established, by the clinic's word and the score; where they conflict, not assessable.

    Where the classification is not applicable (an SSc-like disorder explains it better, or the fingers are spared)
    the score is silent, and a clinic's *yes* conflicts with that.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Answer
    """
    total, needed = score(case), case.protocol.eligibility.score_definite_ssc
    against = [c for c in ("better_explained", "fingers_spared") if case.person[c] == "yes"]
    reply = yes_no(case.person["ssc_established"])
    by_score = None if against else total.reaches(needed)
    value = "not applicable" if against else _value(total)
    evidence = listed(
        [
            f"ssc_established: {case.person['ssc_established'] or 'not known'}",
            f"not applicable: {' and '.join(against)}" if against else "",
            f"score {_value(total)} points, {needed} needed: {', '.join(total.known) or 'no item known'}",
        ]
    )
    settle = listed([case.cell("ssc_established"), *(case.cell(item) for item in total.unknown)])
    if (reply is True and against) or (reply is not None and by_score is not None and reply != by_score):
        return Answer(None, value, evidence, settle).flagged(Flag(FlagKind.ITEMS_CONTRADICT_WORD))
    truth = reply if reply is not None else by_score
    return Answer(truth, value, evidence, settle if truth is None else "")


def _value(total: Score) -> str:
    return str(total.low) if total.low == total.high else f"{total.low}-{total.high}"
