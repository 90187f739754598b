"""Images beside a case, and one study: what is told, to whom, and the line it leaves."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from starlette.testclient import TestClient

from storage.tables import access_log
from tests.viewers.department import Department
from viewers.modules import modules
from viewers.pages import asset

NUMBERS = iter(range(1, 1000))
SEES = {
    "pia": 200, "poul": 200, "tina": 200, "stranger": 404, "strange_lab": 404, "karl": 404,
    "ops": 404, "administrator": 404, "researcher": 403, "guest": 403, "lis": 403, "sara": 403,
}  # fmt: skip


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


@pytest.fixture
def identifier() -> str:
    """Of a patient of this test alone."""
    return f"01019{next(NUMBERS):05}"


def stored(
    department: Department,
    identifier: str,
    name: str = "Andersen^Anna",
    **more: Any,  # noqa: ANN401
) -> Dataset:
    """A CT of one pixel that the laboratory's program has handed in."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.PatientName, dataset.Modality = identifier, name, "CT"
    dataset.StudyDate, dataset.StudyTime, dataset.SeriesDescription = "20260304", "101500", "axial"
    dataset.Rows = dataset.Columns = dataset.SamplesPerPixel = 1
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", b"\1\2"
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    answer = department.client("tina").post(
        "/dicom-web/studies",
        content=file.getvalue(),
        headers={"Content-Type": "application/dicom"},
    )
    assert answer.status_code == 200, answer.text
    return dataset


def case_of(department: Department, identifier: str) -> str:
    patient = department.patient(identifier)
    return department.case(patient_id=patient, assignee="pia")


def timeline(client: TestClient, accession: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/cases/{accession}/imaging")
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["studies"]
    return told


def test_a_case_shows_its_own_images_and_its_patients(
    department: Department, identifier: str
) -> None:
    accession = case_of(department, identifier)
    older = stored(
        department,
        identifier,
        StudyDate="20250102",
        AccessionNumber="R1",
        StudyDescription="Thorax",
    )
    own = stored(department, identifier, StudyDate="20251231", AccessionNumber=accession)
    stored(department, identifier[:-1] + "0", AccessionNumber="R2", name="Bertelsen^Bo")
    told = timeline(department.client("pia"), accession)
    assert [(at["study_uid"], at["own"]) for at in told] == [
        (own.StudyInstanceUID, True),
        (older.StudyInstanceUID, False),
    ]
    assert told[1]["accession"] == "R1"
    assert told[1]["description"] == "Thorax"
    (series,) = told[1]["series"]
    assert series["modality"] == "CT"
    assert series["description"] == "axial"
    assert (series["received"], series["slide_id"]) == (True, None)
    lines = department.lines("pia", accession)
    assert [action for action, _, _ in lines] == ["case imaging"]
    assert all(patient for _, patient, _ in lines)


def test_a_secretary_has_the_case_without_its_images(
    department: Department, identifier: str
) -> None:
    accession = case_of(department, identifier)
    stored(department, identifier)
    assert timeline(department.client("sara"), accession) == []
    assert len(timeline(department.client("tina"), accession)) == 1
    assert department.client("stranger").get(f"/api/v1/cases/{accession}/imaging").status_code in (
        403,
        404,
    )


@pytest.mark.parametrize("name", SEES)
def test_a_study_is_for_those_whose_patient_it_is(
    name: str, department: Department, identifier: str
) -> None:
    accession = case_of(department, identifier)
    dataset = stored(department, identifier, AccessionNumber="R3")
    answer = department.client(name).get(f"/api/v1/imaging/{dataset.StudyInstanceUID}")
    assert answer.status_code == SEES[name], answer.text
    if answer.status_code != 200:
        assert "Andersen" not in answer.text
        return
    told = answer.json()
    assert told["patient"]["name"] == "Anna Andersen"
    assert told["known"] is True
    assert told["case"] == accession
    assert told["accession"] == "R3"
    assert told["at"].startswith("2026-03-04T")


def test_looking_at_a_study_leaves_a_line(department: Department, identifier: str) -> None:
    case_of(department, identifier)
    dataset = stored(department, identifier)
    with department.database.reading() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(access_log)).scalar_one()
    department.client("poul").get(f"/api/v1/imaging/{dataset.StudyInstanceUID}")
    query = sa.select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    with department.database.reading() as connection:
        after = connection.execute(sa.select(sa.func.count()).select_from(access_log)).scalar_one()
        line = connection.execute(query).one()
    assert after == before + 1
    assert (line.name, line.action) == ("poul", "study")
    assert line.patient_id


def test_a_patient_nobody_knows_is_for_those_who_find_out(
    department: Department, identifier: str
) -> None:
    dataset = stored(department, identifier, name="Ukendt^Person")
    address = f"/api/v1/imaging/{dataset.StudyInstanceUID}"
    assert department.client("pia").get(address).status_code == 404
    told = department.client("tina").get(address).json()
    assert told["known"] is False
    assert (told["patient"]["name"], told["case"]) == ("Person Ukendt", None)
    assert told["patient"]["identifier"] == identifier


def test_the_page_is_a_shell(department: Department, identifier: str) -> None:
    case_of(department, identifier)
    study = stored(department, identifier).StudyInstanceUID
    page = department.client("pia").get(f"/imaging/{study}?case=%22%3E%3Cscript%3E").text
    assert "Andersen" not in page
    assert identifier not in page
    assert "<script>" not in page
    for name in modules("imaging.js"):
        assert page.count(f'rel="modulepreload" href="{asset("js/" + name)}"') == 1
    for wrong in ("none", "1..2", "1" * 65, f"{study}?series=x"):
        assert department.client("pia").get(f"/imaging/{wrong}").status_code == 404
    assert department.client(None).get(f"/imaging/{study}").status_code == 303
    assert department.client("guest").get(f"/imaging/{study}").status_code == 403
    assert department.client("pia").get("/api/v1/imaging/none").status_code == 422


def test_the_page_of_a_slide_loads_none_of_it() -> None:
    assert not {at for at in modules("viewer.js") if at.startswith("imaging")}
    of_case = {at for at in modules("case_page.js") if at.startswith("imaging")}
    assert of_case == {"imaging_timeline.js", "imaging_words.js"}
