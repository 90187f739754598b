"""Resumable uploads (tus 1.0.0: core, creation, expiration, termination)."""

from __future__ import annotations

import binascii
import errno
import os
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of
from viewers.partial_uploads import KEPT_SECONDS, PartialUpload, PartialUploads

VERSION = "1.0.0"
_ADDRESS = "/api/v1/uploads"
_BODY = "application/offset+octet-stream"
_BIT = 2**20
"""Bytes gathered before they are written, off the event loop."""

# The right is the router's, so that it is checked before a byte of any body is read.
router = APIRouter(prefix=_ADDRESS, tags=["uploads"], dependencies=[needs(Right.DELIVER_SLIDES)])


@router.options("", status_code=204)
def abilities(request: Request) -> Response:
    """What of tus this server speaks, and how large an upload may be."""
    most = context_of(request).settings.max_upload_bytes
    extensions = "creation,expiration,termination"
    return _answer(
        204, {"Tus-Version": VERSION, "Tus-Extension": extensions, "Tus-Max-Size": str(most)}
    )


@router.post("", status_code=201)
def begin(request: Request) -> Response:
    """Begin an upload: `Upload-Length`, and the file's name in `Upload-Metadata`."""
    _same_version(request)
    store, settings = _store(request), context_of(request).settings
    length = _number(request, "upload-length")
    if length > settings.max_upload_bytes:
        raise HTTPException(413)
    status = os.statvfs(settings.layout.uploads)
    if length > status.f_bavail * status.f_frsize:
        raise HTTPException(507)
    name = _metadata(request.headers.get("upload-metadata", "")).get("filename", "")
    if not name.strip():
        raise HTTPException(400)
    upload = store.create(name, length, principal_of(request).name)
    if length == 0:
        store.hand_over(upload)
    return _answer(201, {"Location": f"{_ADDRESS}/{upload.upload_id}"} | _state(0))


@router.head("/{upload_id}")
def how_far(request: Request, upload_id: str) -> Response:
    """How many bytes have come, to go on from there."""
    _same_version(request)
    store, upload = _found(request, upload_id)
    length = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    return _answer(200, _state(store.offset(upload)) | length)


@router.patch("/{upload_id}", status_code=204)
async def go_on(request: Request, upload_id: str) -> Response:
    """Add the body at `Upload-Offset`; with the last byte the file is read in."""
    _same_version(request)
    if request.headers.get("content-type") != _BODY:
        raise HTTPException(415)
    store, upload = await run_in_threadpool(_found, request, upload_id)
    try:
        offset = await _append(request, store, upload)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HTTPException(507) from error
        raise
    if offset == upload.length:
        await run_in_threadpool(store.hand_over, upload)
    return _answer(204, _state(offset))


@router.delete("/{upload_id}", status_code=204)
def give_up(request: Request, upload_id: str) -> Response:
    """Stop an upload and forget what came of it."""
    _same_version(request)
    store, upload = _found(request, upload_id)
    store.remove(upload)
    return _answer(204, {})


async def _append(request: Request, store: PartialUploads, upload: PartialUpload) -> int:
    """What of the body arrives is kept, also when the line breaks; the offset after it."""
    waiting = bytearray()
    with store.appending(upload) as file:
        offset = file.tell()
        if offset != _number(request, "upload-offset"):
            raise HTTPException(409)
        try:
            async for piece in request.stream():
                waiting += piece
                if offset + len(waiting) > upload.length:
                    raise HTTPException(413)
                if len(waiting) >= _BIT:
                    offset += await run_in_threadpool(file.write, bytes(waiting))
                    waiting.clear()
        except ClientDisconnect:
            pass
        offset += await run_in_threadpool(file.write, bytes(waiting))
    return offset


def _store(request: Request) -> PartialUploads:
    return PartialUploads(context_of(request).settings.layout.uploads)


def _found(request: Request, upload_id: str) -> tuple[PartialUploads, PartialUpload]:
    store = _store(request)
    return store, store.find(upload_id, principal_of(request).name)


def _same_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(412, headers={"Tus-Version": VERSION})


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit():
        raise HTTPException(400)
    return int(text[:20])


def _metadata(header: str) -> dict[str, str]:
    """`key base64,key base64`; what cannot be read is as if it were not there."""
    found = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def _state(offset: int) -> dict[str, str]:
    until = datetime.now(UTC) + timedelta(seconds=KEPT_SECONDS)
    return {"Upload-Offset": str(offset), "Upload-Expires": format_datetime(until, usegmt=True)}


def _answer(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION} | headers)
