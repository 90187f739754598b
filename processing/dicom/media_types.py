"""Which representation a client gets: what it accepts against what there is.

Syntax by RFC 9110 12.4.2 and 12.5.1; DICOM's parameters `type` and `transfer-syntax` by PS3.18
8.7.4 and 8.7.5. Media types of single frames: PS3.18 table 8.7.3-2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from storage.errors import Malformed

DICOM = "application/dicom"
JSON, PLAIN_JSON = "application/dicom+json", "application/json"
XML = "application/dicom+xml"
OCTETS = "application/octet-stream"
MULTIPART = "multipart/related"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_JPEG = "1.2.840.10008.1.2.4."
_NATIVE = ("1.2.840.10008.1.2", EXPLICIT_LITTLE, "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.1.99")
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
"""Retired, and no media type has it: its frames go out little endian."""
_OF_SYNTAX = {
    **dict.fromkeys((f"{_JPEG}{n}" for n in (50, 51, 57, 70)), "image/jpeg"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (80, 81)), "image/jls"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (90, 91)), "image/jp2"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (92, 93)), "image/jpx"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (201, 202, 203)), "image/jphc"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (110, 111, 112)), "image/jxl"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in (100, 101)), "video/mpeg2"),
    **dict.fromkeys((f"{_JPEG}{n}" for n in range(102, 109)), "video/mp4"),
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
_OLDER = {
    "image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle", "image/jpg": "image/jpeg",
    "image/jph": "image/jphc",
}  # fmt: skip
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE = re.compile(rf"({_WORD})/({_WORD})")
_PARAMETER = re.compile(rf';\s*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))\s*')
_MOST = 4096
"""Characters of an Accept header that are looked at; longer ones are refused."""


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One thing a client accepts; for multipart, of the parts."""

    kind: str
    """`type/subtype`, lower case, either may be `*`."""
    multipart: bool = False
    syntax: str | None = None
    """UID, `*`, or None where nothing is said."""
    q: float = 1.0
    given: dict[str, str] = field(default_factory=dict, compare=False)
    """All parameters, lower-case names."""

    def covers(self, kind: str) -> bool:
        """Whether a media type is in this range."""
        first, _, second = self.kind.partition("/")
        wanted, _, sub = kind.partition("/")
        return first in ("*", wanted) and second in ("*", sub)

    @property
    def narrowness(self) -> int:
        """The narrower range decides (RFC 9110 12.5.1)."""
        stars = self.kind.count("*")
        return 4 * (2 - stars) + 2 * (self.syntax is not None) + self.multipart


@dataclass(frozen=True, slots=True)
class Representation:
    """One way something can be sent."""

    kind: str
    syntax: str
    multipart: bool = True
    decoded: bool = False
    """The frame has to be decoded for it."""

    @property
    def part_type(self) -> str:
        """Content-Type of the part, or of the whole when it is a single one."""
        return f"{self.kind}; transfer-syntax={self.syntax}"


@lru_cache(maxsize=512)
def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """What an Accept header, or the `accept` parameter of an address, says. Errors: Malformed."""
    if len(text) > _MOST:
        raise Malformed("what is accepted takes more than 4096 characters to say")
    if not text.strip():
        return (MediaRange("*/*"),)
    found, position = list[MediaRange](), 0
    while (position := _past_blanks(text, position, " \t,")) < len(text):
        match = _TYPE.match(text, position)
        if match is None:
            raise Malformed("what is accepted is not a list of media types")
        kind, position = match[0].lower(), match.end()
        given, position = _parameters(text, position)
        found.append(_range(kind, given))
    return tuple(found) or (MediaRange("*/*"),)


def parse_content_type(text: str) -> tuple[str, dict[str, str]]:
    """Media type and parameters of a Content-Type. Errors: Malformed."""
    match = _TYPE.match(text.strip())
    if match is None:
        raise Malformed("the Content-Type is no media type")
    given, end = _parameters(text.strip(), match.end())
    if end != len(text.strip()):
        raise Malformed("the Content-Type has more than one media type")
    return match[0].lower(), given


def frame_type(syntax: str) -> str:
    """Media type of a single frame in a transfer syntax; octets where there is none for it."""
    return _OF_SYNTAX.get(syntax, OCTETS)


def is_native(syntax: str) -> bool:
    """Whether frames are the plain samples, little endian."""
    return syntax in _NATIVE


