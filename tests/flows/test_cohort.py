"""Research cohorts: chosen, versioned, out as Zarr and DICOM with nobody named in them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
import zarr

from flows.cli import main
from flows.cohort import CARD
from flows.services import Services, prepare_services
from processing.paint import Painting, write_svs
from storage import cohorts, events
from storage.catalogue import get_slide
from storage.records.cohorts import CohortQuery
from storage.settings import read_settings
from tests.flows.test_model_commands import read_in


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Services, str]:
    """A data folder with one slide that has a label, a barcode and a date."""
    folder = tmp_path_factory.mktemp("stocked")
    services = prepare_services(read_settings(folder / "data", {}))
    path = folder / "P26-00042-A1-1 Jensen.svs"
    write_svs(Painting(600, 400, seed=5), path)
    return services, read_in(services, path)


def exported(services: Services, folder: Path, form: str) -> Path:
    data = str(services.layout.root)
    cohorts.create(services.database, "all", CohortQuery(), "test")
    words = ["cohort", "export", "all", "--form", form, "-o", str(folder), "--data", data]
    assert main(words) == 0
    return folder


def names_of(services: Services, slide_id: str) -> list[bytes]:
    """What must be nowhere in an export."""
    slide = get_slide(services.database, slide_id)
    found = [slide_id, slide.fingerprint, slide.name, "P26-00042", "Jensen", str(slide.root)]
    found += [slide.metadata.barcode or "P26", f"{slide.received_at:%Y%m%d}"]
    return [at.encode() for at in found] + [f"{slide.received_at:%Y-%m-%d}".encode()]


@pytest.mark.parametrize("form", ["zarr", "dicom"])
def test_nothing_in_an_export_names_anybody(
    stocked: tuple[Services, str], tmp_path: Path, form: str
) -> None:
    services, slide_id = stocked
    folder = exported(services, tmp_path / "out", form)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        content = path.read_bytes() + str(path.relative_to(folder)).encode()
        for name in names_of(services, slide_id):
            assert name not in content, (path.name, name)
    kept = (services.pyramids.path(slide_id) / "zarr.json").read_bytes()
    assert sum(name in kept for name in names_of(services, slide_id)) >= 2  # it was there before
    assert not [path for path in files if path.suffix in (".jpg", ".png", ".icc")]


def test_an_export_as_zarr_opens_and_has_the_pixels(
    stocked: tuple[Services, str], tmp_path: Path
) -> None:
    services, slide_id = stocked
    folder = exported(services, tmp_path / "out", "zarr")
    (group,) = folder.glob("*.ome.zarr")
    ours = zarr.open_group(services.pyramids.path(slide_id), mode="r")["0"]
    theirs = zarr.open_group(group, mode="r")["0"]
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_an_export_as_dicom_opens_and_is_of_the_pseudonym(
    stocked: tuple[Services, str], tmp_path: Path
) -> None:
    services, _ = stocked
    folder = exported(services, tmp_path / "out", "dicom")
    (patient,) = (path for path in folder.iterdir() if path.is_dir())
    for path in patient.glob("*.dcm"):
        made = pydicom.dcmread(path)
        assert (made.PatientID, str(made.PatientName)) == (patient.name, patient.name)
        assert (made.AccessionNumber, made.PatientBirthDate, made.StudyDate) == ("", "", "")
        assert made.ContainerIdentifier == patient.name
        assert made.pixel_array.size


def test_the_card_tells_what_is_there(stocked: tuple[Services, str], tmp_path: Path) -> None:
    services, _ = stocked
    folder = exported(services, tmp_path / "out", "zarr")
    card = json.loads((folder / CARD).read_text())
    assert (card["count"], card["by"]["verdict"]) == (1, {"unknown": 1})
    for name, digest in card["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(card["files"]) == files - {CARD}
    kinds = [at.kind for at in events.history(services.database, "cohort:all")]
    assert kinds[-2:] == ["CohortMade", "CohortExported"]


def test_each_version_has_names_of_its_own_and_stays(stocked: tuple[Services, str]) -> None:
    database = stocked[0].database
    first, second = (cohorts.create(database, "twice", CohortQuery(), "test") for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    assert first.members[0].pseudonym != second.members[0].pseudonym
    assert cohorts.get(database, "twice", 1) == first


@pytest.mark.parametrize(
    "words", [["--stain", "HE"], ["--verdict", "rescan"], ["--until", "2001-01-01"]]
)
def test_a_query_that_nothing_fits_makes_nothing(
    stocked: tuple[Services, str], words: list[str]
) -> None:
    data = str(stocked[0].layout.root)
    assert main(["cohort", "create", "none", *words, "--data", data]) == 1
    assert main(["cohort", "export", "none", "-o", "x", "--data", data]) == 1
    assert main(["cohort", "create", "../x", "--data", data]) == 1
    assert main(["cohort", "list", "--data", data]) == 0
