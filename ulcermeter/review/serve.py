"""Serving the page until it is stopped."""

from __future__ import annotations

import gc
import secrets
import socket
from collections.abc import Callable

from ulcermeter.errors import Problem, UlcermeterError
from ulcermeter.review.server import make_app, need_server
from ulcermeter.review.session import Session

__all__ = ["keep_out_of_collections", "local_socket", "serve"]


def serve(
    session: Session, *, port: int = 0, opened: Callable[[str], None], after_save: Callable[[], None] = lambda: None
) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C or SIGTERM.

    Parameters
    ----------
    session : Session
    port : int
        0 for any free one.
    opened : callable
        Called with the page's address once it answers.
    after_save : callable, optional
        Called when a reading is in the log.

    Raises
    ------
    MissingDependencyError
        Without the extra ``review``.
    UlcermeterError
        The port is taken.
    """
    need_server()
    import uvicorn

    keep_out_of_collections()
    token = secrets.token_urlsafe(24)
    door = local_socket(port)
    app = make_app(session, token, after_save=after_save)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    opened(f"http://127.0.0.1:{door.getsockname()[1]}/{token}/")
    with door:
        server.run(sockets=[door])


def keep_out_of_collections() -> None:
    """Have Python's collector look no more at what was loaded before: that took 70 ms in the middle of an edit."""
    gc.collect()
    gc.freeze()


def local_socket(port: int = 0) -> socket.socket:
    """Return a socket that listens on 127.0.0.1.

    Parameters
    ----------
    port : int
        0 for any free one.

    Returns
    -------
    socket

    Raises
    ------
    UlcermeterError
        The port is taken.
    """
    # Named as TCP, or asyncio leaves Nagle on and every answer waits 40 ms for the browser to confirm its head.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", port))
        door.listen(64)
    except OSError as error:
        door.close()
        raise UlcermeterError(
            Problem(where=f"--port {port}", expected="a free port", got=str(error.strerror), action="leave --port away")
        ) from error
    return door
