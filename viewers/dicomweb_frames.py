"""Frames of DICOM instances as bare ASGI: who, may they, one read, answer.

`/dicom-web/studies/{s}/series/{r}/instances/{i}/frames/{1,2,3}`; everything else goes on. As
stored wherever the client lets us; a frame is decoded by itself for who wants plain samples.
Source: PS3.18 10.4 (Retrieve Transaction), 8.7 (media types).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from processing.dicom.instance import Instance
from processing.dicom.media_types import Representation, choose_frames, frame_type
from processing.dicom.multipart import LAST, part_head, related
from processing.dicom.plain_frames import plain_frame
from processing.dicom.stored import StoredInstance
from processing.dicom.virtual import VirtualLevel
from processing.dicom_samples import Coding
from storage.errors import (
    Malformed,
    NotFound,
    SlideError,
    SvartidError,
    Transient,
    UnsupportedCompression,
)
from storage.records.people import Principal, Right, allowed
from viewers.access import Forbidden
from viewers.context import Context
from viewers.dicomweb_answers import accept_of, knows, opened
from viewers.headers import RAW

_LOG = logging.getLogger("svartid.web")
RIGHT = Right.READ_SLIDES
_ADDRESS = re.compile(
    r"(/dicom-web/studies/([0-9.]{1,64})/series/([0-9.]{1,64})/instances/([0-9.]{1,64}))"
    r"/frames/([0-9]{1,9}(?:,[0-9]{1,9})*)"
)
_FRESH = 5.0
"""Seconds a decision is good for, as at the desk."""
_MOST = 20_000
_QUICK = 2**19
"""Bytes of a stored frame that are read at once; larger ones are read beside the loop."""
_GATHERED = 2**20
_FOREVER = (b"cache-control", b"private, max-age=31536000, immutable")
_VARY = (b"vary", b"Accept")


@dataclass(frozen=True, slots=True)
class _Opened:
    """An instance that somebody may see the frames of, for some seconds."""

    at: float
    instance: Instance
    syntax: str
    frames: int
    identity: str
    """Names its bytes: what is in it never changes."""
    quick: bool
    """A frame is one read of a few kilobytes."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which frames, how they go out, and whether only the head of the answer is wanted."""

    numbers: tuple[int, ...]
    """From 1."""
    way: Representation
    etag: str
    head_only: bool


