"""What a node can be asked about, and pynetdicom as the one who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as StudyRoot,  # type: ignore[attr-defined]
)

from flows.services import Services
from storage.records.imaging import PeerMay, SeriesEntry
from tests.flows.dicom_nodes import (
    KAREN,
    LUCJA,
    NORTH,
    SOEREN,
    SOUTH,
    a_node,
    c_find,
    case,
    let_in,
    received,
    services_in,
    slide,
)

CT, MR = "1.2.3.10", "1.2.3.20"
"""Studies: two CT images of Søren's, one MR of Łucja's, who has a case in the north."""


@dataclass
class Department:
    services: Services
    port: int
    soeren: SeriesEntry
    karen: SeriesEntry


@contextmanager
def a_department(folder: Path, slides_dir: Path) -> Iterator[Department]:
    """A node with two patients' slides, radiology of one and of a third."""
    services = services_in(folder)
    case(services, "P26-1", SOEREN, "P26-1-A1", unit=NORTH)
    case(services, "P26-2", KAREN, "P26-2-A1", unit=SOUTH)
    case(services, "P26-3", LUCJA, unit=NORTH)
    soeren = slide(services, folder / "1.svs", "P26-1", "P26-1-A1", 3)
    karen = slide(services, folder / "2.svs", "P26-2", "P26-2-A1", 4)
    radiology = slides_dir / "radiology"
    for number in (1, 2):
        received(
            services, radiology / "pydicom-CT_small.dcm", PatientID="010190-4321",
            PatientName="Ågård^Søren Ærø", SpecificCharacterSet="ISO_IR 100", StudyDate="20251224",
            StudyInstanceUID=CT, SeriesInstanceUID=f"{CT}.1", SOPInstanceUID=f"{CT}.1.{number}",
            InstanceNumber=number, AccessionNumber="R77",
        )  # fmt: skip
    received(
        services, radiology / "pydicom-MR_small.dcm", PatientID="0303904322",
        PatientName="Žižek^Łucja", SpecificCharacterSet="ISO_IR 192", StudyDate="20260301",
        StudyInstanceUID=MR, SeriesInstanceUID=f"{MR}.1", SOPInstanceUID=f"{MR}.1.1",
    )  # fmt: skip
    for title in ("PACS", "WATCHED", "UNLOGGED"):
        let_in(services, title)
    for title in ("NORTH", "ORTHANC"):
        let_in(services, title, NORTH)
    let_in(services, "SOUTH", SOUTH)
    let_in(services, "SCANNER", may=frozenset({PeerMay.STORE, PeerMay.WORKLIST}))
    with a_node(services) as port:
        yield Department(services, port, soeren, karen)
    services.database.dispose()


def ask(
    department: Department, keys: Dataset, title: str = "PACS", model: str = StudyRoot
) -> tuple[int, list[Dataset], str]:
    """The final status, the answers, and the word with the status."""
    last, found = c_find(department.port, title, keys, model)
    return last.Status, found, str(last.get("ErrorComment", ""))


def keys(level: str, **words: object) -> Dataset:
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.QueryRetrieveLevel = level
    for name, value in words.items():
        setattr(made, name, value)
    return made


def studies(department: Department, title: str = "PACS", **words: object) -> set[str]:
    status, found, _ = ask(department, keys("STUDY", **{"StudyInstanceUID": "", **words}), title)
    assert status == 0
    return {str(at.StudyInstanceUID) for at in found}
