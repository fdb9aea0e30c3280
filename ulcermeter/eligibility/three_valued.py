"""Three-valued logic (Kleene 1952): True, False, and None for *not known*; dates compared as intervals."""

from __future__ import annotations

from ulcermeter.tables.dates import DateInterval

__all__ = ["Truth", "after", "all_of", "any_of", "negate", "not_after", "yes_no"]

Truth = bool | None


def negate(truth: Truth) -> Truth:
    """Not: unknown stays unknown.

    Parameters
    ----------
    truth : Truth
        True, False, or None for not known.

    Returns
    -------
    Truth
    """
    return None if truth is None else not truth


def all_of(*truths: Truth) -> Truth:
    """And: one False decides, else one unknown leaves it open; True for none.

    Parameters
    ----------
    *truths : bool or None
        None = not known.

    Returns
    -------
    bool or None
    """
    if any(truth is False for truth in truths):
        return False
    return None if any(truth is None for truth in truths) else True


def any_of(*truths: Truth) -> Truth:
    """Or: one True decides, else one unknown leaves it open; False for none.

    Parameters
    ----------
    *truths : bool or None
        None = not known.

    Returns
    -------
    bool or None
    """
    if any(truth is True for truth in truths):
        return True
    return None if any(truth is None for truth in truths) else False


def yes_no(reply: str) -> Truth:
    """Return a yes/no cell's truth; the empty cell is not known.

    Parameters
    ----------
    reply : str
        A cell of yes, no or nothing.

    Returns
    -------
    Truth
    """
    return {"yes": True, "no": False}.get(reply)


def not_after(first: DateInterval | None, second: DateInterval | None) -> Truth:
    """Is `first` on or before `second`, whichever days the two can mean; unknown where they straddle.

    Parameters
    ----------
    first : DateInterval or None
        The first date, as an interval; None when it is not known.
    second : DateInterval or None
        The second date, as an interval; None when it is not known.

    Returns
    -------
    Truth
    """
    if first is None or second is None:
        return None
    if first.high <= second.low:
        return True
    return False if first.low > second.high else None


def after(first: DateInterval | None, second: DateInterval | None) -> Truth:
    """Is `first` later than `second`.

    Parameters
    ----------
    first : DateInterval or None
        The first date, as an interval; None when it is not known.
    second : DateInterval or None
        The second date, as an interval; None when it is not known.

    Returns
    -------
    Truth
    """
    return negate(not_after(first, second))
