"""Objects to a DICOMweb service: STOW-RS in streamed requests. Source: PS3.18 10.5, Annex I.2.2.

Small objects share a request, large ones have it alone; none is ever held whole. Lengths are said
beforehand where they are known, since not every service takes chunks.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from flows.forwarding_line import Credentials, Sent, Unreached
from processing.dicom.instance import Instance
from processing.dicom.multipart import LAST, part_head, related

_MOST_BYTES, _MOST_OBJECTS = 32 * 2**20, 100
_MOST_ANSWER = 4 * 2**20
_TIMES = httpx.Timeout(60.0, connect=10.0, read=600.0)
"""A service may take its time to store what it has been sent."""
_SOP_UID, _REASON = "00081155", "00081197"
_FAILED, _TAKEN = "00081198", "00081199"
_OUT_OF_RESOURCES = (429, 500, 502, 503, 504)


class StowLine:
    """A DICOMweb service by its root, as in `https://pacs.example/dicom-web`."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        headers = {"Accept": "application/dicom+json", "User-Agent": "svartid"}
        if credentials.token:
            headers["Authorization"] = f"Bearer {credentials.token}"
        self._address = f"{url.rstrip('/')}/studies"
        verify = _trust(credentials) if url.startswith("https:") else True
        self._client = httpx.Client(headers=headers, timeout=_TIMES, verify=verify)

    def send(self, instances: Sequence[Instance]) -> Iterator[Sent]:
        """See `Line`."""
        for group in _grouped(instances):
            answer = self._post(group)
            for instance in group:
                why = answer.get(instance.sop_uid, "peer_silent")
                yield Sent(instance.sop_uid, instance.size() or 0, why)

    def commit(self, instances: Sequence[Instance], transaction_uid: str) -> bool | None:
        """Nothing to ask: DICOMweb's word for it is the answer to STOW-RS itself."""
        return None

    def close(self) -> None:
        """See `Line`."""
        self._client.close()

    def _post(self, group: Sequence[Instance]) -> dict[str, str]:
        """What the service says of objects, by UID: why it does not take one, or nothing."""
        headers = {"Content-Type": related("application/dicom")}
        length = _length(group)
        if length is not None:
            headers["Content-Length"] = str(length)
        try:
            with self._client.stream(
                "POST", self._address, content=_body(group), headers=headers
            ) as answer:
                return _understood(answer)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreached(_why_away(error)) from None


def _grouped(instances: Sequence[Instance]) -> Iterator[list[Instance]]:
    group, bytes_in = list[Instance](), 0
    for instance in instances:
        size = instance.size()
        large = size is None or bytes_in + size > _MOST_BYTES
        if group and (large or len(group) == _MOST_OBJECTS):
            yield group
            group, bytes_in = [], 0
        group.append(instance)
        bytes_in += _MOST_BYTES if size is None else size
    if group:
        yield group


def _heads(group: Sequence[Instance]) -> list[bytes]:
    """Without the transfer syntax, which each object says itself: Orthanc takes no parameter."""
    kind = "application/dicom"
    return [part_head(kind, first=number == 0) for number in range(len(group))]


def _body(group: Sequence[Instance]) -> Iterator[bytes]:
    for head, instance in zip(_heads(group), group, strict=True):
        yield head
        yield from instance.stream()
    yield LAST


def _length(group: Sequence[Instance]) -> int | None:
    sizes = [instance.size() for instance in group]
    heads = sum(len(head) for head in _heads(group))
    known = [size for size in sizes if size is not None]
    return heads + sum(known) + len(LAST) if len(known) == len(sizes) else None


def _understood(answer: httpx.Response) -> dict[str, str]:
    status = answer.status_code
    if status in (401, 403, 407):
        raise Unreached("peer_refuses", f"the service answers {status}")
    if status in _OUT_OF_RESOURCES or answer.is_redirect:
        raise Unreached("peer_busy", f"the service answers {status}")
    told = _document(answer)
    failed = dict(_items(told, _FAILED))
    if status in (200, 202) or (status == 409 and failed):
        # What is named nowhere is not there: some services pass over a part and say 200.
        return dict.fromkeys([uid for uid, _ in _items(told, _TAKEN)], "") | failed
    raise Unreached("peer_refuses", f"the service answers {status}")


def _document(answer: httpx.Response) -> dict[str, Any]:
    """What the service says of each object; nothing where it says it in another way."""
    text = bytearray()
    for piece in answer.iter_bytes():
        text += piece
        if len(text) > _MOST_ANSWER:
            raise Unreached("peer_unclear", "the service's answer is too long")
    try:
        told = json.loads(text) if text.strip() else {}
    except ValueError:
        return {}
    told = told[0] if isinstance(told, list) and told else told
    return told if isinstance(told, dict) else {}


def _items(told: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    for item in _values(told, name):
        if isinstance(item, dict):
            uid = next(iter(_values(item, _SOP_UID)), "")
            reason = next(iter(_values(item, _REASON)), 0x0110)
            yield str(uid), f"{reason:04X}" if isinstance(reason, int) else "0110"


def _values(item: dict[str, Any], name: str) -> list[Any]:
    element = item.get(name)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _why_away(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "peer_untrusted"
        cause = cause.__cause__ or cause.__context__
    return "peer_away"


def _trust(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.2 or later, and whose certificates we take."""
    authority = str(credentials.authority) if credentials.authority else None
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credentials.certificate:
        context.load_cert_chain(credentials.certificate, credentials.key)
    return context