class FrameApp:
    """Answers frames' addresses and hands everything else on."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app, self._context = app, context
        self._known: OrderedDict[tuple[str, str], _Opened] = OrderedDict()
        self._opening: dict[tuple[str, str], asyncio.Future[_Opened]] = {}
        self._decoding = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or "/frames/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        match = _ADDRESS.fullmatch(scope["path"])
        principal: Principal | None = scope["state"]["principal"]
        if match is None or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        elif principal is None or not allowed(principal, RIGHT):
            await _refuse(send, 401 if principal is None else 403, "no_access")
        else:
            await self._guarded(scope, send, principal, match)

    async def _guarded(
        self, scope: Scope, send: Send, principal: Principal, match: re.Match[str]
    ) -> None:
        try:
            await self._answer(scope, send, principal, match)
        except Forbidden as error:
            await _refuse(send, error.status, "no_access")
        except NotFound as error:
            await _refuse(send, 404, error.code, str(error))
        except Malformed as error:
            await _refuse(send, 400, error.code, str(error))
        except UnsupportedCompression as error:
            await _refuse(send, 406, "not_acceptable", str(error))
        except SlideError as error:
            await _refuse(send, 422, error.code, "the object's pixel data is not sound")
        except Transient as error:
            await _refuse(send, 503, error.code)
        except SvartidError as error:
            _LOG.error("frames of %s: %s", match[4], error.code)
            await _refuse(send, 500, error.code)

    async def _answer(
        self, scope: Scope, send: Send, principal: Principal, match: re.Match[str]
    ) -> None:
        found = self._known.get((principal.session, match[1]))
        if found is None or time.monotonic() - found.at >= _FRESH:
            found = await self._opened_once(principal, match)
        accept, held = _said(scope)
        asked = _asked(found, match[5], accept, head_only=scope["method"] == "HEAD")
        if held and knows(held, asked.etag):
            await _send_head(send, 304, asked.etag, [])
            await send({"type": "http.response.body", "body": b""})
        elif len(asked.numbers) == 1:
            data = await self._frame(found, asked.way, asked.numbers[0])
            await _send_one(send, asked, data)
        else:
            await self._send_all(send, found, asked)

    async def _opened_once(self, principal: Principal, match: re.Match[str]) -> _Opened:
        """Opened for all who ask at this moment, so that a large object is gone through once."""
        key = principal.session, match[1]
        opening = self._opening.get(key)
        if opening is None:
            opening = asyncio.ensure_future(run_in_threadpool(self._open, principal, match))
            self._opening[key] = opening
            opening.add_done_callback(lambda _: self._opening.pop(key, None))
        found = await asyncio.shield(opening)
        self._known[key] = found
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found

    async def _frame(self, found: _Opened, way: Representation, number: int) -> bytes:
        if way.decoded:
            async with self._decoding:
                return await run_in_threadpool(_plain, found, number - 1)
        if found.quick:
            return found.instance.frame(number - 1)
        return await run_in_threadpool(found.instance.frame, number - 1)

    async def _send_all(self, send: Send, found: _Opened, asked: _Asked) -> None:
        """One after the other; the first is there before anything is promised."""
        pieces = self._parts(found, asked)
        first = await anext(pieces)
        await _send_head(send, 200, asked.etag, [_content_type(asked.way)])
        if not asked.head_only:
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _parts(self, found: _Opened, asked: _Asked) -> AsyncIterator[bytes]:
        waiting, size = list[bytes](), 0
        for place, number in enumerate(asked.numbers):
            data = await self._frame(found, asked.way, number)
            waiting += [_part_head(asked.way.part_type, first=place == 0), data]
            size += len(data)
            if size >= _GATHERED:
                yield b"".join(waiting)
                waiting, size = [], 0
        yield b"".join([*waiting, LAST])

    def _open(self, principal: Principal, match: re.Match[str]) -> _Opened:
        """The catalogue, the desk, the instance. Errors: NotFound, Forbidden."""
        study, series, sop_uid = match[2], match[3], match[4]
        context = self._context
        entry = opened(context, principal, study, series)
        context.desk.series(principal, RIGHT, series, "view")
        instance = context.opener.instance(entry, sop_uid)
        frames = instance.frames
        if not frames:
            raise NotFound("the object has no frames")
        quick, identity = False, sop_uid
        if isinstance(instance, StoredInstance):
            identity = instance.found.sha256[:24]
            instance.frame(0)  # finds where all of them lie, beside the loop
            quick = instance.found.bytes // frames < _QUICK
        elif isinstance(instance, VirtualLevel):
            pyramid = context.tiles.pyramid(entry.slide_id or "")
            quick = frame_type(instance.transfer_syntax) == "image/jpeg" and not pyramid.cold
            identity = f"{pyramid.record.fingerprint[:16]}-{sop_uid.rpartition('.')[2]}"
        syntax = instance.transfer_syntax
        return _Opened(time.monotonic(), instance, syntax, frames, identity, quick)


def _asked(found: _Opened, listed: str, accept: str, *, head_only: bool) -> _Asked:
    """Errors: NotFound, Malformed, UnsupportedCompression."""
    numbers = tuple(int(number) for number in listed.split(","))
    if max(numbers) > found.frames or min(numbers) < 1:
        raise NotFound(f"the frames are numbered from 1 to {found.frames}")
    way = choose_frames(accept, found.syntax, single=len(numbers) == 1)
    if way is None:
        there = f"{frame_type(found.syntax)}; transfer-syntax={found.syntax}"
        raise UnsupportedCompression(f"what there is: {there}")
    of = listed if len(numbers) < 20 else hashlib.sha256(listed.encode()).hexdigest()[:24]
    how = f"{way.kind}-{way.syntax}-{way.multipart:d}"
    return _Asked(numbers, way, f'W/"{found.identity}-{of}-{how}"', head_only)


def _plain(found: _Opened, number: int) -> bytes:
    """One frame, decoded. Errors: SlideError."""
    coding = Coding.of(found.instance.header(), found.syntax)
    return plain_frame(found.instance.frame(number), coding)


def _said(scope: Scope) -> tuple[str, str]:
    """What is accepted, and what the client says it has."""
    accept, held = [], ""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept.append(value.decode("latin-1"))
        elif name == b"if-none-match":
            held = value.decode("latin-1")
    return accept_of(scope["query_string"].decode("latin-1"), ",".join(accept)), held


@lru_cache(maxsize=256)
def _part_head(content_type: str, *, first: bool) -> bytes:
    return part_head(content_type, first=first)


@lru_cache(maxsize=256)
def _content_type(way: Representation) -> tuple[bytes, bytes]:
    kind = related(way.kind) if way.multipart else way.part_type
    return b"content-type", kind.encode()


async def _send_one(send: Send, asked: _Asked, data: bytes) -> None:
    body = data
    if asked.way.multipart:
        body = b"".join((_part_head(asked.way.part_type, first=True), data, LAST))
    length = (b"content-length", b"%d" % len(body))
    await _send_head(send, 200, asked.etag, [_content_type(asked.way), length])
    await send({"type": "http.response.body", "body": b"" if asked.head_only else body})


async def _send_head(send: Send, status: int, etag: str, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"etag", etag.encode()), _FOREVER, _VARY, *more, *RAW]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _refuse(send: Send, status: int, code: str, reason: str = "") -> None:
    body = json.dumps({"error": code} | ({"reason": reason} if reason else {})).encode()
    headers = [
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"), *RAW,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
