"""One running svartid and one browser for all journeys: starting Prefect takes a while."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

for _helper in (
    "first_light_screens",
    "day",
    "day_of_a_reader",
    "delivery",
    "direct_looks",
    "foreign",
    "front",
    "hospital",
    "imaging_screen",
    "imaging_ward",
    "remote_views",
    "running",
    "screens",
):
    pytest.register_assert_rewrite(f"tests.journeys.{_helper}")

from tests.journeys.delivery import Delivered, deliver  # noqa: E402
from tests.journeys.imaging_screen import Imaging  # noqa: E402
from tests.journeys.imaging_ward import ImagingWard, radiology  # noqa: E402
from tests.journeys.running import Running  # noqa: E402

_CHROMIUM = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An instance on an empty data folder, ended with the session."""
    folder = tmp_path_factory.mktemp("running")
    with Running(folder, SVARTID_SETTLE_SECONDS="0.5") as up:
        yield up


@pytest.fixture(scope="session")
def delivered(running: Running, slides_dir: Path) -> dict[str, Delivered]:
    """The slides of the issue, read in by all ways in, each complete."""
    return deliver(running, slides_dir)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, the system's own."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("chromium is not here; tests/system-packages.sh installs it")
        pytest.skip("no chromium here: tests/system-packages.sh installs it")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=_CHROMIUM.split())
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def radiology_ward(
    slides_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ImagingWard]:
    """A department with slides and radiology of one patient."""
    with radiology(slides_dir, tmp_path_factory.mktemp("radiology")) as found:
        yield found


@pytest.fixture
def imaging(radiology_ward: ImagingWard, browser: Browser) -> Iterator[Imaging]:
    """The patient's radiology, open in a window of the case's pathologist."""
    with radiology_ward.window(browser) as seen:
        seen.start()
        yield seen


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go; SVARTID_SCREENSHOTS keeps them."""
    named = os.environ.get("SVARTID_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
