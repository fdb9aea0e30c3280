"""How processes start, end and are watched is what is tested here: none is kept from another test."""

from __future__ import annotations

import signal

import pytest
from kept_processes import KeptProcesses


@pytest.fixture(autouse=True)
def _own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    KeptProcesses.leave_alone(monkeypatch)


@pytest.fixture(autouse=True, scope="session")
def _stops_at_sigint() -> None:
    """Undo what a shell does to what it starts in the background: that SIGINT is ignored passes on from here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
