"""The page of drift in Chromium: which scanner, which figure, charts with words, and the alert."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from flows.quality_drift import evaluate, registered
from flows.services import Services, prepare_services
from storage import drift_log, people
from storage.database import now
from storage.records.drift import Reference
from storage.records.people import Role
from storage.settings import read_settings
from tests.flows.drift_lab import SCANNER, Days, later, live
from tests.journeys.axe import violations
from tests.journeys.running import clean_environment, free_port, wait_for
from tests.journeys.screens import Screen, window

MOMENT = now().replace(minute=0)
_DESCRIBED = """() => [...document.querySelectorAll("#charts .chart")].map((at) =>
  at.querySelector("svg") ? at.getAttribute("aria-label") : "")"""


@dataclass(frozen=True)
class Web:
    """The web process alone, on a laboratory that was made up."""

    url: str
    passwords: dict[str, str]

    def log_tail(self) -> str:
        return ""


def _laboratory(services: Services) -> None:
    """A scanner that has begun to blur HE, with its reference; another where nothing happens."""
    database = services.database
    weeks = Days(MOMENT - timedelta(days=40), 35)
    glass = replace(weeks, a_day=1, days=39, barcode="REF-7")
    live(database, weeks, later(weeks, days=5, a_day=20, blur=0.7), glass)
    live(database, replace(weeks, days=40, stain="CK7"), replace(weeks, days=40, scanner="AT2-1"))
    drift_log.add_reference(database, Reference(SCANNER, "REF-7", "admin", MOMENT))
    evaluate(database, MOMENT, registered(database))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("drift") / "data"
    services = prepare_services(read_settings(folder, {}))
    _laboratory(services)
    roles = {"admin": Role.ADMINISTRATOR, "lab": Role.TECHNICIAN}
    passwords = {
        name: people.add_person(services.database, name, role) for name, role in roles.items()
    }
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "viewers.app:create_app"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"],
        env=clean_environment(SVARTID_DATA=str(folder)),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url), 30, "the web process")
        yield Web(url, passwords)
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _open(screen: Screen, web: Web, name: str, path: str) -> None:
    screen.open(path)
    screen.sign_in(name, web.passwords[name])
    screen.page.wait_for_selector("h1")


def test_the_worst_is_shown_first_with_its_charts_and_figures(
    browser: Browser, web: Web, screenshots: Path
) -> None:
    with window(browser, web, screenshots, (1500, 1000)) as screen:  # type: ignore[arg-type]
        _open(screen, web, "lab", "/ops/quality")
        screen.wait_for_text("#channel-title", f"{SCANNER}, HE")
        assert screen.texts("#channels tbody tr")[0].startswith(f"{SCANNER}, HE")
        wait_for(lambda: all(screen.ask(_DESCRIBED)), 20, "charts that say what they show")
        said = screen.ask(_DESCRIBED)
        assert any("Ude af fokus, median" in text and "grænser" in text for text in said)
        row = next(
            at for at in screen.texts("#figures tr") if at.startswith("Ude af fokus, median")
        )
        assert "Uden for grænserne" in row
        assert "0,40 µm" in row
        assert "Uden for grænserne" in screen.texts("#breaches li")[0]
        assert violations(screen.page) == []
        screen.shoot("drift-da")
        screen.page.click(f"button[data-channel='{SCANNER}||reference']")
        screen.wait_for_text("#channel-title", "referenceglas")
        assert "Referenceglas ikke skannet" in screen.texts("#channel-about")[0]
        assert violations(screen.page) == []
        screen.shoot("drift-reference-da")


def test_in_english_and_on_a_narrow_screen_nothing_overflows(
    browser: Browser, web: Web, screenshots: Path
) -> None:
    size = (800, 1000)
    with window(browser, web, screenshots, size, "en-GB") as screen:  # type: ignore[arg-type]
        _open(screen, web, "admin", "/ops/quality")
        screen.wait_for_text("#figures", "Outside its limits")
        assert screen.width_overflow() <= 0
        assert violations(screen.page) == []
        screen.shoot("drift-en")
        screen.open("/ops")
        screen.wait_for_text("#drift-rows", "Blur, median")
        screen.wait_for_text("#drift-rows", "Reference glass not scanned")
        screen.shoot("ops-drift-en")
        screen.page.click("a[href='/ops/quality']")
        screen.wait_for_text("#channel-title", SCANNER)
