"""STOW-RS: each part by itself; what is not taken is said of that instance alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import generate_uid
from starlette.testclient import TestClient

from flows.services import prepare_services
from storage import dicom_peers, people
from storage.records.imaging import Peer, PeerMay
from storage.records.people import Role
from storage.settings import read_settings
from tests.viewers.archive import BOUNDARY, ROOT, SERIES, STUDY, body, image, store
from tests.viewers.asgi import call
from viewers import dicomweb_store
from viewers.app import create_app

CT = "1.2.840.10008.5.1.4.1.1.2"
DUPLICATE, NO_MATCH, NOT_UNDERSTOOD, NO_SUCH_SYNTAX = 0x0111, 0xA900, 0xC000, 0xC122


class Ward:
    """An empty archive, and the files that are sent to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = read_settings(folder / "data", {})
        self.database = database = prepare_services(self.settings).database
        self.tokens = {}
        for role in (Role.TECHNICIAN, Role.NODE, Role.DEVICE, Role.PATHOLOGIST):
            people.ensure_person(database, role.value, role)
            self.tokens[role] = people.create_token(database, role.value, role, 1)
        self.app = create_app(self.settings)
        self.client = self.of(Role.TECHNICIAN)

    def of(self, role: Role) -> TestClient:
        headers = {"Authorization": f"Bearer {self.tokens[role]}", "Accept": "*/*"}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    def made(self, number: int = 1, **more: object) -> bytes:
        """An object as its sender has it."""
        image(self.folder / "made.dcm", number, **more)
        return (self.folder / "made.dcm").read_bytes()

    def halves(self) -> list[Path]:
        """What lies about half received."""
        return list(self.settings.layout.dicom.glob("*.part"))


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


def uid(data: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID)


def items(model: dict[str, Any], tag: str) -> list[tuple[str, int | str]]:
    """(SOPInstanceUID, failure reason or address) of the items of a sequence."""
    return [
        (
            item["00081155"]["Value"][0],
            item.get("00081197", item.get("00081190"))["Value"][0],
        )
        for item in model.get(tag, {}).get("Value", [])
    ]


def test_all_are_taken(ward: Ward) -> None:
    sent = [ward.made(number) for number in range(1, 4)]
    answer = store(ward.client, sent)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    root = "http://testserver/dicom-web"
    of_series = f"{root}/studies/{STUDY}/series/{SERIES}/instances"
    assert answer.json()["00081190"]["Value"] == [f"{root}/studies/{STUDY}"]
    assert items(answer.json(), "00081199") == [(uid(at), f"{of_series}/{uid(at)}") for at in sent]
    assert answer.json()["00081199"]["Value"][0]["00081150"] == {"vr": "UI", "Value": [CT]}
    assert "00081198" not in answer.json()
    assert len(ward.client.get(f"{ROOT}/studies/{STUDY}/metadata").json()) == 3
    assert ward.halves() == []


def test_the_same_again_is_one_object(ward: Ward) -> None:
    sent = ward.made()
    for _ in range(2):
        answer = store(ward.client, [sent, sent])
        assert answer.status_code == 200
        assert len(items(answer.json(), "00081199")) == 2
    assert len(ward.client.get(f"{ROOT}/instances").json()) == 1


