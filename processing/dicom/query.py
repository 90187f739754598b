"""The query of an address (QIDO-RS) as keys to match, and which attributes an answer carries.

Source: PS3.18 8.3.4 (search parameters), 10.6.1.2, 10.6.3.3 (what answers carry).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from pydicom import config
from pydicom.datadict import dictionary_VR, keyword_dict
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.json_model import JsonModel
from storage.errors import Malformed

Path = tuple[str, ...]
"""Tags of eight digits: of sequences, and at last of the attribute."""
MOST = 5000
"""Answers to one query; whoever wants more asks for the next page."""
USUAL = 1000
"""Answers when the query does not say how many."""
_DEEPEST = 16
"""Sequences within each other in a query; no object of the standard has half as many."""
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_PARAMETERS = frozenset({"limit", "offset", "includefield", "fuzzymatching"})
_PASSED_OVER = frozenset({"accept", "charset", "emptyvaluematching", "multiplevaluematching"})


class Level(IntEnum):
    """What is searched for."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


_UIDS = ("0020000D", "0020000E", "00080018")
_USUAL = {
    Level.STUDY: (
        "00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090",
        "00080201", "00081030", "00081190", "00100010", "00100020", "00100030", "00100040",
        "00200010", "00201206", "00201208",
    ),
    Level.SERIES: (
        "00080005", "00080056", "00080060", "00080201", "0008103E", "00081190", "00200011",
        "00201209",
    ),
    Level.INSTANCE: (
        "00080005", "00080016", "00080056", "00080201", "00081190", "00083002", "00200013",
        "00280008", "00280010", "00280011", "00280100",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    keys: Dataset
    include: frozenset[Path]
    everything: bool
    """`includefield=all`."""
    limit: int
    offset: int
    fuzzy: bool
    """Names that sound alike are wanted, which is not done here."""

    def carried(self, level: Level, from_level: Level) -> frozenset[Path]:
        """Attributes of an answer: those of its levels, those asked for, and those of the keys."""
        names = set(_UIDS[:level])
        for at in Level:
            if from_level <= at <= level:
                names.update(_USUAL[at])
        names.update(f"{int(tag):08X}" for tag in self.keys.keys())  # noqa: SIM118 - tags, not elements
        return self.include | {(name,) for name in names}


def parse_query(items: Iterable[tuple[str, str]]) -> Query:
    """The parameters of a search's address, decoded. Errors: Malformed."""
    keys, include, everything = Dataset(), set[Path](), False
    said = dict[str, str]()
    for name, value in items:
        plain = name.lower()
        if plain == "includefield":
            fields = [at.strip() for at in value.split(",") if at.strip()]
            everything = everything or "all" in fields
            include.update(attribute_path(at) for at in fields if at != "all")
        elif plain in _PARAMETERS:
            said[plain] = value
        elif plain not in _PASSED_OVER:
            _put(keys, attribute_path(name), value)
    limit = min(_number(said.get("limit"), USUAL), MOST)
    fuzzy = _flag(said.get("fuzzymatching"))
    return Query(keys, frozenset(include), everything, limit, _number(said.get("offset"), 0), fuzzy)


def attribute_path(name: str) -> Path:
    """`PatientName`, `00100010`, `OpticalPathSequence.00282000` as tags. Errors: Malformed."""
    parts = name.split(".")
    if len(parts) > _DEEPEST:
        raise Malformed(f"attributes are asked for {_DEEPEST} levels deep at most")
    return tuple(_tag(part) for part in parts)


def reduced(model: JsonModel, carried: frozenset[Path]) -> JsonModel:
    """A model with the attributes it shall carry alone."""
    whole = {path[0] for path in carried if len(path) == 1}
    inner: dict[str, set[Path]] = {}
    for path in carried:
        if len(path) > 1 and path[0] not in whole:
            inner.setdefault(path[0], set()).add(path[1:])
    made: JsonModel = {}
    for tag, element in model.items():
        if tag in whole:
            made[tag] = element
        elif tag in inner and element["vr"] == "SQ":
            items = [reduced(item, frozenset(inner[tag])) for item in element.get("Value", [])]
            made[tag] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    return made


def _tag(name: str) -> str:
    if _TAG.fullmatch(name):
        return name.upper()
    tag = keyword_dict.get(name)
    if tag is None:
        raise Malformed("no DICOM attribute has that name")
    return f"{tag:08X}"


def _kind(tag: str) -> str:
    try:
        return dictionary_VR(int(tag, 16))
    except KeyError:
        return "UT"


def _put(keys: Dataset, path: Path, value: str) -> None:
    """A key; kept as text, for it may be a pattern or a range. Several UIDs are any of them."""
    here = keys
    for tag in path[:-1]:
        if _kind(tag) != "SQ":
            raise Malformed("only a sequence has attributes inside")
        if int(tag, 16) not in here:
            here.add_new(int(tag, 16), "SQ", Sequence([Dataset()]))
        here = here[int(tag, 16)].value[0]
    place, kind = int(path[-1], 16), _kind(path[-1])
    if kind == "SQ":
        raise Malformed("a sequence is asked for by an attribute inside it")
    if kind != "UI":
        here[place] = DataElement(place, "UT", value, validation_mode=config.IGNORE)
        return
    uids = [uid.strip() for uid in re.split(r"[,\\]", value) if uid.strip()]
    if place in here:
        before = here[place].value
        uids = [*([before] if isinstance(before, str) else before), *uids]
    here[place] = DataElement(place, "UI", uids, validation_mode=config.IGNORE)


def _number(text: str | None, otherwise: int) -> int:
    if text is None or not text.strip():
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed("limit and offset are whole numbers")
    return int(text)


def _flag(text: str | None) -> bool:
    if (text or "false").lower() not in ("true", "false"):
        raise Malformed("fuzzymatching is true or false")
    return (text or "").lower() == "true"
