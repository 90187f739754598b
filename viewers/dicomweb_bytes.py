"""Whole instances as bytes: ranges of one, many as parts; memory bounded. Source: RFC 9110 14."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from processing.dicom.instance import Instance
from processing.dicom.json_model import to_model, to_text
from processing.dicom.media_types import DICOM, Representation
from processing.dicom.multipart import LAST, part_head, related
from processing.dicom.stored import StoredInstance
from viewers.dicomweb_answers import is_known, private

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
Part = tuple[Instance, Representation, str]
"""An instance, how it is sent, and its address."""


def identity_of(instance: Instance) -> str:
    """A strong ETag: received bytes never change; what is made on the fly follows its header."""
    if isinstance(instance, StoredInstance):
        return f'"{instance.found.sha256[:32]}"'
    said = f"{instance.size()}/{to_text(to_model(instance.header()))}"
    return f'"{hashlib.blake2b(said.encode(), digest_size=16).hexdigest()}"'


def send_instance(request: Request, instance: Instance, way: Representation) -> Response:
    """One instance as it is, or the range of it that is asked for."""
    etag, size = identity_of(instance), instance.size()
    headers = private(etag, forever=isinstance(instance, StoredInstance))
    headers["Content-Type"] = way.part_type
    headers["Accept-Ranges"] = "none" if size is None else "bytes"
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    if size is None:
        return _stream(request, instance.stream(), 200, headers)
    span = asked_range(request, size, etag)
    if span is None:
        headers["Content-Length"] = str(size)
        return _stream(request, instance.stream(), 200, headers)
    start, stop = span
    if start >= stop:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    return _stream(request, instance.stream(start, stop), 206, headers)


def send_parts(request: Request, parts: Sequence[Part], *, whole: bool) -> Response:
    """Instances one after the other; not `whole`: some are there that the client does not take."""
    names = "/".join(identity_of(instance) for instance, _, _ in parts)
    etag = f'W/"{hashlib.blake2b(names.encode(), digest_size=16).hexdigest()}"'
    headers = private(etag) | {"Content-Type": related(DICOM)}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return _stream(request, _pieces(parts), 200 if whole else 206, headers)


def asked_range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """The one range that is asked for, [start, stop); empty when there is no such; None: all."""
    text = request.headers.get("range", "")
    if request.method != "GET" or request.headers.get("if-range", etag) != etag:
        return None
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]):
        return None  # several ranges, or another unit: all of it is an answer as well
    if not found[1]:
        return max(size - int(found[2]), 0), size
    start, stop = min(int(found[1]), size), int(found[2]) + 1 if found[2] else size
    if found[2] and stop <= int(found[1]):
        return None
    return start, min(stop, size)


def _pieces(parts: Sequence[Part]) -> Iterator[bytes]:
    for number, (instance, way, address) in enumerate(parts):
        yield part_head(way.part_type, first=number == 0, location=address)
        yield from instance.stream()
    yield LAST


def _stream(
    request: Request, pieces: Iterator[bytes], status: int, headers: dict[str, str]
) -> Response:
    """To HEAD without opening anything."""
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(pieces, status, headers=headers)
