"""multipart/related, written and read in pieces: no part is ever held whole. Source: RFC 2046 5.1.

Read: what belongs to no part, before the first and after the last boundary, is passed over.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from enum import Enum

from storage.errors import Malformed

BOUNDARY = secrets.token_hex(16)
"""Of this process: 128 random bits, which stand in no frame by accident or by intent."""
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")
"""The standard ends at 70 characters, Orthanc 1.10 sends 73."""
_MOST_HEAD = 16 * 1024
_MOST_PADDING = 256
Head = dict[str, str]
"""Headers of a part by their lower-case names."""


class End(Enum):
    """The part that came last is whole."""

    PART = "part"


END = End.PART
Event = Head | bytes | End
LAST = f"\r\n--{BOUNDARY}--\r\n".encode()


def related(kind: str) -> str:
    """Content-Type of parts of one media type."""
    return f'multipart/related; type="{kind}"; boundary={BOUNDARY}'


def part_head(content_type: str, *, first: bool, location: str = "") -> bytes:
    """What stands before the bytes of a part."""
    where = f"\r\nContent-Location: {location}" if location else ""
    begin = "" if first else "\r\n"
    return f"{begin}--{BOUNDARY}\r\nContent-Type: {content_type}{where}\r\n\r\n".encode()


class _State(Enum):
    BEFORE = "before"
    LINE = "line"
    HEAD = "head"
    BODY = "body"
    AFTER = "after"


class PartReader:
    """Takes a body as it arrives and says what it finds: a head, bytes of the part, its end."""

    def __init__(self, boundary: str) -> None:
        """Errors: Malformed."""
        if not _BOUNDARY.fullmatch(boundary):
            raise Malformed("the body's boundary is missing or no boundary")
        self._delimiter = b"\r\n--" + boundary.encode()
        # The first boundary may stand at the very beginning, with no line before it.
        self._waiting, self._state = bytearray(b"\r\n"), _State.BEFORE

    def feed(self, piece: bytes) -> Iterator[Event]:
        """What this piece completes. Errors: Malformed."""
        self._waiting += piece
        while self._state is not _State.AFTER:
            before = self._state, len(self._waiting)
            if self._state is _State.LINE:
                yield from self._line()
            elif self._state is _State.HEAD:
                yield from self._head()
            else:
                yield from self._body()
            if before == (self._state, len(self._waiting)):
                return
        self._waiting.clear()

    def close(self) -> None:
        """The body has ended. Errors: Malformed, when its last boundary has not come."""
        if self._state is not _State.AFTER:
            raise Malformed("the body ends before its last boundary")

    def _body(self) -> list[Event]:
        """Up to the next boundary, or as far as none can begin."""
        at = self._waiting.find(self._delimiter)
        end = at if at >= 0 else max(len(self._waiting) - len(self._delimiter) + 1, 0)
        found: list[Event] = []
        if self._state is _State.BODY and end:
            found.append(bytes(self._waiting[:end]))
        if at < 0:
            del self._waiting[:end]
            return found
        if self._state is _State.BODY:
            found.append(END)
        del self._waiting[: at + len(self._delimiter)]
        self._state = _State.LINE
        return found

    def _line(self) -> list[Event]:
        """The rest of a boundary's line: two strokes after the last one."""
        if self._waiting[:2] == b"--":
            self._state = _State.AFTER
            return []
        end = self._waiting.find(b"\r\n")
        if self._waiting[: end if end >= 0 else _MOST_PADDING].strip(b" \t-\r"):
            raise Malformed("a boundary is followed by something else")
        if end < 0 and len(self._waiting) > _MOST_PADDING:
            raise Malformed("a boundary's line does not end")
        if end >= 0:
            del self._waiting[: end + 2]
            self._state = _State.HEAD
        return []

    def _head(self) -> list[Event]:
        if self._waiting[:2] == b"\r\n":
            end, blank = 0, 2
        else:
            end, blank = self._waiting.find(b"\r\n\r\n"), 4
        if end < 0:
            if len(self._waiting) > _MOST_HEAD:
                raise Malformed("a part's headers are too long")
            return []
        head = _headers(self._waiting[:end].decode("latin-1"))
        del self._waiting[: end + blank]
        self._state = _State.BODY
        return [head]


def _headers(text: str) -> Head:
    found: Head = {}
    for line in text.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n"):
        name, colon, value = line.partition(":")
        if line and not colon:
            raise Malformed("a part's header is not name: value")
        if line:
            found[name.strip().lower()] = value.strip()
    return found
