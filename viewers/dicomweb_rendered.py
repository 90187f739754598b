"""DICOMweb, rendered: pictures of instances and frames, and thumbnails of everything.

Of a whole-slide image what is shown is the slide, not a tile: the coarsest level of its series that
is as large as the picture. Overlays and annotations are not drawn. Source: PS3.18 10.4.1.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from processing.dicom.instance import Instance
from processing.dicom.media_types import choose_plain
from processing.dicom.multipart import LAST, part_head, related
from processing.dicom.overview import Part, Seen, level_for, samples_of
from processing.dicom.rendering import (
    PICTURE_TYPES,
    View,
    Window,
    encode_picture,
    parse_quality,
    parse_viewport,
    parse_window,
    picture_of,
    seen_through,
    shown_samples,
)
from processing.dicom_samples import Coding, Samples
from storage.errors import Malformed, NotFound
from storage.records.imaging import SeriesEntry
from viewers.context import context_of
from viewers.dicomweb import INSTANCE, SERIES, STUDY
from viewers.dicomweb_answers import (
    READ,
    ROOT,
    DicomRoute,
    NotServed,
    accepted,
    is_known,
    looked_at,
    not_acceptable,
    reads,
    study_looked_at,
)
from viewers.dicomweb_bytes import identity_of
from viewers.room import Room

router = APIRouter(prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute, dependencies=READ)
_UNASKED = View(1024, 1024)
"""How large a slide is shown when nobody says."""
_THUMBNAIL = View(256, 256)
_NOT_DONE = ("annotation", "iccprofile", "presentationseriesuid", "presentationuid")
_MOST_FRAMES = 100
ROOM = Room(working=2, waiting=14)
"""Where pictures are made: hostile ones take seconds each."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What picture is asked for."""

    kind: str
    view: View | None
    window: Window | None
    quality: int


