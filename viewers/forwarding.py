"""What goes to other DICOM nodes by itself: how far each series is, sent again, and the rules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from storage import dicom_peers, forward_rules, forwarding
from storage.exchange.forward_json import forward_json, rule_json
from storage.records.forwarding import ForwardOn, ForwardState, ForwardWhat
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.acts import Name, Word
from viewers.context import context_of, plain_id

router = APIRouter(tags=["ops"])
_ADDRESS = "/api/v1/forwarding"
_OPERATE, _MANAGE = [needs(Right.OPERATE)], [needs(Right.MANAGE)]
Words = Annotated[tuple[Word, ...], Field(max_length=50)]


class NewRule(BaseModel):
    """Where to, when, and the conditions that all hold; empty is any."""

    model_config = ConfigDict(extra="forbid")

    peer: Name
    on: ForwardOn
    modalities: Words = ()
    units: Words = ()
    stains: Words = ()
    received_from: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


@router.get(_ADDRESS, dependencies=_OPERATE)
def list_forwarding(request: Request, state: ForwardState | None = None) -> dict[str, Any]:
    """Series on their way newest first, how many are in each state, the rules, and the nodes."""
    database = context_of(request).database
    found = forwarding.listing(database, [state] if state else [])
    return {
        "forwarding": [forward_json(at) for at in found],
        "counts": forwarding.counts(database),
        "rules": [rule_json(at) for at in forward_rules.listing(database)],
        "peers": [at.name for at in dicom_peers.listing(database)],
    }


@router.post(_ADDRESS + "/rules", status_code=201, dependencies=_MANAGE)
def add_rule(request: Request, rule: NewRule) -> dict[str, Any]:
    """From now on such series go to that node."""
    what = ForwardWhat(rule.on, rule.modalities, rule.units, rule.stains, rule.received_from)
    who = principal_of(request).name
    return rule_json(forward_rules.add(context_of(request).database, rule.peer, what, who))


@router.delete(_ADDRESS + "/rules/{rule_id}", status_code=204, dependencies=_MANAGE)
def remove_rule(request: Request, rule_id: str) -> Response:
    """Forget a rule; what it has put into the queue goes all the same."""
    who = principal_of(request).name
    forward_rules.remove(context_of(request).database, plain_id(rule_id), who)
    return Response(status_code=204)


@router.post(_ADDRESS + "/{forward_id}/resend", status_code=204, dependencies=_OPERATE)
def resend(request: Request, forward_id: str) -> Response:
    """Send all of a series once more, now."""
    who = principal_of(request).name
    forwarding.resend(context_of(request).database, plain_id(forward_id), who)
    return Response(status_code=204)
