"""QIDO-RS: every level, every key, pages, what answers carry; within reach alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid
from starlette.testclient import TestClient

from storage.records.people import Role
from tests.viewers.archive import ROOT, SERIES, STUDY, Archive, found, image, store

MANY = 23
"""Studies beside the two of the archive."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, painted_svs: Path) -> Archive:
    """One of its own, with some studies more."""
    folder = tmp_path_factory.mktemp("search")
    made = found(folder, painted_svs)
    more = []
    for number in range(MANY):
        image(folder / "more.dcm", number, StudyInstanceUID=f"1.2.840.9.{number}",
              SeriesInstanceUID=generate_uid(), SOPInstanceUID=generate_uid(),
              StudyDate=f"202601{number + 1:02}", AccessionNumber=f"RAD-{100 + number}",
              PatientID=f"N{number}", PatientName=f"Nr^{number}", Modality="MR")  # fmt: skip
        more.append((folder / "more.dcm").read_bytes())
    assert store(made.client(), more).status_code == 200
    return made


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return archive.client()


def search(client: TestClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(ROOT + address)
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    models: list[dict[str, Any]] = answer.json()
    assert models
    return models


def value(model: dict[str, Any], tag: str) -> Any:  # noqa: ANN401
    values = model[tag].get("Value", [None])
    return values[0] if len(values) == 1 else values


def test_all_levels(client: TestClient, archive: Archive) -> None:
    levels = {"/studies": MANY + 2, "/series": MANY + 2, f"/studies/{STUDY}/series": 1,
              f"/studies/{STUDY}/instances": 3, f"/studies/{STUDY}/series/{SERIES}/instances": 3,
              f"/studies/{archive.slide}.5/series": 1}  # fmt: skip
    for address, count in levels.items():
        assert len(search(client, address)) == count, address
    slide = search(client, f"/studies/{archive.slide}.5/instances")
    assert len(search(client, "/instances")) == MANY + 3 + len(slide)
    assert len(slide) > 3


def test_a_study_as_the_standard_wants_it(client: TestClient) -> None:
    """PS3.18 table 10.6.3-3."""
    (study,) = search(client, f"/studies?StudyInstanceUID={STUDY}")
    assert study == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080020": {"vr": "DA", "Value": ["20260301"]},
        "00080030": {"vr": "TM", "Value": ["101500"]},
        "00080050": {"vr": "SH", "Value": ["RAD-7"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", "Value": ["CT"]},
        "00080090": {"vr": "PN"},
        "00080201": {"vr": "SH", "Value": ["+0100"]},
        "00081030": {"vr": "LO", "Value": ["Thorax"]},
        "00081190": {"vr": "UR", "Value": [f"http://testserver/dicom-web/studies/{STUDY}"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Ærø^Åse"}]},
        "00100020": {"vr": "LO", "Value": ["0101901234"]},
        "00100030": {"vr": "DA"},
        "00100040": {"vr": "CS"},
        "0020000D": {"vr": "UI", "Value": [STUDY]},
        "00200010": {"vr": "SH", "Value": ["RAD-7"]},
        "00201206": {"vr": "IS", "Value": [1]},
        "00201208": {"vr": "IS", "Value": [3]},
    }


def test_a_series_and_an_instance_as_the_standard_wants_them(client: TestClient) -> None:
    """PS3.18 tables 10.6.3-4 and 10.6.3-5; what the address says is not told again."""
    (series,) = search(client, f"/studies/{STUDY}/series")
    assert set(series) == {
        "00080005", "00080056", "00080060", "00080201", "0008103E", "00081190", "0020000D",
        "0020000E", "00200011", "00201209",
    }  # fmt: skip
    assert (value(series, "00200011"), value(series, "00201209")) == (4, 3)
    instances = search(client, f"/studies/{STUDY}/series/{SERIES}/instances")
    assert [value(at, "00200013") for at in instances] == [1, 2, 3]
    for instance in instances:
        assert {"0020000D", "0020000E", "00080016", "00080018", "00083002"} <= set(instance)
        assert (value(instance, "00280010"), value(instance, "00280100")) in {(10, 16), (10, 8)}
        assert "00100010" not in instance
        assert client.get(value(instance, "00081190")).status_code == 200
    everywhere = search(client, f"/instances?StudyInstanceUID={STUDY}")
    assert all(value(at, "00100020") == "0101901234" for at in everywhere)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("PatientName=ærø*", 1),
        ("PatientName=%C3%86R%C3%98%5E%3Fse", 1),
        ("PatientName=Nr*", MANY),
        ("PatientID=0101901234", 1),
        ("PatientID=010190-1234", 1),
        ("00100020=N3", 1),
        ("AccessionNumber=RAD-7", 1),
        ("AccessionNumber=RAD-10*", 10),
        ("StudyDate=20260301", 1),
        ("StudyDate=20260105-20260107", 3),
        ("StudyDate=-20260103", 3),
        ("StudyDate=00010101", 0),
        ("StudyDate=00010101-99991231", MANY + 2),
        ("ModalitiesInStudy=MR", MANY),
        ("ModalitiesInStudy=SM", 1),
        ("ModalitiesInStudy=XX", 0),
        ("StudyInstanceUID=1.2.840.9.1,1.2.840.9.2", 2),
        ("StudyInstanceUID=1.2.840.9.1&StudyInstanceUID=1.2.840.9.3", 2),
        ("StudyInstanceUID=1.2.840.9.1%5C1.2.840.9.3", 2),
        (f"SeriesInstanceUID={SERIES}", 1),
        ("StudyDescription=Thorax", MANY + 1),
        ("PatientName=Nobody", 0),
        ("PatientName=", MANY + 2),
        ("PatientName=*", MANY + 2),
        ("PatientID=N1&AccessionNumber=RAD-102", 0),
    ],
)
def test_keys(query: str, count: int, client: TestClient) -> None:
    assert len(search(client, f"/studies?{query}")) == count


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("/series?Modality=MR", MANY),
        ("/series?Modality=SM", 1),
        ("/series?ContainerIdentifier=nobodys", 0),
        ("/series?SeriesDescription=Thor*&PatientID=N1", 1),
        (f"/studies/{STUDY}/series?Modality=MR", 0),
        (f"/studies/{STUDY}/series?SeriesNumber=4", 1),
        (f"/studies/{STUDY}/instances?InstanceNumber=2", 1),
        (f"/studies/{STUDY}/instances?SOPClassUID=1.2.840.10008.5.1.4.1.1.2", 3),
        (f"/studies/{STUDY}/instances?SOPClassUID=1.2.3", 0),
        (f"/studies/{STUDY}/instances?ProcedureCodeSequence.CodeValue=1", 3),
        (f"/studies/{STUDY}/instances?00081032.00080100=2", 0),
        (f"/studies/{STUDY}/instances?ContainerIdentifier=x", 0),
        (f"/studies/{STUDY}/instances?PatientID=010190-1234&InstanceNumber=1", 1),
        ("/instances?SOPInstanceUID=1.2.3", 0),
        ("/instances?Modality=CT", 3),
    ],
)
def test_keys_of_series_and_instances(address: str, count: int, client: TestClient) -> None:
    assert len(search(client, address)) == count


