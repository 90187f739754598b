"""A case on the screen: signed without the mouse, a scan replaced under the eyes, drafts kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from storage import cases
from storage.records import reading_events as reading
from storage.records.case_words import ReportKind
from tests.journeys.running import wait_for
from tests.journeys.ward import NAME, NUMBER, SIZES, Ward, opened

_PARSED = "async (text) => (await import('/static/x/js/case_codes.js')).parseCodes(text)"
_FIELD = "async (at) => (await import('/static/x/js/scan_swap.js')).sameField(...at)"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with opened(tmp_path_factory.mktemp("ward")) as found:
        yield found


def at_case(page: Page, ward: Ward, accession: str) -> None:
    page.goto(f"{ward.url}/cases/{accession}")
    page.wait_for_selector("#patient .accession")
    page.wait_for_selector("#primary:not([hidden])")


def drawn(page: Page) -> None:
    page.wait_for_selector("#identity .patient-line")
    page.wait_for_function("() => window.svartid?.viewer.world.getItemAt(0)?.getFullyLoaded()")


def stored(ward: Ward, accession: str) -> str:
    draft = cases.get(ward.department.database, accession).draft
    return draft.text if draft else ""


@pytest.mark.timeout(120)
def test_a_case_is_signed_without_the_mouse(ward: Ward, browser: Browser) -> None:
    ward.case("P26-100001", 0)
    with ward.window(browser) as page:
        at_case(page, ward, "P26-100001")
        page.keyboard.press("o")
        drawn(page)
        assert page.inner_text(".patient-name") == NAME
        assert page.inner_text(".patient-number").endswith(NUMBER)
        page.keyboard.press("Escape")
        page.wait_for_selector("#report-text")
        page.keyboard.press("w")
        page.keyboard.type("Hud med benignt nævus.")
        page.keyboard.press("Control+Enter")
        assert page.evaluate("() => document.activeElement.id") == "report-codes"
        assert "mangler" in page.inner_text(".report-kind")
        page.keyboard.type("t02480 m 87200")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("dialog.form input[type=password]")
        assert NAME in page.inner_text("dialog.form")
        page.keyboard.type("ikke den rigtige")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog.form .message:not([hidden])")
        page.keyboard.press("Control+a")
        page.keyboard.type(ward.department.passwords["pia"])
        page.keyboard.press("Enter")
        page.wait_for_selector("details.version.newest")
        assert page.evaluate("() => document.activeElement.id") == "primary"
    final = cases.get(ward.department.database, "P26-100001").final
    assert final is not None
    assert (final.kind, final.text) == (ReportKind.FINAL, "Hud med benignt nævus.")
    assert final.codes == ("T02480", "M87200")


@pytest.mark.timeout(120)
def test_a_new_scan_takes_over_at_the_same_place(ward: Ward, browser: Browser) -> None:
    barcode, _ = ward.case("P26-100002", 1, 2)
    older, newer = ward.images[1], ward.images[3]
    with ward.window(browser) as page:
        page.goto(f"{ward.url}/slides/{older}#x=300&y=275&z=1&r=90")
        drawn(page)
        assert page.locator("#tray a").count() == 2
        page.keyboard.press("p")
        page.wait_for_selector("#case-panel:not([hidden])")
        page.keyboard.press("x")
        page.wait_for_selector("dialog.draw-region")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog.form select[name=reason]")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#scan-notice.neutral")
        ward.show("P26-100002", barcode, 3)
        page.wait_for_url(f"**/slides/{newer}#*", timeout=15_000)
        page.wait_for_selector("#scan-notice.done")
        drawn(page)
        view = dict(
            at.split("=") for at in page.evaluate("() => location.hash.slice(1)").split("&")
        )
        assert float(view["x"]) == pytest.approx(300 / SIZES[1][0] * SIZES[3][0], abs=2)
        assert float(view["y"]) == pytest.approx(275 / SIZES[1][1] * SIZES[3][1], abs=2)
        assert view["r"] == "90"
        page.click("#scan-notice a")
        page.wait_for_url(f"**/slides/{older}*")
        page.wait_for_selector("#scan-notice.attention")
        assert "Erstattet" in page.inner_text("#scan-notice")


@pytest.mark.timeout(120)
def test_what_is_typed_is_kept_and_nothing_is_written_over(ward: Ward, browser: Browser) -> None:
    accession = "P26-100003"
    ward.case(accession)
    ward.department.open(accession)
    with ward.window(browser) as page:
        at_case(page, ward, accession)
        page.keyboard.press("w")
        page.keyboard.type("Første")
        wait_for(lambda: stored(ward, accession) == "Første", 10, "the draft is saved")
        page.route("**/draft", lambda route: route.abort())
        page.keyboard.type(" udkast")
        another = reading.ReportDrafted(ReportKind.FINAL, "Et andet")
        ward.department.say(accession, another)
        page.wait_for_selector(".conflict:not([hidden])")
        page.unroute("**/draft")
        page.wait_for_timeout(2_000)
        assert page.input_value("#report-text") == "Første udkast"
        assert stored(ward, accession) == "Et andet"
        page.click(".conflict button:first-of-type")
        wait_for(lambda: stored(ward, accession) == "Første udkast", 10, "mine is saved")
        codes = page.evaluate(_PARSED, "t 28 000, ae12345; M8140 x")
        assert codes == {"codes": ["T28000", "Æ12345"], "unknown": ["M8140", "X"], "missing": ["M"]}


@pytest.mark.timeout(60)
def test_the_field_of_view_is_kept_between_scans(ward: Ward, browser: Browser) -> None:
    view = {"x": 500, "y": 200, "downsample": 2.0, "rotation": 30, "flipped": True}
    small = {"width": 1000, "height": 800, "mpp": 0.5}
    fine = {"width": 2000, "height": 1600, "mpp": 0.25}
    with ward.window(browser) as page:
        there = page.evaluate(_FIELD, [view, small, fine])
        assert there == view | {"x": 1000, "y": 400, "downsample": 4.0}
        assert page.evaluate(_FIELD, [there, fine, small]) == view
        unknown = page.evaluate(_FIELD, [view, small | {"mpp": None}, fine])
        assert unknown["downsample"] == 4.0
