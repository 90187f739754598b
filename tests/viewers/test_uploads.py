"""Resumable uploads by the tus protocol, and what must not get in."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from flows.watch import WatchFolder
from storage.events import history
from storage.intake import listing
from storage.layout import ACTOR
from storage.records.intake import Source
from storage.records.people import Role
from storage.settings import Settings
from tests.viewers.asgi import Answer, call
from tests.viewers.conftest import Shop
from viewers import uploads
from viewers.app import create_app
from viewers.partial_uploads import KEPT_SECONDS, PartialUploads, safe_name

PLACE = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BODY = {"Content-Type": "application/offset+octet-stream"}
MOST = 1_000_000


@pytest.fixture
def settings(shop: Shop) -> Settings:
    return replace(shop.settings, max_upload_bytes=MOST)


@pytest.fixture
def app(settings: Settings) -> ASGIApp:
    return create_app(settings)


@pytest.fixture
def client(app: ASGIApp, shop: Shop) -> TestClient:
    headers = {"Authorization": f"Bearer {shop.tokens[Role.TECHNICIAN]}"}
    return TestClient(app, headers=headers, raise_server_exceptions=False)


@pytest.fixture
def folder(settings: Settings) -> Iterator[Path]:
    """Where uploads lie; empty before and after."""
    yield settings.layout.uploads
    for file in sorted(settings.layout.uploads.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()


def begin(client: TestClient, length: object, name: str = "slide.svs") -> str:
    answer = client.post(PLACE, headers=TUS | about(name) | {"Upload-Length": str(length)})
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    assert location.startswith(f"{PLACE}/")
    return location


def about(name: str) -> dict[str, str]:
    return {"Upload-Metadata": f"filename {b64encode(name.encode()).decode()},filetype "}


def send(client: TestClient, place: str, offset: object, data: bytes) -> int:
    headers = TUS | BODY | {"Upload-Offset": str(offset)}
    return client.patch(place, content=data, headers=headers).status_code


def how_far(client: TestClient, place: str) -> tuple[int, int]:
    answer = client.head(place, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"]), int(answer.headers["upload-length"])


def finished(folder: Path) -> dict[str, bytes]:
    found = {at.name: at.read_bytes() for at in (folder / "done").rglob("*") if at.is_file()}
    found.pop(ACTOR, None)
    return found


def test_an_upload_in_pieces(client: TestClient, folder: Path) -> None:
    place = begin(client, 10)
    assert how_far(client, place) == (0, 10)
    assert send(client, place, 0, b"01234") == 204
    assert how_far(client, place) == (5, 10)
    assert finished(folder) == {}
    assert send(client, place, 5, b"56789") == 204
    assert finished(folder) == {"slide.svs": b"0123456789"}
    assert [at.name for at in folder.iterdir()] == ["done"], "nothing else is left"
    assert client.head(place, headers=TUS).status_code == 404
    assert next((folder / "done").rglob(ACTOR)).read_text() == "technician"


def test_the_watch_folder_takes_it_over_in_the_senders_name(
    client: TestClient, folder: Path, shop: Shop, tmp_path: Path
) -> None:
    rubbish = b"rubbish of its own kind"
    send(client, begin(client, len(rubbish), "note.txt"), 0, rubbish)
    settings = replace(shop.services.settings, settle_seconds=0.01)
    services = replace(shop.services, settings=settings)
    watch = WatchFolder(services, folder / "done", Source.UPLOAD)
    assert any(watch.look() for _ in range(200))
    assert list((folder / "done").iterdir()) == []
    (row,) = [at for at in listing(services.database) if at.name == "note.txt"]
    assert row.source is Source.UPLOAD
    received = history(services.database, f"slide:{row.slide_id}")[0]
    assert (received.kind, received.actor) == ("SlideReceived", "technician")


def test_a_wrong_offset_changes_nothing(client: TestClient, folder: Path) -> None:
    place = begin(client, 10)
    assert send(client, place, 0, b"01234") == 204
    for offset in (0, 4, 6, 10):
        assert send(client, place, offset, b"x") == 409
    for offset in ("", "-1", "five", "5.0", "٥"):
        headers = TUS | BODY | {"Upload-Offset": offset}
        raw = {name.encode(): value.encode() for name, value in headers.items()}
        assert client.patch(place, content=b"x", headers=raw).status_code == 400
    assert how_far(client, place) == (5, 10)


def test_more_than_was_announced_is_refused(client: TestClient, folder: Path) -> None:
    place = begin(client, 10)
    assert send(client, place, 0, b"0" * 11) == 413
    assert how_far(client, place)[0] <= 10
    assert finished(folder) == {}


def test_too_large_no_room_and_nonsense_are_refused(
    client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for length, status in ((MOST + 1, 413), ("", 400), ("-5", 400), ("9" * 30, 413)):
        headers = TUS | about("a.svs") | {"Upload-Length": str(length)}
        assert client.post(PLACE, headers=headers).status_code == status
    for name in ("", "   "):
        headers = TUS | about(name) | {"Upload-Length": "5"}
        assert client.post(PLACE, headers=headers).status_code == 400
    for metadata in ("", "filename", "filename !!!", "filename ////", ",,,", "other eA=="):
        headers = TUS | {"Upload-Length": "5", "Upload-Metadata": metadata}
        assert client.post(PLACE, headers=headers).status_code == 400
    full = os.statvfs_result((4096, 4096, 10, 0, 0, 10, 10, 10, 0, 255))
    monkeypatch.setattr(uploads.os, "statvfs", lambda _: full)
    answer = client.post(PLACE, headers=TUS | about("a.svs") | {"Upload-Length": "5"})
    assert (answer.status_code, answer.json()) == (507, {"error": "no_space"})
    assert not [at for at in folder.iterdir() if at.name != "done"]


def test_the_disk_runs_full_on_the_way(client: TestClient, folder: Path) -> None:
    place = begin(client, 10)
    data = folder / place.rpartition("/")[2]
    data.unlink()
    data.symlink_to("/dev/full")
    answer = client.patch(place, content=b"x", headers=TUS | BODY | {"Upload-Offset": "0"})
    assert (answer.status_code, answer.json()) == (507, {"error": "no_space"})


def test_the_protocol_is_heeded(client: TestClient, folder: Path) -> None:
    answer = client.options(PLACE)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(MOST)
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation",
        "expiration",
        "termination",
    }
    place = begin(client, 10)
    for version in ({}, {"Tus-Resumable": "0.2.2"}):
        for method, path in (("POST", PLACE), ("HEAD", place), ("PATCH", place), ("DELETE", place)):
            answer = client.request(method, path, headers=version)
            assert answer.status_code == 412
            assert answer.headers["tus-version"] == "1.0.0"
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "text/plain"}
    assert client.patch(place, content=b"x", headers=headers).status_code == 415
    assert client.delete(place, headers=TUS).status_code == 204
    assert client.head(place, headers=TUS).status_code == 404
    assert not [at for at in folder.iterdir() if at.name != "done"]


def test_an_empty_file_is_complete_at_once(client: TestClient, folder: Path) -> None:
    begin(client, 0, "empty.svs")
    assert finished(folder) == {"empty.svs": b""}


def test_without_the_right_no_byte_is_read(
    app: ASGIApp, client: TestClient, shop: Shop, folder: Path
) -> None:
    place = begin(client, 10)
    for role in (None, Role.PATHOLOGIST, Role.GUEST):
        known = {"authorization": f"Bearer {shop.tokens[role]}"} if role else {}
        headers = TUS | BODY | {"Upload-Offset": "0"} | known
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        taken = []

        def body(taken: list[bytes] = taken) -> Iterator[bytes]:
            taken.append(b"x")
            yield b"x"

        answer = call(app, place, raw, "PATCH", body())
        assert answer.status == (403 if role else 401)
        assert taken == []
    assert how_far(client, place) == (0, 10)


def test_nobody_goes_on_with_anothers_upload(
    app: ASGIApp, client: TestClient, shop: Shop, folder: Path
) -> None:
    place = begin(client, 10)
    other = TestClient(app, headers={"Authorization": f"Bearer {shop.tokens[Role.OPS]}"})
    assert send(other, place, 0, b"x") == 404
    assert other.head(place, headers=TUS).status_code == 404
    assert other.delete(place, headers=TUS).status_code == 404
    assert how_far(client, place) == (0, 10)


def test_what_came_before_the_line_broke_is_kept(
    app: ASGIApp, client: TestClient, shop: Shop, folder: Path
) -> None:
    place = begin(client, 10)
    headers = TUS | BODY | {"Upload-Offset": "0"}
    headers |= {"Authorization": f"Bearer {shop.tokens[Role.TECHNICIAN]}"}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    broken = call(app, place, raw, "PATCH", [b"012", b"34"], cut=True)
    assert isinstance(broken, Answer)
    assert how_far(client, place) == (5, 10)
    assert send(client, place, 5, b"56789") == 204
    assert finished(folder) == {"slide.svs": b"0123456789"}


def test_two_senders_at_once_are_one_too_many(
    client: TestClient, settings: Settings, folder: Path
) -> None:
    place = begin(client, 10)
    store = PartialUploads(folder)
    upload = store.find(place.rpartition("/")[2], "technician")
    with store.appending(upload):
        assert send(client, place, 0, b"x") == 409
    assert send(client, place, 0, b"x") == 204


def test_forgotten_uploads_are_removed(client: TestClient, folder: Path) -> None:
    old, young = begin(client, 10), begin(client, 10)
    for file in folder.glob(f"{old.rpartition('/')[2]}*"):
        at = file.stat().st_mtime - KEPT_SECONDS - 60
        os.utime(file, (at, at))
    begin(client, 10)
    assert client.head(old, headers=TUS).status_code == 404
    assert client.head(young, headers=TUS).status_code == 200
    assert len([at for at in folder.iterdir() if at.is_file()]) == 4


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("slide.svs", "slide.svs"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "unnamed"),
        ("a\nb.svs", "a_b.svs"),
        ("C:\\scans\\a.svs", "C:_scans_a.svs"),
        (".hidden.svs", "hidden.svs"),
        ("scan.svs.part", "scan.svs.part_"),
        ("scan.svs.done", "scan.svs.done_"),
        ("prøve æøå.svs", "prøve æøå.svs"),
        ("/", "_"),
    ],
)
def test_names_are_made_harmless(name: str, kept: str, client: TestClient, folder: Path) -> None:
    assert safe_name(name) == kept
    send(client, begin(client, 1, name), 0, b"x")
    assert finished(folder) == {kept: b"x"}


@given(st.text(max_size=400))
def test_every_name_is_a_file_name(name: str) -> None:
    kept = safe_name(name)
    assert 0 < len(kept.encode()) <= 255
    assert kept.isprintable()
    assert not set(kept) & set("/\\")
    assert not kept.startswith(".")
    assert Path(kept).suffix.lower() not in {".part", ".tmp", ".done", ".writing"}
    assert safe_name(kept) == kept
