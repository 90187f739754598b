"""The DICOM node as a process: foreign programs store to it, and who may not gets nothing."""

from __future__ import annotations

import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.uid import generate_uid

from flows.services import Services, prepare_services
from storage import dicom_objects, dicom_peers
from storage.dicom_objects import of_series, quarantined
from storage.errors import Transient
from storage.records.imaging import Entered, Peer, PeerMay
from storage.settings import read_settings
from tests.flows.dicom_nodes import HOST, a_node, let_in
from tests.flows.node_process import NodeProcess, calling, kept_dataset, store
from tests.journeys.running import wait_for
from tests.orthanc import an_orthanc, pixel_hash
from tests.processing.dicom.objects import CT, EXPLICIT, element, identity, real_files

PRIVATE_CLASS, TOMORROWS_CLASS = "1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.999.1"
HTJ2K = "1.2.840.10008.1.2.4.201"
STORE = frozenset({PeerMay.STORE})


def dataset(number: int = 1) -> bytes:
    return b"".join(identity(number))


def uid(number: int = 1) -> str:
    return f"1.2.826.0.1.9.{number}"


def test_callers_are_known_by_title_and_address(services: Services, node: NodeProcess) -> None:
    dicom_peers.put(services.database, Peer("far", "FAR", "10.11.12.0/24", may=STORE), "tester")
    echoes = {
        ("SENDER", "SVARTID"): True,
        ("SENDER", "OTHER"): False,
        ("NOBODY", "SVARTID"): False,
        ("FAR", "SVARTID"): False,
    }
    time.sleep(2.2)  # as long as a list of callers is believed
    for (calling_title, called), fine in echoes.items():
        command = ["echoscu", "-aet", calling_title, "-aec", called, HOST, str(node.port)]
        assert (subprocess.run(command, capture_output=True).returncode == 0) is fine
    dicom_peers.put(services.database, Peer("sender", "SENDER", "10.0.0.1", may=STORE), "tester")
    time.sleep(2.2)
    with calling(node.port, "SENDER") as association:  # nobody is at that address now
        assert not association.is_established
    assert "a call from 127.0.0.1" in node.said


def test_real_objects_come_as_they_are(
    services: Services, node: NodeProcess, slides_dir: Path
) -> None:
    """Every class and syntax of the files there are, the very bytes."""
    wanted = dict[str, list[str]]()
    files = list[tuple[pydicom.FileDataset, bytes]]()
    for path in real_files(slides_dir):
        if path.name in ("pydicom-MR_truncated.dcm", "pydicom-no_meta.dcm"):
            continue
        data = path.read_bytes()
        files.append((pydicom.dcmread(path, stop_before_pixels=True), data))
        syntaxes = wanted.setdefault(str(files[-1][0].SOPClassUID), [])
        syntaxes.append(str(files[-1][0].file_meta.TransferSyntaxUID))
    contexts = {name: sorted(set(some)) for name, some in wanted.items()}
    stored = 0
    for said, data in files:
        syntax = str(said.file_meta.TransferSyntaxUID)
        some = {str(said.SOPClassUID): [syntax]}
        with calling(node.port, "SENDER", some) as association:
            sent = data[144 + int.from_bytes(data[140:144], "little") :]
            names = str(said.SOPInstanceUID), str(said.SOPClassUID), syntax
            status = store(association, sent, *names).Status
        assert status in (0x0000, 0x0111), said.SOPClassUID  # some of the files share a UID
        if status == 0:
            stored += 1
            assert kept_dataset(services, names[0]) == sent
    assert stored >= 28
    assert len(contexts) >= 10


