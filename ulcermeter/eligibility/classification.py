"""2013 ACR/EULAR classification of systemic sclerosis (doi 10.1002/art.38098), from its items."""

from __future__ import annotations

from dataclasses import dataclass

from ulcermeter.datatypes import Need
from ulcermeter.eligibility.answers import Answer
from ulcermeter.eligibility.case import Case
from ulcermeter.eligibility.three_valued import Truth, yes_no
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import score_words

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

    An item that reaches the score by itself (skin thickening proximal to the MCP joints) is sufficient: then nothing is
    added to its points. Without it the items sum to 0..19.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.

    Returns
    -------
    Score
    """
    rules = case.protocol.eligibility
    low = high = enough_low = enough_high = 0
    known: list[str] = []
    unknown: list[str] = []
    for item, points in rules.acr_eular_points.items():
        reply, most = case.person[item], max(points.values())
        least, most = (points.get(reply, 0),) * 2 if reply else (0, most)
        if max(points.values()) >= rules.score_definite_ssc:
            enough_low, enough_high = max(enough_low, least), max(enough_high, most)
        else:
            low, high = low + least, high + most
        if reply:
            known.append(f"{item} {reply} ({least})")
        else:
            unknown.append(item)
    if enough_low:
        return Score(enough_low, enough_low, tuple(known), tuple(unknown))
    return Score(low, max(high, enough_high), tuple(known), tuple(unknown))


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
    evidence = score_words(case.person["ssc_established"], against, _value(total), needed, total.known)
    if (reply is True and against) or (reply is not None and by_score is not None and reply != by_score):
        asks = [case.ask(column, Need.CORRECT) for column in ("ssc_established", *against)]
        return Answer(None, value, evidence, tuple(asks)).flagged(Flag(FlagKind.ITEMS_CONTRADICT_WORD))
    truth = reply if reply is not None else by_score
    missing = ("ssc_established", *(() if against else total.unknown))
    return Answer(truth, value, evidence).settled_by(*map(case.ask, missing))


def _value(total: Score) -> str:
    return str(total.low) if total.low == total.high else f"{total.low}-{total.high}"
