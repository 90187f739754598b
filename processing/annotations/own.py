"""What DICOM has no place for, in private elements beside what it has: nothing is lost on the way.

Who cannot read them loses nothing of the standard's content, and they are believed only as long
as the standard's content is what they were written beside.
"""

from __future__ import annotations

import json
from typing import Any

from pydicom.dataset import Dataset

CREATOR = "SVARTID ANNOTATION"
_GROUP = 0x7053
_WORDS, _COLUMNS = 0x01, 0x02


def put(into: Dataset, words: dict[str, Any], columns: bytes = b"") -> None:
    """Add ours to an item."""
    block = into.private_block(_GROUP, CREATOR, create=True)
    block.add_new(_WORDS, "UT", json.dumps(words, ensure_ascii=False, separators=(",", ":")))
    if columns:
        block.add_new(_COLUMNS, "OB", columns + b"\0" * (len(columns) % 2))


def words_of(item: Dataset) -> dict[str, Any] | None:
    """What we said of an item; None when nothing, or nothing that can be understood."""
    found = _value(item, _WORDS)
    try:
        text = found.decode() if isinstance(found, bytes) else str(found or "")
        said = json.loads(text.rstrip("\0 "))
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def columns_of(item: Dataset) -> bytes:
    """The columns we added to an item; empty when there are none."""
    found = _value(item, _COLUMNS)
    return found if isinstance(found, bytes) else b""


def _value(item: Dataset, element: int) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        block = item.private_block(_GROUP, CREATOR)
        return block[element].value
    except KeyError:
        return None
