"""Errors to HTTP: one table; nothing of an error's text leaves on 5xx."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from storage.errors import Illegal, Malformed, NotFound, Refused, SvartidError, Transient
from viewers.access import Forbidden
from viewers.identifiers import Unusable
from viewers.pages import render_error

_LOG = logging.getLogger("svartid.web")
_STATUS: tuple[tuple[type[SvartidError], int], ...] = (
    (NotFound, 404),
    (Malformed, 400),
    (Refused, 409),
    (Transient, 503),
    (SvartidError, 500),
)
_WORDS = {
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    507: "no_space",
}


def install(app: FastAPI) -> None:
    """Handlers for everything that can be raised."""
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(SvartidError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Unusable, _unusable)
    app.add_exception_handler(Exception, _unforeseen)


def _answer(request: Request, status: int, code: str, reason: str = "") -> Response:
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page and not request.url.path.startswith(("/api/", "/dicom-web/")):
        return render_error(request, status)
    body = {"error": code, "reason": reason} if reason else {"error": code}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


async def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, Forbidden)  # noqa: S101 - registered for it
    return _answer(request, error.status, "no_access")


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, SvartidError)  # noqa: S101 - registered for it
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    if status >= 500:
        _LOG.error("%s %s: %s", request.method, request.url.path, error.code)
    reason = error.reason if isinstance(error, Illegal) else ""
    return _answer(request, status, error.code, reason)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    answer = _answer(request, error.status_code, _WORDS.get(error.status_code, "refused"))
    answer.headers.update(error.headers or {})
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    return _answer(request, 422, "invalid_request")


async def _unusable(request: Request, error: Exception) -> Response:
    assert isinstance(error, Unusable)  # noqa: S101 - registered for it
    return _answer(request, 422, "invalid_request", error.reason)


async def _unforeseen(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(request, 500, "internal")
