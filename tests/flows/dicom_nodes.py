"""A DICOM node in this process with something to tell, and other nodes' programs that call it."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE

from flows.dicom_context import Node
from flows.dicom_export import opener_of
from flows.dicom_node import make_server
from flows.services import Services, prepare_services
from processing.dicom.envelope import Unwrapping
from processing.dicom.receiving import Result, receive
from processing.paint import Painting, write_svs
from storage import cases, dicom_peers, imaging, matching, patients
from storage.case_log import Said
from storage.dicom_files import Incoming
from storage.dicom_objects import Objects
from storage.records.case_events import CaseAccessioned, CaseOrdered, SpecimenReceived
from storage.records.imaging import Peer, PeerMay, SeriesEntry, Wanted
from storage.records.milestones import Priority, SpecimenClass
from storage.records.people import SVARTID
from storage.records.slide_events import SlideExpected, SlideStained
from storage.settings import read_settings
from tests.flows.work import finish
from tests.journeys.running import free_port, wait_for
from tests.orthanc import pixel_hash

EVERYTHING = frozenset(PeerMay)
HOST = "127.0.0.1"
NORTH, SOUTH = "pato-n", "pato-s"
SOEREN = ("0101904321", "Søren Ærø Ågård", date(1990, 1, 1))
KAREN = ("0202904320", "Karen Blixen", date(1990, 2, 2))
LUCJA = ("0303904322", "Łucja Žižek", date(1990, 3, 3))
_SAID = Said("lab-1", "lis")


@contextmanager
def a_node(services: Services) -> Iterator[int]:
    """The port it listens on."""
    server = make_server(Node(services), (HOST, 0))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def let_in(
    services: Services,
    title: str,
    unit: str = "",
    port: int = 0,
    may: frozenset[PeerMay] = EVERYTHING,
) -> Peer:
    """A node of that AE title may call, and is called on that port."""
    peer = Peer(title.lower(), title, HOST, port, unit=unit, may=may)
    dicom_peers.put(services.database, peer, "tester")
    return peer


def services_in(folder: Path) -> Services:
    """An empty data folder."""
    return prepare_services(read_settings(folder / "data", {"SVARTID_SETTLE_SECONDS": "0.2"}))


def case(
    services: Services, accession: str, whose: tuple[str, str, date], *barcodes: str, unit: str
) -> None:
    """A case with glasses that can be scanned."""
    identifier, name, born = whose
    with services.database.transaction() as connection:
        patient_id = patients.enter(connection, "cpr", identifier, name, born)
    ordered = CaseOrdered(
        patient_id, "dr-jensen", "naestved", unit, Priority.ROUTINE, SpecimenClass.BIOPSY
    )
    facts: list[Any] = [ordered, SpecimenReceived("A"), CaseAccessioned()]
    for barcode in barcodes:
        facts += [SlideExpected(barcode, "A", "A1", "HE"), SlideStained(barcode)]
    for fact in facts:
        cases.record(services.database, accession, fact, _SAID)


def slide(services: Services, path: Path, accession: str, barcode: str, seed: int) -> SeriesEntry:
    """A painted slide that has found its glass."""
    write_svs(Painting(600, 400, seed=seed), path)
    made = finish(services, path)
    with services.database.transaction() as connection:
        matching.attach(connection, made, (accession, barcode), "tester", "test")
    return imaging.of_slide(services.database, SVARTID, made.slide_id)


def received(services: Services, path: Path, **words: object) -> str:
    """A file as if it had been sent, with other words in it; its SOPInstanceUID."""
    dataset = dcmread(path, force=True)
    for name, value in words.items():
        setattr(dataset, name, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    incoming = Incoming(services.layout)
    wrapping = Unwrapping(incoming)
    wrapping.write(out.getvalue())
    wrapping.finish()
    outcome = receive(incoming, Objects(services.database), "modality")
    assert outcome.result is Result.NEW, outcome.reason
    return outcome.sop_uid


def content_of(part10: bytes) -> str:
    """SHA-256 of an object's frames as they are coded, or of its data set when it has none."""
    if "PixelData" in dcmread(BytesIO(part10)):
        return pixel_hash(part10)
    return hashlib.sha256(after_meta(part10)).hexdigest()


def after_meta(part10: bytes) -> bytes:
    """The data set of a file."""
    length = int.from_bytes(part10[140:144], "little")
    return part10[144 + length :]


def pixels_of(services: Services, *series_uids: str) -> dict[str, str]:
    """See `content_of`: by SOPInstanceUID, of every instance of series."""
    opener, found = opener_of(services), dict[str, str]()
    for entry in imaging.series(services.database, SVARTID, Wanted(series_uids=series_uids)):
        for instance in opener.instances(entry):
            found[instance.sop_uid] = content_of(b"".join(instance.stream()))
    return found


def c_find(port: int, title: str, asked: Dataset, model: str) -> tuple[Dataset, list[Dataset]]:
    """pynetdicom asks a node here: its last status, and the answers."""
    entity = AE(title)
    entity.add_requested_context(model)
    association = entity.associate(HOST, port, ae_title="SVARTID")
    assert association.is_established
    assert association.accepted_contexts, "the query model is not accepted"
    found, last = [], Dataset()
    for status, answer in association.send_c_find(asked, model):
        last = status
        if answer is not None:
            found.append(answer)
    association.release()
    return last, found


@dataclass(frozen=True)
class Dcmtk:
    """dcmtk's programs, as a node of a title that calls ours."""

    title: str
    port: int

    def run(self, program: str, *words: str, folder: Path | None = None) -> str:
        """All it says."""
        command = [program, "-aet", self.title, "-aec", "SVARTID", *words, HOST, str(self.port)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr

    def find(self, folder: Path, *keys: str, model: str = "-S") -> list[Dataset]:
        """The answers to a query, as findscu wrote them down."""
        folder.mkdir()
        words = [word for key in keys for word in ("-k", key)]
        self.run("findscu", model, "-X", *words, folder=folder)
        return [dcmread(path, force=True) for path in sorted(folder.glob("rsp*.dcm"))]


@dataclass
class Storescp:
    """dcmtk's storescp: a node that others send to, which keeps what it is told to accept."""

    folder: Path
    words: tuple[str, ...] = ("+xa",)
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["storescp", "-od", str(self.folder), "-pm", *self.words, str(self.port)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers, 20, "storescp answers")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def files(self) -> dict[str, Path]:
        """What has come, by SOPInstanceUID."""
        return {path.name.partition(".")[2]: path for path in self.folder.iterdir()}

    def pixels(self) -> dict[str, str]:
        """See `pixels_of`."""
        return {uid: content_of(path.read_bytes()) for uid, path in self.files().items()}

    def _answers(self) -> bool:
        called = subprocess.run(["echoscu", HOST, str(self.port)], capture_output=True)
        return called.returncode == 0
