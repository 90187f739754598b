"""The turnaround pages in Chromium: figures, charts as pictures with words, tables, paper."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from flows.services import Services, prepare_services
from processing.turnaround.figures_json import month_json
from storage import people, published_months, worklist
from storage.database import Database
from storage.records.people import Role
from storage.records.published import Scope
from storage.settings import read_settings
from tests.journeys.axe import violations
from tests.journeys.running import clean_environment, free_port, wait_for
from tests.journeys.screens import Screen, window
from tests.processing.turnaround.months import Laboratory
from tests.storage.told import tell_laboratory

NOW = datetime.now(UTC)
LAST = f"{NOW.replace(day=1) - timedelta(days=1):%Y-%m}"
_CHARTS = ("#steps-chart", "#trend-chart", "#ages-chart")
_DESCRIBED = """(id) => {
  const at = document.querySelector(id);
  return at.querySelector("svg") && [at.getAttribute("role"), at.getAttribute("aria-label")];
}"""


@dataclass(frozen=True)
class Web:
    """The web process alone, on a department that was made up."""

    url: str
    password: str
    database: Database

    def log_tail(self) -> str:
        return ""


def _department(services: Services) -> str:
    """Three months of two units, a published month, an administrator; the password."""
    random = np.random.default_rng(9)
    lived = [
        replace(at, unit=unit, accession=f"{site}-{at.accession}")
        for site, unit in (("roskilde", "pato-r"), ("naestved", "pato-n"))
        for at in Laboratory(random, site, each_weekday=3).cases(
            (NOW - timedelta(days=80)).date(), 81
        )
    ]
    known = [at for at in lived if at.received_at and at.received_at < NOW]
    tell_laboratory(services.database, known, NOW)
    published_months.publish(services.database, Scope(LAST), month_json, "admin", "test")
    return people.add_person(services.database, "admin", Role.ADMINISTRATOR)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web") / "data"
    services = prepare_services(read_settings(folder, {}))
    password = _department(services)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "viewers.app:create_app"]
    environment = clean_environment(SVARTID_DATA=str(folder))
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"], env=environment
    )
    try:
        wait_for(lambda: _answers(port), 30, "the web process")
        yield Web(f"http://127.0.0.1:{port}", password, services.database)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _open(screen: Screen, web: Web, path: str, ready: str) -> None:
    screen.open(f"/signin?next={path}")
    screen.sign_in("admin", web.password)
    screen.page.wait_for_selector(f"{ready}:not([hidden])")


@pytest.mark.parametrize(
    ("size", "locale", "words"),
    [
        ((1280, 800), "da-DK", ("Målet er nået", "Under målet", "tælles med")),
        ((1920, 1080), "en-GB", ("Goal reached", "Below the goal", "counted")),
    ],
)
def test_the_answer_the_charts_and_their_tables(
    browser: Browser,
    web: Web,
    screenshots: Path,
    size: tuple[int, int],
    locale: str,
    words: tuple[str, ...],
) -> None:
    with window(browser, web, screenshots, size, locale) as screen:  # type: ignore[arg-type]
        _open(screen, web, f"/turnaround?month={LAST}", "#figures")
        assert any(word in screen.texts("#head .answer")[0] for word in words)
        for chart in _CHARTS:
            role, description = wait_for(lambda at=chart: screen.ask(_DESCRIBED, at), 10, chart)
            assert role == "img"
            assert description
        opened = sum(at.is_open for at in worklist.milestones(web.database))
        assert sum(int(text) for text in screen.texts("#today .counts b")) == opened
        assert screen.page.is_visible("#published")
        assert screen.page.locator("#groups tbody tr").count() > 5
        assert violations(screen.page) == []
        assert screen.width_overflow() <= 0
        screen.shoot(f"turnaround-{size[0]}")


def test_the_keys_reach_everything_and_the_choice_stays_in_the_address(
    browser: Browser, web: Web, screenshots: Path
) -> None:
    with window(browser, web, screenshots) as screen:  # type: ignore[arg-type]
        _open(screen, web, "/turnaround", "#figures")
        screen.page.select_option("#unit", "pato-r")
        wait_for(lambda: "unit=pato-r" in screen.page.url, 5, "the unit in the address")
        assert "unit=pato-r" in str(screen.page.get_attribute("#csv", "href"))
        screen.page.focus("#period button:nth-child(2)")
        screen.page.keyboard.press("Enter")
        assert screen.ask("() => document.activeElement.getAttribute('aria-pressed')") == "true"
        screen.page.locator("#trend-details summary").focus()
        screen.page.keyboard.press("Enter")
        assert screen.page.locator("#trend tbody tr").count() == 12
        assert violations(screen.page) == []


def test_a_month_fits_on_paper(browser: Browser, web: Web, screenshots: Path) -> None:
    with window(browser, web, screenshots) as screen:  # type: ignore[arg-type]
        _open(screen, web, f"/turnaround?month={LAST}", "#figures")
        wait_for(lambda: screen.ask(_DESCRIBED, "#ages-chart"), 10, "the charts")
        screen.page.emulate_media(media="print")
        screen.page.set_viewport_size({"width": 700, "height": 1000})
        for part in ("#csv", ".bar", "#period"):
            assert not screen.page.is_visible(part)
        script = "(id) => document.querySelector(`${id} svg`).getBoundingClientRect().right"
        assert all(screen.ask(script, chart) <= 700 for chart in _CHARTS)
        assert len(screen.page.pdf(format="A4")) > 10_000


def test_the_policy_is_changed_by_whoever_manages(
    browser: Browser, web: Web, screenshots: Path
) -> None:
    with window(browser, web, screenshots) as screen:  # type: ignore[arg-type]
        _open(screen, web, "/turnaround/policy", "#policy")
        assert violations(screen.page) == []
        assert not screen.page.is_visible("#save")
        fields: Any = screen.page.locator("#goals tbody tr:first-child input[type=number]")
        fields.first.fill("20")
        fields.first.press("Tab")
        screen.page.fill(".closed-new input[type=date]", "2026-12-24")
        screen.page.fill(".closed-new input[type=text]", "juleaften")
        screen.page.click(".closed-new button")
        screen.page.click("#save")
        assert violations(screen.page) == []
        screen.page.keyboard.press("Control+Enter")
        wait_for(lambda: screen.page.locator("#history tbody tr").count() == 2, 10, "version 2")
        assert screen.page.input_value("#goals tbody tr:first-child input[type=number]") == "20"
        assert "juleaften" in " ".join(screen.texts(".closed-site li"))
