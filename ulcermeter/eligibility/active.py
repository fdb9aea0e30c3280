"""Active digital ulcer (size, pain, depth, dermis) and calcinosis: one ulcer at a time."""

from __future__ import annotations

from collections.abc import Sequence

from ulcermeter.eligibility.answers import Answer, conjunction
from ulcermeter.eligibility.asking import ask_of_ulcer
from ulcermeter.eligibility.case import Case, Row
from ulcermeter.eligibility.linkage import Ulcer
from ulcermeter.eligibility.size import size_of, still_active
from ulcermeter.eligibility.three_valued import yes_no
from ulcermeter.eligibility.timing import Dated, Horizon, agreed, dated, last_ones, too_late, too_old
from ulcermeter.tables.cells import not_known
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.wording import no_xray_words, sign_words, too_old_words, xray_words

__all__ = ["active", "calcinosis"]

_SIGNS = {"painful": "painful", "visible_depth": "visible depth", "loss_of_dermis": "loss of dermis"}
_ASSESSMENT = (*_SIGNS, "diameter_mm_bedside", "assessed_on")
_XRAY = ("calcinosis_on_xray", "xray_date")


def active(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the ulcer is active: over the threshold on the last passing photo, painful, deep, dermis lost.

    The photo can never answer pain, depth or dermis; those come from the clinic's last examination up to inclusion,
    if that is not too old.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    Answer
    """
    assessments = [one for one in _rows(ulcer, _ASSESSMENT, "assessed_on") if not _only_xray(one.row)]
    horizon = case.assessment_horizon
    size = size_of(case, ulcer, assessments)
    signs = [_sign(case, ulcer, assessments, column) for column in _SIGNS]
    old = [one for column in _SIGNS for one in too_old(assessments, column, horizon)]
    answer = conjunction([size, *signs], size.value)
    answer = answer.flagged(_too_late("look", too_late(assessments, horizon), case, "assessed_on"))
    answer = answer.flagged(_too_old("look", old, case, horizon)).flagged(_linkage_flag(ulcer))
    return answer.noting(still_active(case, ulcer))


def calcinosis(case: Case, ulcer: Ulcer) -> Answer:
    """Say whether the last X-ray up to inclusion shows calcinosis under the ulcer; no X-ray is not assessable.

    Parameters
    ----------
    case : Case
        One subject's rows of every table, and the day up to which evidence counts.
    ulcer : Ulcer
        One ulcer of the subject, as the photos and the clinic's tables know it.

    Returns
    -------
    Answer
    """
    xrays, horizon = _rows(ulcer, _XRAY, "xray_date"), case.xray_horizon
    flag = _too_late("X-ray", too_late(xrays, horizon), case, "xray_date")
    source = agreed(xrays, "calcinosis_on_xray", horizon)
    if source is not None:
        reply = str(source.row["calcinosis_on_xray"])
        return Answer(yes_no(reply), reply, xray_words(reply, source.when)).flagged(flag)
    words = no_xray_words(case.cutoff_text, any_row=bool(last_ones(xrays, horizon)))
    asks = ask_of_ulcer(case, ulcer, xrays, "calcinosis_on_xray", "xray_date", horizon=horizon)
    old = too_old(xrays, "calcinosis_on_xray", horizon)
    answer = Answer(None, "", words, asks).flagged(flag).flagged(_too_old("X-ray", old, case, horizon))
    for one in old:
        answer = answer.noting(_old_words("calcinosis on the X-ray", one, "calcinosis_on_xray", horizon))
    return answer.flagged(_linkage_flag(ulcer))


def _too_late(what: str, late: Sequence[Dated], case: Case, column: str) -> Flag | None:
    if not late or case.cutoff is None:
        return None
    days = tuple(one.row[column] for one in late)
    return Flag(FlagKind.NOT_USED_TOO_LATE, what=what, others=days, visit=case.cutoff_name, date=case.cutoff.text)


def _too_old(what: str, old: Sequence[Dated], case: Case, horizon: Horizon) -> Flag | None:
    days = tuple(dict.fromkeys(one.when.text for one in old if one.when and horizon.fresh(one.when) is False))
    if not days or case.cutoff is None:
        return None
    return Flag(
        FlagKind.NOT_USED_TOO_OLD,
        what=what, others=days, visit=case.cutoff_name, date=case.cutoff.text, days=horizon.most_days,
    )  # fmt: skip


def _old_words(what: str, one: Dated, column: str, horizon: Horizon) -> str:
    if one.when is None:
        return ""
    return too_old_words(what, one.row[column], one.when, horizon.cutoff, horizon.most_days)


def _rows(ulcer: Ulcer, speaks: Sequence[str], date: str) -> list[Dated]:
    """Rows of ulcers.csv that are such an examination at all."""
    return dated([(row, sure) for row, sure in ulcer.assessments if not all(not_known(row[c]) for c in speaks)], date)


def _only_xray(row: Row) -> bool:
    """Say whether a row tells of the X-ray alone: it is no later look that found the signs no longer known."""
    return not not_known(row["calcinosis_on_xray"]) and all(not_known(row[c]) for c in (*_SIGNS, "diameter_mm_bedside"))


def _linkage_flag(ulcer: Ulcer) -> Flag | None:
    if ulcer.missing_photos:
        return Flag(FlagKind.NOT_ON_PHOTOS, photos=tuple(ulcer.missing_photos))
    if ulcer.counted is not None:
        return Flag(FlagKind.CLINIC_COUNTS_MORE, number=str(ulcer.counted.count), date=ulcer.counted.when.text)
    if not ulcer.ulcer_id:
        return Flag(FlagKind.TIED_TO_NONE)
    return Flag(FlagKind.ROWS_AMBIGUOUS) if ulcer.ambiguous_rows else None


def _sign(case: Case, ulcer: Ulcer, assessments: Sequence[Dated], column: str) -> Answer:
    horizon, sign = case.assessment_horizon, _SIGNS[column]
    source = agreed(assessments, column, horizon)
    if source is not None:
        reply = str(source.row[column])
        return Answer(yes_no(reply), reply, sign_words(sign, reply, source.when, case.cutoff_text))
    asks = ask_of_ulcer(case, ulcer, assessments, column, "assessed_on", horizon=horizon)
    answer = Answer(None, "", sign_words(sign, "", None, case.cutoff_text), asks)
    for one in too_old(assessments, column, horizon):
        answer = answer.noting(_old_words(sign, one, column, horizon))
    return answer
