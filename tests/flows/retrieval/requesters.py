"""What there is to fetch, and pynetdicom as the node that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context, build_role
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelGet as StudyGet,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelMove as StudyMove,  # type: ignore[attr-defined]
)

from flows.services import Services
from storage.records.imaging import PeerMay, SeriesEntry
from tests.flows.dicom_nodes import (
    HOST,
    KAREN,
    NORTH,
    SOEREN,
    SOUTH,
    a_node,
    case,
    let_in,
    pixels_of,
    received,
    services_in,
    slide,
)
from tests.journeys.running import free_port
from tests.orthanc import Orthanc, an_orthanc

CT, MIX = "1.2.3.10", "1.2.3.20"
RADIOLOGY = {
    f"{CT}.1.1": "pydicom-CT_small.dcm", f"{CT}.1.2": "pydicom-CT_small.dcm",
    f"{MIX}.1.1": "pydicom-JPEG2000.dcm", f"{MIX}.2.1": "pydicom-examples_ybr_color.dcm",
    f"{MIX}.3.1": "pydicom-test-SR.dcm", f"{MIX}.4.1": "pydicom-MR_small_RLE.dcm",
    f"{MIX}.5.1": "pydicom-rtdose.dcm",
}  # fmt: skip


@dataclass
class Department:
    services: Services
    port: int
    soeren: SeriesEntry
    karen: SeriesEntry
    destination: int
    orthanc: Orthanc

    @property
    def all_of_soeren(self) -> dict[str, str]:
        series = {uid.rpartition(".")[0] for uid in RADIOLOGY} | {self.soeren.series_uid}
        return pixels_of(self.services, *series)


@contextmanager
def a_department(folder: Path, slides_dir: Path) -> Iterator[Department]:
    """Two patients' slides, radiology of one, a node that has them, and Orthanc beside it."""
    services = services_in(folder)
    case(services, "P26-1", SOEREN, "P26-1-A1", unit=NORTH)
    case(services, "P26-2", KAREN, "P26-2-A1", unit=SOUTH)
    soeren = slide(services, folder / "1.svs", "P26-1", "P26-1-A1", 3)
    karen = slide(services, folder / "2.svs", "P26-2", "P26-2-A1", 4)
    for uid, name in RADIOLOGY.items():
        received(
            services, slides_dir / "radiology" / name, PatientID=SOEREN[0],
            PatientName="Ågård^Søren Ærø", SpecificCharacterSet="ISO_IR 100",
            StudyInstanceUID=CT if uid.startswith(CT) else MIX, SOPInstanceUID=uid,
            SeriesInstanceUID=uid.rpartition(".")[0],
        )  # fmt: skip
    destination = free_port()
    with (
        a_node(services) as port,
        an_orthanc(
            folder / "orthanc", ae_title="ORTHANC",
            modalities={"svartid": ["SVARTID", HOST, port]},
        ) as orthanc,
    ):  # fmt: skip
        let_in(services, "PACS", port=destination)
        let_in(services, "NORTH", NORTH, destination)
        let_in(services, "SOUTH", SOUTH, destination)
        let_in(services, "AWAY", port=free_port())
        let_in(services, "NOWHERE")
        let_in(services, "ORTHANC", port=orthanc.dicom_port)
        let_in(services, "ASKER", may=frozenset({PeerMay.QUERY}))
        yield Department(services, port, soeren, karen, destination, orthanc)
    services.database.dispose()


def keys(level: str, **words: object) -> Dataset:
    made = Dataset()
    made.QueryRetrieveLevel = level
    for name, value in words.items():
        setattr(made, name, value)
    return made


@dataclass
class Told:
    """What a requester is told in the end, and on the way."""

    status: int = -1
    comment: str = ""
    counts: tuple[int, int, int] = (0, 0, 0)
    """Completed, failed, with a warning."""
    remaining: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def hear(self, status: Dataset, identifier: Dataset | None) -> None:
        self.status = status.Status
        self.comment = str(status.get("ErrorComment", ""))
        counted = ("Completed", "Failed", "Warning")
        self.counts = tuple(  # type: ignore[assignment]
            int(status.get(f"NumberOf{word}Suboperations", 0)) for word in counted
        )
        if self.status == 0xFF00 or "NumberOfRemainingSuboperations" in status:
            self.remaining.append(int(status.NumberOfRemainingSuboperations))
        if identifier is not None and "FailedSOPInstanceUIDList" in identifier:
            found = identifier.FailedSOPInstanceUIDList
            self.failed = [found] if isinstance(found, str) else list(found)


def move(
    department: Department, asked: Dataset, to: str = "PACS", title: str = "PACS",
    cancel_after: int = -1, model: str = StudyMove,
) -> Told:  # fmt: skip
    entity = AE(title)
    entity.add_requested_context(model)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    assert association.accepted_contexts
    told = Told()
    for number, (status, identifier) in enumerate(association.send_c_move(asked, to, model), 1):
        told.hear(status, identifier)
        if number == cancel_after:
            association.send_c_cancel(1, query_model=model)
    association.release()
    return told


def get(
    department: Department, asked: Dataset, *pairs: tuple[str, str], title: str = "PACS"
) -> tuple[Told, list[Dataset]]:
    """C-GET with these classes in these syntaxes; what is told, and what came."""
    entity, came = AE(title), list[Dataset]()
    entity.add_requested_context(StudyGet)
    contexts = [build_context(StudyGet), *(build_context(*pair) for pair in pairs)]
    roles = [build_role(uid, scp_role=True) for uid in dict.fromkeys(at for at, _ in pairs)]

    def store(event: evt.Event) -> int:
        image = event.dataset
        image.file_meta = event.file_meta
        came.append(image)
        return 0

    association = entity.associate(
        HOST, department.port, contexts=contexts, ext_neg=roles, ae_title="SVARTID",
        evt_handlers=[(evt.EVT_C_STORE, store)],
    )  # fmt: skip
    told = Told()
    for status, identifier in association.send_c_get(asked, StudyGet):
        told.hear(status, identifier)
    association.release()
    return told, came
