"""WADO-URI, for programs from before DICOMweb: one instance or picture by a query.

`/dicom-web/wado?requestType=WADO&studyUID=&seriesUID=&objectUID=&contentType=`. Source: PS3.18 9.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from processing.dicom.instance import Instance
from processing.dicom.media_types import DICOM, Representation
from processing.dicom.rendering import PICTURE_TYPES, View, parse_quality, parse_window
from storage.errors import Malformed, NotFound
from viewers.context import context_of
from viewers.dicomweb_answers import READ, ROOT, DicomRoute, looked_at, not_acceptable, reads
from viewers.dicomweb_bytes import send_instance
from viewers.dicomweb_rendered import Wish, frame_picture, instance_picture, no_picture

router = APIRouter(prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute, dependencies=READ)
_MOST_EDGE = 4096


@reads(router, "/wado")
def wado(request: Request) -> Response:
    """An instance as stored, or a picture: `contentType`, `frameNumber`, `rows`, `columns`,
    `windowCenter`, `windowWidth`, `imageQuality`, `transferSyntax`."""
    said = request.query_params
    if said.get("requestType") != "WADO":
        raise Malformed("requestType is WADO")
    study, series, uid = (said.get(name, "") for name in ("studyUID", "seriesUID", "objectUID"))
    kinds = [at.partition(";")[0].strip() for at in said.get("contentType", "").split(",")]
    as_file = DICOM in kinds
    entry = looked_at(request, study, series, "retrieve" if as_file else "view")
    found = context_of(request).opener.instance(entry, uid)
    if as_file or (not any(kinds) and not found.frames):
        return _file(request, found)
    if not found.frames:
        raise no_picture()
    wish = _wish(said, kinds)
    if "frameNumber" not in said:
        return instance_picture(request, entry, found, wish)
    number = _number(said, "frameNumber", 2**31)
    if number > found.frames:
        raise NotFound(f"the frames are numbered from 1 to {found.frames}")
    return frame_picture(request, found, wish, number - 1)


def _file(request: Request, found: Instance) -> Response:
    wanted = request.query_params.get("transferSyntax", "*")
    if wanted not in ("*", found.transfer_syntax):
        raise not_acceptable(f"{DICOM}; transfer-syntax={found.transfer_syntax}")
    way = Representation(DICOM, found.transfer_syntax, multipart=False)
    return send_instance(request, found, way)


def _wish(said: Mapping[str, str], kinds: list[str]) -> Wish:
    """Errors: Malformed, NotServed."""
    kind = next((at for at in kinds if at in PICTURE_TYPES), None)
    if kind is None and any(kinds):
        raise not_acceptable(", ".join((DICOM, *PICTURE_TYPES)))
    view = window = None
    if "rows" in said or "columns" in said:
        columns, rows = (_number(said, at, _MOST_EDGE, _MOST_EDGE) for at in ("columns", "rows"))
        view = View(columns, rows)
    if "windowCenter" in said or "windowWidth" in said:
        window = parse_window(f"{said.get('windowCenter')},{said.get('windowWidth')}")
    return Wish(
        kind or PICTURE_TYPES[0], view, window, parse_quality(said.get("imageQuality", "90"))
    )


def _number(said: Mapping[str, str], name: str, most: int, otherwise: int = 0) -> int:
    """From 1. Errors: Malformed."""
    text = said.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 1 <= int(text) <= most):
        raise Malformed(f"{name} is a number from 1 to {most}")
    return int(text)
