"""What checks find reaches the case, whichever comes first, once; and hides nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.quality_events import Findings
from flows.services import Services, prepare_services
from processing.quality.verdict import DEFAULT, policy_ref
from storage import cases, matching, quality, quality_case
from storage.records.case import Scan
from storage.records.case_words import Checked, RescanReason, SlideState
from storage.records.quality import HumanVerdict, QualityReport, QualityState, Verdict
from storage.records.slide_events import (
    ImageAvailable,
    ImageStored,
    ImageWithdrawn,
    RescanRequested,
    SlideExpected,
)
from storage.settings import read_settings
from tests.storage.histories import Story, a_patient
from tests.storage.lab import image

FOUND = (("tiles.missing", "missing_mm2>0"),)
TOLD = ("QualityPassed", "QualityFlagged", "QualityReleased")


class Lab:
    """One case with one glass; the casework process's duty for findings."""

    def __init__(self, services: Services) -> None:
        self.database = services.database
        self.duty = Findings(services)
        self.story = Story(self.database, a_patient(self.database))
        self.glass = self.story.glass("x")
        self.story.tell_all([*self.story.received(), (70, SlideExpected(self.glass))])
        self.runs = 0

    def image(self, number: int = 1) -> str:
        return f"{self.story.name.lower().replace('-', '')}x{number}"

    def attach(self, number: int = 1) -> None:
        self.story.tell(ImageStored(self.glass, self.image(number)))
        self.story.tell(ImageAvailable(self.glass, self.image(number)))

    def check(self, state: QualityState, number: int = 1) -> str:
        self.runs += 1
        run, reasons = f"{self.story.name}-{self.runs}", FOUND if state in "rescan review" else ()
        at = datetime.now(UTC) + timedelta(milliseconds=self.runs)
        report = QualityReport(
            self.image(number), "f", None, run, at, "1", policy_ref(DEFAULT), (10, 10), 0.5, 1.0,
            1.0, Verdict(state, reasons), (), 0.0, 0.0,
        )  # fmt: skip
        quality.enter(self.database, report, "svartid")
        return run

    def said(self, run: str, state: str, number: int = 1) -> None:
        human = HumanVerdict(state, "tina", "set efter", datetime.now(UTC))
        quality_case.judge(self.database, self.image(number), run, human)

    def scan(self, number: int = 1) -> Scan:
        return self.story.case.slides[self.glass].scans[number - 1]

    def told(self) -> list[str]:
        history = cases.history(self.database, self.story.name)
        return [name for at in history if (name := type(at.fact).__name__) in TOLD]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    folder: Path = tmp_path_factory.mktemp("findings")
    return prepare_services(read_settings(folder / "data", {}))


@pytest.fixture
def lab(services: Services) -> Lab:
    return Lab(services)


@pytest.mark.parametrize("image_first", [True, False])
@pytest.mark.parametrize("state", [QualityState.PASS, QualityState.REVIEW, QualityState.RESCAN])
def test_the_case_is_told_once_and_the_image_stays(
    lab: Lab, state: QualityState, image_first: bool
) -> None:
    steps = [lab.attach, lambda: lab.check(state)]
    for step in steps if image_first else reversed(steps):
        step()
        lab.duty()
    assert lab.duty() == 0
    flagged = state is not QualityState.PASS
    assert lab.told() == ["QualityFlagged" if flagged else "QualityPassed"]
    assert lab.scan().checked is (Checked.FLAGGED if flagged else Checked.PASSED)
    assert lab.scan().finding == (f"{state.value} tiles.missing missing_mm2>0" if flagged else "")
    slide = lab.story.case.slides[lab.glass]
    assert (slide.state, slide.is_readable) == (SlideState.AVAILABLE, True)
    assert slide.shown == lab.scan()


def test_what_could_not_be_judged_is_not_told(lab: Lab) -> None:
    lab.attach()
    for state in (QualityState.NOT_EVALUATED, QualityState.ERROR):
        lab.check(state)
    assert (lab.duty(), lab.told()) == (0, [])


def test_released_by_a_person_before_the_duty_came_by(lab: Lab) -> None:
    lab.attach()
    run = lab.check(QualityState.REVIEW)
    lab.said(run, "released")
    lab.duty()
    assert lab.told() == ["QualityFlagged", "QualityReleased"]
    assert lab.scan().checked is Checked.RELEASED
    lab.said(run, "rejected")
    assert lab.scan().checked is Checked.FLAGGED


def test_a_new_run_has_the_last_word_and_an_old_one_cannot_be_judged_into_the_case(
    lab: Lab,
) -> None:
    lab.attach()
    old = lab.check(QualityState.REVIEW)
    lab.duty()
    lab.check(QualityState.PASS)
    lab.duty()
    assert lab.scan().checked is Checked.PASSED
    lab.said(old, "released")
    assert lab.told() == ["QualityFlagged", "QualityPassed"]


def test_the_rescan_closes_the_loop_and_its_time_is_on_the_clock(lab: Lab) -> None:
    lab.attach()
    lab.check(QualityState.RESCAN)
    lab.duty()
    lab.story.tell(RescanRequested(lab.glass, RescanReason.MISSING_TISSUE))
    lab.attach(2)
    lab.check(QualityState.PASS, 2)
    lab.duty()
    assert lab.told() == ["QualityFlagged", "QualityPassed"]
    assert (lab.scan(1).checked, lab.scan(2).checked) == (Checked.FLAGGED, Checked.PASSED)
    ((asked, ended),) = lab.story.case.slides[lab.glass].rescans
    assert ended is not None
    assert asked <= ended


def test_of_a_withdrawn_image_nothing_is_told(lab: Lab) -> None:
    lab.attach()
    lab.story.tell(ImageWithdrawn(lab.glass, lab.image(), "forkert patient"))
    lab.check(QualityState.REVIEW)
    assert (lab.duty(), lab.told()) == (0, [])


def test_checks_wait_a_little_for_the_glass_of_an_image(lab: Lab) -> None:
    first, second, third = (image(lab.database, f"undecided-{at}").slide_id for at in range(3))
    lab.story.tell(ImageStored(lab.glass, first))
    with lab.database.transaction() as connection:
        matching.set_aside(connection, second, matching.Aside("unknown", {}))
    long_ago = datetime.now(UTC) - timedelta(days=9999)
    asked = [first, second, third]
    assert quality_case.undecided(lab.database, asked, long_ago) == {third}
    assert quality_case.undecided(lab.database, asked, datetime.now(UTC)) == set()
