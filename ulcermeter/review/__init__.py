"""The reader's page: served on this machine alone, read with keyboard, mouse or pen."""

from __future__ import annotations

from ulcermeter.review.opening import open_session
from ulcermeter.review.reading_list import LIST_FILE, make_list, read_list, write_list
from ulcermeter.review.serve import serve
from ulcermeter.review.server import need_server
from ulcermeter.review.session import Session
from ulcermeter.review.tables_after import TablesAfter

__all__ = [
    "LIST_FILE",
    "Session",
    "TablesAfter",
    "make_list",
    "need_server",
    "open_session",
    "read_list",
    "serve",
    "write_list",
]
