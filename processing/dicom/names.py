"""People's names and moments between our words and DICOM's (PS3.5 6.2: PN, DA, TM, DT)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pydicom.valuerep import PersonName

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_PARTS = 5


def to_person_name(name: str) -> str:
    """`Anna Marie Hansen` and `Hansen, Anna Marie` to `Hansen^Anna Marie`."""
    plain = " ".join(name.replace("^", " ").replace("=", " ").replace("\\", " ").split())
    family, comma, given = (at.strip() for at in plain.partition(","))
    if not comma:
        given, _, family = plain.rpartition(" ")
    return f"{family}^{given}" if given else family


def from_person_name(value: object) -> str:
    """`Hansen^Anna^Marie` to `Anna Marie Hansen`; empty for no name."""
    if not value:
        return ""
    text = value.alphabetic if isinstance(value, PersonName) else str(value).split("=")[0]
    parts = [" ".join(part.split()) for part in str(text).split("^")]
    family, given, middle, prefix, suffix = (parts + [""] * _PARTS)[:_PARTS]
    return " ".join(part for part in (prefix, given, middle, family, suffix) if part)


def local(moment: datetime) -> datetime:
    """A moment as the clock on the wall shows it, for DA and TM."""
    return moment.astimezone(COPENHAGEN)


def moment_of(day: object, time: object) -> datetime | None:
    """DA and TM as written, by the clock on the wall here; None when there is no such day."""
    digits = "".join(letter for letter in str(day or "") if letter.isdigit())[:8]
    clock = str(time or "").partition(".")[0].replace(":", "").ljust(6, "0")[:6]
    try:
        plain = datetime.strptime(digits + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - zoned below
    except ValueError:
        try:
            plain = datetime.strptime(digits, "%Y%m%d")  # noqa: DTZ007
        except ValueError:
            return None
    return plain.replace(tzinfo=COPENHAGEN).astimezone(UTC) if plain.year > 1800 else None


def day_of(value: object) -> date | None:
    """DA to a date; None when it is none."""
    try:
        return datetime.strptime(str(value or "").replace(".", ""), "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None
