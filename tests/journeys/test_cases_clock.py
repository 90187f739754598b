"""A day in the department, from outside: entered, scanned, rescanned, read, signed, and timed.

People work in Chromium, a scanner over HTTP with its token; the clocks are held against sums this
file makes itself from the events.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.axe import violations
from tests.journeys.day import CPR, Day
from tests.journeys.day_of_a_reader import QUICK, read_and_sign
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import Screen, window

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """An instance of its own: where there are cases, images that belong to none are held back."""
    with Running(tmp_path_factory.mktemp("department"), SVARTID_SETTLE_SECONDS="0.5") as up:
        yield from department(up)


def department(running: Running) -> Iterator[Day]:
    """Two pathologists, a technician and a secretary of one unit, a pathologist of another."""
    made = Day(running)
    made.hire("tina", "technician", "--full-name", "Tina Bioanalytiker")
    made.hire("pia", "pathologist", "--full-name", "Pia Patolog", "--subspecialty", "hud")
    made.hire("bo", "pathologist", "--full-name", "Bo Patolog", "--subspecialty", "mamma")
    made.hire("sofie", "secretary")
    made.hire("mads", "pathologist", unit="elsewhere")
    yield made
    made.close()


def enter_by_hand(screen: Screen, day: Day) -> tuple[str, list[str]]:
    """A case with two glasses, typed; its accession and barcodes as the page shows them."""
    page = screen.page
    screen.open("/cases/new")
    page.fill("[name=identifier]", CPR)
    screen.wait_for_text("#identifier-said", "modulus 11", QUICK)  # it warns, and goes on
    page.fill("[name=name]", "Prøve Person")
    page.fill("[name=requester]", "Lægehuset")
    page.select_option("[name=priority]", "package")
    page.fill("[name=subspecialty]", "hud")
    page.keyboard.press("Alt+g")
    screen.shoot("case-new")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#entered h2")
    screen.shoot("case-entered")
    return screen.texts("#entered h2")[0], screen.texts("#entered .barcodes code")


def test_a_case_from_entry_to_answer(day: Day, browser: Browser, screenshots: Path) -> None:
    with window(browser, day.running, screenshots) as lab:
        lab.open("/lab")
        lab.sign_in("tina", day.passwords["tina"])
        lab.page.wait_for_url("**/lab")
        accession, barcodes = enter_by_hand(lab, day)
        assert len(barcodes) == 2
        lab.open("/lab")
        lab.page.wait_for_selector(f"tr[data-barcode='{barcodes[0]}']")
        for barcode in barcodes:
            day.post("tina", f"/api/v1/glasses/{barcode}/stained")
        for slot, barcode in enumerate(barcodes, 1):  # as a barcode reader types
            lab.page.fill("#scan-rack", "R1")
            lab.page.fill("#scan-slot", str(slot))
            lab.page.focus("#scan-barcode")
            lab.page.keyboard.type(barcode)
            lab.page.keyboard.press("Enter")
            lab.wait_for_text("#scan-said", barcode, QUICK)
        lab.wait_for_text(f"tr[data-barcode='{barcodes[1]}']", "R1", QUICK)
        lab.shoot("lab-queue")
        day.scan(2)
        case = day.wait_for_state("tina", accession, "ready")
        row = lab.page.locator(f"tr[data-barcode='{barcodes[0]}']")
        wait_for(lambda: not row.count(), QUICK, "what can be read leaves the list by itself")
        lab.shoot("lab-done")

        assignee = wait_for(lambda: day.case("tina", accession)["assignee"], QUICK, "routed")
        assert assignee == "pia", "whose subspecialty it is"
        with window(browser, day.running, screenshots, (1920, 1080)) as reader:
            read_and_sign(day, reader, accession, case)


def test_two_people_at_once_and_who_may_not(day: Day) -> None:
    """One of two who claim together has it; other units and roles see nothing."""
    day.running.run("user", "absent", "pia", "--from", "2020-01-01", "--until", "2040-01-01")
    day.running.run("user", "absent", "bo", "--from", "2020-01-01", "--until", "2040-01-01")
    accession = day.enter("sofie", glasses=1)["accession"]
    clients = [day.client("pia"), day.client("bo")]
    with ThreadPoolExecutor(2) as pool:
        path = f"/api/v1/cases/{accession}/claim"
        answers = list(pool.map(lambda at: at.post(path, json={}), clients))
    assert sorted(at.status_code for at in answers) == [200, 409]
    (lost,) = [at.json() for at in answers if at.status_code == 409]
    assert lost == {"error": "illegal", "reason": "assigned_to_another"}
    assert day.client("mads").get(f"/api/v1/cases/{accession}").status_code == 403
    for role in ("ops", "administrator", "device", "researcher", "guest"):
        with day.running.client(role) as client:
            assert client.get(f"/api/v1/cases/{accession}").status_code == 403, role
    for name in ("pia", "bo"):
        day.running.run("user", "absent", name, "--from", "2020-01-01", "--until", "2020-01-02")


def test_an_unknown_glass_waits_for_two_identifiers(day: Day) -> None:
    """A glass whose label says something else than the scanner was asked for is never attached."""
    made = day.enter("tina", glasses=2)
    accession, (asked, other) = made["accession"], made["barcodes"]
    day.post("tina", "/api/v1/lab/scan", {"barcode": asked, "rack": "2", "slot": "1"})
    day.scan(1, "--mistakes", "1")

    def mismatch() -> Any:  # noqa: ANN401
        found = [at for at in day.get("tina", "/api/v1/unknown")["unknown"] if at["alarm"]]
        return found[0] if found else None

    item = wait_for(mismatch, 40, f"the alarm\n{day.running.log_tail()}")
    states = {at["barcode"]: at["state"] for at in day.case("tina", accession)["slides"]}
    assert "available" not in states.values(), "nothing is guessed"
    address = f"/api/v1/unknown/{item['item_id']}/match"
    wrong = {"barcode": other, "second": {"kind": "accession", "value": "not this one"}}
    day.post("tina", address, wrong, expect=409)
    right = {"barcode": other, "second": {"kind": "cpr", "value": CPR}}
    day.post("tina", address, right)
    states = {at["barcode"]: at["state"] for at in day.case("tina", accession)["slides"]}
    assert states[other] == "available"


def test_what_contradicts_is_set_aside_and_seen(day: Day) -> None:
    """Out of order, twice, from the future, unknown: refused or kept as what it is."""
    accession = day.enter("tina", glasses=1)["accession"]
    (barcode,) = [at["barcode"] for at in day.case("tina", accession)["slides"]]
    device = day.running.command("token", "create", "--user", "lis", "--role", "device")[0]["token"]
    day.running.run("user", "change", "lis", "--unit", "patologi", "--site", "naestved")

    def say(kind: str, key: str, at: datetime | None = None, **data: object) -> dict[str, Any]:
        moment = at.isoformat() if at else None
        body = {"kind": kind, "data": data, "key": key, "occurred_at": moment}
        headers = {"Authorization": f"Bearer {device}"}
        with day.running.client(None) as client:
            path = f"/api/v1/cases/{accession}/facts"
            answer = client.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    now = datetime.now().astimezone()
    assert say("ScanCompleted", "k1", barcode=barcode)["outcome"] == "set_aside"
    future = say("SlideStained", "k2", now + timedelta(days=2), barcode=barcode)
    assert (future["outcome"], future["reason"]) == ("set_aside", "from_the_future")
    assert say("SlideStained", "k3", now, barcode=barcode)["outcome"] == "recorded"
    assert say("SlideStained", "k3", now, barcode=barcode)["outcome"] == "known"
    listed = day.get("tina", "/api/v1/repairs")["repairs"]
    reasons = {at.get("reason") for at in listed if at.get("accession") == accession}
    assert {"from_the_future"} <= reasons


def test_every_screen_in_both_languages(day: Day, browser: Browser, screenshots: Path) -> None:
    """Looked at by axe: nothing that keeps people from using it; no page wider than its window."""
    accession = day.enter("tina", glasses=1)["accession"]
    day.post("pia", f"/api/v1/cases/{accession}/claim", expect=None)
    pages = {
        "tina": ("/lab", "/repairs", "/cases/new"),
        "pia": ("/cases", f"/cases/{accession}", "/turnaround"),
    }
    for locale in ("da-DK", "en-GB"):
        for name, addresses in pages.items():
            with window(browser, day.running, screenshots, (1280, 800), locale) as screen:
                screen.open("/signin")
                screen.sign_in(name, day.passwords[name])
                screen.page.wait_for_selector("main#main")
                for address in addresses:
                    screen.open(address)
                    screen.page.wait_for_selector("main#main")
                    if address == "/turnaround":
                        screen.page.wait_for_selector("#figures:not([hidden])")
                    screen.page.wait_for_timeout(900)
                    word = address.strip("/").replace("/", "-")
                    screen.shoot(f"{locale[:2]}-{word}")
                    assert violations(screen.page) == [], f"{locale} {address}"
                    assert screen.width_overflow() <= 0, address


def test_an_open_page_changes_by_itself(day: Day, browser: Browser, screenshots: Path) -> None:
    """What somebody else does is there without reloading, and a field being typed in stays."""
    accession = day.enter("tina", glasses=1)["accession"]
    day.post("pia", f"/api/v1/cases/{accession}/claim", expect=None)
    with window(browser, day.running, screenshots) as screen:
        screen.open("/signin")
        screen.sign_in("pia", day.passwords["pia"])
        screen.page.wait_for_url("**/cases")
        screen.open(f"/cases/{accession}")
        screen.page.wait_for_selector("#glasses:not([hidden])")
        (barcode,) = [at["barcode"] for at in day.case("pia", accession)["slides"]]
        screen.ask("() => { window.sameDocument = true; }")
        began = time.monotonic()
        day.post("tina", f"/api/v1/glasses/{barcode}/glass-only", {"reason": "for tykt snit"})
        screen.wait_for_text("#glasses", "Kun som glas", QUICK)
        print(f"on the open page after {time.monotonic() - began:.1f} s")
        assert screen.ask("() => window.sameDocument") is True, "without reloading"


@pytest.mark.parametrize("width", [1280, 1366, 1440, 1680, 1920])
def test_the_patients_name_is_never_cut(
    day: Day, browser: Browser, screenshots: Path, width: int
) -> None:
    """Two patients whose names begin alike must not look alike in a list."""
    day.enter("tina", identifier="0202604120", name="Anne-Marie Kjærgaard Christensen")
    with window(browser, day.running, screenshots, (width, 900)) as screen:
        screen.open("/signin")
        screen.sign_in("sofie", day.passwords["sofie"])
        screen.page.wait_for_url("**/cases")
        screen.wait_for_text("#rows", "Anne-Marie Kjærgaard Christensen", QUICK)
        screen.shoot(f"cases-{width}")
        cut = """() => [...document.querySelectorAll("#rows td:nth-child(3) b")]
          .filter((at) => at.scrollWidth > at.clientWidth).map((at) => at.textContent)"""
        assert screen.ask(cut) == []
