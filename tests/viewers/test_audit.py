"""Who saw what: one line a slide and session, written before the first byte, or nothing shown."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from storage import people
from storage.database import Database
from storage.errors import Transient
from storage.records.people import Principal, Role
from storage.tables import access_log
from tests.viewers.conftest import Ask, Shop
from viewers import audit
from viewers.audit import Looked


@pytest.fixture
def session(shop: Shop) -> tuple[dict[str, str], str]:
    """Headers of a session of its own, and the name that session has in the log."""
    database = shop.services.database
    secret = people.open_session(database, Role.PATHOLOGIST.value, Role.PATHOLOGIST)
    principal = people.principal_of(database, secret)
    assert principal is not None
    return {"Authorization": f"Bearer {secret}"}, principal.session


def lines(database: Database, session: str) -> Counter[tuple[str, str, str | None]]:
    query = sa.select(access_log.c.name, access_log.c.action, access_log.c.slide_id)
    with database.reading() as connection:
        return Counter(map(tuple, connection.execute(query.where(access_log.c.session == session))))


def test_many_tiles_are_one_line(ask: Ask, shop: Shop, session: tuple[dict[str, str], str]) -> None:
    headers, label = session
    client = ask(None)
    for slide_id in (shop.svs, shop.dicom):
        for column in range(4):
            for _ in range(2):
                path = f"/slides/{slide_id}_files/11/{column}_0.jpeg"
                assert client.get(path, headers=headers).status_code == 200
        client.get(f"/slides/{slide_id}.dzi", headers=headers)
    assert lines(shop.services.database, label) == {
        ("pathologist", "view", shop.svs): 1,
        ("pathologist", "view", shop.dicom): 1,
    }


def test_every_kind_of_read_leaves_its_line(
    ask: Ask, shop: Shop, session: tuple[dict[str, str], str]
) -> None:
    headers, label = session
    client = ask(None)
    for path in (
        "/api/v1/slides",
        f"/api/v1/slides/{shop.svs}",
        f"/slides/{shop.svs}/associated/label",
        f"/slides/{shop.svs}/associated/thumbnail",
        f"/slides/{shop.svs}/associated/overview",
        f"/slides/{shop.svs}/associated/none",
        f"/slides/{'f' * 20}_files/1/0_0.jpeg",
    ):
        client.get(path, headers=headers)
    assert lines(shop.services.database, label) == {
        ("pathologist", "list", None): 1,
        ("pathologist", "metadata", shop.svs): 1,
        ("pathologist", "label", shop.svs): 1,
        ("pathologist", "thumbnail", shop.svs): 1,
        ("pathologist", "overview", shop.svs): 1,
    }


def test_those_without_the_right_see_nothing_and_leave_no_line(ask: Ask, shop: Shop) -> None:
    database = shop.services.database
    secret = people.open_session(database, "guest", Role.GUEST)
    principal = people.principal_of(database, secret)
    assert principal is not None
    headers = {"Authorization": f"Bearer {secret}"}
    assert ask(None).get(f"/slides/{shop.svs}_files/9/0_0.jpeg", headers=headers).status_code == 403
    assert not lines(database, principal.session)


@pytest.mark.parametrize("error", [Transient("the database is away"), RuntimeError("secret path")])
def test_what_cannot_be_logged_is_not_shown(
    error: Exception, ask: Ask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(audit, "log_access", broken)
    client = ask("pathologist")
    expected = 503 if isinstance(error, Transient) else 500
    for path in (
        f"/slides/{shop.svs}_files/9/0_0.jpeg",
        f"/slides/{shop.svs}.dzi",
        f"/slides/{shop.svs}/associated/label",
        f"/api/v1/slides/{shop.svs}",
        "/api/v1/slides",
    ):
        for _ in range(2):  # the second time is no better than the first
            answer = client.get(path)
            assert answer.status_code == expected, path
            assert answer.json().keys() == {"error"}
            assert "secret" not in answer.text
            assert "content-security-policy" in answer.headers


def test_whoever_comes_while_the_line_is_written_waits_for_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, written = threading.Event(), threading.Event(), list[str]()

    def slow(_: Database, who: Principal, action: str, **about: str | None) -> None:
        begun.set()
        go_on.wait(5)
        written.append(f"{who.name} {action} {about['slide_id']}")

    monkeypatch.setattr(audit, "log_access", slow)
    front = audit.Audit(shop.services.database)
    who = Principal("lise", Role.PATHOLOGIST, "session")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(front.log, who, Looked("view", "slide"))
        begun.wait(5)
        second = pool.submit(front.log, who, Looked("view", "slide"))
        assert not second.done()
        assert not front.is_fresh(who, "view", "slide")
        go_on.set()
        first.result(5)
        second.result(5)
    assert written == ["lise view slide"]
    assert front.is_fresh(who, "view", "slide")


def test_several_web_processes_write_one_line_for_a_viewing(
    shop: Shop, session: tuple[dict[str, str], str]
) -> None:
    database = shop.services.database
    who = Principal("pathologist", Role.PATHOLOGIST, session[1])
    for _ in range(3):
        audit.Audit(database, one_of_several=True).log(who, Looked("view", shop.svs))
    alone = audit.Audit(database)
    alone.log(who, Looked("view", shop.dicom))
    audit.Audit(database).log(who, Looked("view", shop.dicom))
    assert lines(database, session[1]) == {
        ("pathologist", "view", shop.svs): 1,
        ("pathologist", "view", shop.dicom): 2,
    }
