"""An application called as a server would, with nothing made tidy on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Header = tuple[bytes, bytes]


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""


def call(
    app: ASGIApp,
    path: str,
    headers: Iterable[Header] = (),
    method: str = "GET",
    body: Iterable[bytes] = (),
    enough: Callable[[bytes], bool] | None = None,
    cut: bool = False,
    within: float = 20,
) -> Answer:
    """One request; `enough` hangs up as soon as what came satisfies it, `cut` after the last
    piece of a body that should have gone on."""
    request = _call(app, path, headers, method, iter(body), enough, cut)
    # In a thread of its own: the browser's driver may have a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(request, within)).result()


async def _call(
    app: ASGIApp,
    path: str,
    headers: Iterable[Header],
    method: str,
    pieces: Iterator[bytes],
    enough: Callable[[bytes], bool] | None,
    cut: bool,
) -> Answer:
    answer, gone, ended = Answer(), asyncio.Event(), False

    async def receive() -> Message:
        nonlocal ended
        for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        if not ended and not cut:
            ended = True
            return {"type": "http.request", "body": b"", "more_body": False}
        if enough is not None:
            await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
            return
        answer.body += message.get("body", b"")
        if enough is not None and enough(answer.body):
            gone.set()

    plain, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(plain),
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("127.0.0.1", 4711),
        "server": ("testserver", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return answer
