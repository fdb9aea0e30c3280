"""An allocation, checked: every subject in one arm and stratum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ulcermeter.errors import Problem, TableError
from ulcermeter.tables import conform

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Allocation", "allocated"]


@dataclass(frozen=True)
class Allocation:
    """Who got what: arm and stratum by subject, of everybody randomised."""

    arms: dict[str, str]
    strata: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The arms by name; the last is the one that others are held against."""
        return sorted(set(self.arms.values()))

    def within(self, stratum: str) -> Allocation:
        """Return the same of one stratum's subjects."""
        own = {subject for subject, name in self.strata.items() if name == stratum}
        return Allocation({s: arm for s, arm in self.arms.items() if s in own}, dict.fromkeys(own, stratum))

    def lacking(self, subjects: Iterable[str]) -> frozenset[str]:
        """Return the arms that have a subject who is none of these."""
        known = set(subjects)
        return frozenset(arm for subject, arm in self.arms.items() if subject not in known)


def allocated(allocation: pd.DataFrame, subjects: Iterable[str]) -> Allocation:
    """Read an allocation and hold it against the subjects that there are results of.

    Parameters
    ----------
    allocation : DataFrame
        Table ``study/allocation``: subject_id, arm and perhaps stratum.
    subjects : iterable of str
        Those with results; the allocation may have more.

    Returns
    -------
    Allocation

    Raises
    ------
    TableError
        A subject without an arm or with two, or fewer than two arms; all faults at once.
    """
    table, where = conform("study/allocation", allocation, extra=True), "allocation.csv"
    pairs = table[["subject_id", "arm", "stratum"]].drop_duplicates()
    twice = sorted(set(pairs.loc[pairs["subject_id"].duplicated(), "subject_id"]))
    faults = [Problem("two", f"one arm and stratum for {subject}", "correct it", where) for subject in twice]
    arms = dict(zip(pairs["subject_id"], pairs["arm"], strict=True))
    without = sorted(set(subjects) - set(arms))
    faults += [Problem("none", f"an arm for {subject}", "add its row", where) for subject in without]
    names = sorted(set(arms.values()))
    if len(names) < 2:
        faults.append(Problem(", ".join(names) or "none", "two arms or more", "name them", where))
    if faults:
        raise TableError(faults)
    return Allocation(arms, dict(zip(pairs["subject_id"], pairs["stratum"], strict=True)))