def test_an_instance_by_its_uid_alone(client: TestClient, archive: Archive) -> None:
    for uid in (archive.address(1).rpartition("/")[2], f"{archive.slide}.1.0"):
        (model,) = search(client, f"/instances?SOPInstanceUID={uid}")
        assert value(model, "00080018") == uid


def test_pages_hold_everything_once_newest_first(client: TestClient) -> None:
    whole = [value(at, "0020000D") for at in search(client, "/studies")]
    assert len(set(whole)) == MANY + 2
    dates = [value(at, "00080020") for at in search(client, "/studies?PatientName=Nr*")]
    assert dates == sorted(dates, reverse=True)
    for size in (1, 4, 10):
        pages = [
            value(at, "0020000D")
            for offset in range(0, MANY + 2, size)
            for at in search(client, f"/studies?limit={size}&offset={offset}")
        ]
        assert pages == whole
    assert search(client, f"/studies?offset={MANY + 2}") == []
    some = search(client, "/series?PatientName=Nr*&limit=3&offset=2")
    assert [value(at, "00080050") for at in some] == ["RAD-120", "RAD-119", "RAD-118"]


def test_includefield(client: TestClient) -> None:
    address = f"/studies/{STUDY}/series/{SERIES}/instances?InstanceNumber=1"
    (plain,) = search(client, address)
    (named,) = search(client, f"{address}&includefield=PixelSpacing,00281050")
    assert set(named) - set(plain) == {"00280030", "00281050"}
    assert named["00280030"]["Value"] == [0.7, 0.7]
    (inner,) = search(client, f"{address}&includefield=ProcedureCodeSequence.CodeValue")
    assert inner["00081032"] == {
        "vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["1"]}}],
    }  # fmt: skip
    (everything,) = search(client, f"{address}&includefield=all")
    assert len(everything) > 35
    assert everything["00282000"]["BulkDataURI"].startswith("http://testserver/dicom-web/studies/")
    assert client.get(everything["00282000"]["BulkDataURI"]).status_code == 200
    (series,) = search(client, f"/studies/{STUDY}/series?includefield=00080021,BodyPartExamined")
    assert {"00080021", "00180015"} <= set(series)


def test_warnings(client: TestClient) -> None:
    fuzzy = client.get(f"{ROOT}/studies?PatientName=Aeroe&fuzzymatching=true")
    assert fuzzy.status_code == 204
    assert fuzzy.headers["warning"] == (
        '299 http://testserver/dicom-web "The fuzzymatching parameter is not supported. '
        'Only literal matching has been performed."'
    )
    assert "warning" not in client.get(f"{ROOT}/studies?limit=2&fuzzymatching=false").headers


def test_more_than_are_given_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.dicom.query.USUAL", 5)
    answer = client.get(f"{ROOT}/studies")
    assert len(answer.json()) == 5
    assert "exceeded the maximum" in answer.headers["warning"]
    assert "warning" not in client.get(f"{ROOT}/studies?limit=5").headers


@pytest.mark.parametrize(
    "query",
    ["Nonsense=1", "limit=x", "offset=-1", "includefield=Nonsense", "fuzzymatching=perhaps",
     "PatientName.X=1"],
)  # fmt: skip
def test_questions_nobody_understands(query: str, client: TestClient) -> None:
    answer = client.get(f"{ROOT}/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["reason"]


def test_only_json_is_spoken(client: TestClient) -> None:
    for accept in ("application/json", "application/dicom+json;q=0.5, */*;q=0.1"):
        answer = client.get(f"{ROOT}/studies", headers={"Accept": accept})
        assert answer.headers["content-type"] == accept.partition(";")[0]
    answer = client.get(f"{ROOT}/studies", headers={"Accept": "text/plain"})
    assert answer.status_code == 406


def test_who_finds_what(archive: Archive) -> None:
    """Of nobody known here: for those who find out whose it is. The slide of no case: for all."""
    for role, count in ((Role.TECHNICIAN, MANY + 2), (Role.PATHOLOGIST, 1), (Role.NODE, 1)):
        assert len(search(archive.client(role), "/studies")) == count, role
    for role, status in ((Role.GUEST, 403), (Role.DEVICE, 403), (None, 401)):
        assert archive.client(role).get(f"{ROOT}/studies").status_code == status
