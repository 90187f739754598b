"""The page of radiology round its pictures: documents, the patient, the line of time, everybody."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from storage import people
from tests.journeys.axe import violations
from tests.journeys.imaging_files import STUDY, Made
from tests.journeys.imaging_screen import Imaging
from tests.journeys.imaging_ward import CASE, ImagingWard
from tests.journeys.ward import NAME, NUMBER
from tests.viewers.department import STAFF

pytestmark = [pytest.mark.slides, pytest.mark.timeout(180)]
SIZES = {"1280": (1280, 800), "1920": (1920, 1080), "2560": (2560, 1440), "touch": (1024, 768)}
LOOKED_AT = ("ct", "heart", "dx", "us_palette", "us_cine", "overlay", "report", "plan")


def to(imaging: Imaging, name: str) -> None:
    """Open a series without pictures."""
    imaging.page.click(f'#tray a[data-series="{imaging.made[name].series_uid}"]')
    imaging.page.wait_for_selector("#objects:not([hidden]) .report")


def test_a_structured_report_is_read_as_a_nested_list(imaging: Imaging) -> None:
    to(imaging, "report")
    dataset = imaging.made["report"].read()
    assert imaging.words("#objects h2") == dataset.ConceptNameCodeSequence[0].CodeMeaning
    assert "Afsluttet, Godkendt" in imaging.words("#objects")
    told = imaging.words("#objects")
    for item in dataset.ContentSequence:
        for name in item.get("ConceptNameCodeSequence", ()):
            assert name.CodeMeaning in told
    assert "Diameter: 3 cm" in told
    assert "2000-12-06" in told
    depth = "() => document.querySelectorAll('#objects .report ul ul ul').length"
    assert imaging.page.evaluate(depth) > 0
    assert imaging.page.is_hidden("#window")
    assert imaging.page.is_hidden("#tool-measure")


def test_what_holds_no_picture_says_what_it_is(imaging: Imaging) -> None:
    to(imaging, "plan")
    assert imaging.words("#objects h2") == "Stråleplan"
    assert "Den rummer intet billede" in imaging.words("#objects")
    imaging.open("ct")
    assert imaging.page.is_hidden("#objects")


def test_a_slide_that_is_not_read_in_is_no_stack_of_tiles(imaging: Imaging) -> None:
    imaging.page.click(f'#tray a[data-series="{imaging.made["slide"].series_uid}"]')
    imaging.page.wait_for_selector("#stage-state h2:has-text('endnu ikke er læst ind')")
    assert imaging.page.is_hidden("#window")
    imaging.open("ct")


def test_a_document_comes_as_the_file_it_is(imaging: Imaging, tmp_path: Path) -> None:
    to(imaging, "document")
    assert imaging.words("#objects h2") == "Henvisning"
    with imaging.page.expect_download() as waiting:
        imaging.page.click("#objects button")
    assert waiting.value.suggested_filename == "Henvisning.pdf"
    waiting.value.save_as(tmp_path / "came.pdf")
    wanted = imaging.made["document"].read().EncapsulatedDocument
    assert (tmp_path / "came.pdf").read_bytes() == bytes(wanted)


def test_the_patient_stands_on_top_and_the_way_back_leads_to_the_case(imaging: Imaging) -> None:
    assert imaging.words(".patient-name") == NAME
    assert imaging.words(".patient-number").endswith(NUMBER)
    imaging.open("ct")
    assert imaging.page.locator("#identity").bounding_box()["y"] >= 0  # type: ignore[index]
    assert imaging.page.evaluate("() => document.body.scrollHeight <= window.innerHeight")
    imaging.page.keyboard.press("Escape")
    imaging.page.wait_for_url(f"**/cases/{CASE}")


def test_the_case_shows_all_images_of_its_patient_in_one_line_of_time(
    radiology_ward: ImagingWard, browser: Browser, screenshots: Path
) -> None:
    with radiology_ward.window(browser) as seen:
        page = seen.page
        page.goto(f"{seen.url}/cases/{CASE}")
        page.wait_for_selector("#imaging .timeline li")
        lines = [" ".join(at.split()) for at in page.locator(".timeline > li").all_inner_texts()]
        assert len(lines) == 2
        assert "2 glas" in lines[0]
        assert "denne sag" in lines[0]
        assert lines[1].startswith("4.3.2026")
        assert "Udredning" in lines[1]
        assert "R260001" in lines[1]
        assert page.locator(".timeline li.own").count() == 1
        page.screenshot(path=screenshots / "imaging-timeline.png", full_page=True)
        assert violations(page) == []
        page.click(f'.timeline a[href*="{seen.made["ct"].series_uid}"]')
        seen.wait_shown("ct")
        page.keyboard.press("Escape")
        page.wait_for_url(f"**/cases/{CASE}")
        page.wait_for_selector("#imaging .timeline li")
        page.click(".timeline li.own a")
        page.wait_for_url("**/slides/*")


def test_nobody_out_of_reach_sees_any_of_it(radiology_ward: ImagingWard) -> None:
    ward = radiology_ward.ward
    series = radiology_ward.made["ct"].series_uid
    metadata = f"/dicom-web/studies/{STUDY}/series/{series}/metadata"
    for name, status in (("pia", 200), ("poul", 200), ("stranger", 404), ("administrator", 404)):
        token = people.create_token(ward.department.database, name, STAFF[name][0], 1)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=ward.url, headers=headers) as client:
            assert client.get(f"/api/v1/imaging/{STUDY}").status_code == status, name
            assert (client.get(metadata).status_code == 200) is (status == 200), name
            timeline = client.get(f"/api/v1/cases/{CASE}/imaging")
            assert (timeline.status_code == 200) is (status == 200), name
            page = client.get(f"/imaging/{STUDY}")
            assert NAME not in page.text


def test_everybody_can_use_it_at_every_size(
    radiology_ward: ImagingWard, browser: Browser, screenshots: Path
) -> None:
    with radiology_ward.window(browser) as seen:
        seen.start()
        for name in LOOKED_AT:
            to(seen, name) if name in ("report", "plan") else seen.open(name)
            assert violations(seen.page) == [], name
            seen.page.screenshot(path=screenshots / f"imaging-{name}.png")
        seen.open("ct")
        seen.press("?")
        assert "Længde uden mus" in seen.words("dialog.keys")
        assert violations(seen.page) == []
        seen.press("Escape")
        seen.measure((20, 40), (90, 100))
        for size, (width, height) in SIZES.items():
            seen.page.set_viewport_size({"width": width, "height": height})
            seen.settle()
            overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
            assert seen.page.evaluate(overflow) <= 0, size
            assert seen.page.is_visible("#keys"), size
            seen.page.screenshot(path=screenshots / f"imaging-size-{size}.png")


def test_it_speaks_english_too(radiology_ward: ImagingWard, browser: Browser) -> None:
    with radiology_ward.window(browser) as seen:
        seen.page.goto(f"{seen.url}/language/en?next=/imaging/{STUDY}")
        seen.wait_shown("ct")
        assert seen.words("#slice-words") == "Image 1 of 1"
        assert "Soft tissue" in seen.words("#tone")
        assert "mm in the patient" in seen.words("#readout")
        assert violations(seen.page) == []


def test_the_page_keeps_the_strict_policy_and_only_the_decoder_runs_webassembly(
    radiology_ward: ImagingWard, browser: Browser
) -> None:
    with radiology_ward.window(browser) as seen:
        answer = seen.page.goto(f"{seen.url}/imaging/{STUDY}")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        seen.wait_shown("ct")
        seen.open("mr_j2k")
        decoders = [at for at in seen.page.workers if at.url.endswith("/vendor/imaging/decode.js")]
        assert decoders
        for worker in decoders:
            assert worker.evaluate(_TRY) == {"wasm": True, "eval": False, "outside": False}
        here = seen.page.evaluate(_TRY)
        assert (here["wasm"], here["outside"]) == (False, False)
        seen.complaints.clear()  # what was tried and refused


_TRY = """async () => {
  const attempt = async (act) => { try { await act(); return true; } catch { return false; } };
  return {
    wasm: await attempt(() => WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))),
    eval: await attempt(() => new Function("return 1")()),
    outside: await attempt(() => fetch("https://elsewhere.example/")),
  };
}"""


def test_a_series_opens_by_its_address(radiology_ward: ImagingWard, browser: Browser) -> None:
    made: Made = radiology_ward.made["heart"]
    with radiology_ward.window(browser) as seen:
        seen.start(f"?series={made.series_uid}")
        seen.wait_shown("heart")
        seen.press("]")
        seen.wait_shown("us_big_endian")
        seen.press("[")
        seen.wait_shown("heart")
        assert made.series_uid in seen.page.url
        answer = seen.page.goto(f"{seen.url}/imaging/none-such")
        assert answer is not None
        assert answer.status == 404
        seen.complaints.clear()
