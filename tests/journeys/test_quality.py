"""The loop of quality from outside: a poor scan, a look, another scan, passed, and told.

The installed `svartid up` with its checks on; people work in Chromium, a scanner over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from processing.paint import Painting, write_svs
from tests.journeys.axe import violations
from tests.journeys.day import Day
from tests.journeys.running import Running, wait_for
from tests.journeys.screens import window

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
SIZE = (4400, 3400)
"""So much that there is tissue enough, whatever the seed."""
QUICK = 10


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """An instance that checks quality, with a technician and a pathologist."""
    settings = {"SVARTID_SETTLE_SECONDS": "0.5", "SVARTID_QUALITY": "on"}
    with Running(tmp_path_factory.mktemp("quality"), **settings) as up:
        made = Day(up)
        made.hire("tina", "technician", "--full-name", "Tina Bioanalytiker")
        made.hire("pia", "pathologist", "--full-name", "Pia Patolog")
        yield made
        made.close()


def asked(day: Day, barcode: str) -> Any:  # noqa: ANN401
    found = day.get("tina", "/api/v1/lab/quality")["asked"]
    return next((at for at in found if at["barcode"] == barcode), None)


def events(day: Day, accession: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = day.get("tina", f"/api/v1/cases/{accession}/events")["events"]
    return told


def test_a_poor_scan_is_looked_at_scanned_again_and_passes(
    day: Day, browser: Browser, screenshots: Path, tmp_path: Path
) -> None:
    made = day.enter("tina", glasses=1)
    accession, (barcode,) = made["accession"], made["barcodes"]
    day.post("tina", f"/api/v1/glasses/{barcode}/stained")
    poor = tmp_path / "poor.svs"
    write_svs(Painting(*SIZE, seed=5, barcode=barcode, blur=6.0), poor)
    day.running.drop(poor, poor.name)
    found = wait_for(lambda: asked(day, barcode), 60, f"a look\n{day.running.log_tail()}")
    assert found["state"] == "review"
    assert found["suggestion"]["reason"] == "out_of_focus"
    left, _, width, _ = found["suggestion"]["region"]
    assert left > 0.45 > width, "the side that is blurred"
    old = found["slide_id"]

    with window(browser, day.running, screenshots) as lab:
        lab.open("/lab")
        lab.sign_in("tina", day.passwords["tina"])
        card = lab.page.locator(f"#quality-list li[data-slide='{old}']")
        expect(card).to_contain_text("Skal ses på")
        lab.shoot("quality-asked")
        card.locator("[data-act=rescan]").click()
        reason = lab.page.locator("dialog.form [name=reason]")
        expect(reason).to_have_value("out_of_focus")
        lab.shoot("quality-rescan-asked")
        lab.page.keyboard.press("Control+Enter")
        expect(card).to_have_count(0)
        assert day.case("tina", accession)["slides"][0]["state"] == "queued"
        assert day.get("tina", f"/api/v1/slides/{old}")["slide_id"] == old, "nothing is hidden"
        wide, high = map(str, SIZE)
        day.scan(1, "--width", wide, "--height", high)

        def passed() -> bool:
            told = events(day, accession)
            return any(at["kind"] == "QualityPassed" for at in told)

        wait_for(passed, 60, f"the new scan passes\n{day.running.log_tail()}")
        expect(lab.page.locator("#quality-count")).to_have_text("0", timeout=QUICK * 1000)

    (glass,) = day.case("tina", accession)["slides"]
    new = glass["slide_id"]
    assert new != old
    assert [at["checked"] for at in glass["scans"] if at["slide_id"]] == ["flagged", "passed"]
    assert (glass["rescans"], glass["readable"]) == (1, True)
    kinds = [at["kind"] for at in events(day, accession)]
    loop = ("QualityFlagged", "RescanRequested", "ScanCompleted", "QualityPassed")
    places = [kinds.index(kind) for kind in loop]
    assert places == sorted(places)
    assert kinds.count("ImageAvailable") == 2
    told = day.get("tina", f"/api/v1/slides/{new}/quality")["run"]["findings"]
    assert "no_order" not in [at.get("reason") for at in told], "its glass was known by then"
    human = day.get("tina", f"/api/v1/slides/{old}/quality")["run"]["human"]
    assert (human["state"], human["by"]) == ("rejected", "tina")

    the_case_tells_it(day, browser, screenshots, accession, new)


def the_case_tells_it(
    day: Day, browser: Browser, screenshots: Path, accession: str, new: str
) -> None:
    with window(browser, day.running, screenshots) as reader:
        reader.open(f"/cases/{accession}")
        reader.sign_in("pia", day.passwords["pia"])
        history = reader.page.locator("#history")
        history.locator("summary").click()
        expect(history).to_contain_text("Kontrollen beder om eftersyn")
        expect(history).to_contain_text("Kvalitetskontrol bestået")
        reader.shoot("quality-history")
        reader.open(f"/slides/{new}")
        expect(reader.page.locator(".tray-quality.done")).to_have_text("Bestået", timeout=20_000)
        reader.page.keyboard.press("q")
        expect(reader.page.locator("#quality")).to_contain_text("Bestået")
        reader.shoot("quality-passed")
        assert violations(reader.page) == []


def test_operations_see_how_each_run_ended(day: Day, browser: Browser, screenshots: Path) -> None:
    def reported() -> bool:
        runs = day.running.get("/api/v1/ops")["flow_runs"]
        return {"check quality", "match slide"} <= {at["flow"] for at in runs if at["done"]}

    wait_for(reported, 60, f"the runs are reported\n{day.running.log_tail()}")
    with window(browser, day.running, screenshots) as screen:
        screen.open("/ops")
        screen.sign_in("admin", day.running.password)
        screen.open("/ops")
        runs = screen.page.locator("#runs")
        expect(runs).to_contain_text("Kontrollér et snits kvalitet")
        expect(runs).not_to_contain_text("Ukendt")
        expect(runs.locator("tr").first).to_contain_text("Færdig")
        screen.shoot("quality-runs")
