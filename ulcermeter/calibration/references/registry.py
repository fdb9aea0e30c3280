"""The kinds of references that are looked for on a photo, each by a file of its own; `calibrate` knows no other."""

from __future__ import annotations

from ulcermeter.calibration.references.aruco import ARUCO
from ulcermeter.calibration.references.bank_card import ID1
from ulcermeter.calibration.references.disc import DISC
from ulcermeter.calibration.references.printed_card import CARD
from ulcermeter.calibration.references.reference import KindOfReference
from ulcermeter.calibration.references.ruler import RULER
from ulcermeter.reference import ReferenceKind

__all__ = ["REFERENCES"]

REFERENCES: dict[ReferenceKind, KindOfReference] = {
    ReferenceKind.CARD: CARD,
    ReferenceKind.ARUCO: ARUCO,
    ReferenceKind.DISC: DISC,
    ReferenceKind.ID1: ID1,
    ReferenceKind.RULER: RULER,
}
