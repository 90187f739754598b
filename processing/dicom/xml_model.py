"""The DICOM JSON model as the Native DICOM Model in XML. Source: PS3.19 A.1, PS3.18 F.3.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from processing.dicom.json_model import JsonElement, JsonModel

_BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xml:space="preserve">'
_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(model: JsonModel) -> str:
    """One dataset."""
    return f"{_BEGIN}{''.join(_attributes(model))}</NativeDicomModel>"


def _attributes(model: JsonModel) -> Iterator[str]:
    for tag, element in model.items():
        word, creator = keyword_for_tag(int(tag, 16)), _creator(model, tag)
        about = f'tag="{tag}" vr="{element["vr"]}"' + (f' keyword="{word}"' if word else "")
        if creator:  # which block of tags it took in the file does not matter
            about = f'tag="{tag[:4]}00{tag[6:]}" vr="{element["vr"]}" privateCreator={creator}'
        yield f"<DicomAttribute {about}>{''.join(_values(element))}</DicomAttribute>"


def _creator(model: JsonModel, tag: str) -> str:
    """Whose a private attribute is, quoted; empty for others."""
    block = model.get(f"{tag[:4]}00{tag[4:6]}")
    if not int(tag[3], 16) % 2 or block is None or tag[4:6] == "00":
        return ""
    return quoteattr(_text((block.get("Value") or [""])[0]))


def _values(element: JsonElement) -> Iterator[str]:
    if "BulkDataURI" in element:
        yield f"<BulkData uri={quoteattr(element['BulkDataURI'])}/>"
    if "InlineBinary" in element:
        yield f"<InlineBinary>{element['InlineBinary']}</InlineBinary>"
    for number, value in enumerate(element.get("Value", []), start=1):
        if element["vr"] == "SQ":
            yield f'<Item number="{number}">{"".join(_attributes(value))}</Item>'
        elif value is None:
            continue
        elif element["vr"] == "PN":
            yield f'<PersonName number="{number}">{"".join(_groups(value))}</PersonName>'
        else:
            yield f'<Value number="{number}">{_escaped(value)}</Value>'


def _groups(name: dict[str, str]) -> Iterator[str]:
    for group, text in name.items():
        parts = zip(_PARTS, text.split("^"), strict=False)
        inner = "".join(f"<{at}>{_escaped(part)}</{at}>" for at, part in parts if part)
        yield f"<{group}>{inner}</{group}>"


def _escaped(value: object) -> str:
    """A carriage return would else be read as a line feed (XML 1.0, 2.11)."""
    return escape(_text(value), {"\r": "&#13;"})


def _text(value: object) -> str:
    """Without the control characters that XML has no way to write."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
