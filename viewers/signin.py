"""Signing in and out: a session in the database, its secret in a cookie."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from storage import people
from storage.records.people import Principal, Right
from viewers import passwords
from viewers.access import cookie_name, guarded
from viewers.context import context_of
from viewers.cookies import cookie_value
from viewers.pages import TOO_MANY_TRIES, WRONG_NAME_OR_PASSWORD, home_of, render_signin, safe_next


async def sign_in(request: Request) -> Response:
    """Check name and password; the same answer, as slowly, for unknown names."""
    context = context_of(request)
    form = await request.form(max_files=0, max_fields=5)
    next_page = str(form.get("next", "/"))
    name, password = str(form.get("name", ""))[:80], str(form.get("password", ""))
    client = request.client.host if request.client else "unknown"
    if not passwords.may_try(name, client):
        return render_signin(request, next_page, TOO_MANY_TRIES, 429, name)
    role = await passwords.check(context.database, name, password, client)
    if role is None:
        return render_signin(request, next_page, WRONG_NAME_OR_PASSWORD, 401, name)
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
