"""UPS-RS: subscribing to workitems, and the events of a subscriber over a WebSocket.

Source: PS3.18 11.10 to 11.13, 8.10. Events are not queued for those who do not listen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from functools import partial

from fastapi import APIRouter, Request, WebSocket
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from processing.dicom.json_model import to_model
from processing.dicom.query import parse_query
from processing.dicom.ups import PUSH
from processing.dicom.ups_watch import Report, UpsWatch
from storage import dicom_peers, ups_subscribers
from storage.errors import Malformed, NotFound, Transient
from storage.records.people import Principal, Right
from storage.records.ups import FILTERED, Subscriber, Way
from viewers.access import Forbidden, needs, principal_of
from viewers.context import Context, context_of
from viewers.dicomweb_answers import ROOT, DicomRoute, plain_uid
from viewers.workitems import STEP
from viewers.workitems_answers import channel_address, done, in_thread, watch_of

router = APIRouter(prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute)
_SIGNED_IN = [needs(Right.SIGNED_IN)]
_SUBSCRIBER = STEP + "/subscribers/{aet}"
_EVERY, _LONGEST = 0.5, 600.0
"""Seconds between looks; and until a channel has to be opened, and let in, again."""
_REFUSED, _AGAIN = 1008, 1012
_MESSAGE_ID, _MOST_MESSAGES = "00000110", 65535


@router.post(_SUBSCRIBER, status_code=201, dependencies=_SIGNED_IN)
def subscribe(request: Request, workitem_uid: str, aet: str) -> Response:
    """Be told of one workitem, of all (`…34.5`), or of those that match (`…34.5.1`)."""
    who, lock = _owner(request, aet), request.query_params.get("deletionlock") == "true"
    subscriber = Subscriber(aet, who.name, Way.WEB, lock=lock)
    uid = plain_uid(workitem_uid)
    keys = parse_query(_matching(request)).keys if uid == FILTERED else None
    answer = watch_of(request).subscribe(who, subscriber, uid, keys)
    return done(request, answer, 201, {"Content-Location": channel_address(request, aet)})


@router.delete(_SUBSCRIBER, dependencies=_SIGNED_IN)
def unsubscribe(request: Request, workitem_uid: str, aet: str) -> Response:
    """Be told no more of one workitem, or of any."""
    who = _owner(request, aet)
    return done(request, watch_of(request).unsubscribe(who, aet, plain_uid(workitem_uid)))


@router.post(_SUBSCRIBER + "/suspend", dependencies=_SIGNED_IN)
def suspend(request: Request, workitem_uid: str, aet: str) -> Response:
    """Be told nothing of workitems to come, and go on hearing of those that are there."""
    who = _owner(request, aet)
    return done(request, watch_of(request).suspend(who, aet, plain_uid(workitem_uid)))


@router.websocket("/ws/subscribers/{aet}", dependencies=_SIGNED_IN)
@router.websocket("/subscribers/{aet}", dependencies=_SIGNED_IN)
async def channel(socket: WebSocket, aet: str) -> None:
    """The events of a subscriber, each a text frame of DICOM JSON, from now on."""
    context: Context = socket.app.state.context
    who: Principal = socket.state.principal
    database = context.database
    known = await in_thread(partial(ups_subscribers.get, database, aet))
    if known is not None and known.owner != who.name:
        await socket.close(_REFUSED)
        return
    after = await in_thread(partial(ups_subscribers.last_news, database))
    await socket.accept()
    listening = asyncio.create_task(_until_gone(socket))
    try:
        await _tell(socket, watch_of(socket), who, (aet, after), listening)
    finally:
        listening.cancel()


async def _tell(
    socket: WebSocket,
    watch: UpsWatch,
    who: Principal,
    since: tuple[str, int],
    listening: asyncio.Task[None],
) -> None:
    aet, after = since
    ends, number = time.monotonic() + _LONGEST, 0
    while not listening.done() and time.monotonic() < ends:
        try:
            reports, after = await in_thread(partial(_reports, watch, who, aet, after))
        except Transient:  # the database is away: what happens meanwhile is told later
            reports = []
        for report in reports:
            number = number % _MOST_MESSAGES + 1
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_text(_text(report, number))
        if not reports:
            await asyncio.wait([listening], timeout=_EVERY)
    if not listening.done():
        await socket.close(_AGAIN)


def _reports(
    watch: UpsWatch, who: Principal, aet: str, after: int
) -> tuple[list[Report], int]:  # fmt: skip
    """What is to be told; nothing once the title has become another's."""
    known = watch.record.subscriber(aet)
    if known is None or known.owner != who.name:
        return [], after
    return watch.reports(aet, Way.WEB, after)


async def _until_gone(socket: WebSocket) -> None:
    """Whatever a subscriber says is not listened to, but that it hangs up."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            continue


def _text(report: Report, number: int) -> str:
    """An event with the fields of its message (PS3.18 11.13)."""
    model = {
        "00000002": {"vr": "UI", "Value": [PUSH]},
        _MESSAGE_ID: {"vr": "US", "Value": [number]},
        "00001000": {"vr": "UI", "Value": [report.uid]},
        "00001002": {"vr": "US", "Value": [int(report.event)]},
    }
    return json.dumps(model | to_model(report.information), ensure_ascii=False)


def _owner(request: Request, aet: str) -> Principal:
    """Whoever asks; the title of a node is that node's alone. Errors: Forbidden."""
    who = principal_of(request)
    try:
        peer = dicom_peers.by_ae_title(context_of(request).database, aet)
    except NotFound:
        return who
    if peer.name != who.name:
        raise Forbidden(who)
    return who


def _matching(request: Request) -> list[tuple[str, str]]:
    """Matching keys: `filter=00741202=Scanning,…`, or each as a parameter of its own."""
    found = list[tuple[str, str]]()
    for name, value in request.query_params.multi_items():
        if name == "filter":
            for pair in value.split(","):
                key, equals, wanted = pair.partition("=")
                if not equals:
                    raise Malformed("a filter is attribute=value, with commas between them")
                found.append((key.strip(), wanted.strip()))
        elif name != "deletionlock":
            found.append((name, value))
    return found
