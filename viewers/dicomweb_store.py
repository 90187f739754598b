"""DICOMweb, storing (STOW-RS): each part goes to the disk as it comes, and is taken in by itself.

What cannot be taken is said of that instance alone; the others are kept. Source: PS3.18 10.5.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from processing.dicom.echo import Ours
from processing.dicom.media_types import DICOM, JSON, MULTIPART, choose_plain, parse_content_type
from processing.dicom.multipart import END, Event, PartReader
from storage import imaging
from storage.errors import Malformed
from storage.records.imaging import PeerMay
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of
from viewers.dicomweb_answers import (
    ROOT,
    DicomRoute,
    NotServed,
    accepted,
    address,
    check_node,
    not_acceptable,
    plain_uid,
)
from viewers.dicomweb_stored import Store, answer_of, status_of

# The right is the router's, so that it is checked before a byte of any body is read.
router = APIRouter(
    prefix=ROOT,
    tags=["dicomweb"],
    route_class=DicomRoute,
    dependencies=[needs(Right.DELIVER_SLIDES)],
)
_MOST_PARTS = 100_000
"""Each is answered for, also those that are empty and take no room of their own."""
_BIT = 2**20
"""Bytes gathered before they are written, off the event loop."""


@router.post("/studies")
async def store(request: Request) -> Response:
    """Take in instances: `multipart/related; type="application/dicom"`, of any studies."""
    return await _store(request, "")


@router.post("/studies/{study_uid}")
async def store_in_study(request: Request, study_uid: str) -> Response:
    """Take in instances of one study; those of others are refused."""
    return await _store(request, plain_uid(study_uid))


async def _store(request: Request, study_uid: str) -> Response:
    kind = choose_plain(accepted(request), (JSON, "application/json"))
    if kind is None:
        raise not_acceptable(JSON)
    context, principal = context_of(request), principal_of(request)
    await run_in_threadpool(check_node, context, principal, PeerMay.STORE)
    ours = Ours(context.opener, partial(imaging.made_here, context.database))
    stored = Store(context.settings.layout, context.objects, ours, (principal.name, study_uid))
    try:
        await _take_all(request, stored)
    except Malformed:
        if not stored.has_any:
            raise
        stored.broke_off()
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it; what came whole is kept
    finally:
        await run_in_threadpool(stored.close)
    if not stored.has_any:
        raise Malformed("the body has no instances")
    taken = stored.taken
    body = json.dumps(answer_of(taken, address(request)))
    return Response(body, status_of(taken), {"Cache-Control": "no-store"}, media_type=kind)


async def _take_all(request: Request, stored: Store) -> None:
    """Errors: Malformed, NotServed, ClientDisconnect."""
    most = context_of(request).settings.max_upload_bytes
    waiting, size, total, parts = list[Event](), 0, 0, 0
    async for event in _events(request):
        waiting.append(event)
        parts += event is END
        if parts > _MOST_PARTS:
            raise NotServed(413, "too_large", f"{_MOST_PARTS} instances at most at once")
        size += len(event) if isinstance(event, bytes) else 0
        if size >= _BIT or event is END:
            total += size
            if total > most:
                raise NotServed(413, "too_large", f"{most} bytes at most at once")
            await run_in_threadpool(stored.take, waiting)
            waiting, size = [], 0


async def _events(request: Request) -> AsyncIterator[Event]:
    """The parts of the body as they come; a body that is one instance is one part."""
    kind, given = parse_content_type(request.headers.get("content-type", ""))
    if kind == DICOM:
        yield {"content-type": DICOM}
        async for piece in request.stream():
            if piece:
                yield piece
        yield END
        return
    if kind != MULTIPART or given.get("type", DICOM).lower() != DICOM:
        raise NotServed(415, "unsupported_media", f'{MULTIPART}; type="{DICOM}" is taken')
    reader = PartReader(given.get("boundary", ""))
    async for piece in request.stream():
        for event in reader.feed(piece):
            yield event
    reader.close()
