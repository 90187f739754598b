"""A dataset as the DICOM JSON model, and what is too large for it by an address.

Large binary values are left out for a relative BulkDataURI: `bulkdata/00480105/0/00282000` is the
tag of a sequence, an item of it counted from 0, and a tag in that item. Source: PS3.18 F.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PersonName

from storage.errors import NotFound

MOST_INLINE = 1024
"""Bytes of a binary value that stand in the model itself."""
JsonElement = dict[str, Any]
JsonModel = dict[str, JsonElement]
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_WORD = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_WHOLE = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
_BROKEN = frozenset({"DS", "FL", "FD"})
_MOST_EXACT = 2**53
"""Whole numbers up to here are the same number in every reader of JSON."""
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010, 0x7FE00001, 0x7FE00002)
_CHARSET = 0x00080005
_SMALL, _MOST_REMEMBERED = 128, 20_000
_memory = dict[tuple[BaseTag, str | None, bytes | None, str, bool], JsonElement]()
_URI = '"BulkDataURI": "bulkdata/'
_PATH = re.compile(r"[0-9A-F]{8}(?:/\d{1,9}/[0-9A-F]{8})*")


def to_model(dataset: Dataset) -> JsonModel:
    """The model without file meta information and pixels, an icon's too; BulkDataURIs relative."""
    return dict(_elements(dataset, "bulkdata", little=is_little_endian(dataset)))


def to_text(model: JsonModel) -> str:
    """UTF-8 text of a model; always written alike, so that `absolute` finds its addresses."""
    return json.dumps(model, ensure_ascii=False, allow_nan=False)


def absolute(text: str, address: str) -> str:
    """Text of models with the addresses of bulk data below that of their instance.

    A quotation mark inside a value is written with a stroke, so no value looks like an address.
    """
    return text.replace(_URI, f'"BulkDataURI": "{address}/bulkdata/')


def bulk_value(dataset: Dataset, path: str) -> bytes:
    """The bytes of one binary value, little endian. Errors: NotFound."""
    if not _PATH.fullmatch(path):
        raise NotFound("there is no bulk data at that address")
    steps, here = path.split("/"), dataset
    for tag, number in zip(steps[:-1:2], steps[1::2], strict=True):
        element = _at(here, tag)
        if element.VR != "SQ" or int(number) >= len(element.value):
            raise NotFound("there is no bulk data at that address")
        here = element.value[int(number)]
    element = _at(here, steps[-1])
    if element.VR not in _BINARY:
        raise NotFound("there is no bulk data at that address")
    return _bytes(element, little=is_little_endian(dataset))


def bulk_paths(model: JsonModel) -> list[str]:
    """The addresses of all bulk data in a model, in its order."""
    found = re.findall(f'{_URI}([^"]+)"', to_text(model))
    return [str(path) for path in found]


def is_little_endian(dataset: Dataset) -> bool:
    """How the file the dataset came from orders bytes."""
    meta = getattr(dataset, "file_meta", None)
    return meta is None or meta.get("TransferSyntaxUID") != "1.2.840.10008.1.2.2"


def _elements(dataset: Dataset, address: str, *, little: bool) -> Iterator[tuple[str, JsonElement]]:
    charset = str(dataset.original_character_set or dataset._character_set)
    for tag in sorted(dataset.keys()):
        if tag.element == 0 or tag.group == 2 or int(tag) in _PIXELS:
            continue
        name = f"{int(tag):08X}"
        raw = dataset.get_item(tag)
        if isinstance(raw, RawDataElement) and _is_small(raw):
            yield name, _remembered(dataset, raw, charset, little=little)
        else:
            yield name, _told(dataset, raw, f"{address}/{name}", little=little)


def _told(
    dataset: Dataset, raw: RawDataElement | DataElement, address: str, *, little: bool
) -> JsonElement:
    """An element in the model; as its bytes where its value is none that the VR could have."""
    try:
        return _element(_read(dataset, BaseTag(raw.tag)), address, little=little)
    except Exception:
        value = raw.value if isinstance(raw.value, bytes) else b""
        return _element(DataElement(raw.tag, "UN", value), address, little=little)


def _is_small(raw: RawDataElement) -> bool:
    """Nothing but tag, VR, bytes and character set decides what it becomes."""
    is_plain = raw.VR is not None and raw.VR not in ("SQ", "UN")
    return is_plain and raw.value is not None and len(raw.value) <= _SMALL


