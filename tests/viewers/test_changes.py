"""Live updates: what changed is said soon, and a stream does not outlive a sign-in for long."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from processing.paint import Painting, write_svs
from storage.board import write_board
from storage.errors import Transient
from storage.records.people import Role
from tests.viewers.asgi import Answer, call
from tests.viewers.conftest import Shop
from viewers import changes
from viewers.app import create_app


def listen(shop: Shop, enough: Callable[[bytes], bool], within: float = 20) -> Answer:
    token = f"Bearer {shop.tokens[Role.PATHOLOGIST]}".encode()
    headers = [(b"authorization", token)]
    return call(create_app(shop.settings), "/api/v1/changes", headers, enough=enough, within=within)


def later(work: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(0.7, work)
    timer.start()
    return timer


def said(answer: Answer) -> set[str]:
    data = [line for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return {json.loads(line[6:])["what"] for line in data}


def test_a_new_slide_is_said(shop: Shop, tmp_path: Path) -> None:
    write_svs(Painting(600, 500, seed=21), tmp_path / "new.svs")
    ingest = later(lambda: shop.ingest(tmp_path / "new.svs"))
    answer = listen(shop, lambda body: b'"slides"' in body and b'"intake"' in body)
    ingest.join()
    assert answer.status == 200
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert answer.body.startswith(b"retry: ")
    assert b"event: change\n" in answer.body
    assert {"slides", "intake"} <= said(answer)
    assert b"new.svs" not in answer.body, "what changed, never the data itself"


def test_a_process_that_changes_is_said(shop: Shop) -> None:
    writing = later(lambda: write_board(shop.settings.layout, {"processes": []}))
    answer = listen(shop, lambda body: b"processes" in body)
    writing.join()
    assert said(answer) == {"processes"}


def test_a_quiet_stream_is_kept_open(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_ALIVE", 0.5)
    assert b": still here" in listen(shop, lambda body: b": still here" in body).body


def test_a_stream_ends_so_that_rights_are_asked_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_LONGEST", 1.0)
    began = time.monotonic()
    assert listen(shop, lambda _: False, within=10).status == 200
    assert 0.9 < time.monotonic() - began < 5


def test_a_database_away_does_not_end_the_stream(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Transient("away")

    monkeypatch.setattr(changes, "_database_marks", away)
    monkeypatch.setattr(changes, "_ALIVE", 0.5)
    assert b": still here" in listen(shop, lambda body: b": still here" in body).body
