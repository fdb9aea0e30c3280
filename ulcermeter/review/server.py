"""The page's server: on 127.0.0.1 alone, behind a token in its address, and nothing is asked of the network."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from ulcermeter.errors import MissingDependencyError, PhotoError, Problem, UlcermeterError
from ulcermeter.review.history import REDO, UNDO
from ulcermeter.review.items import Item
from ulcermeter.review.payload import (
    item_in_list,
    photo_payload,
    place_payload,
    reading_payload,
    values_in_short,
    work_list,
)
from ulcermeter.review.sent import numbers_sent, points_sent, prompt_sent
from ulcermeter.review.session import ReadElsewhere, Session
from ulcermeter.review.shapes import cut_outline, find_outline, join_outlines

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["make_app", "need_server"]

# Of a request: the outlines of a photo, vertex by vertex, take a tenth of it.
_MOST_BYTES = 8_000_000
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def need_server() -> None:
    """See that the extra's packages are there.

    Raises
    ------
    MissingDependencyError
        They are not.
    """
    try:
        import shapely  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            Problem(
                where="review",
                expected="the packages that serve the page",
                got=f"none named {error.name}",
                action="install ulcermeter[review]",
            )
        ) from error


def make_app(session: Session, token: str, *, after_save: Callable[[], None] = lambda: None) -> Starlette:
    """Return the application; every address begins with the token.

    Parameters
    ----------
    session : Session
    token : str
        Random; whoever does not know it gets nothing.
    after_save : callable, optional
        Called when a reading is in the log.

    Returns
    -------
    Starlette
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Route

    handlers = _Handlers(session, after_save)
    routes = [
        Route(f"/{token}/", handlers.page),
        Route(f"/{token}/static/{{name}}", handlers.static),
        Route(f"/{token}/api/list", handlers.list),
        Route(f"/{token}/api/photo/{{id}}", handlers.photo),
        Route(f"/{token}/api/image/{{id}}", handlers.image),
        Route(f"/{token}/api/place/{{id}}", handlers.place),
        Route(f"/{token}/api/measure/{{id}}", handlers.measure, methods=["POST"]),
        Route(f"/{token}/api/reading/{{id}}", handlers.save, methods=["POST"]),
        Route(f"/{token}/api/turn/{{id}}", handlers.turn, methods=["POST"]),
        Route(f"/{token}/api/find/{{id}}", handlers.find, methods=["POST"]),
        Route(f"/{token}/api/shape/{{id}}", handlers.shape, methods=["POST"]),
    ]
    # Another page's scripts may send here under a name of their own that leads to 127.0.0.1.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return Starlette(routes=routes, middleware=[hosts])


