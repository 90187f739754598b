"""svartid in the hospital's imaging world: dcmtk, Orthanc, dicomweb-client, wsidicom as judges.

A patient has a case of two glasses, one scanned to SVS, one by a scanner that speaks DICOM, and has
been to radiology. Everything goes in and out through the running service.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image
from requests import PreparedRequest
from requests.auth import AuthBase
from wsidicom import WsiDicom, WsiDicomWebClient

from tests.journeys.dicom import ACCESSION, CPR, PERSON, SCANNED, Dcmtk, content_hash, studies
from tests.journeys.hospital import Hospital, a_hospital
from tests.journeys.running import wait_for
from tests.orthanc import pixel_hash

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, slides_dir: Path) -> Iterator[Hospital]:
    with a_hospital(tmp_path_factory.mktemp("hospital"), slides_dir) as made:
        yield made


def test_dcmtk_finds_what_it_stored(hospital: Hospital) -> None:
    hospital.dcmtk.run("echoscu")
    said = hospital.dcmtk.run(
        "findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"PatientID={CPR}",
        "-k", "PatientName", "-k", "ModalitiesInStudy", "-k", "AccessionNumber",
    )  # fmt: skip
    found = len(re.findall(r"Find Response: \d+ \(Pending\)", said))
    assert found == len(hospital.files) + 1, said[-2000:]
    assert ACCESSION in said
    (line,) = set(re.findall(r"\(0010,0010\) PN \[([^\]]*?) *\]", said))
    assert line == PERSON  # it fits Latin-1, so that is what is answered in


def test_what_was_moved_is_what_was_sent(hospital: Hospital) -> None:
    """C-MOVE to dcmtk's own listener, and C-GET, bit for bit."""
    sent = {content_hash(path) for path in hospital.files.values()}
    with hospital.dcmtk.listening(hospital.move_port, "+xa") as into:
        hospital.dcmtk.run(
            "movescu", "-S", "-aem", "DCMTK", "-k", "QueryRetrieveLevel=STUDY",
            "-k", "StudyInstanceUID=" + "\\".join(_studies_of(hospital)),
        )  # fmt: skip
        moved = {content_hash(path) for path in into.iterdir()}
    assert sent <= moved
    assert len(moved) > len(sent)  # the slide's levels came as well
    got = hospital.dcmtk.folder / "got"
    got.mkdir()
    ct = pydicom.dcmread(hospital.files["pydicom-CT_small.dcm"])
    hospital.dcmtk.run(
        "getscu", "-S", "+B", "-od", got, "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={ct.StudyInstanceUID}",
    )  # fmt: skip
    assert {content_hash(path) for path in got.iterdir()} == {
        content_hash(hospital.files["pydicom-CT_small.dcm"])
    }


def test_who_is_not_known_gets_nothing(hospital: Hospital) -> None:
    nobody = Dcmtk("NOBODY", hospital.port, hospital.dcmtk.folder)
    assert nobody.try_run("echoscu").returncode != 0
    stranger = Dcmtk("STRANGER", hospital.port, hospital.dcmtk.folder)
    said = stranger.run(
        "findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID", "-k", "PatientName"
    )
    assert "(Pending)" not in said
    assert CPR not in said


def test_a_scanners_dicom_becomes_a_slide_of_its_case(hospital: Hospital, tmp_path: Path) -> None:
    series = tmp_path / "series"
    hospital.up.run("paint", series, "--format", "dicom", "--width", "1200", "--height", "900",
                    "--barcode", SCANNED, "--accession", ACCESSION, "--seed", "5")  # fmt: skip
    files = sorted(series.iterdir())
    hospital.dcmtk.run("storescu", "-R", "-xy", *files)

    def readable() -> Any:  # noqa: ANN401
        with hospital.up.client(None) as client:
            headers = {"Authorization": f"Bearer {hospital.tokens['pia']}"}
            case = client.get(f"/api/v1/cases/{ACCESSION}", headers=headers).json()
        slides = case["case"]["slides"] if "case" in case else case["slides"]
        items = slides.values() if isinstance(slides, dict) else slides
        (mine,) = (at for at in items if at["barcode"] == SCANNED)
        return mine if mine["state"] in ("available", "readable") else None

    wait_for(readable, 60, "the glass that came by C-STORE is readable")
    uid = pydicom.dcmread(files[0], stop_before_pixels=True).SeriesInstanceUID
    web = hospital.web("pia")
    found = web.search_for_instances(search_filters={"SeriesInstanceUID": uid})
    assert len(found) == len(files)
    study = found[0]["0020000D"]["Value"][0]
    mine = {pixel_hash(path.read_bytes()) for path in files}
    back = web.retrieve_series(study, uid)
    theirs = set()
    for dataset in back:
        file = tmp_path / "back.dcm"
        dataset.save_as(file, enforce_file_format=True)
        theirs.add(pixel_hash(file.read_bytes()))
    assert theirs == mine


