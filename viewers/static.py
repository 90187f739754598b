"""Our own scripts and styles, and the browser packages, at addresses that change with them."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from storage.errors import NotFound
from storage.records.people import Right
from viewers.access import needs
from viewers.headers import DECODER_POLICY
from viewers.pages import STATIC

router = APIRouter()
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
_LONGEST = 200
_COMPRESSED = frozenset({".js", ".mjs", ".css", ".svg", ".map", ".txt", ".wasm"})
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|\s|$))")
_SERVED = frozenset(
    {".js", ".mjs", ".css", ".svg", ".png", ".ico", ".map", ".txt", ".woff2", ".wasm"}
)
_DECODER = STATIC / "vendor" / "imaging" / "decode.js"


@router.get(
    "/static/{digest}/{path:path}", include_in_schema=False, dependencies=[needs(Right.PUBLIC)]
)
def static_file(request: Request, digest: str, path: str) -> Response:
    """A file below viewers/static, immutable under its digest."""
    if not path.isprintable() or len(path) > _LONGEST:
        raise NotFound("no such file")
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC) or file.suffix not in _SERVED or not file.is_file():
        raise NotFound("no such file")
    kind = _TYPES.get(file.suffix) or guess_type(file.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    if file == _DECODER:
        headers["Content-Security-Policy"] = DECODER_POLICY
    if file.suffix not in _COMPRESSED:
        return Response(file.read_bytes(), media_type=kind, headers=headers)
    headers["Vary"] = "Accept-Encoding"
    if _GZIP.search(request.headers.get("accept-encoding", "")) is None:
        return Response(file.read_bytes(), media_type=kind, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(_compressed(file, digest), media_type=kind, headers=headers)


@lru_cache(maxsize=256)
def _compressed(file: Path, digest: str) -> bytes:
    """Once for each address: it changes with the file."""
    return gzip.compress(file.read_bytes(), mtime=0)
