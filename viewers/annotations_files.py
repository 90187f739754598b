"""Annotations of a slide as files: GeoJSON and DICOM, out and in."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from processing.annotations.files import FileForm, geojson_of, objects_of, packed, read_file
from storage import annotations_authors, annotations_import, imaging
from storage.annotations_import import Source
from storage.database import now
from storage.dicom_uids import SLIDE, known_root
from storage.errors import Malformed, SlideError
from storage.on_demand import load
from storage.records.people import Principal, Right
from storage.records.slide import printable
from viewers.access import needs, principal_of
from viewers.annotations_draw import writing
from viewers.annotations_read import OF_SLIDE, reading
from viewers.context import Context
from viewers.identifiers import Unusable

router = APIRouter(tags=["annotations"])
_MOST = 512 << 20
"""Bytes of a file; a hundred thousand outlines are a hundred megabytes of GeoJSON."""
_NAME = 120


@router.get(OF_SLIDE + "/export", dependencies=[needs(Right.READ_SLIDES)])
def export(request: Request, slide_id: str, format: FileForm) -> Response:
    """All annotations of the slide as GeoJSON (QuPath's dialect), or as DICOM objects.

    `ann`, `sr` and `seg` are one object for each author: a file, or an archive of several.
    """
    context = reading(request, slide_id, "export annotations")
    sheets = annotations_authors.sheets(context.database, slide_id)
    if format is FileForm.GEOJSON:
        pieces = geojson_of(sheets)
        headers = _named(f"{slide_id}.geojson")
        return StreamingResponse(pieces, media_type="application/geo+json", headers=headers)
    root = known_root(context.database, SLIDE, slide_id)
    principal = principal_of(request)
    made = packed(objects_of(format, sheets, lambda: _planes(context, principal, slide_id), root))
    headers = _named(f"{slide_id}-{format.value}.{made.suffix}")
    return Response(made.data, media_type=made.media_type, headers=headers)


@router.post(OF_SLIDE + "/import", dependencies=[needs(Right.ANNOTATE)])
async def import_file(
    request: Request, slide_id: str, name: Annotated[str, Query(max_length=200)] = ""
) -> dict[str, Any]:
    """The annotations of a GeoJSON or DICOM file, sent as the body; what became of them.

    All of a file or nothing. 422 with `reason` for what cannot be understood, and at which feature.
    """
    context, by = await run_in_threadpool(writing, request, slide_id)
    path = await _received(request, context.settings.layout.staging)
    try:
        known = printable(name)[:_NAME] or "file"
        return await run_in_threadpool(
            _take, context, principal_of(request), slide_id, path, Source(known, by)
        )
    finally:
        path.unlink(missing_ok=True)


def _take(
    context: Context, principal: Principal, slide_id: str, path: Path, source: Source
) -> dict[str, Any]:
    brought = read_file(path, source.name, lambda: _planes(context, principal, slide_id), now())
    try:
        taken = annotations_import.take(context.database, slide_id, brought, source)
    except Malformed as error:
        raise Unusable(str(error)) from error
    except SlideError as error:
        raise Unusable(error.code) from error
    return {
        "drawn": taken.drawn,
        "changed": taken.changed,
        "known": taken.known,
        "newer_here": taken.newer_here,
        "grouped": taken.grouped,
        "groups": taken.groups,
    }


def _planes(context: Context, principal: Principal, slide_id: str) -> list[Any]:
    entry = imaging.of_slide(context.database, principal, slide_id)
    planes: list[Any] = load("processing.annotations.slide:planes_of")(context.opener, entry)
    return planes


async def _received(request: Request, folder: Path) -> Path:
    """The body in a file of its own. Errors: HTTPException 413."""
    descriptor, name = mkstemp(prefix="annotations-", dir=folder)
    path, length = Path(name), 0
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for piece in request.stream():
                length += len(piece)
                if length > _MOST:
                    raise HTTPException(413)
                file.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
