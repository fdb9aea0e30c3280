"""What the tests of the page share: the page served in a thread, and waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ulcermeter.readings import Entry, ReadingLog
from ulcermeter.review.session import Session

TOKEN = "token"


def entries(root: Path) -> list[Entry]:
    return ReadingLog(root).entries()


@contextmanager
def served(session: Session) -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="the extra review is not installed")
    from ulcermeter.review.serve import local_socket
    from ulcermeter.review.server import make_app

    door = local_socket(0)
    config = uvicorn.Config(make_app(session, TOKEN), log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}/{TOKEN}/"
    finally:
        server.should_exit = True
        thread.join(5)
        door.close()


def saved(page: Any, count: int) -> None:
    """Wait until so many readings were sent since the page was opened."""
    page.wait_for_selector(f'body[data-saved="{count}"]')
