"""Query keys against answers, for C-FIND and QIDO-RS alike. Source: PS3.4 C.2.2.2.

A key that an answer cannot have does not narrow (PS3.4 C.2.2.1.3); fuzzy matching is not done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from processing.dicom.names import COPENHAGEN
from storage.records.imaging import Wanted

_NOT_KEYS = frozenset({0x00080005, 0x00080052, 0x00080201, 0x00080054, 0x00080056})
"""Character set, level, time zone, retrieve AE title, availability: said, not asked."""
_PATIENT_ID = 0x00100020
_CPR = re.compile(r"^(\d{6})-(\d{4})$")
_RANGES = frozenset({"DA", "TM", "DT"})
_NUMBERS = frozenset({"IS", "DS", "US", "UL", "SS", "SL", "FL", "FD", "UV", "SV"})
_WILDCARDS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})


def matches(keys: Dataset, answer: Dataset) -> bool:
    """True when every key that has a value fits the answer."""
    return all(
        _fits(key, answer[key.tag])
        for key in keys
        if key.tag not in _NOT_KEYS and not _is_universal(key) and key.tag in answer
    )


def wanted_of(keys: Dataset) -> Wanted:
    """What of the keys a database can narrow by; the rest is for `matches`."""
    since, until = _days(keys.get("StudyDate"))
    return Wanted(
        study_uids=_list(keys.get("StudyInstanceUID")),
        series_uids=_list(keys.get("SeriesInstanceUID")),
        accession=_plain(keys.get("AccessionNumber")),
        identifier=_CPR.sub(r"\1\2", _plain(keys.get("PatientID")) or "") or None,
        since=since,
        until=until,
        name_parts=_name_parts(keys.get("PatientName")),
    )


def _is_universal(key: DataElement) -> bool:
    if key.VR == "SQ":
        return all(_is_universal(inner) for item in key.value for inner in item)
    return key.is_empty or str(key.value).strip() in ("", "*")


def _fits(key: DataElement, found: DataElement) -> bool:
    if key.VR == "SQ":
        return any(matches(wish, item) for wish in key.value for item in found.value or [])
    values = [str(value) for value in _values(found)]
    wishes = [_as_kept(key, str(value).strip()) for value in _values(key)]
    return any(_one(found.VR, wish, value.strip()) for wish in wishes for value in values)


def _as_kept(key: DataElement, wish: str) -> str:
    """A CPR is kept without its hyphen."""
    return _CPR.sub(r"\1\2", wish) if key.tag == _PATIENT_ID else wish


def _one(kind: str, wish: str, value: str) -> bool:
    if kind in _RANGES:
        return _in_range(kind, wish, value)
    if kind in _NUMBERS:
        return _number(wish) == _number(value) is not None
    if kind in _WILDCARDS:
        return _pattern(wish.rstrip("^"), kind == "PN").fullmatch(value.rstrip("^")) is not None
    return wish == value


@lru_cache(128)
def _pattern(wish: str, is_name: bool) -> re.Pattern[str]:
    """`*` any letters, `?` one; names whatever their case.

    What stands between two stars is found once, at the first place: a wish of many stars, sent to
    keep us busy, is not tried in all ways there are.
    """
    first, *others = [re.escape(part).replace(r"\?", ".") for part in wish.split("*")]
    between = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + between + last, re.DOTALL | (re.IGNORECASE if is_name else 0))


def _in_range(kind: str, wish: str, value: str) -> bool:
    """`from-until`, either end open; a value as coarse as it is written is meant whole."""
    if not value:
        return False
    plain = value.replace(":", "") if kind == "TM" else value
    wish = wish.replace(":", "") if kind == "TM" else wish
    low, dash, high = wish.partition("-")
    if not dash:
        return plain.startswith(wish)
    low, high = low.strip(), high.strip()
    return plain >= low and (not high or plain[: len(high)] <= high)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _values(element: DataElement) -> Sequence[object]:
    value = element.value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, MultiValue | list) else [value]


def _name_parts(value: object) -> tuple[str, ...]:
    """What a name has in it for certain, as every database can ask for it: ASCII, small letters."""
    if isinstance(value, MultiValue):
        return ()
    plain = str(value or "").partition("=")[0].lower()
    return tuple(at for at in re.findall(r"[a-z]+", plain) if len(at) > 1)


def _list(value: object) -> tuple[str, ...]:
    """UIDs as a list, none where a wildcard stands for any."""
    if not value:
        return ()
    found = [str(at).strip() for at in value] if isinstance(value, MultiValue) else [str(value)]
    uids = [part.strip() for at in found for part in at.replace("\\", ",").split(",")]
    return tuple(uid for uid in uids if uid and "*" not in uid and "?" not in uid)


def _plain(value: object) -> str | None:
    text = str(value or "").strip()
    if not text or isinstance(value, MultiValue) or "*" in text or "?" in text:
        return None
    return text


def _days(value: object) -> tuple[datetime | None, datetime | None]:
    """A DA or a range of them as moments here; None where it is open."""
    text = str(value or "").strip()
    if not text or "*" in text:
        return None, None
    low, dash, high = text.partition("-")
    first = _midnight(low)
    last = _midnight(high if dash else low)
    return first, last + timedelta(days=1) if last else None


def _midnight(day: str) -> datetime | None:
    try:
        plain = datetime.strptime(day.strip(), "%Y%m%d")  # noqa: DTZ007 - zoned below
        return plain.replace(tzinfo=COPENHAGEN).astimezone(UTC)
    except (ValueError, OverflowError):  # before the first year there is
        return None
