"""An ulcer through time, as far as tracking has read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ulcermeter.tracking.observation import Observation

__all__ = ["Lineage", "observed_again"]


@dataclass(frozen=True)
class Lineage:
    """One ulcer identity.

    Attributes
    ----------
    ulcer_id : str
    observation : Observation
        Where it was last outlined; a view it was not outlined on since keeps its older place.
    status : {'', 'open', 'healed', 'merged'}
        The last definite one; '' while every observation was unsure.
    host : str
        The ulcer it merged into.
    beside : frozenset of str
        The clinic's numbers of *other* ulcers whose photos showed this one: such photos have it in view.
    """

    ulcer_id: str
    observation: Observation
    status: str = ""
    host: str = ""
    beside: frozenset[str] = frozenset()

    @property
    def number(self) -> str:
        """The clinic's number, '' when not known."""
        return self.observation.number


def observed_again(lineage: Lineage, now: Observation, status: str) -> Lineage:
    """Return the lineage with its newest observation.

    Parameters
    ----------
    lineage : Lineage
        The ulcer as known up to the occasion.
    now : Observation
        The newest observation.
    status : str
        The new definite status; empty keeps the old one.

    Returns
    -------
    Lineage
    """
    before = lineage.observation
    latest = replace(
        now,
        places={**before.places, **now.places},
        views=before.views | now.views,
        sites=before.sites | now.sites,
        number=now.number or before.number,
    )
    return replace(lineage, observation=latest, status=status or lineage.status, host="")
