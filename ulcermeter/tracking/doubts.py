"""What is flagged of a link that is not clear: whose an outline may be, and which of them a reader is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ulcermeter.protocol import Protocol
from ulcermeter.tables.flags import Flag, FlagKind
from ulcermeter.tracking.posterior import Identified, Link
from ulcermeter.tracking.reading import Finger

__all__ = ["Doubts", "is_clear"]

# Of an outline whose ulcer is asked for, one that it is less probably than this is not in question [assumption].
_IMPROBABLE = 0.04


def is_clear(probability: float, protocol: Protocol) -> bool:
    """Say whether something is so probable that it is decided on: ``identity_odds`` to 1 and more.

    Parameters
    ----------
    probability : float
        0..1.
    protocol : Protocol

    Returns
    -------
    bool
    """
    odds = protocol.identity.identity_odds
    return probability * (1 + odds) >= odds


@dataclass(frozen=True)
class Doubts:
    """What is unclear in how a finger's outlines got their ulcers, whose ids are ``names``."""

    finger: Finger
    identified: Identified
    names: Mapping[int, str]
    protocol: Protocol

    def of_links(self, links: Sequence[Link]) -> list[Flag]:
        """Return the flags on how the outlines of a visit got their identity."""
        flags = []
        for link in links:
            if self._is_asked(link):
                flags.append(self._ambiguous(link))
            elif not (self._is_clear(link.right) and self._is_clear(link.probability)):
                on = self.finger.occasions[link.hangs_on]
                probability = round(min(link.right, link.probability), 4)
                flags.append(
                    Flag(FlagKind.HANGS_ON_UNCLEAR_LINK, visit=on.visit, date=on.date, probability=probability)
                )
            elif link.is_assumed:
                flags.append(Flag(FlagKind.IDENTITY_ASSUMED))
        return flags

    def may_be(self, number: int, ulcer_id: str) -> Flag | None:
        """Return the flag of an ulcer without an outline, where one of the visit's outlines may be its own.

        While it is asked whose an outline is, no ulcer is called healed that it may be, if improbably.
        """
        ulcer = next(k for k, name in self.names.items() if name == ulcer_id)
        maybe = self.identified.maybe.get((number, ulcer))
        if maybe is None:
            return None
        asked = any(
            link.observation is maybe.observation and self._is_asked(link)
            for link in self.identified.links
            if link.visit == number
        )
        if self._is_clear(1 - maybe.probability) and not (asked and maybe.probability > _IMPROBABLE):
            return None
        photos = tuple(sorted(maybe.observation.photos))
        return Flag(FlagKind.OUTLINE_MAY_BE_THIS, photos=photos, probability=round(maybe.probability, 4))

    def _is_clear(self, probability: float) -> bool:
        return is_clear(probability, self.protocol)

    def _is_asked(self, link: Link) -> bool:
        """Say whether it is this outline of which the reader is asked whose it is.

        Its own id is unclear, and so is its link; or it is next to the least clear link on which it hangs. A link to
        earlier outlines whose ids are unclear themselves is asked of those.
        """
        linked = self._is_clear(link.probability)
        if self._is_clear(link.right):
            return not linked and self._is_clear(link.least_before)
        return not linked or link.is_next

    def _ambiguous(self, link: Link) -> Flag:
        near = sorted(link.rivals, key=lambda k: (-link.rivals[k], k))
        rivals = tuple(self.names[k] for k in near if not self._is_clear(1 - link.rivals[k]))
        kind = FlagKind.AMBIGUOUS_BETWEEN_PHOTOS if link.same_visit else FlagKind.AMBIGUOUS_IDENTITY
        return Flag(kind, ulcers=tuple(sorted(rivals)), probability=round(min(link.probability, link.right), 4))
