"""Cookies read strictly: the standard parser takes minutes over a hostile header."""

from __future__ import annotations

import re

_VALUE = re.compile(r"[A-Za-z0-9_-]{1,100}")


def cookie_value(header: str, name: str) -> str | None:
    """One cookie out of a Cookie header; None when it is absent or no value of ours."""
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return value if _VALUE.fullmatch(value := value.strip()) else None
    return None
