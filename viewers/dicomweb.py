"""DICOMweb, retrieving (WADO-RS): studies, series, instances, their metadata and bulk data.

Always as stored: no instance is ever transcoded. Source: PS3.18 10.4.
"""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request
from starlette.responses import Response

from processing.dicom.instance import Instance
from processing.dicom.json_model import absolute, bulk_value, to_model, to_text
from processing.dicom.media_types import DICOM, EXPLICIT_LITTLE, choose_frames, choose_instance
from processing.dicom.multipart import LAST, part_head, related
from processing.dicom.stored import StoredInstance
from storage.errors import Malformed
from storage.records.imaging import SeriesEntry
from viewers.context import context_of
from viewers.dicomweb_answers import (
    READ,
    ROOT,
    DicomRoute,
    accepted,
    address,
    is_known,
    looked_at,
    models_answer,
    not_acceptable,
    private,
    reads,
    study_looked_at,
)
from viewers.dicomweb_bytes import Part, send_instance, send_parts

router = APIRouter(prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute, dependencies=READ)
STUDY = "/studies/{study_uid}"
SERIES = STUDY + "/series/{series_uid}"
INSTANCE = SERIES + "/instances/{sop_uid}"


@reads(router, STUDY)
def study(request: Request, study_uid: str) -> Response:
    """All instances of a study, as stored, in parts."""
    return _all(request, study_looked_at(request, study_uid, "retrieve"))


@reads(router, SERIES)
def series(request: Request, study_uid: str, series_uid: str) -> Response:
    """All instances of a series, as stored, in parts."""
    return _all(request, [looked_at(request, study_uid, series_uid, "retrieve")])


@reads(router, INSTANCE)
def instance(request: Request, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """One instance as stored: in a part, or by itself (`Accept: application/dicom`), in ranges."""
    entry = looked_at(request, study_uid, series_uid, "retrieve")
    found = context_of(request).opener.instance(entry, sop_uid)
    way = choose_instance(accepted(request), found.transfer_syntax, single=True)
    if way is None:
        raise not_acceptable(f"{DICOM}; transfer-syntax={found.transfer_syntax}")
    if not way.multipart:
        return send_instance(request, found, way)
    return send_parts(request, [(found, way, instance_address(request, entry, found))], whole=True)


@reads(router, STUDY + "/metadata")
def study_metadata(request: Request, study_uid: str) -> Response:
    """What all instances of a study say of themselves, as DICOM JSON."""
    return _metadata(request, study_looked_at(request, study_uid, "metadata"))


@reads(router, SERIES + "/metadata")
def series_metadata(request: Request, study_uid: str, series_uid: str) -> Response:
    """What all instances of a series say of themselves, as DICOM JSON."""
    return _metadata(request, [looked_at(request, study_uid, series_uid, "metadata")])


@reads(router, INSTANCE + "/metadata")
def instance_metadata(request: Request, study_uid: str, series_uid: str, sop_uid: str) -> Response:
    """What an instance says of itself, as DICOM JSON."""
    entry = looked_at(request, study_uid, series_uid, "metadata")
    found = context_of(request).opener.instance(entry, sop_uid)
    return models_answer(request, [_text(request, entry, found)])


@reads(router, INSTANCE + "/bulkdata/{path:path}")
def bulk_data(
    request: Request, study_uid: str, series_uid: str, sop_uid: str, path: str
) -> Response:
    """One value that the metadata names by its address."""
    entry = looked_at(request, study_uid, series_uid, "metadata")
    found = context_of(request).opener.instance(entry, sop_uid)
    value = bulk_value(found.header(), path)
    way = choose_frames(accepted(request), EXPLICIT_LITTLE, single=True)
    if way is None:
        raise not_acceptable(EXPLICIT_LITTLE)
    digest = hashlib.blake2b(value, digest_size=12).hexdigest()
    headers = private(f'W/"{digest}-{way.multipart:d}"')
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if not way.multipart:
        return Response(value, media_type=way.kind, headers=headers)
    body = b"".join((part_head(way.kind, first=True), value, LAST))
    return Response(body, headers=headers | {"Content-Type": related(way.kind)})


@reads(router, INSTANCE + "/frames/{frames}")
def malformed_frames(
    request: Request, study_uid: str, series_uid: str, sop_uid: str, frames: str
) -> Response:
    """Frames of an instance, `1,2,3`, as stored wherever the client lets us."""
    raise Malformed("frames are asked for as numbers from 1 with commas between them")


def instance_address(request: Request, entry: SeriesEntry, found: Instance) -> str:
    """Where an instance is retrieved."""
    of_series = f"{address(request)}/studies/{entry.study_uid}/series/{entry.series_uid}"
    return f"{of_series}/instances/{found.sop_uid}"


def text_of(found: Instance) -> str:
    """The metadata of an instance; what was received has it ready, no file is opened."""
    if isinstance(found, StoredInstance):
        text = found.found.header
    else:
        text = to_text(to_model(found.header()))
    if '"00083002"' in text:
        return text
    syntax = f'"00083002": {{"vr": "UI", "Value": ["{found.transfer_syntax}"]}}'
    return f"{text[:-1]}, {syntax}}}"


def _text(request: Request, entry: SeriesEntry, found: Instance) -> str:
    return absolute(text_of(found), instance_address(request, entry, found))


def _metadata(request: Request, entries: list[SeriesEntry]) -> Response:
    opener = context_of(request).opener
    texts = [_text(request, entry, found) for entry in entries for found in opener.instances(entry)]
    return models_answer(request, texts)


def _all(request: Request, entries: list[SeriesEntry]) -> Response:
    opener, accept = context_of(request).opener, accepted(request)
    parts, left_out = list[Part](), set[str]()
    for entry in entries:
        for found in opener.instances(entry):
            way = choose_instance(accept, found.transfer_syntax, single=False)
            if way is None:
                left_out.add(found.transfer_syntax)
            else:
                parts.append((found, way, instance_address(request, entry, found)))
    if not parts:
        there = ", ".join(f"{DICOM}; transfer-syntax={at}" for at in sorted(left_out))
        raise not_acceptable(f"multipart/related of {there}")
    return send_parts(request, parts, whole=not left_out)
