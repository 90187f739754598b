"""Signing in and out: a session in the database, its secret in a cookie."""

from __future__ import annotations

import asyncio

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from storage import people
from storage.records.people import Principal, Right
from viewers.access import cookie_name, guarded
from viewers.context import context_of
from viewers.cookies import cookie_value
from viewers.pages import TOO_MANY_TRIES, WRONG_NAME_OR_PASSWORD, home_of, render_signin, safe_next

_LIMITER = MovingWindowRateLimiter(MemoryStorage())
_TRIES = RateLimitItemPerMinute(10)
_TRIES_CLIENT = RateLimitItemPerMinute(60)
_LONGEST = 200
_PLACES = asyncio.Semaphore(22)
"""Those being checked and those waiting; more are told to come back."""
_AT_ONCE = asyncio.Semaphore(2)
"""Checking a password takes 64 MiB, on purpose; a flood of tries must not take them all at once."""


async def sign_in(request: Request) -> Response:
    """Check name and password; the same answer, as slowly, for unknown names."""
    context = context_of(request)
    form = await request.form(max_files=0, max_fields=5)
    next_page = str(form.get("next", "/"))
    name, password = str(form.get("name", ""))[:80], str(form.get("password", ""))
    client = request.client.host if request.client else "unknown"
    if not _may_try(name, client):
        return render_signin(request, next_page, TOO_MANY_TRIES, 429, name)
    role = None
    if 0 < len(password) <= _LONGEST:
        async with _PLACES, _AT_ONCE:
            role = await run_in_threadpool(people.check_password, context.database, name, password)
    if role is None:
        await run_in_threadpool(people.note_failed_sign_in, context.database, name, client)
        return render_signin(request, next_page, WRONG_NAME_OR_PASSWORD, 401, name)
    _LIMITER.clear(_TRIES, name.lower(), client)
    secret = await run_in_threadpool(people.open_session, context.database, name, role)
    target = safe_next(next_page)
    if target == "/":
        target = home_of(Principal(name, role, ""))
    response = RedirectResponse(target, 303)
    response.set_cookie(
        cookie_name(context.settings.secure_cookies),
        secret,
        max_age=people.SESSION_HOURS * 3600,
        httponly=True,
        samesite="lax",
        secure=context.settings.secure_cookies,
        path="/",
    )
    return response


def _may_try(name: str, client: str) -> bool:
    """Few tries for a name, some more for a client over all names, and no queue of them."""
    if _PLACES.locked():
        return False
    return _LIMITER.hit(_TRIES_CLIENT, client) and _LIMITER.hit(_TRIES, name.lower(), client)


async def sign_out(request: Request) -> Response:
    """End the session, here and in the database."""
    context = context_of(request)
    name = cookie_name(context.settings.secure_cookies)
    secret = cookie_value(request.headers.get("cookie", ""), name)
    if secret:
        await run_in_threadpool(people.close_session, context.database, secret)
        request.app.state.forget(secret)
    response = RedirectResponse("/signin", 303)
    secure = context.settings.secure_cookies
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
    return response


routes = [
    guarded("/signin", sign_in, Right.PUBLIC, ("POST",)),
    guarded("/signout", sign_out, Right.PUBLIC, ("POST",)),
]
