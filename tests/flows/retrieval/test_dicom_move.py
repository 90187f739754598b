"""C-MOVE to programs that others wrote: what arrives is what is stored."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEGBaseline8Bit,
)
from pynetdicom import AE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelMove as PatientMove,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelMove as StudyMove,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    VLWholeSlideMicroscopyImageStorage,  # type: ignore[attr-defined]
)

from flows.dicom_export import opener_of
from storage import imaging
from storage.records.imaging import Wanted
from storage.records.people import SVARTID
from storage.tables import access_log
from tests.flows.dicom_nodes import (
    HOST,
    SOEREN,
    Dcmtk,
    Storescp,
    after_meta,
    let_in,
    pixels_of,
)
from tests.flows.retrieval.requesters import CT, MIX, Department, get, keys, move


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