class _Handlers:
    """What each address answers; work is done in threads, so that a slow photo holds up no other answer."""

    def __init__(self, session: Session, after_save: Callable[[], None]) -> None:
        self.session, self.after_save = session, after_save
        self.numbers = {item.id: number for number, item in enumerate(session.items, start=1)}
        self.names = {path.name for path in (resources.files("ulcermeter.review") / "page").iterdir()}

    async def page(self, request: Request) -> Response:
        return self._file("index.html")

    async def static(self, request: Request) -> Response:
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> Response:
        from starlette.responses import Response

        if name not in self.names:
            return Response(status_code=404, headers=_HEADERS)
        content = (resources.files("ulcermeter.review") / "page" / name).read_bytes()
        kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "text/plain"
        return Response(content, media_type=kind, headers=_HEADERS)

    async def list(self, request: Request) -> Response:
        return await self._answer(lambda: work_list(self.session))

    async def photo(self, request: Request) -> Response:
        return await self._answer(lambda: photo_payload(self.session, self._item(request)))

    async def image(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response

        def encode() -> bytes:
            item, crop = self._item(request), None
            if "crop" in request.query_params:
                crop = numbers_sent(request.query_params["crop"].split(","), 4)
            if not item.sha256:
                raise PhotoError(Problem("this photo cannot be read", action="copy it from the camera again"))
            return self.session.pictures.jpeg(self.session.photos / item.place[0], item.sha256, crop)

        try:
            return Response(await run_in_threadpool(encode), media_type="image/jpeg", headers=_HEADERS)
        except UlcermeterError as error:
            return self._refused(error)
        except (ValueError, KeyError):
            return Response(status_code=404, headers=_HEADERS)

    async def place(self, request: Request) -> Response:
        def work() -> dict[str, Any]:
            s, t = numbers_sent([request.query_params[name] for name in ("s", "t")], 2)
            return place_payload(self.session, self._item(request), (s, t))

        return await self._answer(work)

    async def measure(self, request: Request) -> Response:
        given = await self._given(request)

        def work() -> dict[str, Any]:
            row = self.session.measure(self._item(request), points_sent(given["outline_px"]))
            return values_in_short(row, row["line_px"])

        return await self._answer(work)

    async def save(self, request: Request) -> Response:
        given = await self._given(request)

        def work() -> dict[str, Any]:
            item, action = self._item(request), str(given["action"])[:40]
            if action in (UNDO, REDO):
                raise ValueError("that is asked for by name alone")
            why = str(given.get("why", ""))[:500]
            self.session.save(item, given["state"], action=action, why=why, follows=int(given["follows"]))
            return self._saved(item)

        return await self._answer(work)

    async def turn(self, request: Request) -> Response:
        given = await self._given(request)

        def work() -> dict[str, Any]:
            item = self._item(request)
            self.session.turn(item, {UNDO: UNDO, REDO: REDO}[given["action"]], follows=int(given["follows"]))
            return self._saved(item)

        return await self._answer(work)

    def _saved(self, item: Item) -> dict[str, Any]:
        """Return what the page shows anew after an entry of the log."""
        self.after_save()
        line = item_in_list(self.session, item, self.numbers[item.id])
        return {"item": line, **reading_payload(self.session, item)}

    async def find(self, request: Request) -> Response:
        given = await self._given(request)

        def work() -> dict[str, Any]:
            item = self._item(request)
            geometry = self.session.geometry(item)
            if geometry is None:
                raise PhotoError(Problem("nothing can be measured on this photo", action="take it again"))
            photo = self.session.pictures.photo(self.session.photos / item.place[0], item.sha256)
            calibration, protocol = geometry.calibration, self.session.protocol
            prompt = prompt_sent(given, calibration.shape)
            found = find_outline(photo, calibration, protocol=protocol, model=self.session.model, **prompt)
            return {"outlines_px": [outline.tolist() for outline in found]}

        return await self._answer(work)

    async def shape(self, request: Request) -> Response:
        given = await self._given(request)

        def work() -> dict[str, Any]:
            self._item(request)
            outlines = [points_sent(one) for one in given["outlines_px"]]
            if not 1 <= len(outlines) <= 50 or min(map(len, outlines)) < 3:
                raise ValueError("no outlines")
            if "line" in given:
                line = points_sent(given["line"])
                if len(line) < 2:
                    raise ValueError("no line")
                parts = cut_outline(outlines[0], line)
            else:
                parts = [join_outlines(outlines)]
            return {"outlines_px": [part.tolist() for part in parts]}

        return await self._answer(work)

    def _item(self, request: Request) -> Item:
        return self.session.by_id[request.path_params["id"]]

    async def _given(self, request: Request) -> dict[str, Any]:
        """Return what was sent as JSON by the page itself; a form or script of another page is not listened to."""
        own = f"{request.url.scheme}://{request.url.netloc}"
        if request.headers.get("content-type", "") != "application/json" or request.headers.get("origin", own) != own:
            return {}
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                return {}
        try:
            given = json.loads(body)
        except ValueError:
            return {}
        return given if isinstance(given, dict) else {}

    async def _answer(self, work: Callable[[], dict[str, Any]]) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        call: Callable[[Callable[[], dict[str, Any]]], Awaitable[dict[str, Any]]] = run_in_threadpool
        try:
            return JSONResponse(_plain(await call(work)), headers=_HEADERS)
        except (KeyError, ValueError, TypeError):
            body = {"error": "the page sent what this program does not understand: load the page again"}
            return JSONResponse(body, status_code=400, headers=_HEADERS)
        except UlcermeterError as error:
            return self._refused(error)

    def _refused(self, error: UlcermeterError) -> Response:
        from starlette.responses import JSONResponse

        # A problem's place is a file's name.
        where_left_out = "; ".join(str(replace(one, where="")) for one in error.problems)
        body = {"error": where_left_out if self.session.mode.blinded else str(error)}
        status = 409 if isinstance(error, ReadElsewhere) else 422
        return JSONResponse(body, status_code=status, headers=_HEADERS)


def _plain(value: Any) -> Any:
    """Return numpy's numbers as JSON has them, and None for what is no number."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