@lru_cache(maxsize=2048)
def choose_frames(accept: str, syntax: str, *, single: bool) -> Representation | None:
    """How frames stored in `syntax` go out; None when nothing the client takes can be made.

    As stored wherever the client lets us; else decoded. `single`: one frame is asked for, so it
    may go without multipart where the client says so. Errors: Malformed.
    """
    plain = Representation(OCTETS, EXPLICIT_LITTLE, decoded=not is_native(syntax))
    if is_native(syntax) or syntax == _BIG_ENDIAN:
        offers = [plain]
    else:
        names = dict.fromkeys((frame_type(syntax), OCTETS))
        offers = [*(Representation(name, syntax) for name in names), plain]
    return _best(parse_accept(accept), offers, single=single)


@lru_cache(maxsize=512)
def choose_instance(accept: str, syntax: str, *, single: bool) -> Representation | None:
    """How an instance goes out: as stored or not at all. Errors: Malformed."""
    return _best(parse_accept(accept), [Representation(DICOM, syntax)], single=single)


@lru_cache(maxsize=512)
def choose_model(accept: str) -> Representation | None:
    """How datasets without bulk go out: as JSON, or each as XML in a part. Errors: Malformed."""
    offers = [Representation(kind, "", multipart=False) for kind in (JSON, PLAIN_JSON)]
    return _best(parse_accept(accept), [*offers, Representation(XML, "")], single=False)


def choose_plain(accept: str, offered: Iterable[str]) -> str | None:
    """The media type to answer in, the first offered on a tie. Errors: Malformed."""
    ranges = [at for at in parse_accept(accept) if not at.multipart]
    best, best_q = None, 0.0
    for kind in offered:
        covering = [at for at in ranges if at.covers(kind)]
        q = max(covering, key=lambda at: at.narrowness).q if covering else 0.0
        if q > best_q:
            best, best_q = kind, q
    return best


def _best(
    ranges: tuple[MediaRange, ...], offers: list[Representation], *, single: bool
) -> Representation | None:
    """The offer with the highest quality; what costs least comes first in `offers`."""
    best, best_q = None, 0.0
    for offer in _ways(offers, single=single):
        matching = [at for at in ranges if _allows(at, offer)]
        q = max(matching, key=lambda at: at.narrowness).q if matching else 0.0
        if q > best_q:
            best, best_q = offer, q
    return best


def _ways(offers: list[Representation], *, single: bool) -> Iterator[Representation]:
    for offer in offers:
        yield offer
        if single:
            yield Representation(offer.kind, offer.syntax, multipart=False, decoded=offer.decoded)


def _allows(range_: MediaRange, offer: Representation) -> bool:
    """Whether an offer is in a range; `*/*` is anything, and parts are offered first.

    A media type without a transfer syntax takes the stored one, but octets are plain samples:
    whoever wants them coded says so.
    """
    everything = range_.kind == "*/*" and not range_.multipart
    if range_.multipart != offer.multipart and not everything:
        return False
    if not range_.covers(offer.kind):
        return False
    if range_.syntax is None:
        plain = offer.syntax == EXPLICIT_LITTLE
        return offer.kind != OCTETS or plain or frame_type(offer.syntax) == OCTETS
    return range_.syntax in ("*", offer.syntax)


def _range(kind: str, given: dict[str, str]) -> MediaRange:
    q, syntax = _quality(given.pop("q", "1")), given.get("transfer-syntax")
    if kind != MULTIPART and kind != "multipart/*":
        return MediaRange(_OLDER.get(kind, kind), syntax=syntax, q=q, given=given)
    parts = given.get("type", "*/*").strip().lower()
    inner = _TYPE.match(parts)
    if inner is None:
        raise Malformed("the type of the parts is no media type")
    if syntax is None:  # some write it inside the quotation marks of `type`
        inside, _ = _parameters(parts, inner.end())
        syntax = inside.get("transfer-syntax")
    return MediaRange(_OLDER.get(inner[0], inner[0]), True, syntax, q, given)


def _quality(text: str) -> float:
    if re.fullmatch(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", text) is None:
        raise Malformed("a quality lies between 0 and 1, with three decimals at most")
    return float(text)


def _parameters(text: str, position: int) -> tuple[dict[str, str], int]:
    """`; name=value` as often as it stands there, and where it ends."""
    found = dict[str, str]()
    while True:
        position = _past_blanks(text, position, " \t")
        match = _PARAMETER.match(text, position)
        if match is None:
            end = _past_blanks(text, position, " \t;")
            if end < len(text) and text[end] != ",":
                raise Malformed("a parameter of a media type is not name=value")
            return found, end
        quoted, plain = match[2], match[3]
        value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        found.setdefault(match[1].lower(), value)
        position = match.end()


def _past_blanks(text: str, position: int, blanks: str) -> int:
    while position < len(text) and text[position] in blanks:
        position += 1
    return position
