"""DICOMweb, searching (QIDO-RS): studies, series and instances within reach of whoever asks.

Source: PS3.18 10.6.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import Response

from processing.dicom.finding import Finder, Found, Level, Within
from processing.dicom.json_model import to_text
from processing.dicom.query import MOST, Query, parse_query, reduced
from processing.dicom.query import Level as Described
from storage import imaging
from storage.records.imaging import PeerMay
from storage.records.people import Principal, Right
from viewers.access import principal_of
from viewers.context import Context, context_of
from viewers.dicomweb_answers import (
    READ,
    ROOT,
    DicomRoute,
    address,
    check_node,
    models_answer,
    plain_uid,
    reads,
)
from viewers.dicomweb_found import found_of, models_of

router = APIRouter(prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute, dependencies=READ)
_FUZZY = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
_MORE = (
    "The number of results exceeded the maximum supported by the server. "
    "Additional results can be requested."
)


@reads(router, "/studies")
def studies(request: Request) -> Response:
    """Studies: cases with their slides, and what was received."""
    return _search(request, Level.STUDY, Within())


@reads(router, "/series")
def all_series(request: Request) -> Response:
    """Series of all studies."""
    return _search(request, Level.SERIES, Within())


@reads(router, "/instances")
def all_instances(request: Request) -> Response:
    """Instances of all studies."""
    return _search(request, Level.IMAGE, Within())


@reads(router, "/studies/{study_uid}/series")
def series(request: Request, study_uid: str) -> Response:
    """Series of a study."""
    return _search(request, Level.SERIES, Within(plain_uid(study_uid)))


@reads(router, "/studies/{study_uid}/instances")
def instances_of_study(request: Request, study_uid: str) -> Response:
    """Instances of a study."""
    return _search(request, Level.IMAGE, Within(plain_uid(study_uid)))


@reads(router, "/studies/{study_uid}/series/{series_uid}/instances")
def instances(request: Request, study_uid: str, series_uid: str) -> Response:
    """Instances of a series."""
    within = Within(plain_uid(study_uid), plain_uid(series_uid))
    return _search(request, Level.IMAGE, within)


def _search(request: Request, level: Level, within: Within) -> Response:
    context, principal = context_of(request), principal_of(request)
    check_node(context, principal, PeerMay.QUERY)
    query = parse_query(parse_qsl(request.url.query, keep_blank_values=True))
    finder = Finder(imaging.Reach(context.database, principal), context.opener)
    found, more = found_of(finder, level, within, query)
    _log(context, principal, found)
    headers = _warnings(request, query, more=more)
    if not found:
        return Response(status_code=204, headers={"Cache-Control": "no-store"} | headers)
    carried = query.carried(Described(level), Described(within.level))
    told = models_of(finder, level, found, address(request))
    models = told if query.everything else [reduced(at, carried) for at in told]
    return models_answer(request, [to_text(model) for model in models], headers)


def _warnings(request: Request, query: Query, *, more: bool) -> dict[str, str]:
    """What the client should know of how its question was answered (PS3.18 8.3.4.5)."""
    texts = [_FUZZY] if query.fuzzy else []
    if more and (query.limit == MOST or "limit=" not in request.url.query):
        texts.append(_MORE)
    if not texts:
        return {}
    return {"Warning": ", ".join(f'299 {address(request)} "{text}"' for text in texts)}


def _log(context: Context, principal: Principal, found: list[Found]) -> None:
    """A line for every patient that is named; nothing leaves before it."""
    named = {
        (at.entry.case, at.entry.whose.patient_id)
        for at in found
        if at.entry.case and at.entry.whose.patient_id
    }
    context.desk.listing(principal, "search")
    context.desk.listed(principal, "search", sorted((case, str(whose)) for case, whose in named))
    others = {
        at.entry.series_uid for at in found if at.entry.whose.patient_id and not at.entry.case
    }
    for series_uid in sorted(others):
        context.desk.series(principal, Right.READ_SLIDES, series_uid, "search")