@reads(router, INSTANCE + "/rendered")
def rendered(request: Request, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """A picture of an instance: `viewport=w,h,x,y,w,h`, `window=center,width,function`, quality."""
    entry = looked_at(request, study_uid, series_uid, "view")
    found = context_of(request).opener.instance(entry, sop_uid)
    return instance_picture(request, entry, found, _wish(request, None))


@reads(router, INSTANCE + "/frames/{frames}/rendered")
def rendered_frames(
    request: Request, study_uid: str, series_uid: str, sop_uid: str, frames: str
) -> Response:
    """Pictures of frames; of several in parts."""
    entry = looked_at(request, study_uid, series_uid, "view")
    found = context_of(request).opener.instance(entry, sop_uid)
    numbers = _numbers(frames, found)
    wish = _wish(request, None)
    if len(numbers) == 1:
        return frame_picture(request, found, wish, numbers[0])
    headers = _headers(request) | {"Content-Type": related(wish.kind)}
    if request.method == "HEAD":
        return Response(headers=headers)
    first = _made(found, wish, numbers[0])  # what cannot be shown at all is said by the status
    return StreamingResponse(_pictures(found, wish, numbers[1:], first), headers=headers)


def _pictures(found: Instance, wish: Wish, others: Sequence[int], first: bytes) -> Iterator[bytes]:
    """In parts, each made when the one before is gone: who hangs up wants no more of them."""
    yield part_head(wish.kind, first=True) + first
    for number in others:
        yield part_head(wish.kind, first=False) + _made(found, wish, number, begun=True)
    yield LAST


@reads(router, STUDY + "/thumbnail")
def thumbnail_of_study(request: Request, study_uid: str) -> Response:
    """A small picture that stands for a study."""
    entries = study_looked_at(request, study_uid, "thumbnail")
    for entry in sorted(entries, key=lambda at: at.modality != "SM"):
        found = _standing_for(request, entry)
        if found is not None:
            return instance_picture(request, entry, found, _wish(request, _THUMBNAIL))
    raise no_picture()


@reads(router, SERIES + "/thumbnail")
def thumbnail_of_series(request: Request, study_uid: str, series_uid: str) -> Response:
    """A small picture that stands for a series."""
    entry = looked_at(request, study_uid, series_uid, "thumbnail")
    found = _standing_for(request, entry)
    if found is None:
        raise no_picture()
    return instance_picture(request, entry, found, _wish(request, _THUMBNAIL))


@reads(router, INSTANCE + "/thumbnail")
def thumbnail(request: Request, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """A small picture of an instance."""
    entry = looked_at(request, study_uid, series_uid, "thumbnail")
    found = context_of(request).opener.instance(entry, sop_uid)
    return instance_picture(request, entry, found, _wish(request, _THUMBNAIL))


@reads(router, INSTANCE + "/frames/{frames}/thumbnail")
def thumbnail_of_frame(
    request: Request, study_uid: str, series_uid: str, sop_uid: str, frames: str
) -> Response:
    """A small picture of a frame; of several, of the first."""
    entry = looked_at(request, study_uid, series_uid, "thumbnail")
    found = context_of(request).opener.instance(entry, sop_uid)
    return frame_picture(request, found, _wish(request, _THUMBNAIL), _numbers(frames, found)[0])


def _wish(request: Request, view: View | None) -> Wish:
    """What is asked for. Errors: Malformed, NotServed."""
    said = request.query_params
    kind = choose_plain(accepted(request), PICTURE_TYPES)
    if kind is None:
        raise not_acceptable(", ".join(PICTURE_TYPES))
    return Wish(
        kind,
        parse_viewport(said["viewport"]) if said.get("viewport") else view,
        parse_window(said["window"]) if said.get("window") else None,
        parse_quality(said.get("quality") or "90"),
    )


def _numbers(text: str, found: Instance) -> list[int]:
    """Frames counted from 0. Errors: Malformed, NotFound, NotServed."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise Malformed("frames are asked for as numbers from 1 with commas between them")
    if len(parts) > _MOST_FRAMES:
        raise Malformed(f"{_MOST_FRAMES} pictures at most are made for one question")
    if not found.frames:
        raise no_picture()
    numbers = [int(part) - 1 for part in parts]
    if min(numbers) < 0 or max(numbers) >= found.frames:
        raise NotFound(f"the frames are numbered from 1 to {found.frames}")
    return numbers


def _standing_for(request: Request, entry: SeriesEntry) -> Instance | None:
    """The instance in the middle of those with pixels; of a slide any, all show the same."""
    with_pixels = [at for at in context_of(request).opener.instances(entry) if at.frames]
    if not with_pixels:
        return None
    return with_pixels[0 if entry.modality == "SM" else len(with_pixels) // 2]


def instance_picture(request: Request, entry: SeriesEntry, found: Instance, wish: Wish) -> Response:
    """Of a whole-slide image the slide, of anything else its representative frame."""
    if not found.frames:
        raise no_picture()
    seen = Seen(found, found.header())
    if not seen.is_tiled:
        number = int(seen.header.get("RepresentativeFrameNumber") or 1) - 1
        return frame_picture(request, found, wish, number if 0 <= number < found.frames else 0)
    etag = _etag(found, wish, "whole")
    if is_known(request, etag):
        return Response(status_code=304, headers=_headers(request, etag))
    every = [Seen(at, at.header()) for at in context_of(request).opener.instances(entry)]
    view = wish.view or _UNASKED
    part = _part(view, seen)
    with ROOM.place():
        level = level_for(every, part, view.width, view.height)
        if level is None:
            raise NotServed(406, "not_acceptable", "no level is small enough for such a picture")
        shown = Wish(wish.kind, View(view.width, view.height), wish.window, wish.quality)
        data = _encoded(samples_of(level, part), level, 0, shown)
    return Response(data, media_type=wish.kind, headers=_headers(request, etag))


def _part(view: View, seen: Seen) -> Part:
    """What is asked for in the pixels of an instance, whatever level it is cut from."""
    if view.source is None:
        return Part()
    columns, rows = seen.matrix
    x, y, width, height = view.source
    if x >= columns or y >= rows:
        raise Malformed("the viewport's part lies outside the image")
    right = min(x + width, columns) if width else columns
    bottom = min(y + height, rows) if height else rows
    return Part(x / columns, y / rows, right / columns, bottom / rows)


def frame_picture(request: Request, found: Instance, wish: Wish, number: int) -> Response:
    """One frame, counted from 0, as a picture."""
    etag = _etag(found, wish, str(number))
    headers = _headers(request, etag)
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(_made(found, wish, number), media_type=wish.kind, headers=headers)


def _made(found: Instance, wish: Wish, number: int, *, begun: bool = False) -> bytes:
    with ROOM.place(begun=begun):
        seen = Seen(found, found.header())
        coding = Coding.of(seen.header, found.transfer_syntax)
        samples = shown_samples(found.frame(number), coding)
        return _encoded(samples, seen, number, wish)


def _encoded(samples: Samples, seen: Seen, number: int, wish: Wish) -> bytes:
    picture = picture_of(samples, seen.header, number, wish.window)
    return encode_picture(seen_through(picture, wish.view), wish.kind, wish.quality)


def _etag(found: Instance, wish: Wish, what: str) -> str:
    said = f"{identity_of(found)}/{found.sop_uid}/{what}/{wish}"
    return f'W/"{hashlib.blake2b(said.encode(), digest_size=12).hexdigest()}"'


def _headers(request: Request, etag: str = "") -> dict[str, str]:
    headers = {"Cache-Control": "private, max-age=86400", "Vary": "Accept"}
    if etag:
        headers["ETag"] = etag
    ignored = [name for name in _NOT_DONE if name in request.query_params]
    if ignored:
        headers["Warning"] = f'299 svartid "not supported, and ignored: {", ".join(ignored)}"'
    return headers


def no_picture() -> NotServed:
    """406: what was found has no pixels."""
    return NotServed(406, "not_acceptable", "there are no pixels to show")
