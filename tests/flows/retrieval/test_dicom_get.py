"""C-GET: what the asker can take comes, and what it cannot is said to have failed."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)
from pynetdicom.sop_class import (
    CTImageStorage,  # type: ignore[attr-defined]
    VLWholeSlideMicroscopyImageStorage,  # type: ignore[attr-defined]
)

from flows.dicom_export import opener_of
from tests.flows.dicom_nodes import (
    Dcmtk,
    content_of,
    pixels_of,
)
from tests.flows.retrieval.requesters import CT, MIX, Department, get, keys


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
