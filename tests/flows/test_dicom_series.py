"""Series that were sent become whole; those of whole-slide images become slides, once."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
import sqlalchemy as sa

from flows.cli import main
from flows.dicom_series import ReceivedSeries
from flows.ingest import read_in
from flows.objects import are_objects, keep, sop_class_of
from flows.originals import Bundle, original_path
from flows.services import Services, prepare_services
from flows.watch import WatchFolder
from processing.dicom.receiving import Outcome, Result
from storage import dicom_objects, intake
from storage.catalogue import get_slide
from storage.database import now
from storage.dicom_objects import dicom_series
from storage.dicom_peers import put
from storage.records.imaging import Entered, Peer, PeerMay, SeriesFacts, StoredObject
from storage.records.intake import IntakeState, Source
from storage.settings import read_settings
from tests.flows.dicom_nodes import HOST
from tests.flows.node_process import NodeProcess, calling, store
from tests.flows.work import claim, finish

WSI = "1.2.840.10008.5.1.4.1.1.77.1.6"


@pytest.fixture
def quick(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Series are quiet after a moment."""
    monkeypatch.setenv("SVARTID_DICOM_SETTLE_SECONDS", "0.3")
    return prepare_services(read_settings())


def state_of(services: Services, series_uid: str) -> tuple[str, str | None]:
    query = sa.select(dicom_series.c.state, dicom_series.c.slide_id)
    with services.database.reading() as connection:
        row = connection.execute(query.where(dicom_series.c.series_uid == series_uid)).one()
    return row.state, row.slide_id


def sent(services: Services, *files: Path) -> Outcome:
    outcomes = [keep(services, file, "SCANNER1") for file in files]
    assert {at.result for at in outcomes} == {Result.NEW}
    return outcomes[0]


def take(services: Services) -> int:
    """Wait until it is quiet, and look."""
    taken = ReceivedSeries(services)()
    time.sleep(0.4)
    return taken + ReceivedSeries(services)()


def test_a_slide_that_was_sent_is_the_slide_that_was_delivered(
    quick: Services, tiny_dicom: Path, tmp_path: Path
) -> None:
    files = sorted(tiny_dicom.glob("*.dcm"))
    came = sent(quick, *files)
    assert ReceivedSeries(quick)() == 0  # more may come
    assert state_of(quick, came.series_uid) == ("arriving", None)
    time.sleep(0.4)
    assert ReceivedSeries(quick)() == 1
    (row,) = intake.listing(quick.database)
    assert (row.source, row.state) == (Source.DICOM, IntakeState.RECEIVED)
    assert state_of(quick, came.series_uid) == ("taken", row.slide_id)
    assert ReceivedSeries(quick)() == 0
    original = original_path(quick.layout, row.fingerprint)
    names = {path.stat().st_ino for path in original.rglob("*.dcm")}
    kept = {path.stat().st_ino for path in quick.layout.dicom.glob("??/*.dcm")}
    assert names == kept  # one place on the disk
    claim(quick, row, IntakeState.RECEIVED)
    from_file = prepare_services(read_settings(tmp_path / "other"))
    delivered = finish(from_file, tiny_dicom)
    assert dicom_objects.of_series(quick.database, came.series_uid)
    assert delivered.slide_id != row.slide_id  # another wrapping, so other bytes; the same slide
    read_in(quick, row.intake_id)
    mine = get_slide(quick.database, row.slide_id)
    assert (mine.size, mine.metadata) == (delivered.size, delivered.metadata)


def test_real_series_become_slides(quick: Services, slides_dir: Path) -> None:
    """CMU-1 in six files, CAMELYON, JPEG-LS, fluorescence in three optical paths."""
    files = [*(slides_dir / "dicom-wsi").rglob("*.dcm")]
    files += (at for at in (slides_dir / "dicom-fluorescence").rglob("*") if at.is_file())
    images = [file for file in files if sop_class_of(file) == WSI]
    assert {keep(quick, file, "SCANNER1").result for file in images} == {Result.NEW}
    taken = take(quick)
    rows = intake.listing(quick.database)
    assert taken == len(rows) >= 6
    for row in rows:
        claim(quick, row, IntakeState.RECEIVED)
        read_in(quick, row.intake_id)
        assert get_slide(quick.database, row.slide_id).size.width > 0


def test_a_level_that_comes_late_makes_a_new_slide_of_all(
    quick: Services, tiny_dicom: Path
) -> None:
    *early, late = sorted(tiny_dicom.glob("*.dcm"))
    came = sent(quick, *early)
    assert take(quick) == 1
    (first,) = intake.listing(quick.database)
    sent(quick, late)
    assert state_of(quick, came.series_uid) == ("arriving", first.slide_id)
    assert take(quick) == 1
    rows = {row.slide_id: row for row in intake.listing(quick.database)}
    assert len(rows) == 2
    state, slide_id = state_of(quick, came.series_uid)
    assert (state, slide_id == first.slide_id) == ("taken", False)
    assert slide_id is not None
    whole = original_path(quick.layout, rows[slide_id].fingerprint)
    assert len(list(whole.rglob("*.dcm"))) == len(early) + 1
    assert take(quick) == 0


def test_a_release_ends_a_series_but_a_slide_has_to_be_quiet(
    quick: Services, slides_dir: Path, tiny_dicom: Path
) -> None:
    ct = sent(quick, slides_dir / "radiology" / "pydicom-CT_small.dcm")
    slide = sent(quick, sorted(tiny_dicom.glob("*.dcm"))[0])
    dicom_objects.release(quick.database, {ct.series_uid, slide.series_uid})
    assert state_of(quick, ct.series_uid)[0] == "whole"
    assert ReceivedSeries(quick)() == 0
    assert take(quick) == 1
    assert state_of(quick, ct.series_uid) == ("whole", None)


