"""UPS-RS: work for scanners, programs and consultants as DICOM's worklist (PS3.18 11).

Who may see and do what is decided by the record of work (`storage.ups_steps`, `storage.ups_work`),
as for /api/v1/work and the screens; DIMSE answers the same.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import Response

from processing.dicom import ups_rules as rules
from processing.dicom.query import parse_query
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.context import context_of
from viewers.dicomweb_answers import ROOT, DicomRoute, address, json_answer, plain_uid
from viewers.workitems_answers import (
    WORKITEMS,
    as_json,
    dataset_of,
    done,
    in_thread,
    refused,
    service_of,
    workitem_address,
)

router = APIRouter(
    prefix=ROOT, tags=["dicomweb"], route_class=DicomRoute, dependencies=[needs(Right.SIGNED_IN)]
)
STEP = WORKITEMS + "/{workitem_uid}"
_MORE = "There are additional results that can be requested"


@router.post(WORKITEMS, status_code=201)
async def create(request: Request) -> Response:
    """Create a workitem: work for a program (AI) on images that are here."""
    dataset = await dataset_of(request)
    uid = _named_uid(request) or str(dataset.get("SOPInstanceUID") or "")
    service = service_of(context_of(request), address(request))
    answer = await in_thread(partial(service.create, principal_of(request), uid, dataset))
    where = workitem_address(request, answer.uid)
    return done(request, answer, 201, {"Location": where, "Content-Location": where})


@router.get(WORKITEMS)
def search(request: Request) -> Response:
    """Search for workitems, as QIDO-RS: attributes to match, `limit`, `offset`."""
    query = parse_query(parse_qsl(request.url.query, keep_blank_values=True))
    service = service_of(context_of(request), address(request))
    every = service.search(principal_of(request), query.keys)
    found = list(islice(every, query.offset, query.offset + query.limit + 1))
    if not found:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    more = len(found) > query.limit
    headers = {"Warning": f"299 {address(request)}: {_MORE}"} if more else {}
    return json_answer(request, as_json(found[: query.limit]), headers)


@router.get(STEP)
def retrieve(request: Request, workitem_uid: str) -> Response:
    """One workitem; never its Transaction UID."""
    service = service_of(context_of(request), address(request))
    answer = service.get(principal_of(request), plain_uid(workitem_uid))
    if answer.dataset is None:
        return refused(request, answer)
    return json_answer(request, as_json([answer.dataset]))


@router.post(STEP)
async def update(request: Request, workitem_uid: str) -> Response:
    """Change attributes: `?transaction-uid=` once it is in progress."""
    dataset = await dataset_of(request)
    transaction = request.query_params.get("transaction-uid") or request.query_params.get(
        "transaction", ""
    )
    request.state.transaction = transaction or dataset.get("TransactionUID", "")
    service, who = service_of(context_of(request), address(request)), principal_of(request)
    uid = plain_uid(workitem_uid)
    answer = await in_thread(partial(service.change, who, uid, dataset, transaction))
    if answer.status == rules.ENDED:
        return refused(request, answer, 400)
    return done(request, answer, headers={"Content-Location": workitem_address(request, uid)})


@router.put(STEP + "/state")
async def change_state(request: Request, workitem_uid: str) -> Response:
    """Begin, complete or cancel: `TransactionUID` and `ProcedureStepState`."""
    dataset = await dataset_of(request)
    request.state.transaction = dataset.get("TransactionUID", "")
    service, who = service_of(context_of(request), address(request)), principal_of(request)
    uid = plain_uid(workitem_uid)
    answer = await in_thread(partial(service.turn, who, uid, dataset))
    return done(request, answer, headers={"Content-Location": workitem_address(request, uid)})


@router.post(STEP + "/cancelrequest", status_code=202)
async def request_cancellation(request: Request, workitem_uid: str) -> Response:
    """Ask that it be stopped; what waits is canceled, whoever performs it is told."""
    dataset = await dataset_of(request)
    service, who = service_of(context_of(request), address(request)), principal_of(request)
    uid = plain_uid(workitem_uid)
    answer = await in_thread(partial(service.cancel, who, uid, dataset, who.name[:16]))
    return done(request, answer, 202)


def _named_uid(request: Request) -> str:
    """`?1.2.3`, as the standard has it, or by the name that was usual before."""
    named = request.query_params.get("AffectedSOPInstanceUID")
    plain = request.url.query
    return plain_uid(named or plain) if named or (plain and "=" not in plain) else ""
