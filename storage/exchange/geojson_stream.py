"""GeoJSON files of any length: read and written a feature at a time, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from storage.errors import Malformed
from storage.exchange.geojson import feature_of
from storage.records.annotation import Annotation

_CHUNK: Final = 1 << 20
_MOST: Final = 64 << 20
"""Characters of one feature: none of a slide needs as many, and it has to fit into memory."""
_SPACE: Final = " \t\r\n"
_BATCH: Final = 500


def write_features(annotations: Iterable[Annotation]) -> Iterator[bytes]:
    """A FeatureCollection in pieces worth sending; ASCII, so that any reader takes it."""
    batch, before = list[str](), '{"type":"FeatureCollection","features":[\n'
    for at in annotations:
        batch.append(json.dumps(feature_of(at), separators=(",", ":")))
        if len(batch) >= _BATCH:
            yield (before + ",\n".join(batch)).encode()
            batch, before = [], ",\n"
    head = "" if before == ",\n" and not batch else before
    yield (head + ",\n".join(batch) + "\n]}\n").encode()


def read_features(file: IO[str]) -> Iterator[Any]:
    """The features of a collection, of an array of features, or the one feature a file is.

    Errors: Malformed (`not_json`, `feature_too_large`, `not_geojson`).
    """
    text = _Text(file)
    first = text.peek()
    if first == "[":
        yield from _items(text)
        return
    if first != "{":
        raise Malformed("not_geojson")
    alone = dict[str, Any]()
    text.take()
    found = False
    while text.peek() != "}":
        key = text.value()
        text.expect(":")
        if key == "features":
            found = True
            yield from _items(text)
        else:
            alone[str(key)] = text.value()
        if text.peek() == ",":
            text.take()
    if alone.get("type") == "Feature":
        yield alone
    elif not found:
        raise Malformed("not_geojson")


def _items(text: _Text) -> Iterator[Any]:
    text.expect("[")
    while text.peek() != "]":
        yield text.value()
        if text.peek() == ",":
            text.take()
        elif text.peek() != "]":
            raise Malformed("not_json")
    text.take()


class _Text:
    """A file's text, as much of it as is looked at."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._held, self._at = file, "", 0
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next character that is no space. Errors: Malformed at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more(_CHUNK):
                raise Malformed("not_json")

    def take(self) -> None:
        """Past the character that was looked at."""
        self._at += 1

    def expect(self, mark: str) -> None:
        """Past that very character. Errors: Malformed."""
        if self.peek() != mark:
            raise Malformed("not_json")
        self.take()

    def value(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The next whole value. Errors: Malformed."""
        self.peek()
        step = _CHUNK
        while True:
            try:
                found, end = self._decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._more(step):
                    raise Malformed("not_json") from error
                step *= 2
                continue
            if end < len(self._held) or not self._more(step):
                self._at = end
                return found

    def _more(self, step: int) -> bool:
        """Read on; what has been looked at is forgotten. Errors: Malformed."""
        try:
            came = self._file.read(step)
        except UnicodeDecodeError as error:
            raise Malformed("not_json") from error
        if len(self._held) - self._at > _MOST:
            raise Malformed("feature_too_large")
        if came:
            self._held, self._at = self._held[self._at :] + came, 0
        return bool(came)
