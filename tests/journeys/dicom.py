"""The hospital's imaging world round a running svartid: dcmtk, Orthanc, and files of a patient."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pydicom

from tests.journeys.running import Running
from tests.orthanc import pixel_hash

CPR, NAME, ACCESSION = "0101901234", "Åse Ærø", "P26-900001"
VIRTUAL, SCANNED = f"{ACCESSION}-A1-1", f"{ACCESSION}-A1-2"
"""Barcodes of two glasses: one comes as SVS, one as DICOM from its scanner."""
PERSON = "Ærø^Åse"
UNIT = "naestved"
HOST = "127.0.0.1"
_PADDING, _PIXELS = 0xFFFCFFFC, 0x7FE00010
_RADIOLOGY = (
    "pydicom-CT_small.dcm", "pydicom-MR_small.dcm", "pydicom-examples_palette.dcm",
    "pydicom-examples_ybr_color.dcm", "highdicom-dx_image.dcm", "pydicom-JPEG2000.dcm",
    "pydicom-test-SR.dcm", "pydicom-MR_small_RLE.dcm", "pydicom-MR_small_jpeg_ls_lossless.dcm",
)  # fmt: skip


@dataclass
class Dcmtk:
    """dcmtk's programs as one node of a title, beside a svartid's DICOM port."""

    title: str
    port: int
    folder: Path

    def run(self, program: str, *words: str | Path) -> str:
        """All that it says; it has to end well."""
        done = self.try_run(program, *words)
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{program} {words}: {said[-3000:]}"
        return said

    def try_run(self, program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it, however it ends."""
        command = [program, "-v", "-aet", self.title, "-aec", "SVARTID", HOST, str(self.port)]
        return subprocess.run(
            [*command, *map(str, words)], cwd=self.folder, capture_output=True, text=True,
            timeout=120, encoding="latin-1",
        )  # fmt: skip

    @contextmanager
    def listening(self, port: int, *words: str) -> Iterator[Path]:
        """storescp, bit by bit into a folder, which is what C-MOVE sends to."""
        into = self.folder / f"received-{port}"
        into.mkdir()
        command = ["storescp", "-aet", self.title, "+B", "-od", str(into), *words, str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield into
        finally:
            process.terminate()
            process.wait(10)


def files_of_the_patient(slides: Path, folder: Path) -> dict[str, Path]:
    """Real radiology objects, handed to our patient; UIDs their own, made different where equal."""
    folder.mkdir()
    made = {}
    for number, name in enumerate(_RADIOLOGY):
        dataset = pydicom.dcmread(slides / "radiology" / name)
        dataset.SpecificCharacterSet = "ISO_IR 100"
        dataset.PatientName, dataset.PatientID = PERSON, CPR
        for key in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            dataset[key].value = f"1.2.826.0.1.3680043.9.9.{number}.{len(key)}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        made[name] = folder / name
        dataset.save_as(made[name], enforce_file_format=True)
    return made


def content_hash(path: Path) -> str:
    """SHA-256 of all elements and frames but file meta, group lengths, padding and offset tables.

    Those dcmtk writes anew when it sends, whatever lies in the file.
    """
    dataset = pydicom.dcmread(path)
    pixels = pixel_hash(path.read_bytes()) if _PIXELS in dataset else ""
    for element in list(dataset):
        if element.tag.element == 0 or element.tag in (_PADDING, _PIXELS):
            del dataset[element.tag]
    said = dataset.to_json() + pixels
    return hashlib.sha256(said.encode()).hexdigest()


def make_case(up: Running) -> None:
    """The patient's case with two expected glasses, as a laboratory system tells it."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    patient = {"kind": "cpr", "identifier": CPR, "name": NAME}
    facts = (
        ("CaseOrdered", {"requester": "Torvet", "site": UNIT, "unit": UNIT, "priority": "routine",
                         "specimen_class": "biopsy"}),
        ("SpecimenReceived", {"part": "A", "topography": "T06"}),
        ("CaseAccessioned", {}),
        ("BlockEmbedded", {"part": "A", "block": "A1"}),
        ("SlideExpected", {"barcode": VIRTUAL, "part": "A", "block": "A1", "stain": "HE"}),
        ("SlideExpected", {"barcode": SCANNED, "part": "A", "block": "A1", "stain": "HE"}),
        ("SlideStained", {"barcode": VIRTUAL}),
        ("SlideStained", {"barcode": SCANNED}),
    )  # fmt: skip
    with up.client("device") as lis:
        for number, (kind, data) in enumerate(facts):
            key = f"{ACCESSION}:{number}"
            body = {"kind": kind, "data": data, "occurred_at": at, "key": key}
            if kind == "CaseOrdered":
                body["patient"] = patient
            answer = lis.post(f"/api/v1/cases/{ACCESSION}/facts", json=body)
            assert answer.is_success, answer.text


def person(up: Running, name: str, role: str) -> str:
    """A member of the unit; a token of theirs."""
    up.command("user", "add", name, "--role", role, "--unit", UNIT)
    made = up.command("token", "create", "--user", name, "--role", role)
    return str(made[0]["token"])


def studies(up: Running, token: str, **keys: str) -> list[dict[str, dict[str, object]]]:
    """QIDO-RS, as somebody."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/dicom+json"}
    answer = httpx.get(f"{up.url}/dicom-web/studies", params=keys, headers=headers, timeout=30)
    if answer.status_code == 204:
        return []
    found: list[dict[str, dict[str, object]]] = answer.raise_for_status().json()
    return found
