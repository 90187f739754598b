"""Tiles at Deep Zoom addresses, as bare ASGI: who, may they, log, one pread, answer.

`/slides/{id}_files/{level}/{column}_{row}.jpeg`; Deep Zoom counts levels up from 1x1 pixel.
Stored bytes go out as they are; at the right and bottom edge they are padded to full tiles.
Channels are rendered, by the slide's own windows or by those of `?channels=` (see docs/api.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re

from google_crc32c import value as crc32c
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from processing.rendering import VERSION
from processing.tiles import Tiles, pyramid_level
from storage.errors import Malformed, NotFound, SvartidError, Transient
from storage.exchange.channel_choice import choice_in_query, write_choice
from storage.records.channels import default_choice
from storage.records.people import Principal, Right, allowed
from storage.tiles import OpenPyramid
from viewers.access import Forbidden
from viewers.desk import Desk
from viewers.headers import RAW

_LOG = logging.getLogger("svartid.web")
RIGHT = Right.READ_SLIDES
_ADDRESS = re.compile(r"/slides/([0-9a-f]{20})_files/(\d{1,2})/(\d{1,7})_(\d{1,7})\.jpe?g")
_METHODS = frozenset({"GET", "HEAD"})
_CACHING = (b"cache-control", b"private, max-age=31536000, immutable")


class TileApp:
    """Answers tile addresses and hands everything else on."""

    def __init__(self, app: ASGIApp, tiles: Tiles, desk: Desk) -> None:
        self._app, self._tiles, self._desk = app, tiles, desk

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
            place = level, int(match[3]), int(match[4])
            if pyramid.record.plan.channels is not None:
                if not self._desk.is_open(principal, RIGHT, slide_id, "view"):
                    await run_in_threadpool(self._desk.slide, principal, RIGHT, slide_id, "view")
                await self._render(scope, send, pyramid, place)
                return
            tile = self._bytes(pyramid, *place)
            if self._desk.is_open(principal, RIGHT, slide_id, "view"):
                data = await tile
            else:  # the tile is read while the line is written, and goes out after it
                line = run_in_threadpool(self._desk.slide, principal, RIGHT, slide_id, "view")
                _, data = await asyncio.gather(line, tile)
        except Forbidden as error:
            await _refuse(send, error.status, b"no_access")
        except NotFound:
            await _refuse(send, 404, b"not_found")
        except Malformed as error:
            await _refuse(send, 400, error.code.encode())
        except Transient as error:
            await _refuse(send, 503, error.code.encode())
        except SvartidError as error:
            _LOG.error("tile of slide %s: %s", slide_id, error)
            await _refuse(send, 500, error.code.encode())
        except Exception:
            _LOG.exception("tile of slide %s", slide_id)
            await _refuse(send, 500, b"internal")
        else:
            await _send_tile(scope, send, data, b'"%08x-%x"' % (crc32c(data), len(data)))

    async def _render(
        self, scope: Scope, send: Send, pyramid: OpenPyramid, place: tuple[int, int, int]
    ) -> None:
        """A tile of channels. What is known by its ETag is not rendered again."""
        channels = pyramid.record.plan.channels
        assert channels is not None  # noqa: S101 - asked by the caller
        query = scope["query_string"].decode("ascii", "replace")
        choice = choice_in_query(query, channels)
        shown = write_choice(default_choice(channels) if choice is None else choice)
        said = f"{VERSION}/{pyramid.record.fingerprint}/{place}/{shown}"
        etag = b'"%s"' % hashlib.sha256(said.encode()).hexdigest()[:24].encode()
        if _is_known(scope, etag):
            await _send_known(send, etag)
            return
        data = await run_in_threadpool(self._tiles.shown, pyramid, *place, choice)
        await _send_tile(scope, send, data, etag)

    async def _bytes(self, pyramid: OpenPyramid, level: int, column: int, row: int) -> bytes:
        plan = pyramid.record.plan
        if level < len(plan.levels):
            grid = plan.levels[level].size.in_tiles(plan.tile_edge)
            if column < grid.width and row < grid.height:
                data = self._tiles.stored(pyramid, level, column, row)
                if data is not None:
                    return data
        return await run_in_threadpool(self._tiles.shown, pyramid, level, column, row)


async def _send_tile(scope: Scope, send: Send, data: bytes, etag: bytes) -> None:
    if _is_known(scope, etag):
        await _send_known(send, etag)
        return
    headers = [(b"etag", etag), _CACHING, *RAW]
    headers += [(b"content-type", b"image/jpeg"), (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else data
    await send({"type": "http.response.body", "body": body})


def _is_known(scope: Scope, etag: bytes) -> bool:
    return any(name == b"if-none-match" and etag in value for name, value in scope["headers"])


async def _send_known(send: Send, etag: bytes) -> None:
    headers = [(b"etag", etag), _CACHING, *RAW]
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


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
