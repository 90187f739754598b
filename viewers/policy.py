"""What the laboratory promises, over HTTP: read by all who see figures, changed by few."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, Response

from storage import policies, worklist
from storage.errors import Malformed
from storage.exchange.case_json import moment_json
from storage.exchange.policy_json import policy_to_json
from storage.policies import Entered
from storage.records.people import Right, allowed
from viewers.access import needs, principal_of
from viewers.acts import SOURCE
from viewers.context import context_of

router = APIRouter(tags=["turnaround"])
_ADDRESS = "/api/v1/policy"


@router.get(_ADDRESS, dependencies=[needs(Right.SEE_TURNAROUND)])
def read_policy(
    request: Request, version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
) -> dict[str, Any]:
    """A version (the one that holds now by default), and all there have been."""
    database, principal = context_of(request).database, principal_of(request)
    current = policies.current(database)
    shown = policies.version(database, version) if version else current
    return {
        "policy": policy_to_json(shown),
        "current": current.version,
        "history": [_entered(at) for at in policies.history(database)],
        "sites": worklist.sites(database),
        "may": {"change": allowed(principal, Right.MANAGE)},
    }


@router.put(_ADDRESS, status_code=201, dependencies=[needs(Right.MANAGE)])
def change_policy(request: Request, document: Annotated[dict[str, Any], Body()]) -> Response:
    """Enter a new version; `version` in the document names the one it was made from.

    What is wrong in it is named: 400 with `reason`. It holds from `effective_from`, or from now.
    """
    database, name = context_of(request).database, principal_of(request).name
    try:
        entered = policies.enter(database, document, name, SOURCE)
    except Malformed as error:
        return JSONResponse({"error": error.code, "reason": str(error)}, 400)
    return JSONResponse(policy_to_json(entered), 201)


def _entered(at: Entered) -> dict[str, Any]:
    return {
        "version": at.policy.version,
        "effective_from": moment_json(at.policy.effective_from),
        "entered_at": moment_json(at.entered_at),
        "entered_by": at.entered_by,
    }