def test_dcmtk_and_orthanc_send_what_they_have(
    services: Services, node: NodeProcess, slides_dir: Path, tmp_path: Path
) -> None:
    """Both write datasets anew; frames and attributes are the same."""
    let_in(services, "ARCHIVE", may=STORE)
    sent = {name: slides_dir / "radiology" / f"pydicom-{name}.dcm" for name in
            ("CT_small", "MR_small_RLE", "examples_palette", "test-SR", "JPEG2000")}  # fmt: skip
    call = ["dcmsend", "-v", "-dn", "-aet", "SENDER", "-aec", "SVARTID", HOST, str(node.port)]
    done = subprocess.run([*call, *map(str, sent.values())], capture_output=True, text=True)
    assert "with status SUCCESS  : 5" in done.stdout + done.stderr, done.stderr[-2000:]
    modalities = {"svartid": ["SVARTID", HOST, node.port]}
    with an_orthanc(tmp_path / "orthanc", modalities=modalities) as archive:
        import_path = slides_dir / "radiology" / "highdicom-dx_image.dcm"
        made = httpx.post(f"{archive.url}/instances", content=import_path.read_bytes()).json()
        store_url = f"{archive.url}/modalities/svartid/store"
        httpx.post(store_url, content=made["ID"], timeout=60).raise_for_status()
    sent["dx"] = import_path
    for path in sent.values():
        mine = pydicom.dcmread(path)
        theirs = kept_file(services, str(mine.SOPInstanceUID))
        assert pixel_hash(path.read_bytes()) == pixel_hash(theirs) or "PixelData" not in mine
        again = pydicom.dcmread(pydicom.filebase.DicomBytesIO(theirs))
        for at in (mine, again):
            at.pop("PixelData", None)
            for tag in [one.tag for one in at if one.tag.element == 0 or one.tag == 0xFFFCFFFC]:
                del at[tag]
        assert again == mine, path.name


def kept_file(services: Services, sop_uid: str) -> bytes:
    found = dicom_objects.get(services.database, sop_uid)
    path = services.layout.dicom / found.sha256[:2] / f"{found.sha256}.dcm"
    return path.read_bytes()