def test_one_bad_part_among_good_ones(ward: Ward) -> None:
    good, last = ward.made(1), ward.made(2)
    another = ward.made(3, SOPInstanceUID=uid(good))
    other_patient = ward.made(4, PatientID="N9")
    answer = store(
        ward.client, [good, another, b"rubbish", good[: len(good) // 2], other_patient, last]
    )
    assert answer.status_code == 202
    model = answer.json()
    assert [at for at, _ in items(model, "00081199")] == [uid(good), uid(last)]
    failed = items(model, "00081198")
    assert (uid(good), DUPLICATE) in failed
    assert (uid(other_patient), NO_MATCH) in failed
    assert {reason for _, reason in failed} <= {DUPLICATE, NO_MATCH, NOT_UNDERSTOOD}
    others = model["0008119A"]["Value"]
    assert all(item["00081197"]["Value"][0] == NOT_UNDERSTOOD for item in others)
    assert len(failed) + len(others) == 4
    assert len(list((ward.settings.layout.quarantine / "dicom").glob("*.dcm"))) == 4
    assert len(ward.client.get(f"{ROOT}/instances").json()) == 2


def test_of_two_that_contradict_the_first_is_taken(ward: Ward) -> None:
    """However long it takes to read: parts are looked through at once, and rubbish is quick."""
    first = ward.made(1, PixelData=bytes(2 * 10_000_000), Rows=1000, Columns=10_000)
    second = ward.made(2, SOPInstanceUID=uid(first), PatientID="N9")
    assert store(ward.client, [first, b"rubbish", second]).status_code == 202
    (kept,) = ward.client.get(f"{ROOT}/studies/{STUDY}/metadata").json()
    assert kept["00200013"]["Value"] == [1]


def test_none_is_taken(ward: Ward) -> None:
    answer = store(ward.client, [b"rubbish", ward.made(1)[:300]])
    assert answer.status_code == 409
    assert "00081199" not in answer.json()
    assert "00081190" not in answer.json()


def test_a_study_takes_its_own_alone(ward: Ward) -> None:
    mine, other = ward.made(1), ward.made(2, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4")
    answer = store(ward.client, [mine, other], STUDY)
    assert answer.status_code == 202
    assert items(answer.json(), "00081198") == [(uid(other), NO_MATCH)]
    assert len(ward.client.get(f"{ROOT}/studies").json()) == 1
    assert not list((ward.settings.layout.quarantine / "dicom").glob("*"))
    assert store(ward.client, [mine], "1.2.3").status_code == 409
    assert ward.halves() == []


def test_a_transfer_syntax_nobody_reads(ward: Ward) -> None:
    made = ward.made().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")
    answer = store(ward.client, [made])
    assert answer.status_code == 409
    assert NO_SUCH_SYNTAX in {
        item["00081197"]["Value"][0]
        for tag in ("00081198", "0008119A")
        for item in answer.json().get(tag, {}).get("Value", [])
    }


def test_one_instance_without_parts(ward: Ward) -> None:
    sent = ward.made()
    answer = ward.client.post(
        f"{ROOT}/studies", content=sent, headers={"Content-Type": "application/dicom"}
    )
    assert answer.status_code == 200
    assert items(answer.json(), "00081199")[0][0] == uid(sent)


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("multipart/related; type=\"application/dicom+json\"; boundary=x", b"--x--", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"", 415),
        ("", b"", 400),
        ("multipart/related; type=application/dicom", b"", 400),
        ("multipart/related; type=application/dicom; boundary=x", b"", 400),
        ("multipart/related; type=application/dicom; boundary=x", b"--x--", 400),
        ("multipart/related; type=application/dicom; boundary=x", b"--y\r\n\r\n--y--", 400),
    ],
)  # fmt: skip
def test_bodies_that_are_none(kind: str, content: bytes, status: int, ward: Ward) -> None:
    answer = ward.client.post(f"{ROOT}/studies", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["reason"]


def test_a_part_of_another_kind(ward: Ward) -> None:
    sent = ward.made()
    mixed = body([sent, b"{}"]).replace(b"application/dicom\r\n\r\n{}", b"text/html\r\n\r\n{}")
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    answer = ward.client.post(f"{ROOT}/studies", content=mixed, headers={"Content-Type": kind})
    assert answer.status_code == 202
    assert len(answer.json()["0008119A"]["Value"]) == 1


def test_what_came_whole_before_the_line_broke_is_kept(ward: Ward) -> None:
    """With a body that ends too soon, and with a line that is cut."""
    first, second = ward.made(1), ward.made(2)
    whole = body([first, second])
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    headers = {"Content-Type": kind}
    answer = ward.client.post(f"{ROOT}/studies", content=whole[:-700], headers=headers)
    assert answer.status_code == 202
    assert [at for at, _ in items(answer.json(), "00081199")] == [uid(first)]
    raw = [(b"authorization", f"Bearer {ward.tokens[Role.TECHNICIAN]}".encode()),
           (b"content-type", kind.encode())]  # fmt: skip
    third = body([ward.made(3), second])
    call(ward.app, f"{ROOT}/studies", raw, "POST", [third[:-700]], cut=True)
    assert len(ward.client.get(f"{ROOT}/instances").json()) == 2
    assert ward.halves() == []


def test_pieces_of_any_length(ward: Ward) -> None:
    whole = body([ward.made(1), ward.made(2)])
    headers = [(b"authorization", f"Bearer {ward.tokens[Role.TECHNICIAN]}".encode()),
               (b"content-type", f"multipart/related; type=application/dicom; boundary={BOUNDARY}"
                .encode())]  # fmt: skip
    for length in (7, 1000):
        pieces = (whole[at : at + length] for at in range(0, len(whole), length))
        answer = call(ward.app, f"{ROOT}/studies", headers, "POST", pieces)
        assert answer.status == 200


def test_a_large_object_never_lies_in_memory(ward: Ward) -> None:
    """What is waited with is written as it comes: the file grows while the body does."""
    whole = body([ward.made(1, Rows=2000, Columns=2000, raw=bytes(8_000_000))])
    sizes = []

    def pieces() -> Any:  # noqa: ANN401
        for at in range(0, len(whole), 2**20):
            sizes.append(sum(half.stat().st_size for half in ward.halves()))
            yield whole[at : at + 2**20]

    headers = [(b"authorization", f"Bearer {ward.tokens[Role.TECHNICIAN]}".encode()),
               (b"content-type", f"multipart/related; type=application/dicom; boundary={BOUNDARY}"
                .encode())]  # fmt: skip
    assert call(ward.app, f"{ROOT}/studies", headers, "POST", pieces()).status == 200
    assert sizes[-1] > len(whole) - 4 * 2**20
    assert ward.halves() == []


def test_who_may_store(ward: Ward) -> None:
    sent = ward.made()
    for role, status in ((Role.NODE, 200), (Role.DEVICE, 200), (Role.PATHOLOGIST, 403)):
        assert store(ward.of(role), [sent]).status_code == status
    nobody = TestClient(ward.app)
    assert store(nobody, [sent]).status_code == 401
    forged = {"Cookie": "svartid_session=x", "Origin": "https://elsewhere.example"}
    answer = nobody.post(f"{ROOT}/studies", content=b"", headers=forged)
    assert (answer.status_code, answer.json()["error"]) == (403, "cross_site")


def test_more_than_may_be_uploaded(tmp_path: Path) -> None:
    ward = Ward(tmp_path)
    small = read_settings(tmp_path / "data", {"SVARTID_MAX_UPLOAD_BYTES": "1000"})
    headers = {"Authorization": f"Bearer {ward.tokens[Role.TECHNICIAN]}"}
    answer = store(TestClient(create_app(small), headers=headers), [ward.made()])
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert ward.halves() == []


def test_parts_without_end(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty ones are no bytes that count, and still each is answered for."""
    monkeypatch.setattr(dicomweb_store, "_MOST_PARTS", 20)
    answer = store(ward.of(Role.TECHNICIAN), [b""] * 20)
    assert answer.status_code == 409
    answer = store(ward.of(Role.TECHNICIAN), [b""] * 21)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert ward.halves() == []


def test_names_in_any_character_set(ward: Ward) -> None:
    for charset, name in (("ISO_IR 100", "Ærø^Åse"), ("ISO_IR 192", "Ørsted^Émile"),
                          ("", "Søgaard^Bjørn"), ("ISO_IR 144", "Люкceмбypг")):  # fmt: skip
        sent = ward.made(1, SpecificCharacterSet=charset or "ISO_IR 100", PatientName=name,
                         SOPInstanceUID=generate_uid(), StudyInstanceUID=(study := generate_uid()),
                         SeriesInstanceUID=generate_uid())  # fmt: skip
        if not charset:
            sent = sent.replace(b"CS\x0a\0ISO_IR 100", b"CS\x0a\0ISO_IR 6  ")
        assert store(ward.client, [sent]).status_code == 200
        (model,) = ward.client.get(f"{ROOT}/studies/{study}/metadata").json()
        assert model["00100010"]["Value"] == [{"Alphabetic": name}]


def test_a_node_does_over_the_web_what_it_is_let_do(ward: Ward) -> None:
    """And nothing of it is in reach of one that may do nothing."""
    sent, client = ward.made(), ward.of(Role.NODE)
    study = f"{ROOT}/studies/{STUDY}"
    series = f"{study}/series/{SERIES}"
    asked = {PeerMay.QUERY: [f"{ROOT}/studies", f"{series}/instances"],
             PeerMay.RETRIEVE: [study, f"{series}/metadata",
                                f"{series}/instances/{uid(sent)}/frames/1"]}  # fmt: skip
    for may in (set(), {PeerMay.QUERY}, {PeerMay.RETRIEVE}, {PeerMay.STORE}, set(PeerMay)):
        node = Peer(Role.NODE.value, "ARCHIVE", may=frozenset(may))
        dicom_peers.put(ward.database, node, "test")
        stored = store(client, [sent]).status_code
        assert stored == (200 if PeerMay.STORE in may else 403), may
        for word, addresses in asked.items():
            for address in addresses:
                refused = client.get(address).status_code == 403
                assert refused is (word not in may), (may, address)
