"""The one way in: who asks (session cookie or bearer token), and whether they may.

Every route carries the right it needs (`guarded`, `needs`); a test finds those without.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import ASGIApp, Receive, Scope, Send

from storage import people
from storage.database import Database
from storage.errors import Transient
from storage.records.people import Principal, Right, Role, allowed
from viewers.cookies import cookie_value
from viewers.headers import SECURITY

_FRESH = 5.0
"""Seconds a look-up of a secret is good for; a revoked session ends within them."""
_MOST_KNOWN = 10_000
_MOST_HEADERS = 32 * 1024
_SECRET = re.compile(r"svt_[A-Za-z0-9_-]{20,80}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE = "svartid_session"

Endpoint = Callable[[Request], Awaitable[Response]]


class Forbidden(Exception):
    """The request is not allowed; 401 for strangers, 403 for the others."""

    def __init__(self, principal: Principal | None) -> None:
        self.status = 401 if principal is None else 403


class Gate:
    """Middleware: finds the principal of every request and refuses forged ones."""

    def __init__(self, app: ASGIApp, database: Database, origin: str, secure: bool) -> None:
        self._app, self._database, self._origin = app, database, origin
        self._cookie = cookie_name(secure)
        self._known: dict[str, tuple[float, Principal | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put `principal` into the request's state."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MOST_HEADERS:
            await _refuse("headers_too_large", 431)(scope, receive, send)
            return
        headers = Headers(scope=scope)
        bearer = _bearer(headers)
        unsafe = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if bearer is None and unsafe and not self._same_origin(headers):
            await _refuse("cross_site", 403)(scope, receive, send)
            return
        secret = cookie_value(headers.get("cookie", ""), self._cookie) if bearer is None else bearer
        try:
            principal = await self._principal(secret) if secret else None
        except Transient as error:
            await _refuse(error.code, 503)(scope, receive, send)
            return
        if principal is not None and principal.role is Role.NODE and not _is_dicom(scope["path"]):
            principal = None  # elsewhere its token is nobody's
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _principal(self, secret: str) -> Principal | None:
        known = self._known.get(secret)
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return known[1]
        if not _SECRET.fullmatch(secret):
            return None
        principal = await run_in_threadpool(people.principal_of, self._database, secret)
        if principal is not None:  # strangers' guesses are not worth remembering
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[secret] = (time.monotonic(), principal)
        return principal

    def forget(self, secret: str) -> None:
        """A session has ended here: at once, not after the look-up has aged."""
        self._known.pop(secret, None)

    def _same_origin(self, headers: Headers) -> bool:
        """The browser says the request comes from our own page (OWASP: verify the origin)."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
        if self._origin and origin == self._origin:
            return True
        try:
            host = urlsplit(origin).netloc
        except ValueError:
            return False
        return host != "" and host == headers.get("host")


def _is_dicom(path: str) -> bool:
    """Where another DICOM node has business: what it may there is its peer's row to say."""
    return path.startswith("/dicom-web/") or path == "/wado"


def _bearer(headers: Headers) -> str | None:
    """The token, empty when the header is no bearer's; None (only) when there is no header."""
    authorization = headers.get("authorization")
    if authorization is None:
        return None
    return authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""


def _refuse(code: str, status: int) -> Response:
    return JSONResponse({"error": code}, status, SECURITY | {"Cache-Control": "no-store"})


def cookie_name(secure: bool) -> str:
    """`__Host-` binds the cookie to this host and to TLS; browsers refuse it without."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def principal_of(request: Request) -> Principal:
    """The principal of a request that has passed its right."""
    principal: Principal | None = request.state.principal
    if principal is None:
        raise Forbidden(None)
    return principal


def needs(right: Right) -> Any:  # noqa: ANN401 - FastAPI's Depends has no public type
    """A FastAPI dependency that lets only those with the right pass."""

    def check(connection: HTTPConnection) -> None:
        principal: Principal | None = connection.state.principal
        if allowed(principal, right):
            return
        if connection.scope["type"] == "websocket":
            raise WebSocketException(WS_1008_POLICY_VIOLATION)
        raise Forbidden(principal)

    check.right = right  # type: ignore[attr-defined]
    return Depends(check)


def guarded(path: str, endpoint: Endpoint, right: Right, methods: tuple[str, ...]) -> Route:
    """A page's route: strangers are sent to sign in, others without the right are told so."""

    async def guard(request: Request) -> Response:
        principal: Principal | None = request.state.principal
        if allowed(principal, right):
            return await endpoint(request)
        if principal is None and request.method in _SAFE:
            here = quote(request.url.path, safe="/")
            return RedirectResponse(f"/signin?next={here}", 303)
        raise Forbidden(principal)

    route = Route(path, guard, methods=list(methods), name=endpoint.__name__)
    route.right = right  # type: ignore[attr-defined]
    return route
