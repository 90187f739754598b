"""Prefect's own screens and API, for ops only: our sign-in in front, its credential behind."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import websockets
from fastapi import APIRouter, Request, WebSocket
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect

from storage.errors import Transient
from storage.records.people import Right
from viewers.access import needs

router = APIRouter(include_in_schema=False)
_BASE = "/ops/prefect"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "host", "content-length"}
    | {"content-encoding", "accept-encoding", "cookie", "authorization", "origin", "referer"}
)
_RELAXED = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
"""Prefect's pages need inline styles and scripts; they get them here and nowhere else."""


@router.api_route(_BASE + "/{path:path}", methods=_METHODS, dependencies=[needs(Right.OPERATE)])
async def prefect(request: Request, path: str) -> Response:
    """Pass one request on. Errors: Transient when Prefect is away."""
    if path == "ui-settings":
        return await _ui_settings()
    headers = {name: value for name, value in request.headers.items() if name not in _HOP}
    client = httpx.AsyncClient(timeout=30)
    question = client.build_request(
        request.method,
        _upstream(path),
        params=str(request.query_params),
        headers=headers | _credential(),
        content=await request.body(),
    )
    try:
        answer = await client.send(question, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        raise Transient("Prefect does not answer") from error
    kept = {name: value for name, value in answer.headers.items() if name not in _HOP}
    kept["Content-Security-Policy"] = _RELAXED
    return StreamingResponse(_body(client, answer), answer.status_code, headers=kept)


@router.websocket(_BASE + "/{path:path}", dependencies=[needs(Right.OPERATE)])
async def prefect_events(socket: WebSocket, path: str) -> None:
    """Prefect's event streams."""
    address = _upstream(path).replace("http://", "ws://", 1)
    protocols = socket.scope.get("subprotocols") or None
    try:
        async with websockets.connect(
            address, additional_headers=_credential(), subprotocols=protocols
        ) as upstream:
            await socket.accept(upstream.subprotocol)
            await _relay(socket, upstream)
    except (OSError, websockets.WebSocketException):
        with suppress(RuntimeError):
            await socket.close(1013)


async def _relay(socket: WebSocket, upstream: websockets.ClientConnection) -> None:
    async def outward() -> None:
        async for message in upstream:
            text = message if isinstance(message, str) else message.decode()
            if '"auth_failure"' not in text:
                await socket.send_text(text)

    async def inward() -> None:
        while True:
            text = await socket.receive_text()
            await upstream.send(_with_credential(text))

    tasks = [asyncio.create_task(outward()), asyncio.create_task(inward())]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        with suppress(WebSocketDisconnect, websockets.ConnectionClosed):
            task.result()


def _with_credential(text: str) -> str:
    """The first message of a stream authenticates; the browser does not know the credential."""
    try:
        message = json.loads(text)
    except ValueError:
        return text
    if isinstance(message, dict) and message.get("type") == "auth":
        message["token"] = os.environ.get("PREFECT_API_AUTH_STRING", "")
        return json.dumps(message)
    return text


async def _ui_settings() -> Response:
    """Prefect's UI must not ask for a password of its own: ours has been given."""
    async with httpx.AsyncClient(timeout=10) as client:
        try:
            answer = await client.get(_upstream("ui-settings"), headers=_credential())
            settings = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Transient("Prefect does not answer") from error
    settings["auth"] = None
    return Response(json.dumps(settings), media_type="application/json")


async def _body(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    finally:
        await answer.aclose()
        await client.aclose()


def _upstream(path: str) -> str:
    """Prefect serves its UI below our base and its API at /api."""
    root = os.environ.get("PREFECT_API_URL", "http://127.0.0.1:1/api").removesuffix("/api")
    return f"{root}/{path}" if path.startswith("api") else f"{root}{_BASE}/{path}"


def _credential() -> dict[str, str]:
    secret = os.environ.get("PREFECT_API_AUTH_STRING", "")
    return {"Authorization": "Basic " + b64encode(secret.encode()).decode()}
