"""A policy as a JSON document, and back: what a laboratory changes, and what is kept of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Any

from cattrs import Converter, transform_error
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.v import format_exception

from storage.errors import Malformed
from storage.records.policy import Policy


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """Every field by its name; times in ISO 8601, enumerations by value."""
    document: dict[str, Any] = _CONVERTER.unstructure(policy)
    return document


def policy_from_json(document: object) -> Policy:
    """The policy a document describes; fields with a default may be left out.

    Errors: Malformed, naming the field, for what is missing, unknown, of another type or out of
    range. Nothing is converted: "5" is not 5.
    """
    try:
        return _CONVERTER.structure(document, Policy)
    except Exception as error:
        said = "; ".join(transform_error(error, "policy", _said))
        raise Malformed(said) from error


def _said(error: BaseException, kind: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown: {', '.join(sorted(map(str, error.extra_fields)))}"
    if isinstance(error, KeyError):
        return f"missing: {error.args[0]}"
    if isinstance(error, AttributeError | TypeError):
        return "of another shape"
    return str(error) if isinstance(error, ValueError) else format_exception(error, kind)


def _strict(value: object, kind: type) -> Any:  # noqa: ANN401 - cattrs' own signature
    if issubclass(kind, Enum):
        return kind(value)
    good = kind if kind is not float else (int, float)
    if not isinstance(value, good) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"not a {kind.__name__}: {value!r:.60}")
    return value


def _day(value: object, _: type) -> date:
    return date.fromisoformat(_strict(value, str))


def _moment(value: object, _: type) -> datetime:
    return datetime.fromisoformat(_strict(value, str))


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, _strict)
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    return converter


_CONVERTER = _converter()
