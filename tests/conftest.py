"""Slides for the tests: real ones where there are some, painted ones everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from processing.paint import Painting, write_dicom, write_svs

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("svartid", deadline=None, max_examples=60)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "svartid"))
pytest_plugins = ["tests.databases"]
JOURNEYS = "tests/journeys/"
TOGETHER = (JOURNEYS, "tests/flows/retrieval/")
"""Folders whose tests share what takes long to start."""
ALONE = tuple(
    f"{JOURNEYS}test_{name}.py"
    for name in ("cases_clock", "dicom", "dicom_scanner", "dicomweb", "direct", "forwarding",
                 "killed", "postgres", "quality")
)  # fmt: skip
"""Journeys that start all they need themselves."""
ROOT = Path(__file__).resolve().parents[1]
REQUIRED = os.environ.get("SVARTID_REQUIRE_SLIDES") == "1"
_missed: list[str] = []


def slides_folder() -> Path:
    """Where real slides are looked for."""
    return Path(os.environ.get("SVARTID_TEST_SLIDES") or ROOT.parent / "shared" / "slides")


@pytest.fixture(scope="session")
def slides_dir() -> Path:
    """The folder of real slides; without it the test is skipped, or fails where required."""
    folder = slides_folder()
    if not (folder / "slides.json").is_file():
        if REQUIRED:
            pytest.fail(f"SVARTID_REQUIRE_SLIDES=1, but there are no slides in {folder}")
        pytest.skip("no real slides here: set SVARTID_TEST_SLIDES")
    return folder


@pytest.fixture(scope="session")
def painted_svs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small painted slide in Aperio's layout."""
    path = tmp_path_factory.mktemp("painted") / "painted.svs"
    write_svs(Painting(1500, 1100, seed=7), path)
    return path


@pytest.fixture(scope="session")
def painted_dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small painted slide as a DICOM series."""
    folder = tmp_path_factory.mktemp("painted") / "series"
    write_dicom(Painting(1500, 1100, seed=7), folder)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys take longest, so they begin first."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """First the longest row, then the journeys beside it, then all else."""
    file = item.nodeid.partition("::")[0]
    return 1 if file in ALONE else 0 if file.startswith(JOURNEYS) else 2


class Together(LoadScopeScheduling):
    """For `-n`: a file stays in one process, and so does a folder that shares what is running."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folders = (folder for folder in TOGETHER if nodeid.startswith(folder))
        return file if file in ALONE else next(folders, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """How tests are shared out; see `Together`."""
    return Together(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what was skipped for want of slides."""
    if report.skipped and "no real slides" in str(report.longrepr):
        _missed.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many tests did not look at a real slide."""
    if _missed:
        terminalreporter.section("REAL SLIDES MISSING")
        terminalreporter.line(
            f"{len(_missed)} tests were skipped: no real slides in {slides_folder()}"
        )