def test_orthanc_takes_the_slide_and_gives_it_back(hospital: Hospital, tmp_path: Path) -> None:
    """Queried and moved by Orthanc; its frames are the pyramid's bytes; sent back it is known."""
    archive = hospital.orthanc
    with httpx.Client(base_url=archive.url, timeout=120) as client:
        query = {"Level": "Study", "Query": {"AccessionNumber": ACCESSION}}
        made = client.post("/modalities/svartid/query", json=query).raise_for_status().json()
        answers = client.get(f"/queries/{made['ID']}/answers").raise_for_status().json()
        assert len(answers) >= 1
        client.post(f"/queries/{made['ID']}/retrieve", content="ARCHIVE").raise_for_status()
    out = tmp_path / "export"
    assert hospital.up.run("export", hospital.virtual, "--to", "dicom", "-o", out).returncode == 0
    ours = {str(pydicom.dcmread(at, stop_before_pixels=True).SOPInstanceUID):
            pixel_hash(at.read_bytes()) for at in out.iterdir()}  # fmt: skip
    theirs = wait_for(lambda: _all_in(archive.pixels(), ours), 30, "Orthanc has every instance")
    assert ours.items() <= theirs.items()
    with httpx.Client(base_url=archive.url, timeout=120) as client:
        names = [archive.instances()[uid] for uid in ours]
        sent = client.post("/modalities/svartid/store", json=names)
        assert sent.is_success, sent.text
        assert sent.json()["FailedInstancesCount"] == 0
    assert hospital.series_of_slide()["00201209"]["Value"] == [len(ours)]  # known, not kept twice


def test_orthancs_dicomweb_pulls_from_ours(hospital: Hospital) -> None:
    """The plugin as a client: our stored syntax by default is what it can read."""
    archive = hospital.orthanc
    server = {"Url": f"{hospital.up.url}/dicom-web/", "HttpHeaders":
              {"Authorization": f"Bearer {hospital.tokens['pia']}"}}  # fmt: skip
    dx = pydicom.dcmread(hospital.files["highdicom-dx_image.dcm"])
    with httpx.Client(base_url=archive.url, timeout=120) as client:
        client.put("/dicom-web/servers/svartid", json=server).raise_for_status()
        body = {"Resources": [{"Study": str(dx.StudyInstanceUID)}], "Synchronous": True}
        client.post("/dicom-web/servers/svartid/retrieve", json=body).raise_for_status()
    name = archive.instances()[str(dx.SOPInstanceUID)]
    assert pixel_hash(archive.file(name)) == pixel_hash(
        hospital.files["highdicom-dx_image.dcm"].read_bytes()
    )


def test_wsidicom_reads_over_the_web_what_we_read(hospital: Hospital, tmp_path: Path) -> None:
    """A region by another reader over DICOMweb has the hash of our own."""
    series = hospital.series_of_slide()
    auth = _Bearer(hospital.tokens["pia"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = WsiDicomWebClient.create_client(f"{hospital.up.url}/dicom-web", auth=auth)
        with WsiDicom.open_web(
            client, series["0020000D"]["Value"][0], series["0020000E"]["Value"][0]
        ) as slide:
            region = slide.read_region((300, 200), 0, (700, 500)).convert("RGB")
            assert len(slide.levels) >= 3
            assert slide.labels is not None
    ours = tmp_path / "region.png"
    done = hospital.up.run(
        "region", hospital.virtual, "--x", "300", "--y", "200", "--width", "700",
        "--height", "500", "-o", ours,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    mine = np.asarray(Image.open(ours).convert("RGB"))
    assert _sha(np.asarray(region)) == _sha(mine)


def test_what_is_stored_over_the_web_is_found_and_given_back(hospital: Hospital) -> None:
    web = hospital.web("tina")
    dataset = pydicom.dcmread(hospital.files["pydicom-MR_small.dcm"])
    for key in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        dataset[key].value = dataset[key].value + ".77"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    answer = web.store_instances([dataset])
    assert len(answer.ReferencedSOPSequence) == 1
    back = web.retrieve_instance(
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    )
    assert back.PixelData == dataset.PixelData
    assert back.PatientName == PERSON
    (frame,) = web.retrieve_instance_frames(
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID, [1]
    )
    assert frame == dataset.PixelData


def test_everything_left_a_line(hospital: Hospital) -> None:
    """Who asked over DICOM is in the access log of the case as everybody is."""
    with hospital.up.client(None) as client:
        headers = {"Authorization": f"Bearer {hospital.tokens['pia']}"}
        told = client.get(f"/api/v1/cases/{ACCESSION}", headers=headers)
        assert told.is_success
    with sqlite3.connect(hospital.up.data / "svartid.sqlite") as database:
        query = "SELECT name, action FROM access_log WHERE accession = ?"
        lines = set(database.execute(query, (ACCESSION,)))
    assert {"dcmtk", "archive", "pia"} <= {name for name, _ in lines}


def _studies_of(hospital: Hospital) -> list[str]:
    found = studies(hospital.up, hospital.tokens["pia"], PatientID=CPR)
    return [str(at["0020000D"]["Value"][0]) for at in found]


def _all_in(have: dict[str, str], wanted: dict[str, str]) -> dict[str, str] | None:
    return have if wanted.keys() <= have.keys() else None


class _Bearer(AuthBase):
    """A token on every request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _sha(pixels: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