def _remembered(
    dataset: Dataset, raw: RawDataElement, charset: str, *, little: bool
) -> JsonElement:
    """The objects of a series say nearly all the same: what was made once need not be again."""
    key = (raw.tag, raw.VR, raw.value, charset, little)
    known = _memory.get(key)
    if known is None:
        known = _told(dataset, raw, "", little=little)
        if len(_memory) >= _MOST_REMEMBERED:
            _memory.clear()
        _memory[key] = known
    return known


def _at(dataset: Dataset, tag: str) -> DataElement:
    wanted = Tag(int(tag, 16))
    if wanted not in dataset:
        raise NotFound("there is no bulk data at that address")
    return _read(dataset, wanted)


def _read(dataset: Dataset, tag: BaseTag) -> DataElement:
    """An element; one whose value is none of its VR, or that nobody can read, as its bytes."""
    try:
        return dataset[tag]
    except Exception:
        # Whatever a parser stumbles over here is in the file, which is shown as far as it goes.
        value: object = getattr(dataset.get_item(tag), "value", None)
        return DataElement(tag, "UN", value if isinstance(value, bytes) else b"")


def _element(element: DataElement, address: str, *, little: bool) -> JsonElement:
    vr = element.VR if len(element.VR) == 2 else _ambiguous(element)
    if vr == "SQ":
        items = [
            dict(_elements(item, f"{address}/{number}", little=little))
            for number, item in enumerate(element.value)
        ]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    if vr in _BINARY:
        value = _bytes(element, little=little)
        if len(value) > MOST_INLINE:
            return {"vr": vr, "BulkDataURI": address}
        inline = {"InlineBinary": base64.b64encode(value).decode()} if value else {}
        return {"vr": vr} | inline
    if int(element.tag) == _CHARSET:
        return {"vr": "CS", "Value": ["ISO_IR 192"]}  # JSON is UTF-8, whatever the file was in
    values = [_value(vr, at) for at in _values(element)]
    return {"vr": vr} if all(at is None for at in values) else {"vr": vr, "Value": values}


def _ambiguous(element: DataElement) -> str:
    """`US or SS` and the like, which pydicom leaves where nothing tells."""
    return "OW" if isinstance(element.value, bytes) else "US"


def _values(element: DataElement) -> list[object]:
    if element.value is None:
        return []
    if element.VM > 1 or isinstance(element.value, (list, tuple)):
        return list(element.value)
    return [element.value]


def _value(vr: str, value: Any) -> object:  # noqa: ANN401 - whatever pydicom makes of a value
    """One value; None for an empty one among several."""
    if value is None or value == "":
        return None
    if vr == "PN":
        return _name(value)
    if vr == "AT":
        return f"{int(value):08X}"
    if vr == "FL" and isinstance(value, float):
        return _number(str(np.float32(value)))  # the shortest that is the same in 32 bits
    if vr in _WHOLE or vr in _BROKEN:
        return _number(value)
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _number(value: Any) -> object:  # noqa: ANN401
    """A number; as text where JSON has none for it or would not keep it."""
    try:
        number = float(value)
        if not math.isfinite(number):
            return {math.inf: "inf", -math.inf: "-inf"}.get(number, "NaN")
        if number.is_integer() and abs(number) <= _MOST_EXACT:
            return int(number)
        return str(int(value)) if number.is_integer() else number
    except (ValueError, TypeError, OverflowError):
        return str(value)


def _name(value: object) -> dict[str, str] | None:
    name = value if isinstance(value, PersonName) else PersonName(str(value))
    groups = ("Alphabetic", "Ideographic", "Phonetic")
    written = zip(groups, name.components, strict=False)
    return {group: str(part) for group, part in written if part} or None


def _bytes(element: DataElement, *, little: bool) -> bytes:
    value = element.value
    if isinstance(value, (list, tuple)):
        value = b"".join(at for at in value if isinstance(at, bytes))
    if not isinstance(value, bytes):
        return b""
    width = _WORD.get(element.VR, 1)
    if little or width == 1 or len(value) % width:
        return value
    return np.frombuffer(value, f">u{width}").astype(f"<u{width}").tobytes()