def test_one_whole_slide_image_makes_a_series_a_slide(quick: Services) -> None:
    """Whatever of it came first."""
    for number, is_slide in ((1, False), (2, True), (3, False)):
        series = SeriesFacts("1.2.1", "1.2.2", "SM", "", "", "", is_slide=is_slide)
        found = StoredObject(f"1.2.3.{number}", WSI, "1.2.2", "1.2.1", "1.2", "0" * 64, 1, 0, "{}",
                             now() - timedelta(minutes=1), "SCANNER1")  # fmt: skip
        assert dicom_objects.enter(quick.database, found, number, series) is Entered.NEW
    dicom_objects.end_quiet(quick.database, timedelta(seconds=1))
    assert dicom_objects.slides_to_take(quick.database, timedelta(seconds=1)) == ["1.2.1"]


def test_a_large_level_on_its_way_keeps_the_series_awake(quick: Services, tiny_dicom: Path) -> None:
    """A level that takes a while; the series has to wait for it."""
    first, second, *_ = sorted(tiny_dicom.glob("*.dcm"), key=lambda at: at.stat().st_size)
    put(quick.database, Peer("s", "SENDER", HOST, may=frozenset({PeerMay.STORE})), "tester")
    said, data = pydicom.dcmread(second), second.read_bytes()
    body = data[144 + int.from_bytes(data[140:144], "little") :]
    syntax, looks = str(said.file_meta.TransferSyntaxUID), 0
    names = str(said.SOPInstanceUID), WSI, syntax
    with (
        NodeProcess(quick) as node,
        calling(node.port, "SENDER", {WSI: [syntax]}) as association,
        ThreadPoolExecutor(1) as pool,
    ):
        sent(quick, first)
        dicom_objects.end_quiet(quick.database, timedelta(0))
        sending = pool.submit(store, association, body, *names, seconds=6.0)
        time.sleep(2.0)
        while not sending.done():
            # The node says it once a second: what is quiet for longer would be taken.
            assert not dicom_objects.slides_to_take(quick.database, timedelta(seconds=1.8))
            looks += 1
            time.sleep(0.1)
        assert sending.result().Status == 0x0000
    assert looks > 10
    assert take(quick) == 1
    (row,) = intake.listing(quick.database)
    assert len(list(original_path(quick.layout, row.fingerprint).rglob("*.dcm"))) == 2


def test_what_lies_in_the_watch_folder_and_is_no_slide_is_kept(
    services: Services, slides_dir: Path, tiny_dicom: Path
) -> None:
    radiology, incoming = slides_dir / "radiology", services.layout.incoming
    study = incoming / "study"
    study.mkdir()
    for name in ("CT_small", "test-SR", "MR_truncated"):
        shutil.copy(radiology / f"pydicom-{name}.dcm", study)
    raw = (radiology / "pydicom-MR_small.dcm").read_bytes()
    (study / "bare.dcm").write_bytes(raw[144 + int.from_bytes(raw[140:144], "little") :])
    (study / "DICOMDIR").write_bytes(_directory(raw))
    shutil.copytree(tiny_dicom, incoming / "slide")
    watching = WatchFolder(services, incoming, Source.WATCH)
    for _ in range(60):
        watching.look()
        time.sleep(0.1)
        if not any(path.is_file() for path in incoming.rglob("*.dcm")):
            break
    assert not list(incoming.rglob("*.dcm"))
    assert len(list(services.layout.dicom.glob("??/*.dcm"))) == 3
    assert [row["reason"] for row in dicom_objects.quarantined(services.database)] == ["truncated"]
    assert [row.source for row in intake.listing(services.database)] == [Source.WATCH]


def _directory(raw: bytes) -> bytes:
    """A DICOMDIR, as far as its head tells."""
    return raw.replace(b"1.2.840.10008.5.1.4.1.1.4\0", b"1.2.840.10008.1.3.10\0\0\0\0\0\0")


def test_svartid_ingest_says_how_many_objects_it_kept(
    services: Services, slides_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "disc"
    folder.mkdir()
    for name in ("CT_small", "test-SR", "rtplan"):
        shutil.copy(slides_dir / "radiology" / f"pydicom-{name}.dcm", folder)
    where = ["--data", str(services.layout.root), "ingest", str(folder)]
    assert main(where) == 0
    assert "DICOM objects in all  3 new" in capsys.readouterr().out
    shutil.copy(slides_dir / "radiology" / "pydicom-MR_truncated.dcm", folder)
    assert main([*where, "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {Path(line["path"]).name: (line["status"], line["objects"]) for line in lines}
    assert found["pydicom-MR_truncated.dcm"] == ("quarantined", {"quarantined": 1})
    assert found["pydicom-test-SR.dcm"] == ("kept", {"known": 1})


def test_slides_are_no_objects(tiny_dicom: Path, painted_svs: Path, slides_dir: Path) -> None:
    slides = [*tiny_dicom.glob("*.dcm")], [painted_svs]
    for files in slides:
        assert not are_objects(Bundle("x", files[0].parent, tuple(files)))
    ct = slides_dir / "radiology" / "pydicom-CT_small.dcm"
    assert are_objects(Bundle("x", ct.parent, (ct,)))
    assert not are_objects(Bundle("x", ct.parent, (ct, slides[0][0])))
