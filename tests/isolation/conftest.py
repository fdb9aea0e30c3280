"""How processes start, end and are watched is what is tested here: none is kept from another test."""

from __future__ import annotations

import pytest
from kept_processes import KeptProcesses


@pytest.fixture(autouse=True)
def _own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    KeptProcesses.leave_alone(monkeypatch)
