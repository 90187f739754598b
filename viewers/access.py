"""The one way in: who asks (session cookie or bearer token), and whether they may.

Every route carries the right it needs (`guarded`, `needs`); a test finds those without.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
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
from storage.records.people import Principal, Right, allowed
from viewers.headers import SECURITY

_FRESH = 5.0
"""Seconds a look-up of a secret is good for; a revoked session ends within them."""
_MOST_KNOWN = 10_000
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
        headers = Headers(scope=scope)
        bearer = _bearer(headers)
        unsafe = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if bearer is None and unsafe and not self._same_origin(headers):
            await _refuse("cross_site", 403)(scope, receive, send)
            return
        secret = bearer or cookie_value(headers.get("cookie", ""), self._cookie)
        try:
            principal = await self._principal(secret) if secret else None
        except Transient as error:
            await _refuse(error.code, 503)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    async def _principal(self, secret: str) -> Principal | None:
        known = self._known.get(secret)
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return known[1]
        principal = await run_in_threadpool(people.principal_of, self._database, secret)
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
        host = urlsplit(origin).netloc
        return host != "" and host == headers.get("host")


def _bearer(headers: Headers) -> str | None:
    authorization = headers.get("authorization", "")
    return authorization[7:].strip() if authorization[:7].lower() == "bearer " else None


def _refuse(code: str, status: int) -> Response:
    return JSONResponse({"error": code}, status, SECURITY | {"Cache-Control": "no-store"})


def cookie_name(secure: bool) -> str:
    """`__Host-` binds the cookie to this host and to TLS; browsers refuse it without."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


def cookie_value(header: str, name: str) -> str | None:
    """One cookie out of the header, None when it is absent or malformed."""
    if name not in header:
        return None
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


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
