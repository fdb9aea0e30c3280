"""The columns of outcomes that are named after the protocol's visits."""

from __future__ import annotations

from ulcermeter.protocol import Protocol, Visit
from ulcermeter.tables import columns

__all__ = [
    "active_column",
    "active_visits",
    "followed_visits",
    "healed_column",
    "outcome_columns",
    "primary_visit",
    "reduction_column",
    "worsened_column",
    "worsened_confirmed_column",
    "worsened_or_new_column",
]

_COUNTED_PHASES = ("baseline", "follow-up")


def followed_visits(protocol: Protocol) -> list[Visit]:
    """Return the follow-up visits that have a day, in the order of the trial.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Visit]
    """
    return [visit for visit in protocol.visits if visit.phase == "follow-up" and visit.day is not None]


def active_visits(protocol: Protocol) -> list[Visit]:
    """Return the visits whose active ulcers are counted: from baseline on, those with a day.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    list[Visit]
    """
    return [visit for visit in protocol.visits if visit.phase in _COUNTED_PHASES and visit.day is not None]


def primary_visit(protocol: Protocol) -> Visit:
    """Return the visit up to which worsening counts.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    Visit
    """
    return protocol.visit(protocol.outcomes.primary_visit)


def reduction_column(visit: Visit) -> str:
    """Return the name of the column of area reduction at a visit.

    Parameters
    ----------
    visit : Visit
        A visit of the protocol.

    Returns
    -------
    str
    """
    return f"area_reduction_{visit.column}_pct"


def healed_column(visit: Visit) -> str:
    """Return the name of the column of healing by a visit.

    Parameters
    ----------
    visit : Visit
        A visit of the protocol.

    Returns
    -------
    str
    """
    return f"healed_by_{visit.column}"


def active_column(visit: Visit) -> str:
    """Return the name of the column of active ulcers at a visit; the baseline's is one of the table's own.

    Parameters
    ----------
    visit : Visit
        A visit of the protocol.

    Returns
    -------
    str
    """
    return "n_active_baseline" if visit.phase == "baseline" else f"n_active_{visit.column}"


def worsened_column(protocol: Protocol) -> str:
    """Return the name of the column of worsening by the primary visit.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    str
    """
    return f"worsened_by_{primary_visit(protocol).column}"


def worsened_confirmed_column(protocol: Protocol) -> str:
    """Return the name of the column of worsening by the primary visit that was seen again.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    str
    """
    return f"worsened_confirmed_by_{primary_visit(protocol).column}"


def worsened_or_new_column(protocol: Protocol) -> str:
    """Return the name of the column of any ulcer worse or new by the primary visit.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    str
    """
    return f"worsened_or_new_by_{primary_visit(protocol).column}"


def outcome_columns(protocol: Protocol) -> dict[str, list[str]]:
    """Return the columns that the protocol's visits add to each outcome table, in the order of the visits.

    ``outcomes`` gets area_reduction_VISIT_pct, 100 (A0 - At) / A0 in %, and healed_by_VISIT for each follow-up visit
    with a day, and worsening by the primary visit; ``outcomes_by_subject`` gets n_active_VISIT, ulcers seen open, for
    each visit after baseline, and worse or new by the primary visit.

    Parameters
    ----------
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    dict[str, list[str]]
    """
    visits = followed_visits(protocol)
    counted = [active_column(visit) for visit in active_visits(protocol)]
    return {
        "outcomes": [
            *map(reduction_column, visits),
            *map(healed_column, visits),
            worsened_column(protocol),
            worsened_confirmed_column(protocol),
        ],
        "outcomes_by_subject": [
            *(name for name in counted if name not in columns("outcomes_by_subject")),
            worsened_or_new_column(protocol),
        ],
    }
