"""What the tests of forwarding share: a laboratory whose slides go to an archive."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flows.dicom_export import opener_of
from flows.forwarder import Forwarder, choose
from flows.services import Services
from processing.dicom.receiving import Outcome, receive
from storage import dicom_objects, dicom_peers, forward_rules, forwarding, imaging, matching
from storage.dicom_files import write_all
from storage.dicom_objects import Objects
from storage.records.forwarding import Forward, ForwardOn, ForwardWhat
from storage.records.imaging import Peer
from storage.records.people import SVARTID
from storage.records.slide import Slide
from storage.tables import access_log
from tests.flows.work import finish
from tests.orthanc import pixel_hash
from tests.storage.lab import order

UNIT = "pato-n"
PEER = "archive"


@dataclass
class Laboratory:
    """Cases whose slides are read in, and a forwarder that does what its process does."""

    services: Services
    _cases: int = 0

    def knows(self, peer: Peer, *rules: ForwardWhat) -> None:
        """A node, and what goes there by itself."""
        dicom_peers.put(self.services.database, peer, "tester")
        for what in rules:
            forward_rules.add(self.services.database, peer.name, what, "tester")

    def case(self, **about: Any) -> str:  # noqa: ANN401
        """A case with one expected glass."""
        self._cases += 1
        accession = f"P26-{self._cases}"
        order(self.services.database, accession, f"{accession}-A1-1", **about)
        return accession

    def slide(self, file: Path, accession: str) -> Slide:
        """Read in, complete, and found to be the glass of that case."""
        slide = finish(self.services, file)
        self.attach(slide, accession)
        return slide

    def attach(self, slide: Slide, accession: str, barcode: str = "") -> None:
        with self.services.database.transaction() as connection:
            place = (accession, barcode or f"{accession}-A1-1")
            matching.attach(connection, slide, place, "tester", "test")

    def receives(self, file: Path, source: str) -> Outcome:
        """An object from another node, whose series is whole with it."""
        database, layout = self.services.database, self.services.layout
        outcome = receive(write_all(layout, [file.read_bytes()]), Objects(database), source)
        dicom_objects.release(database, {outcome.series_uid})
        return outcome

    def chooses(self) -> int:
        return choose(self.services.database)

    def works(self) -> None:
        """One look of the forwarder, and all that comes of it."""
        forwarder = Forwarder(self.services.settings, self.services.database, threading.Event())
        forwarder.look()
        for thread in forwarder.busy.values():
            thread.join()

    def queue(self) -> list[Forward]:
        """Oldest first."""
        return forwarding.listing(self.services.database)[::-1]

    def pixels(self, slide: Slide) -> dict[str, str]:
        """What an archive should hold of a slide."""
        entry = imaging.of_slide(self.services.database, SVARTID, slide.slide_id)
        instances = opener_of(self.services).instances(entry)
        return {at.sop_uid: pixel_hash(b"".join(at.stream())) for at in instances}

    def lines(self, name: str = PEER) -> list[tuple[str, str | None, str | None, str]]:
        """What the access log says of a node: action, slide, case, basis."""
        query = sa.select(access_log).where(access_log.c.name == name)
        with self.services.database.reading() as connection:
            rows = connection.execute(query.order_by(access_log.c.entry_id)).all()
        return [(at.action, at.slide_id, at.accession, at.basis) for at in rows]


def on(what: ForwardOn, **conditions: tuple[str, ...]) -> ForwardWhat:
    return ForwardWhat(what, **conditions)


class Service(ThreadingHTTPServer):
    """A DICOMweb service that answers as it is told, and remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/dicom-web"
        self.refused: dict[str, int] = {}
        """Reasons by SOPInstanceUID."""
        self.silent_about: set[str] = set()
        self.status = 0
        self.token = ""
        self.sent: list[list[str]] = []
        """The UIDs of each request."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = b"".join(self._pieces())
        wanted = f"Bearer {self.server.token}" if self.server.token else None
        if self.headers["Authorization"] != wanted:
            return self._say(401, b"")
        found = [part.partition(b"\r\n\r\n")[2] for part in body.split(b"--")]
        uids = [uid for uid in map(sop_uid_of, found) if uid]
        self.server.sent.append(uids)
        if self.server.status:
            return self._say(self.server.status, b"")
        return self._say(*document(self.server, uids))

    def _pieces(self) -> Iterator[bytes]:
        if self.headers["Content-Length"] is not None:
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/dicom+json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def sop_uid_of(part10: bytes) -> str:
    """By the file meta information's MediaStorageSOPInstanceUID."""
    at = part10.find(b"\x02\x00\x03\x00UI")
    if at < 0:
        return ""
    length = int.from_bytes(part10[at + 6 : at + 8], "little")
    return part10[at + 8 : at + 8 + length].rstrip(b"\0").decode()


def document(service: Service, uids: list[str]) -> tuple[int, bytes]:
    """The answer to STOW-RS (PS3.18 Annex I.2.2)."""

    def item(uid: str) -> dict[str, Any]:
        named: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
        if uid in service.refused:
            named["00081197"] = {"vr": "US", "Value": [service.refused[uid]]}
        return named

    failed = [item(uid) for uid in uids if uid in service.refused]
    told = [uid for uid in uids if uid not in service.refused | dict.fromkeys(service.silent_about)]
    answer = {
        "00081198": {"vr": "SQ", "Value": failed},
        "00081199": {"vr": "SQ", "Value": [item(uid) for uid in told]},
    }
    status = 200 if not failed else 202 if told else 409
    return status, json.dumps(answer).encode()
