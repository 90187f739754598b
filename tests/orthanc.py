"""Orthanc as a foreign archive: started on a folder of its own, asked over its own API."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from pydicom.encaps import generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import dcmread

from tests.journeys.running import free_port, wait_for

PROGRAM = shutil.which("Orthanc")
PLUGINS = Path("/usr/share/orthanc/plugins")
_WEB = PLUGINS / "libOrthancDicomWeb.so"


@dataclass
class Orthanc:
    """One archive; may be stopped and started again on the same ports and data."""

    folder: Path
    ae_title: str = "ARCHIVE"
    modalities: dict[str, list[Any]] = field(default_factory=dict)
    """Whom it knows, for what it does itself: `{"svartid": ["SVARTID", "127.0.0.1", 11112]}`."""

    def __post_init__(self) -> None:
        self.http_port, self.dicom_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.web_url = f"{self.url}/dicom-web"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "orthanc.json"
        settings.write_text(json.dumps(self._settings()))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), str(settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for(self._answers, 60, "Orthanc answers")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def get(self, path: str) -> Any:  # noqa: ANN401
        """Its answer as JSON."""
        return httpx.get(f"{self.url}{path}", timeout=60).raise_for_status().json()

    def instances(self) -> dict[str, str]:
        """Its own ids of instances, by SOPInstanceUID."""
        found = self.get("/instances?expand")
        return {at["MainDicomTags"]["SOPInstanceUID"]: at["ID"] for at in found}

    def file(self, orthanc_id: str) -> bytes:
        """One instance as it keeps it."""
        answer = httpx.get(f"{self.url}/instances/{orthanc_id}/file", timeout=60)
        return answer.raise_for_status().content

    def pixels(self) -> dict[str, str]:
        """SHA-256 of each instance's frames as they are coded, by SOPInstanceUID."""
        return {uid: pixel_hash(self.file(name)) for uid, name in self.instances().items()}

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/system", timeout=2).is_success
        return False

    def _settings(self) -> dict[str, Any]:
        return {
            "Name": "archive", "StorageDirectory": str(self.folder / "store"),
            "IndexDirectory": str(self.folder / "store"), "Plugins": [str(_WEB)],
            "HttpPort": self.http_port, "DicomPort": self.dicom_port, "DicomAet": self.ae_title,
            "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
            "DicomCheckCalledAet": False, "DicomAlwaysAllowStore": True,
            "UnknownSopClassAccepted": True, "DicomModalities": self.modalities,
            "StorageCompression": False, "HttpThreadsCount": 8, "ConcurrentJobs": 2,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
        }  # fmt: skip


def pixel_hash(part10: bytes) -> str:
    """SHA-256 over the frames of an object as they are coded, without padding; or of all of it."""
    dataset = dcmread(DicomBytesIO(part10))
    digest = hashlib.sha256()
    if "PixelData" not in dataset:
        return hashlib.sha256(part10).hexdigest()
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        frames = generate_frames(
            dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))
        )
        for frame in frames:
            digest.update(frame.rstrip(b"\0"))
    else:
        digest.update(dataset.PixelData.rstrip(b"\0"))
    return digest.hexdigest()


@contextmanager
def an_orthanc(folder: Path, **about: Any) -> Iterator[Orthanc]:  # noqa: ANN401
    """A running archive; the test is skipped, or fails where programs are required, without one."""
    if PROGRAM is None or not _WEB.exists():
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("SVARTID_REQUIRE_SLIDES=1, but Orthanc is not installed")
        pytest.skip("no Orthanc here: tests/system-packages.txt")
    with Orthanc(folder, **about) as archive:
        yield archive