def test_any_storage_class_and_syntax_is_taken_but_private_syntaxes(
    services: Services, node: NodeProcess
) -> None:
    contexts = {CT: [EXPLICIT], PRIVATE_CLASS: [EXPLICIT], TOMORROWS_CLASS: [EXPLICIT]}
    with calling(node.port, "SENDER", contexts) as association:
        for number, sop_class in enumerate(contexts, start=1):
            mine = b"".join(
                element(0x00080016, "UI", sop_class.encode()) if at[:4] == b"\x08\0\x16\0" else at
                for at in identity(number)
            )
            assert store(association, mine, uid(number), sop_class).Status == 0x0000
    frame = struct.pack("<HHI", 0xFFFE, 0xE000, 4) + b"\xff\x4f\xff\x51"
    pixels = element(0x7FE00010, "OB", b"", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    pixels += frame + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    with calling(node.port, "SENDER", {CT: [HTJ2K]}) as association:
        status = store(association, dataset(9) + pixels, uid(9), CT, HTJ2K).Status
    assert status == 0x0000
    assert kept_dataset(services, uid(9)) == dataset(9) + pixels
    ge_private, jpip = "1.2.840.113619.5.2", "1.2.840.10008.1.2.4.94"
    print_class = "1.2.840.10008.5.1.1.1"
    refused = {CT: [ge_private], "1.2.840.10008.5.1.4.1.1.4": [jpip], print_class: [EXPLICIT]}
    with calling(node.port, "SENDER", refused) as association:
        assert not association.accepted_contexts


def test_each_answer_says_what_became_of_the_object(services: Services, node: NodeProcess) -> None:
    let_in(services, "READER", may=frozenset({PeerMay.RETRIEVE}))
    other_patient = dataset(4).replace(b"010190-4321", b"020290-4321")
    with calling(node.port, "SENDER") as association:
        assert store(association, dataset(1), uid(1)).Status == 0x0000
        assert store(association, dataset(1), uid(1)).Status == 0x0000
        changed = store(association, dataset(1) + element(0x00280010, "US", b"\1\0"), uid(1))
        assert changed.Status == 0x0111
        assert changed.ErrorComment == "in quarantine: another object"
        assert store(association, dataset(2), uid(3)).Status == 0xA900
        assert store(association, b"nonsense" * 40, uid(5)).Status == 0xC000
        assert store(association, dataset(6)[:-5], uid(6)).Status == 0xC000
        assert store(association, other_patient, uid(4)).Status == 0xC100
        assert store(association, dataset(7), uid(7)).Status == 0x0000
    time.sleep(2.2)
    with calling(node.port, "READER") as association:
        assert store(association, dataset(8), uid(8)).Status == 0x0124
    reasons = sorted(row["reason"] for row in quarantined(services.database))
    assert reasons == ["another_object", "another_series", "damaged", "other_object", "truncated"]
    wait_for(lambda: "objects from sender: 3 known" in node.said or "2 new" in node.said, 10, "")
    assert "Hansen" not in node.said
    assert "4321" not in node.said


def test_a_full_disk_is_said_and_leaves_nothing(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'svartid.sqlite'}"
    monkeypatch.setenv("SVARTID_DATABASE_URL", url)
    services = prepare_services(read_settings(small_disk / "data"))
    let_in(services, "SENDER", may=STORE)
    large = [*identity(1), element(0x7FE00010, "OW", bytes(6 * 2**20))]
    with NodeProcess(services) as node, calling(node.port, "SENDER") as association:
        assert store(association, b"".join(large), uid(1)).Status == 0xA700
        assert store(association, dataset(2), uid(2)).Status == 0x0000
    assert not list(services.layout.dicom.glob("*.part"))
    services.database.dispose()


def test_while_the_database_is_away_nothing_is_acknowledged(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes in mid-association, and comes back."""
    let_in(services, "SENDER", may=STORE)
    away, enter = True, dicom_objects.enter

    def entered(*about: Any) -> Entered:  # noqa: ANN401
        if away:
            raise Transient("the database did not answer: OperationalError")
        return enter(*about)

    monkeypatch.setattr(dicom_objects, "enter", entered)
    with a_node(services) as port, calling(port, "SENDER") as association:
        assert store(association, dataset(1), uid(1)).Status == 0xA700
        away = False
        assert store(association, dataset(1), uid(1)).Status == 0x0000
    assert not list(services.layout.dicom.glob("*.part"))


def test_an_object_larger_than_memory_passes_through(services: Services, node: NodeProcess) -> None:
    """256 MiB while the process stays small."""
    with calling(node.port, "SENDER") as association:
        store(association, dataset(1), uid(1))
        before = node.memory
        pixels = element(0x7FE00010, "OW", b"", 2**28)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(store, association, dataset(2) + pixels + bytes(2**28), uid(2))
            most = before
            while not sending.done():
                most = max(most, node.memory)
                time.sleep(0.01)
        assert sending.result().Status == 0x0000
    assert most - before < 24 * 1024


def test_many_at_once_lose_none(services: Services, node: NodeProcess, slides_dir: Path) -> None:
    """160 objects of four series over eight associations."""
    data = (slides_dir / "radiology" / "pydicom-CT_small.dcm").read_bytes()
    body = data[144 + int.from_bytes(data[140:144], "little") :]
    known = pydicom.dcmread(slides_dir / "radiology" / "pydicom-CT_small.dcm")
    old_uid, old_series = str(known.SOPInstanceUID), str(known.SeriesInstanceUID)
    series = [generate_uid()[: len(old_series)].ljust(len(old_series), "1") for _ in range(4)]

    def send(lane: int) -> list[str]:
        sent = []
        with calling(node.port, "SENDER") as association:
            for number in range(20):
                mine = f"{old_uid[:-6]}{lane}{number:05d}"
                changed = body.replace(old_uid.encode(), mine.encode())
                changed = changed.replace(old_series.encode(), series[lane % 4].encode())
                assert store(association, changed, mine).Status == 0x0000
                sent.append(mine)
        return sent

    with ThreadPoolExecutor(8) as pool:
        sent = [one for lane in pool.map(send, range(8)) for one in lane]
    found = {at.sop_uid for uid in series for at in of_series(services.database, uid)}
    assert found == set(sent)
    assert len(list(services.layout.dicom.glob("??/*.dcm"))) == 160
    wait_for(lambda: node.said.count("20 new") == 8, 10, "every association is told of")
