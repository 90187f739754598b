"""C-MOVE and C-GET to programs that others wrote: what arrives is what is stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context, build_role
from pynetdicom.sop_class import (
    CTImageStorage,  # type: ignore[attr-defined]
    VLWholeSlideMicroscopyImageStorage,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelMove as PatientMove,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelGet as StudyGet,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelMove as StudyMove,  # type: ignore[attr-defined]
)

from flows.dicom_export import opener_of
from flows.dicom_sending import Where, associated, contexts_for, send
from flows.forwarding_line import Unreached
from flows.services import Services
from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage import imaging
from storage.errors import NotFound
from storage.records.imaging import PeerMay, SeriesEntry, Wanted
from storage.records.people import SVARTID
from storage.tables import access_log
from tests.flows.dicom_nodes import (
    HOST,
    KAREN,
    NORTH,
    SOEREN,
    SOUTH,
    Dcmtk,
    Storescp,
    a_node,
    after_meta,
    case,
    content_of,
    let_in,
    pixels_of,
    received,
    services_in,
    slide,
)
from tests.journeys.running import free_port
from tests.orthanc import Orthanc, an_orthanc

CT, MIX = "1.2.3.10", "1.2.3.20"
_RADIOLOGY = {
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
        series = {uid.rpartition(".")[0] for uid in _RADIOLOGY} | {self.soeren.series_uid}
        return pixels_of(self.services, *series)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory, slides_dir: Path) -> Iterator[Department]:
    folder = tmp_path_factory.mktemp("move")
    services = services_in(folder)
    case(services, "P26-1", SOEREN, "P26-1-A1", unit=NORTH)
    case(services, "P26-2", KAREN, "P26-2-A1", unit=SOUTH)
    soeren = slide(services, folder / "1.svs", "P26-1", "P26-1-A1", 3)
    karen = slide(services, folder / "2.svs", "P26-2", "P26-2-A1", 4)
    for uid, name in _RADIOLOGY.items():
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


def test_movescu_brings_everything_to_storescp(department: Department, tmp_path: Path) -> None:
    pacs = Dcmtk("PACS", department.port)
    studies = f"{department.soeren.study_uid}\\{CT}\\{MIX}"
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        words = ["-S", "-aem", "PACS", "-k", "QueryRetrieveLevel=STUDY"]
        said = pacs.run("movescu", "-v", *words, "-k", f"StudyInstanceUID={studies}")
        assert "Received Final Move Response (Success)" in said
        assert there.pixels() == department.all_of_soeren


def test_what_was_received_goes_out_byte_for_byte(department: Department, tmp_path: Path) -> None:
    with Storescp(tmp_path / "came", ("+xa", "+B"), department.destination) as there:
        assert move(department, keys("STUDY", StudyInstanceUID=MIX)).status == 0
        files = there.files()
    opener = opener_of(department.services)
    entries = imaging.series(department.services.database, SVARTID, Wanted(study_uids=(MIX,)))
    for instance in [at for entry in entries for at in opener.instances(entry)]:
        kept = b"".join(instance.stream())
        came = files[instance.sop_uid].read_bytes()
        assert after_meta(came) == after_meta(kept), instance.transfer_syntax


def test_orthanc_asks_and_receives(department: Department) -> None:
    orthanc = department.orthanc
    for level, words in (
        ("Study", {"StudyInstanceUID": department.soeren.study_uid}),
        ("Series", {"StudyInstanceUID": CT, "SeriesInstanceUID": f"{CT}.1"}),
    ):
        asked = {"Level": level, "Query": words}
        query = httpx.post(f"{orthanc.url}/modalities/svartid/query", json=asked, timeout=60)
        place = f"{orthanc.url}{query.raise_for_status().json()['Path']}"
        httpx.post(
            f"{place}/retrieve", json={"TargetAet": "ORTHANC"}, timeout=60
        ).raise_for_status()
    expected = pixels_of(department.services, department.soeren.series_uid, f"{CT}.1")
    assert orthanc.pixels() == expected


def test_getscu_gets_the_levels_as_they_are_stored(department: Department, tmp_path: Path) -> None:
    folder = tmp_path / "came"
    folder.mkdir()
    words = ["-v", "-S", "+xy", "-od", str(folder), "-k", "QueryRetrieveLevel=SERIES"]
    said = Dcmtk("PACS", department.port).run(
        "getscu", *words, "-k", f"StudyInstanceUID={department.karen.study_uid}",
        "-k", f"SeriesInstanceUID={department.karen.series_uid}",
    )  # fmt: skip
    stored = pixels_of(department.services, department.karen.series_uid)
    jpegs = {
        at.sop_uid for at in opener_of(department.services).instances(department.karen)
        if at.transfer_syntax == JPEGBaseline8Bit
    }  # fmt: skip
    assert jpegs
    # It proposes one context for the class: what is stored uncompressed is for another call.
    assert f"Number of Failed Suboperations    : {len(stored) - len(jpegs)}" in said
    found = {dcmread(at).SOPInstanceUID: content_of(at.read_bytes()) for at in folder.iterdir()}
    assert found == {uid: stored[uid] for uid in jpegs}


def test_what_the_asker_does_not_take_is_said_to_have_failed(department: Department) -> None:
    asked = keys("STUDY", StudyInstanceUID=department.karen.study_uid)
    everything = pixels_of(department.services, department.karen.series_uid)
    told, came = get(
        department, asked, (VLWholeSlideMicroscopyImageStorage, ExplicitVRLittleEndian)
    )
    assert told.status in (0xA702, 0xB000)
    assert told.counts == (len(came), len(everything) - len(came), 0)
    assert set(told.failed) == everything.keys() - {at.SOPInstanceUID for at in came}
    assert (
        told.comment
        == f"{told.counts[1]} of {told.counts[1]} failed: {JPEGBaseline8Bit} not accepted"
    )
    wanted = (VLWholeSlideMicroscopyImageStorage, JPEGBaseline8Bit)
    also = (VLWholeSlideMicroscopyImageStorage, ExplicitVRLittleEndian)
    told, came = get(department, asked, wanted, also)
    assert (told.status, len(came)) == (0, len(everything))
    assert told.remaining == list(range(len(everything) - 1, 0, -1))


def test_native_objects_are_rewritten_for_who_knows_implicit_only(department: Department) -> None:
    asked = keys("IMAGE", StudyInstanceUID=CT, SeriesInstanceUID=f"{CT}.1",
                 SOPInstanceUID=[f"{CT}.1.2"])  # fmt: skip
    _, (plain,) = get(department, asked, (CTImageStorage, ExplicitVRLittleEndian))
    told, (implicit,) = get(department, asked, (CTImageStorage, ImplicitVRLittleEndian))
    assert told.status == 0
    assert implicit.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert implicit == plain
    assert (implicit.pixel_array == plain.pixel_array).all()
    dose = "1.2.840.10008.5.1.4.1.1.481.2"
    asked = keys("SERIES", StudyInstanceUID=MIX, SeriesInstanceUID=f"{MIX}.5")
    _, (stored,) = get(department, asked, (dose, ImplicitVRLittleEndian))
    _, (explicit,) = get(department, asked, (dose, ExplicitVRLittleEndian))
    assert explicit.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (explicit.pixel_array == stored.pixel_array).all()
    assert explicit["PixelData"].VR == "OW"


def test_some_fail_and_are_named(department: Department, tmp_path: Path) -> None:
    """storescp without +xa takes no compressed objects."""
    with Storescp(tmp_path / "came", (), department.destination) as there:
        told = move(department, keys("STUDY", StudyInstanceUID=MIX))
        assert told.status == 0xB000
        assert told.counts == (2, 3, 0)
        assert sorted(told.failed) == [f"{MIX}.1.1", f"{MIX}.2.1", f"{MIX}.4.1"]
        assert "not accepted" in told.comment
        assert there.files().keys() == {f"{MIX}.3.1", f"{MIX}.5.1"}


@pytest.mark.parametrize(
    ("to", "status", "word"),
    [
        ("STRANGER", 0xA801, "AE title"),
        ("AWAY", 0xA702, "peer away"),
        ("NOWHERE", 0xA702, "no address"),
    ],
)
def test_destinations_that_are_none(
    department: Department, to: str, status: int, word: str
) -> None:
    told = move(department, keys("STUDY", StudyInstanceUID=CT), to)
    assert told.status == status
    assert word in told.comment


def test_nobody_gets_beyond_the_own_unit(department: Department, tmp_path: Path) -> None:
    study = keys("STUDY", StudyInstanceUID=department.soeren.study_uid)
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, study, "SOUTH", "SOUTH")
        assert (told.status, told.counts) == (0, (0, 0, 0)), "as if there were none"
        told = move(department, study, "SOUTH", "PACS")
        assert told.status == 0xA702, "the destination may not have it"
        assert "not allowed" in told.comment
        assert there.files() == {}
        assert move(department, study, "NORTH", "NORTH").status == 0
        assert there.files()
    told, came = get(department, study, (VLWholeSlideMicroscopyImageStorage, JPEGBaseline8Bit),
                     title="SOUTH")  # fmt: skip
    assert (told.status, came) == (0, [])


def test_a_node_that_may_only_ask_retrieves_nothing(department: Department) -> None:
    entity = AE("ASKER")
    entity.add_requested_context(StudyMove)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    assert not association.accepted_contexts
    association.abort()


@pytest.mark.parametrize(
    "asked",
    [
        keys("STUDY"),
        keys("STUDY", StudyInstanceUID=""),
        keys("STUDY", StudyInstanceUID="*"),
        keys("STUDY", PatientID=SOEREN[0]),
        keys("IMAGE", StudyInstanceUID=CT),
        keys("PATIENT", PatientID=SOEREN[0]),
        keys("ALL", StudyInstanceUID=CT),
        keys("STUDY", StudyInstanceUID=","),
        keys("SERIES", SeriesInstanceUID=",,"),
    ],
)
def test_orders_without_a_unique_key_are_refused(department: Department, asked: Dataset) -> None:
    told = move(department, asked)
    assert told.status == 0xA900
    assert told.comment


def test_what_is_not_there_is_nothing(department: Department) -> None:
    for asked in (
        keys("STUDY", StudyInstanceUID="1.2.3.999"),
        keys("IMAGE", StudyInstanceUID=CT, SOPInstanceUID="1.2.3.999"),
        keys("IMAGE", SOPInstanceUID=f"{department.soeren.series_uid}.1.77"),
    ):
        told = move(department, asked)
        assert (told.status, told.counts) == (0, (0, 0, 0))


def test_a_move_can_be_cancelled(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = send

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        time.sleep(0.2)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, keys("STUDY", StudyInstanceUID=MIX), cancel_after=1)
        assert told.status == 0xFE00
        done, failed, _ = told.counts
        assert 1 <= done < 5
        assert failed == 0
        assert done + told.remaining[-1] == 5
        assert len(there.files()) == done


def test_who_is_shown_what_is_written_down_first(department: Department, tmp_path: Path) -> None:
    let_in(department.services, "WATCHED", port=department.destination)
    time.sleep(2.1)  # the list of nodes is read anew
    with Storescp(tmp_path / "came", ("+xa",), department.destination):
        study = keys("STUDY", StudyInstanceUID=department.soeren.study_uid)
        assert move(department, study, "NORTH", "WATCHED").status == 0
    query = sa.select(access_log).where(access_log.c.slide_id == department.soeren.slide_id)
    with department.services.database.reading() as connection:
        rows = connection.execute(query.order_by(access_log.c.at)).all()
    found = {(row.name, row.action, row.accession, row.basis) for row in rows}
    assert ("watched", "retrieve", "P26-1", "operation") in found
    assert ("north", "receive", "P26-1", "operation") in found


class Stuck:
    """A node that accepts an association and then reads no more."""

    def __init__(self) -> None:
        self.over = threading.Event()
        entity = AE("PACS")
        entity.add_supported_context(VLWholeSlideMicroscopyImageStorage, [JPEGBaseline8Bit])
        handlers = [(evt.EVT_PDU_RECV, self._read)]
        self.server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
        self.port = self.server.server_address[1]

    def _read(self, event: evt.Event) -> None:
        if type(event.pdu).__name__ == "P_DATA_TF":
            self.over.wait(30)

    def end(self) -> None:
        self.over.set()
        self.server.shutdown()


class Endless:
    """An instance of as many bytes as are wanted, none of them kept."""

    sop_uid, sop_class = "1.2.3.4", str(VLWholeSlideMicroscopyImageStorage)
    transfer_syntax, frames = str(JPEGBaseline8Bit), 1

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size = head, size
        self.read = 0

    def header(self) -> Dataset:
        raise NotImplementedError

    def frame(self, number: int) -> bytes:
        raise NotImplementedError

    def size(self) -> int:
        return self._size

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield self._head
        while self.read < self._size:
            self.read += 2**20
            yield bytes(2**20)


@pytest.fixture
def endless(department: Department) -> Endless:
    level = opener_of(department.services).instances(department.soeren)[0]
    return Endless(next(iter(level.stream())), 256 * 2**20)


def test_a_node_that_reads_no_more_is_hung_up_on(
    endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its objects piling up here."""
    monkeypatch.setattr("flows.dicom_wire._STALL", 1.0)
    stuck, began = Stuck(), time.monotonic()
    try:
        where = Where("PACS", HOST, stuck.port)
        with pytest.raises(Unreached) as caught, associated(where, contexts_for([endless])) as line:
            send(line, endless)
        assert caught.value.reason == "peer_silent"
        assert time.monotonic() - began < 15
        assert endless.read < 32 * 2**20
    finally:
        stuck.end()


