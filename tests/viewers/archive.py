"""A small archive for the tests of DICOMweb: a slide made on the fly, and objects as received."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, generate_uid
from starlette.testclient import TestClient

from flows.bundles import bundles_at
from flows.follow import Follower
from flows.receive import receive
from flows.services import Services, prepare_services
from storage import people
from storage.dicom_uids import SLIDE, known_root
from storage.records.intake import IntakeState, Source
from storage.records.people import Role
from storage.settings import Settings, read_settings
from storage.tables import access_log, person
from tests.contracts.dicom_codecs import by_program
from tests.contracts.dicom_files import as_dicom
from viewers.app import create_app

ROOT = "/dicom-web"
SINGLE = {"Accept": "application/dicom"}
BOUNDARY = "a-boundary"
STUDY, SERIES = "1.2.826.1.1", "1.2.826.1.1.1"
LARGE = bytes(range(256)) * 16
"""A value that is too large for the metadata."""
SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.50"]
"""Of the received objects, in their order."""
_STAFF = (Role.TECHNICIAN, Role.PATHOLOGIST, Role.DEVICE, Role.GUEST, Role.NODE)


@dataclass(frozen=True)
class Archive:
    """A data folder with one slide and a series of three objects, and a token for some roles."""

    services: Services
    tokens: dict[Role, str]
    slide: str
    """Its SeriesInstanceUID."""
    files: tuple[Path, ...]
    """The received series as it was sent: native, JPEG lossless, and a JPEG of three frames."""

    @property
    def settings(self) -> Settings:
        return self.services.settings

    def client(self, role: Role | None = Role.TECHNICIAN) -> TestClient:
        """Somebody's program, on an application of its own."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        headers["Accept"] = "*/*"
        return TestClient(create_app(self.settings), headers=headers, raise_server_exceptions=False)

    def address(self, number: int) -> str:
        """Of a received instance."""
        uid = dcmread(self.files[number], stop_before_pixels=True).SOPInstanceUID
        return f"{ROOT}/studies/{STUDY}/series/{SERIES}/instances/{uid}"

    @property
    def slide_address(self) -> str:
        """Of the slide's series."""
        return f"{ROOT}/studies/{self.slide}.5/series/{self.slide}"

    def lines(self) -> list[tuple[str, str]]:
        """The access log: action and role, oldest first."""
        query = sa.select(access_log.c.action, access_log.c.role).order_by(access_log.c.entry_id)
        with self.services.database.reading() as connection:
            return [(row.action, row.role) for row in connection.execute(query)]


def sent(archive: Archive) -> list[Dataset]:
    """The received objects as they were sent."""
    return [dcmread(file) for file in archive.files]


def found(folder: Path, slide: Path) -> Archive:
    """Make one; the objects come by STOW-RS."""
    services = prepare_services(read_settings(folder / "data", {}))
    tokens = {}
    for role in _STAFF:
        people.ensure_person(services.database, role.value, role)
        tokens[role] = people.create_token(services.database, role.value, role, 1)
    with services.database.transaction() as connection:
        connection.execute(sa.update(person).values(unit="north"))
    series = _ingest(services, slide)
    archive = Archive(services, tokens, series, tuple(_files(folder)))
    answer = store(archive.client(), [file.read_bytes() for file in archive.files])
    assert answer.status_code == 200, answer.text
    return archive


def store(client: TestClient, instances: list[bytes], study: str = "") -> Any:  # noqa: ANN401
    """STOW-RS."""
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    address = f"{ROOT}/studies" + (f"/{study}" if study else "")
    return client.post(address, content=body(instances), headers={"Content-Type": kind})


def body(instances: list[bytes]) -> bytes:
    """The parts of STOW-RS."""
    head = f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    parts = b"".join(head + instance for instance in instances)
    return parts.removeprefix(b"\r\n") + f"\r\n--{BOUNDARY}--".encode()


def parts_of(answer: Any) -> list[tuple[str, bytes]]:  # noqa: ANN401
    """Content-Type and bytes of the parts of an answer."""
    kind = answer.headers["content-type"]
    assert kind.startswith("multipart/related; type="), kind
    boundary = kind.partition("boundary=")[2].encode()
    whole = b"\r\n" + answer.content
    assert whole.endswith(b"\r\n--" + boundary + b"--\r\n")
    parts = []
    for part in whole.split(b"\r\n--" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        parts.append((lines["Content-Type"], data))
    return parts


def image(file: Path, number: int, **more: object) -> Dataset:
    """One object of the series."""
    item = Dataset()
    item.CodeValue = "1"
    about: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 100", "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(), "StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES,
        "PatientName": "Ærø^Åse", "PatientID": "0101901234", "AccessionNumber": "RAD-7",
        "StudyDate": "20260301", "StudyTime": "101500", "Modality": "CT", "SeriesNumber": 4,
        "InstanceNumber": number, "SeriesDescription": "Thorax", "StudyDescription": "Thorax",
        "WindowCenter": "500", "WindowWidth": "1000", "BitsAllocated": 16, "BitsStored": 12,
        "HighBit": 11, "PixelRepresentation": 0, "PixelSpacing": ["0.7", "0.7"],
        "ProcedureCodeSequence": Sequence([item]), "PatientSex": "", "PatientBirthDate": "",
        "ReferringPhysicianName": "", "StudyID": "", "ICCProfile": LARGE,
    }  # fmt: skip
    pixels = np.arange(100, dtype=np.uint16) * 10 + number
    raw = more.pop("raw", pixels.astype("<u2").tobytes())
    assert isinstance(raw, bytes)
    return as_dicom(file, raw, **(about | more))


def _files(folder: Path) -> Iterator[Path]:
    image(folder / "1.dcm", 1)
    yield folder / "1.dcm"
    image(folder / "2.dcm", 2)
    by_program("dcmcjpeg", "+e1")(folder / "2.dcm")
    yield folder / "2.dcm"
    frames = bytes(range(200)) + bytes(100)
    image(folder / "3.dcm", 3, raw=frames, BitsAllocated=8, BitsStored=8, HighBit=7,
          NumberOfFrames=3)  # fmt: skip
    by_program("dcmcjpeg", "+eb")(folder / "3.dcm")
    yield folder / "3.dcm"


def _ingest(services: Services, slide: Path) -> str:
    """Read in a slide; its SeriesInstanceUID."""
    (bundle,) = bundles_at(slide)
    row, _ = receive(services, bundle, Source.COMMAND, "test")
    with Follower(services) as follower:
        done = follower.follow(row.intake_id, {IntakeState.COMPLETE}, lambda *_: None)
    assert done.state is IntakeState.COMPLETE
    return known_root(services.database, SLIDE, done.slide_id)
