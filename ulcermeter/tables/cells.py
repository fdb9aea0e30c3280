"""What single cells of the tables say, whichever table they stand in."""

from __future__ import annotations

from typing import Any

__all__ = ["PASSED", "not_known"]

PASSED = ("measured", "no ulcer")
"""A photo's `status` where it was seen well enough to tell what it shows; otherwise it was refused or failed."""


def not_known(cell: Any) -> bool:
    """Say whether a text or count is not known: pandas hands a missing count out as NA, or as None in records."""
    return str(cell) in ("", "None", "<NA>", "nan")
