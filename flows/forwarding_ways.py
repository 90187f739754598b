"""Which way leads to a node: DICOMweb where it has an address for it, else an association."""

from __future__ import annotations

import os
from pathlib import Path

from flows.forwarding_line import Credentials, Line, Unreached
from storage.on_demand import load
from storage.records.imaging import Peer
from storage.settings import Settings

_WEB, _ASSOCIATION = "flows.forwarding_stow:StowLine", "flows.forwarding_dimse:DimseLine"


def dial(peer: Peer, settings: Settings) -> Line:
    """A line to the node. Errors: Unreached."""
    return dial_as(peer, credentials_of(peer.name, settings))


def dial_as(peer: Peer, credentials: Credentials) -> Line:
    """The same, showing what the caller says. Errors: Unreached."""
    way: Line
    if peer.url:
        way = load(_WEB)(peer.url, credentials)
    elif peer.host and peer.port:
        way = load(_ASSOCIATION)(peer, credentials)
    else:
        raise Unreached("no_address")
    return way


def credentials_of(name: str, settings: Settings) -> Credentials:
    """What is shown to a node, read anew each time: a token may have been renewed.

    Errors: Unreached (`no_token`).
    """
    place = settings.peer_tokens.get(name, "")
    token = read_token(place) if place else ""
    return Credentials(token, authority=settings.peer_authority)


def read_token(place: str) -> str:
    """The token in a file, or, behind `env:`, in an environment variable. Errors: Unreached."""
    if place.startswith("env:"):
        token = os.environ.get(place.removeprefix("env:"), "")
    else:
        try:
            token = Path(place).read_text("utf-8")
        except (OSError, ValueError):
            raise Unreached("no_token") from None
    if not token.strip():
        raise Unreached("no_token")
    return token.strip()
