"""Records as plain JSON values and back: exact types, extra fields refused, times with a zone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

import cattrs
from cattrs.errors import BaseValidationError

from storage.errors import Malformed

T = TypeVar("T")
_LONGEST = 200_000
_converter = cattrs.Converter(forbid_extra_keys=True)


def _moment(value: Any, _: type) -> datetime:  # noqa: ANN401 - whatever JSON holds
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment


def _text(value: Any, _: type) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError("text is expected")
    if "\0" in value or len(value) > _LONGEST:
        raise ValueError("text with a zero byte, or too long")
    return value


def _exactly(value: Any, kind: Any) -> Any:  # noqa: ANN401
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError("another type is expected")
    return kind(value)


_converter.register_structure_hook(str, _text)
for _kind in (int, bool, float):
    _converter.register_structure_hook(_kind, _exactly)
_converter.register_structure_hook(StrEnum, lambda value, kind: kind(value))
_converter.register_unstructure_hook(StrEnum, lambda word: word.value)
_converter.register_structure_hook(datetime, _moment)
_converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
_converter.register_unstructure_hook(datetime, datetime.isoformat)
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
    try:
        return _converter.structure(dict(data), kind)
    except BaseValidationError as error:
        wrong = "; ".join(cattrs.transform_error(error, format_exception=_plainly))
        raise Malformed(f"{kind.__name__}: {wrong}") from error


def _plainly(error: BaseException, _: type | None) -> str:
    """Why a field does not fit, without what was in it: that may be about a patient."""
    return {"KeyError": "is missing"}.get(type(error).__name__, "does not fit")