def test_large_objects_take_no_memory(endless: Endless, tmp_path: Path) -> None:
    most = [resident()]
    with Storescp(tmp_path / "none", ("+xa", "+B")) as there:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                most.append(resident())

        watching = threading.Thread(target=watch)
        watching.start()
        where = Where("ANY", HOST, there.port)
        with associated(where, contexts_for([endless])) as association:
            assert send(association, endless).is_stored
        over.set()
        watching.join()
    assert endless.read == 256 * 2**20
    assert max(most) - most[0] < 48 * 2**20


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_a_requester_that_hangs_up_ends_the_move(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, began = send, threading.Event()

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        began.set()
        time.sleep(0.3)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    entity = AE("PACS")
    entity.add_requested_context(StudyMove)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        asked = keys("STUDY", StudyInstanceUID=MIX)
        answers = association.send_c_move(asked, "PACS", StudyMove)
        threading.Thread(target=lambda: list(answers), daemon=True).start()
        assert began.wait(10)
        association.abort()
        time.sleep(1.5)
        assert len(there.files()) < 5
    assert move(department, keys("STUDY", StudyInstanceUID="1.2.3.999")).status == 0


def test_a_broken_object_fails_alone(department: Department, tmp_path: Path) -> None:
    opener = opener_of(department.services)
    (entry,) = imaging.series(
        department.services.database, SVARTID, Wanted(series_uids=(f"{CT}.1",))
    )
    lost: Any = opener.instances(entry)[0]
    kept = lost.path.read_bytes()
    lost.path.unlink()
    try:
        with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
            told = move(department, keys("STUDY", StudyInstanceUID=CT))
            assert (told.status, told.counts) == (0xB000, (1, 1, 0))
            assert told.failed == [lost.sop_uid]
            assert told.comment == "1 of 1 failed: store damaged"
            assert len(there.files()) == 1
    finally:
        lost.path.write_bytes(kept)


def test_a_slide_that_is_lost_stops_no_other(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = Opener.instances

    def partly(self: Opener, entry: SeriesEntry) -> list[Instance]:
        if not entry.received:
            raise NotFound("gone")
        return opens(self, entry)

    monkeypatch.setattr(Opener, "instances", partly)
    asked = keys("PATIENT", PatientID=SOEREN[0])
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, asked, model=PatientMove)
        assert (told.status, told.counts) == (0xB000, (7, 1, 0))
        assert there.files().keys() == _RADIOLOGY.keys()


def test_a_whole_patient(department: Department, tmp_path: Path) -> None:
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, keys("PATIENT", PatientID="010190-4321"), model=PatientMove)
        assert told.status == 0
        assert there.pixels() == department.all_of_soeren


@pytest.mark.parametrize("whose", [[SOEREN[0], "0202901111"], [SOEREN[0], "x"], ["x", "y"], "*"])
def test_patients_are_fetched_one_at_a_time(department: Department, whose: list[str] | str) -> None:
    """Else a list would stand for everybody."""
    told = move(department, keys("PATIENT", PatientID=whose), model=PatientMove)
    assert (told.status, told.counts) == (0xA900, (0, 0, 0))
    told = move(department, keys("STUDY", PatientID=whose, StudyInstanceUID=CT), model=PatientMove)
    assert told.status == 0xA900


def test_while_one_object_takes_long_the_asker_is_told_so(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orthanc gives up on a node that says nothing for ten seconds."""
    slow = send

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        time.sleep(0.5)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    monkeypatch.setattr("flows.dicom_retrieve._STILL_HERE", 0.1)
    with Storescp(tmp_path / "came", ("+xa",), department.destination):
        asked = keys("IMAGE", StudyInstanceUID=CT, SOPInstanceUID=f"{CT}.1.1")
        told = move(department, asked)
    assert told.status == 0
    assert told.remaining.count(1) >= 3
