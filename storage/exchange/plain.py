"""Records as plain JSON values and back: exact types, extra fields refused, times with a zone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

import cattrs
from cattrs.errors import BaseValidationError

from storage.errors import Malformed

T = TypeVar("T")
MOST_TEXT = 200_000
_converter = cattrs.Converter(forbid_extra_keys=True)


def is_text(value: str, most: int = MOST_TEXT) -> bool:
    """Whether every database keeps it: no zero byte, no half of a surrogate pair, not too long."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return len(value) <= most and "\0" not in value


def is_moment(value: datetime) -> bool:
    """Whether it is a moment: with its zone, and within the calendar in UTC."""
    try:
        return value.tzinfo is not None and value.astimezone(UTC).tzinfo is UTC
    except OverflowError:
        return False


def _moment(value: Any, _: type) -> datetime:  # noqa: ANN401 - whatever JSON holds
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(UTC)


def _text(value: Any, _: type) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError("text is expected")
    if not is_text(value):
        raise ValueError("text with what is no character, or too long")
    return value


def _exactly(value: Any, kind: Any) -> Any:  # noqa: ANN401
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError("another type is expected")
    if kind is float and not math.isfinite(value):
        raise ValueError("a number is expected")
    return kind(value)


_converter.register_structure_hook(str, _text)
for _kind in (int, bool, float):
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook(StrEnum, lambda value, kind: kind(value))
_converter.register_unstructure_hook(StrEnum, lambda word: word.value)
_converter.register_structure_hook(datetime, _moment)
_converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
_converter.register_unstructure_hook(datetime, lambda at: at.astimezone(UTC).isoformat())
_converter.register_unstructure_hook(date, date.isoformat)


def to_plain(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    """The fields of a frozen record as JSON values; those that hold their default are left out."""
    plain: dict[str, Any] = _converter.unstructure(record)
    defaults = {at.name: at.default for at in dataclasses.fields(record)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plain.items()
        if getattr(record, name) != defaults[name]
    }


def from_plain(kind: type[T], data: Mapping[str, Any]) -> T:
    """A record out of JSON values; Malformed names the field that does not fit, not its value."""
    if not isinstance(data, Mapping):
        raise Malformed(f"{kind.__name__}: named fields are expected")
    try:
        return _converter.structure(dict(data), kind)
    except BaseValidationError as error:
        wrong = "; ".join(cattrs.transform_error(error, format_exception=_plainly))
        raise Malformed(f"{kind.__name__}: {wrong}") from error


def _plainly(error: BaseException, _: type | None) -> str:
    """Why a field does not fit, without what was in it: that may be about a patient."""
    return {"KeyError": "is missing"}.get(type(error).__name__, "does not fit")
