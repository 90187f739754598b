"""Signing in and out, the cookie, forged requests, too many tries, tokens that expire."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.testclient import TestClient

from storage import people
from storage.events import history
from storage.records.people import Role
from tests.viewers.conftest import Ask, Shop
from viewers import access, passwords
from viewers.app import create_app
from viewers.cookies import cookie_value

COOKIE = "svartid_session"


@pytest.fixture(scope="module")
def password(shop: Shop) -> str:
    return people.add_person(shop.services.database, "karen", Role.PATHOLOGIST)


@pytest.fixture(autouse=True)
def limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_LIMITER", MovingWindowRateLimiter(MemoryStorage()))


@pytest.fixture
def client(ask: Ask) -> TestClient:
    return ask(None)


@pytest.fixture
def behind_tls(shop: Shop) -> Iterator[TestClient]:
    app = create_app(replace(shop.settings, secure_cookies=True, origin="https://patologi.example"))
    with TestClient(app, "https://internal:8080", follow_redirects=False) as opened:
        yield opened


def sign_in(client: TestClient, name: str, password: str, **more: str) -> int:
    form = {"name": name, "password": password, **more}
    return client.post("/signin", data=form, headers={"Accept": "text/html"}).status_code


def cookie_of(client: TestClient, password: str, **more: str) -> SimpleCookie:
    answer = client.post("/signin", data={"name": "karen", "password": password, **more})
    assert answer.status_code == 303
    return SimpleCookie(answer.headers["set-cookie"])


def test_signing_in_leads_to_where_one_wanted_to_go(client: TestClient, password: str) -> None:
    answer = client.get("/slides/abc?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=/slides/abc")
    form = {"name": "karen", "password": password, "next": "/slides/abc"}
    answer = client.post("/signin", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/slides/abc")
    assert client.get("/api/v1/me").json() == {"name": "karen", "role": "pathologist"}


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(target: str, client: TestClient, password: str) -> None:
    form = {"name": "karen", "password": password, "next": target}
    assert client.post("/signin", data=form).headers["location"] == "/cases"


def test_the_cookie_is_out_of_reach_of_scripts(client: TestClient, password: str) -> None:
    cookie = cookie_of(client, password)[COOKIE]
    assert cookie["httponly"]
    assert not cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
    assert int(cookie["max-age"]) == people.SESSION_HOURS * 3600
    assert len(cookie.value) > 40


def test_behind_tls_the_cookie_is_bound_to_host_and_tls(
    behind_tls: TestClient, password: str
) -> None:
    cookie = cookie_of(behind_tls, password)[f"__Host-{COOKIE}"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    gone = behind_tls.post("/signout", headers={"Origin": "https://patologi.example"})
    gone_cookie = SimpleCookie(gone.headers["set-cookie"])[f"__Host-{COOKIE}"]
    assert gone_cookie["max-age"] == "0"
    assert gone_cookie["secure"], "a browser keeps a __Host- cookie that is deleted without"


@pytest.mark.parametrize(
    ("name", "word"),
    [("karen", "wrong"), ("karen", ""), ("nobody", "x"), ("karen", "x" * 1000), ("guest", "x")],
)
def test_a_wrong_word_is_refused_alike(name: str, word: str, client: TestClient) -> None:
    answer = client.post("/signin", data={"name": name, "password": word})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert name in answer.text
    assert not word.strip() or f'value="{word}"' not in answer.text


def test_the_name_typed_is_shown_as_text(client: TestClient) -> None:
    answer = client.post("/signin", data={"name": '"><script>', "password": "x"})
    assert "<script>alert" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text


def test_ten_wrong_words_a_minute_are_enough(client: TestClient, password: str) -> None:
    assert [sign_in(client, "karen", "wrong") for _ in range(10)] == [401] * 10
    assert sign_in(client, "karen", password) == 429
    assert sign_in(client, "KAREN", password) == 429
    assert sign_in(client, "somebody else", "wrong") == 401


def test_right_words_do_not_count(client: TestClient, password: str) -> None:
    assert [sign_in(client, "karen", password) for _ in range(12)] == [303] * 12


def test_signing_out_ends_the_session_at_once(client: TestClient, password: str) -> None:
    secret = cookie_of(client, password)[COOKIE].value
    assert client.get("/api/v1/me").status_code == 200
    client.post("/signout")
    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, secret)
    assert client.get("/api/v1/me").status_code == 401


def test_a_new_password_ends_sessions(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_FRESH", 0.0)
    word = people.add_person(shop.services.database, "poul", Role.PATHOLOGIST)
    assert sign_in(client, "poul", word) == 303
    people.reset_password(shop.services.database, "poul")
    assert client.get("/api/v1/me").status_code == 401


def test_an_expired_token_is_refused(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_FRESH", 0.0)
    token = people.create_token(shop.services.database, "ops", Role.OPS, days=0.7 / 86400)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 200
    time.sleep(0.8)
    assert client.get("/api/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize("secret", ["", "x", "svt_" + "x" * 43, "é", "a b", "\x00", "x" * 100_000])
def test_a_made_up_secret_is_refused(secret: str, client: TestClient) -> None:
    header, cookie = f"Bearer {secret}".encode(), f'{COOKIE}={secret}; other="'.encode()
    refused = 401 if len(header) < 32_000 else 431
    for headers in ({b"Authorization": header}, {b"Cookie": cookie}):
        assert client.get("/api/v1/me", headers=headers).status_code == refused


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_requests_from_other_sites_are_refused(
    headers: dict[str, str], status: int, client: TestClient, password: str
) -> None:
    form = {"name": "karen", "password": password}
    answer = client.post("/signin", data=form, headers=headers)
    assert answer.status_code == status, "also signing in: nobody is signed in as somebody else"
    assert sign_in(client, "karen", password) == 303
    answer = client.post("/signout", headers=headers)
    assert answer.status_code == status
    assert client.get("/api/v1/me").status_code == (401 if status == 303 else 200)


def test_behind_a_proxy_its_address_is_ours(behind_tls: TestClient, password: str) -> None:
    form = {"name": "karen", "password": password}
    for origin, status in (("https://patologi.example", 303), ("https://evil.example", 403)):
        answer = behind_tls.post("/signin", data=form, headers={"Origin": origin})
        assert answer.status_code == status


def test_programs_with_a_token_need_no_origin(ask: Ask) -> None:
    client = ask("ops")
    for origin in ("http://evil.example", ""):
        answer = client.post("/api/v1/intake/none/retry", headers={"Origin": origin})
        assert answer.status_code == 404


def test_who_is_signed_in_is_not_asked_again(client: TestClient, password: str) -> None:
    sign_in(client, "karen", password)
    answer = client.get("/signin?next=/ops")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops")


@pytest.mark.parametrize(("code", "word"), [("da", "Log ind"), ("en", "Sign in")])
def test_the_language_chosen_is_kept(code: str, word: str, client: TestClient) -> None:
    answer = client.get(f"/language/{code}?next=/signin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    cookie = SimpleCookie(answer.headers["set-cookie"])["svartid_language"]
    assert (cookie.value, cookie["path"], cookie["samesite"]) == (code, "/", "lax")
    page = client.get("/signin", headers={"Accept-Language": "de"})
    assert f'<html lang="{code}"' in page.text
    assert word in page.text
    assert client.get("/language/xx").status_code == 404


def test_a_hostile_cookie_costs_nothing() -> None:
    began = time.perf_counter()
    assert cookie_value('svartid_session="' + "\\" * 20_000 + '"', "svartid_session") is None
    assert cookie_value("a=b; svartid_session=svt_abc-_1; c=d", "svartid_session") == "svt_abc-_1"
    assert time.perf_counter() - began < 0.2


def test_a_token_falls_with_its_person(shop: Shop, client: TestClient) -> None:
    database = shop.services.database
    people.add_person(database, "ulla", Role.ADMINISTRATOR)
    token = people.create_token(database, "ulla", Role.ADMINISTRATOR, 1)
    headers = {"Authorization": f"Bearer {token}"}
    assert people.principal_of(database, token) is not None
    people.add_person(database, "ulla", Role.GUEST)
    assert people.principal_of(database, token) is None
    assert client.get("/api/v1/intake", headers=headers).status_code == 401


def test_tokens_are_listed_without_secrets_and_revoked(shop: Shop) -> None:
    database = shop.services.database
    people.ensure_person(database, "robot", Role.PATHOLOGIST)
    first, second = (people.create_token(database, "robot", Role.PATHOLOGIST, 1) for _ in range(2))
    listed = [token for token in people.tokens(database) if token["user"] == "robot"]
    assert len(listed) == 2
    assert first not in str(listed)
    assert people.revoke(database, "robot", str(listed[0]["label"])) == 1
    assert people.principal_of(database, first) is None
    assert people.principal_of(database, second) is not None
    assert people.revoke(database, "robot") == 1


def test_another_authorization_hides_no_cookie(client: TestClient, password: str) -> None:
    client.post("/signin", data={"name": "karen", "password": password})
    assert client.get("/api/v1/me").status_code == 200
    for odd in (b"Bearer ", b"Bearer \xa0", b"Basic YTpi"):
        assert client.get("/api/v1/me", headers={b"Authorization": odd}).status_code == 401


def test_failed_sign_ins_leave_a_trace(shop: Shop, client: TestClient) -> None:
    client.post("/signin", data={"name": "mallory", "password": "guess"})
    kinds = [event.kind for event in history(shop.services.database, "person:mallory")]
    assert kinds == ["SignInFailed"]
