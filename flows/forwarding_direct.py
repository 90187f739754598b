"""Sending at once, by a person's word: what an id means, where to, and how far it is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage import dicom_peers, forwarding, imaging
from storage.database import Database
from storage.errors import Illegal, Malformed, NotFound, Refused
from storage.forward_choice import leaving
from storage.records.imaging import Peer, SeriesEntry, Wanted
from storage.records.people import SVARTID

_NODE = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):(?P<port>\d{1,5})/(?P<title>[^/]{1,16})"
)
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
Tell = Callable[[int], None]
"""Called with bytes that are on their way since it was last called."""
_NOT = {
    "not_allowed": "its unit may not see this",
    "withdrawn": "the image has been withdrawn or replaced",
}


def series_of(database: Database, name: str) -> list[SeriesEntry]:
    """The series of a slide id, a series' or a study's UID; all complete. Errors: NotFound,
    Refused."""
    if _UID.fullmatch(name) and len(name) <= 64:
        found = imaging.series(database, SVARTID, Wanted(series_uids=(name,)))
        found = found or imaging.series(database, SVARTID, Wanted(study_uids=(name,)))
    else:
        found = imaging.series(database, SVARTID, Wanted(slide_id=name))
    if not found:
        raise NotFound(f"{name}: no such slide, study or series")
    with database.reading() as connection:
        for entry in found:
            if forwarding.content_of(connection, entry) is None:
                raise Refused(f"slide {entry.slide_id} is not complete yet: try again in a while")
    return found


def node_of(database: Database, where: str, *, tls: bool) -> Peer:
    """`HOST:PORT/AET`, an address of DICOMweb, or the name of a known node. Errors: NotFound,
    Malformed."""
    if where.startswith(("http://", "https://")):
        return Peer("", "", url=where.rstrip("/"))
    found = _NODE.fullmatch(where)
    if found is not None:
        port = int(found["port"])
        if not 0 < port <= 65535:
            raise Malformed("a port lies between 1 and 65535")
        return Peer("", found["title"], found["host"].strip("[]"), port, tls)
    return dicom_peers.get(database, where)


def demand_allowed(database: Database, peer: Peer, entries: Sequence[SeriesEntry]) -> None:
    """A known node gets nothing that its unit may not see, whoever sends it. Errors: Refused."""
    for entry in entries if peer.name else ():
        try:
            leaving(database, peer, entry.series_uid)
        except Illegal as error:
            why = _NOT.get(error.reason, error.reason)
            raise Refused(f"{peer.name}: series {entry.series_uid}: {why}") from None


def new_uid() -> str:
    """A UID that says nothing."""
    return f"2.25.{uuid.uuid4().int}"


@dataclass(frozen=True, slots=True)
class Watched:
    """An instance whose bytes are counted as they go."""

    inner: Instance
    tell: Tell

    @property
    def sop_uid(self) -> str:
        """See `Instance`."""
        return self.inner.sop_uid

    @property
    def sop_class(self) -> str:
        """See `Instance`."""
        return self.inner.sop_class

    @property
    def transfer_syntax(self) -> str:
        """See `Instance`."""
        return self.inner.transfer_syntax

    @property
    def frames(self) -> int:
        """See `Instance`."""
        return self.inner.frames

    def header(self) -> Dataset:
        """See `Instance`."""
        return self.inner.header()

    def frame(self, number: int) -> bytes:
        """See `Instance`."""
        return self.inner.frame(number)

    def size(self) -> int | None:
        """See `Instance`."""
        return self.inner.size()

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """See `Instance`."""
        for piece in self.inner.stream(start, stop):
            yield piece
            self.tell(len(piece))


def watched(opener: Opener, entries: Sequence[SeriesEntry], tell: Tell) -> list[Any]:
    """All instances of some series, counted as they go."""
    return [Watched(at, tell) for entry in entries for at in opener.instances(entry)]
