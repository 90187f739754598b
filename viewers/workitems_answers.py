"""What the UPS-RS routes share: the service, bodies read within bounds, statuses in HTTP's words.

Source: PS3.18 11.4 to 11.12; where its editions differ, the current one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from fastapi import Request
from pydicom.dataset import Dataset
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from processing.dicom import ups_rules as rules
from processing.dicom.json_model import to_model, to_text
from processing.dicom.media_types import JSON
from processing.dicom.ups_service import Answer, UpsService
from processing.dicom.ups_watch import UpsWatch
from storage.errors import Malformed
from storage.ups import Ups
from viewers.context import Context
from viewers.dicomweb_answers import ROOT, NotServed, address

WORKITEMS = "/workitems"
MOST_BODY = 512 * 1024
_KINDS = (JSON, "application/json")
_STATUS = {
    rules.UNKNOWN: 404, rules.UNKNOWN_AET: 404, rules.NOT_ALLOWED: 403, rules.KNOWN: 409,
    rules.ENDED: 409, rules.HAS_BEGUN: 409, rules.NOT_FINAL: 409, rules.NOT_BEGUN: 409,
    rules.IS_COMPLETED: 409, rules.NOBODY_TO_ASK: 409, rules.NOT_FITTING: 409,
}  # fmt: skip
_INCONSISTENT = "The submitted request is inconsistent with the state of the UPS Instance."
_UNKEPT = {"Cache-Control": "no-store"}
_T = TypeVar("_T")


def service_of(context: Context, root: str) -> UpsService:
    """The service over the record of work; `root` is our address as the client reaches it."""
    return UpsService(Ups(context.database), context.opener, root)


def watch_of(connection: HTTPConnection) -> UpsWatch:
    """Subscriptions and events."""
    context: Context = connection.app.state.context
    record = Ups(context.database)
    return UpsWatch(record, UpsService(record, context.opener))


async def dataset_of(request: Request) -> Dataset:
    """The dataset of a body: DICOM JSON, alone or the only one of a list. Errors: Malformed,
    NotServed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise NotServed(415, "unsupported_media_type", f"what is taken: {JSON}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise NotServed(413, "too_large", f"a workitem has at most {MOST_BODY} bytes")
    return await run_in_threadpool(_parsed, bytes(body))


async def in_thread(work: Callable[[], _T]) -> _T:
    """Do what asks the database beside the loop."""
    return await run_in_threadpool(work)


def done(
    request: Request, answer: Answer, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in HTTP's words, with the standard's warning where it has one."""
    told = dict(headers or {}) | _UNKEPT
    if answer.is_done:
        if rules.is_warning(answer.status):
            told["Warning"] = _warning(request, rules.WORDS[answer.status])
        return Response(status_code=status, headers=told)
    return refused(request, answer)


def refused(request: Request, answer: Answer, status: int = 0) -> Response:
    """A refusal: DIMSE's status as the reason's code, and the standard's warning."""
    status = status or _STATUS.get(answer.status, 400)
    words = answer.why or rules.WORDS.get(answer.status, "")
    body = {"error": f"{answer.status:04X}", "reason": words}
    told = dict(_UNKEPT)
    if answer.status == rules.WRONG_KEY:
        told["Warning"] = _warning(request, _of_key(request))
    elif status == 409:
        told["Warning"] = _warning(request, _INCONSISTENT)
    return JSONResponse(body, status, headers=told)


def as_json(datasets: list[Dataset]) -> str:
    """Text of datasets as the DICOM JSON model: always a list (PS3.18 F.2.1)."""
    return f"[{', '.join(to_text(to_model(at)) for at in datasets)}]"


def workitem_address(request: Request, uid: str) -> str:
    """Where a step is retrieved."""
    return f"{address(request)}{WORKITEMS}/{uid}"


def channel_address(request: Request, aet: str) -> str:
    """Where a subscriber's events come, as a WebSocket."""
    return f"{address(request).replace('http', 'ws', 1)}/ws/subscribers/{aet}"


def _warning(request: Request, words: str) -> str:
    return f"299 {address(request).removesuffix(ROOT)}: {words}"


def _of_key(request: Request) -> str:
    given = getattr(request.state, "transaction", "")
    return f"The Transaction UID is {'incorrect' if given else 'missing'}."


def _parsed(body: bytes) -> Dataset:
    """The body as a dataset, every value of it read. Errors: Malformed."""
    try:
        found = json.loads(body)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if not isinstance(found, dict):
            raise Malformed("the body is one dataset in DICOM JSON")
        dataset = Dataset.from_json(found)
        for _ in dataset.iterall():
            pass
    except Malformed:
        raise
    except (Exception, RecursionError):
        # Whatever a parser raises is about what was sent, and may quote it.
        raise Malformed("the body is no dataset in DICOM JSON") from None
    return dataset
