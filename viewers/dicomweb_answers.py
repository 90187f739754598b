"""What all DICOMweb routes share: who may see what, what the client accepts, how it is answered."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from processing.dicom.media_types import JSON, PLAIN_JSON, XML, choose_model, choose_plain
from processing.dicom.multipart import LAST, part_head, related
from processing.dicom.xml_model import to_xml
from storage import dicom_peers, imaging
from storage.errors import Malformed, NotFound, SlideError, UnsupportedCompression
from storage.records.imaging import PeerMay, SeriesEntry, Wanted
from storage.records.people import Principal, Right, Role
from viewers.access import Forbidden, needs, principal_of
from viewers.context import Context, context_of

ROOT = "/dicom-web"
READ = [needs(Right.READ_SLIDES)]
_UID = re.compile(r"[0-9.]{1,64}")
_WORTH_PACKING = 2048
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Response])


class NotServed(Exception):
    """A request that is understood and not answered; `reason` says it in words, to the client."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


class DicomRoute(APIRoute):
    """A route that tells a program why it gets no answer."""

    def get_route_handler(self) -> _Handler:
        """The handler with those errors made into answers that are words for the client."""
        handler = super().get_route_handler()

        async def telling(request: Request) -> Response:
            try:
                return await handler(request)
            except NotServed as error:
                return refusal(error.status, error.code, error.reason)
            except Malformed as error:
                return refusal(400, error.code, str(error))
            except UnsupportedCompression as error:
                return refusal(406, "not_acceptable", str(error))
            except SlideError as error:
                return refusal(422, error.code, "the object's pixel data is not sound")

        return telling


def reads(router: APIRouter, path: str) -> Callable[[_Endpoint], _Endpoint]:
    """A route for GET, and for HEAD, which the description does not tell a second time."""

    def put(endpoint: _Endpoint) -> _Endpoint:
        router.get(path)(endpoint)
        router.head(path, include_in_schema=False)(endpoint)
        return endpoint

    return put


def refusal(status: int, code: str, reason: str) -> Response:
    """An error as JSON."""
    body = {"error": code, "reason": reason}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def not_acceptable(offered: str) -> NotServed:
    """406, and what there would be."""
    return NotServed(406, "not_acceptable", f"what there is: {offered}")


def address(request: Request) -> str:
    """The root of the service as the client reaches it, without a stroke at the end."""
    origin = context_of(request).settings.origin
    return (origin or str(request.base_url).rstrip("/")) + ROOT


def plain_uid(text: str) -> str:
    """A UID as it may be asked for. Errors: Malformed."""
    if not _UID.fullmatch(text):
        raise Malformed("a UID is at most 64 digits and dots")
    return text


def accepted(request: Request) -> str:
    """What the client accepts: the parameter of the address goes before the header."""
    return accept_of(request.url.query, request.headers.get("accept", ""))


def accept_of(query: str, header: str) -> str:
    """The parameter `accept` of a query, or else the header."""
    if "accept=" in query:
        for name, value in parse_qsl(query):
            if name == "accept":  # a plus that nobody has escaped is read as a blank
                return value.replace("dicom json", "dicom+json").replace("dicom xml", "dicom+xml")
    return header


def check_node(context: Context, principal: Principal, what: PeerMay) -> None:
    """Another node does over the web what it is let do on its port. Errors: Forbidden."""
    if principal.role is not Role.NODE:
        return
    with suppress(NotFound):  # a program in that role that is no node has the role's rights
        if what not in dicom_peers.get(context.database, principal.name).may:
            raise Forbidden(principal)


def opened(context: Context, principal: Principal, study: str, series: str) -> SeriesEntry:
    """A series within reach. Errors: NotFound, Malformed, Forbidden."""
    check_node(context, principal, PeerMay.RETRIEVE)
    entry = imaging.one_series(context.database, principal, plain_uid(series))
    if entry.study_uid != plain_uid(study):
        raise NotFound("the study has no such series")
    return entry


def looked_at(request: Request, study: str, series: str, action: str) -> SeriesEntry:
    """A series within reach, and the line that it was looked at. Errors: NotFound, Forbidden."""
    context, principal = context_of(request), principal_of(request)
    entry = opened(context, principal, study, series)
    context.desk.series(principal, Right.READ_SLIDES, series, action)
    return entry


def study_looked_at(request: Request, study: str, action: str) -> list[SeriesEntry]:
    """All series of a study within reach, and a line for each. Errors: NotFound, Forbidden."""
    context, principal = context_of(request), principal_of(request)
    check_node(context, principal, PeerMay.RETRIEVE)
    wanted = Wanted(study_uids=(plain_uid(study),))
    entries = imaging.series(context.database, principal, wanted)
    if not entries:
        raise NotFound("there is no such study within reach")
    for entry in entries:
        context.desk.series(principal, Right.READ_SLIDES, entry.series_uid, action)
    return entries


def models_answer(
    request: Request, texts: Sequence[str], headers: dict[str, str] | None = None
) -> Response:
    """Datasets, given as JSON, that the client keeps and asks about again. Errors: NotServed."""
    way = choose_model(accepted(request))
    if way is None:
        raise not_acceptable(f"{JSON}, multipart/related of {XML}")
    if way.multipart:
        return _kept(request, _in_parts(texts), related(XML), headers or {})
    return _kept(request, f"[{', '.join(texts)}]".encode(), way.kind, headers or {})


def json_answer(request: Request, text: str, headers: dict[str, str] | None = None) -> Response:
    """The same for what is JSON alone. Errors: NotServed."""
    kind = choose_plain(accepted(request), (JSON, PLAIN_JSON))
    if kind is None:
        raise not_acceptable(JSON)
    return _kept(request, text.encode(), kind, headers or {})


def _kept(request: Request, body: bytes, kind: str, headers: dict[str, str]) -> Response:
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    said = private(etag) | headers | {"Vary": "Accept, Accept-Encoding", "Content-Type": kind}
    if is_known(request, etag):
        return Response(status_code=304, headers=said)
    if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1)
        said["Content-Encoding"] = "gzip"
    return Response(body, headers=said)


def _in_parts(texts: Sequence[str]) -> bytes:
    made = [to_xml(json.loads(text)).encode() for text in texts]
    heads = [part_head(XML, first=number == 0) for number in range(len(made))]
    return b"".join(piece for pair in zip(heads, made, strict=True) for piece in pair) + LAST


def private(etag: str, *, forever: bool = False) -> dict[str, str]:
    """Caching by the client alone; what cannot change is not asked about again."""
    control = "private, max-age=31536000, immutable" if forever else "private, no-cache"
    return {"ETag": etag, "Cache-Control": control, "Vary": "Accept"}


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has that very thing (RFC 9110 13.1.2, weak comparison)."""
    return knows(request.headers.get("if-none-match", ""), etag)


def knows(held: str, etag: str) -> bool:
    """Whether an If-None-Match names an ETag."""
    return held.strip() == "*" or etag.removeprefix("W/") in held
