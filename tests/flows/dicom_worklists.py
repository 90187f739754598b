"""Questions for a worklist, their answers as text, and dcmtk's server to compare with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind as Worklist,  # type: ignore[attr-defined]
)

from flows.services import Services
from tests.flows.dicom_nodes import HOST, c_find
from tests.journeys.running import free_port, wait_for


@dataclass
class Department:
    services: Services
    port: int


def question(**words: object) -> Dataset:
    """Keys as scanners ask; those named are narrowed by, wherever they belong."""
    asked, step, glass = Dataset(), Dataset(), Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    inside = {
        "Modality": step, "ScheduledStationAETitle": step, "ScheduledProcedureStepStartDate": step,
        "ScheduledProcedureStepStatus": step, "ScheduledProcedureStepID": step,
        "ContainerIdentifier": glass,
    }  # fmt: skip
    for name in ("AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
                 "StudyInstanceUID", "RequestedProcedureID", "RequestedProcedurePriority",
                 "ReferringPhysicianName"):  # fmt: skip
        setattr(asked, name, words.get(name, ""))
    for name, place in inside.items():
        setattr(place, name, words.get(name, ""))
    step.ScheduledSpecimenSequence = Sequence([glass])
    asked.ScheduledProcedureStepSequence = Sequence([step])
    return asked


def ask(department: Department, asked: Dataset, title: str = "GT450") -> list[Dataset]:
    last, found = c_find(department.port, title, asked, Worklist)
    assert last.Status == 0
    return found


def barcode(answer: Dataset) -> str:
    glass = answer.ScheduledProcedureStepSequence[0].ScheduledSpecimenSequence[0]
    return str(glass.ContainerIdentifier)


@contextmanager
def wlmscpfs(folder: Path, answers: list[Dataset]) -> Iterator[int]:
    """dcmtk's worklist server with our answers as its files."""
    place = folder / "SVARTID"
    place.mkdir(parents=True)
    (place / "lockfile").touch()
    for number, answer in enumerate(answers):
        answer.SpecificCharacterSet = "ISO_IR 192"
        answer.file_meta = FileMetaDataset()
        answer.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        answer.file_meta.MediaStorageSOPClassUID = UID("1.2.276.0.7230010.3.1.0.1")
        answer.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.{number + 1}")
        answer.save_as(place / f"{number}.wl", enforce_file_format=True)
    port = free_port()
    command = ["wlmscpfs", "-csk", "-dfp", str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers_calls() -> bool:
        called = ["echoscu", "-aec", "SVARTID", HOST, str(port)]
        return subprocess.run(called, capture_output=True).returncode == 0

    try:
        wait_for(answers_calls, 20, "wlmscpfs answers")
        yield port
    finally:
        process.terminate()
        process.wait()


def told(answers: list[Dataset]) -> list[str]:
    """Answers as comparable text, without the character set they come in."""
    texts = []
    for answer in answers:
        answer.decode()
        del answer.file_meta
        answer.pop("SpecificCharacterSet", None)
        answer.pop("TimezoneOffsetFromUTC", None)
        texts.append(str(answer))
    return sorted(texts)
