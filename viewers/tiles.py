"""Tiles at Deep Zoom addresses, as bare ASGI: who, may they, log, one pread, answer.

`/slides/{id}_files/{level}/{column}_{row}.jpeg`; Deep Zoom counts levels up from 1x1 pixel.
Stored bytes go out as they are; at the right and bottom edge they are padded to full tiles.
"""

from __future__ import annotations

import asyncio
import logging
import re

import google_crc32c
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from processing.tiles import Tiles, pyramid_level
from storage.errors import NotFound, SvartidError, Transient
from storage.records.people import Principal, Right, allowed
from storage.tiles import OpenPyramid
from viewers.audit import Audit
from viewers.headers import RAW

_LOG = logging.getLogger("svartid.web")
RIGHT = Right.READ_SLIDES
_ADDRESS = re.compile(r"/slides/([0-9a-f]{20})_files/(\d{1,2})/(\d{1,7})_(\d{1,7})\.jpe?g")
_METHODS = frozenset({"GET", "HEAD"})
_CACHING = (b"cache-control", b"private, max-age=31536000, immutable")


class TileApp:
    """Answers tile addresses and hands everything else on."""

    def __init__(self, app: ASGIApp, tiles: Tiles, audit: Audit) -> None:
        self._app, self._tiles, self._audit = app, tiles, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or "_files/" not in path:
            await self._app(scope, receive, send)
            return
        principal: Principal | None = scope["state"]["principal"]
        match = _ADDRESS.fullmatch(path)
        if principal is None or not allowed(principal, RIGHT):
            await _refuse(send, 401 if principal is None else 403, b"no_access")
        elif match is None:
            await _refuse(send, 404, b"not_found")
        elif scope["method"] not in _METHODS:
            await _refuse(send, 405, b"method_not_allowed")
        else:
            await self._answer(scope, send, principal, match)

    async def _answer(
        self, scope: Scope, send: Send, principal: Principal, match: re.Match[str]
    ) -> None:
        slide_id = match[1]
        try:
            pyramid = self._tiles.pyramid(slide_id)
            level = pyramid_level(pyramid.record.plan.size, int(match[2]))
            tile = self._bytes(pyramid, level, int(match[3]), int(match[4]))
            if self._audit.is_fresh(principal, "view", slide_id):
                data = await tile
            else:  # the tile is read while the line is written, and goes out after it
                line = run_in_threadpool(self._audit.log, principal, "view", slide_id)
                _, data = await asyncio.gather(line, tile)
        except NotFound:
            await _refuse(send, 404, b"not_found")
        except Transient as error:
            await _refuse(send, 503, error.code.encode())
        except SvartidError as error:
            _LOG.error("tile of slide %s: %s", slide_id, error)
            await _refuse(send, 500, error.code.encode())
        except Exception:
            _LOG.exception("tile of slide %s", slide_id)
            await _refuse(send, 500, b"internal")
        else:
            await _send_tile(scope, send, data)

    async def _bytes(self, pyramid: OpenPyramid, level: int, column: int, row: int) -> bytes:
        plan = pyramid.record.plan
        if level < len(plan.levels):
            grid = plan.levels[level].size.in_tiles(plan.tile_edge)
            if column < grid.width and row < grid.height:
                data = self._tiles.stored(pyramid, level, column, row)
                if data is not None:
                    return data
        return await run_in_threadpool(self._tiles.shown, pyramid, level, column, row)


async def _send_tile(scope: Scope, send: Send, data: bytes) -> None:
    etag = b'"%08x-%x"' % (google_crc32c.value(data), len(data))
    headers = [(b"etag", etag), _CACHING, *RAW]
    if any(name == b"if-none-match" and etag in value for name, value in scope["headers"]):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    headers += [(b"content-type", b"image/jpeg"), (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else data
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, status: int, code: bytes) -> None:
    body = b'{"error":"%s"}' % code
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *RAW,
    ]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
