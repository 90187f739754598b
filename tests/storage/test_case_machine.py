"""Glasses and readiness against a model of §7.4: whatever is told in whatever order of calls."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from storage.cases import Outcome
from storage.database import Database
from storage.errors import Illegal
from storage.records import case_events as facts
from storage.records import slide_events as slides
from storage.records.case_events import CaseFact
from storage.records.case_words import (
    CaseState,
    RescanReason,
)
from tests.databases import fresh_database
from tests.storage.histories import Story, a_story, few, made_anew, ordered, rows

GLASS: dict[str, dict[str, str]] = {
    "expected": {"stain": "stained", "start": "scanning", "store": "checking"},
    "stained": {"start": "scanning", "store": "checking"},
    "queued": {"start": "scanning", "fail": "failed", "store": "checking"},
    "scanning": {"complete": "scanned", "fail": "failed", "store": "checking"},
    "scanned": {"fail": "failed", "store": "checking"},
    "failed": {"start": "scanning", "store": "checking", "rescan": "queued"},
    "checking": {"flag": "flagged", "store": "checking", "rescan": "queued"},
    "flagged": {"release": "checking", "store": "checking", "rescan": "queued"},
    "available": {"store": "checking", "rescan": "queued"},
    "archived": {"store": "checking", "rescan": "queued"},
    "glass_only": {"store": "checking", "rescan": "queued"},
    "rescan": {"start": "scanning", "store": "checking"},
    "cancelled": {},
}
"""§7.4 as a table: state, what happens, next state."""
TO_SCAN = ("expected", "stained", "failed", "rescan")
for _state in (*TO_SCAN, "queued", "checking", "flagged"):
    GLASS[_state]["glass_only"] = "glass_only"
for _state in (*TO_SCAN, "queued"):
    GLASS[_state]["cancel"] = "cancelled"
ON_ITS_WAY = ("rescan", "queued", "scanning", "scanned", "failed")
READABLE = {"available", "glass_only", "archived"}
IMAGE = {"pass": "stored", "flag": "stored", "release": "flagged", "archive": "available"}
"""What an image has to be for that."""
LATER = ("flag", "release", "clean")
"""What checks and people may say of an image that is read, or was: it stays where it is."""
WAS_SHOWN = ("available", "replaced", "archived")
ALWAYS = ["expect", "rescan", "glass_only", "cancel", "pass", "store", "start", "close", *LATER]


@dataclass
class Glass:
    """What the model knows of one glass; images with their states, in the order they came."""

    state: str = ""
    images: dict[str, str] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)
    scans: int = 0
    stained: bool = False

    def fits(self, what: str, image: str) -> bool:
        """Whether it can happen now."""
        if what == "expect" or not self.state:
            return what == "expect" and not self.state
        if what == "clean":
            return self.images.get(image) in (*WAS_SHOWN, "stored", "flagged")
        if what in LATER and self.images.get(image) in WAS_SHOWN:
            return (self.findings.get(image) == "flagged") == (what == "release")
        if what in IMAGE:
            right = self.images.get(image) == IMAGE[what]
            right = right or (what == "archive" and self.images.get(image) == "replaced")
            return right and (
                what == "archive"
                or (what == "pass" and self.state != "cancelled")
                or self.state in ("checking", "flagged")
            )
        return what in GLASS[self.state] and not (what == "stain" and self.stained)

    def happened(self, what: str, image: str) -> None:
        """The glass after it."""
        begins = {"start": ("queued",), "store": ("queued", "scanning", "scanned")}
        self.scans += what == "rescan" or self.state not in begins.get(what, (self.state,))
        self.stained |= what == "stain"
        if what in LATER:
            self.findings[image] = {"flag": "flagged", "release": "released"}.get(what, "passed")
        if what == "clean" or (what in LATER and self.images[image] in WAS_SHOWN):
            return
        if what == "pass":
            self._shown(image)
        elif what == "archive":
            read = self.images[image] == "available" and self.state == "available"
            self.images[image] = "archived"
            self.state = "archived" if read else self.state
        elif what in IMAGE:
            self.images[image] = {"flag": "flagged", "release": "stored"}[what]
            self.state = {"flag": "flagged", "release": "checking"}[what]
        elif what == "expect":
            self.state = "expected"
        else:
            self.state = GLASS[self.state][what]
        if what == "store":
            self.images[image] = "stored"

    def _shown(self, image: str) -> None:
        """The newest is read, and what was read before it is replaced."""
        self.images[image] = "available"
        shown = [at for at, state in self.images.items() if state in ("available", "archived")]
        if shown[-1] != image:
            self.images[image] = "replaced"
            return
        for old in shown[-2:-1]:
            self.images[old] = "replaced"
        if self.state not in ON_ITS_WAY:
            self.state = "available"


class GlassMachine(RuleBasedStateMachine):
    """Each fact is told to the case and to the model; after each they agree."""

    story: Story

    def __init__(self) -> None:
        super().__init__()
        self.told = Story(self.story.database, self.story.patient)
        self.glasses = {"x": Glass(), "y": Glass()}
        self.closed = False
        self.minute, self.images = itertools.count(3), itertools.count(1)
        self.told.tell_all([(0, ordered(self.story.patient)), (1, facts.SpecimenReceived("A"))])

    def tell(self, fact: CaseFact, expected: bool) -> bool:
        """What the model expects is what becomes of it; what is refused changes nothing."""
        before = self.told.case
        try:
            done = self.told.tell(fact, next(self.minute)).outcome is Outcome.RECORDED
        except Illegal:
            done = False
        assert done == expected, (fact, self.glasses)
        assert done or self.told.case == before
        return done

    @rule(data=st.data(), letter=st.sampled_from("xxy"))
    def on_the_way(self, data: st.DataObject, letter: str) -> None:
        """Mostly what can happen, sometimes what cannot."""
        glass = self.glasses[letter]
        images = [*glass.images, "none"]
        newest = images[-2] if glass.images else "none"
        can = [at for at in GLASS.get(glass.state, {}) if glass.fits(at, "")]
        can += [at for at in ("pass", "store", "clean", *IMAGE) if glass.fits(at, newest)] * 2
        can = [at for at in can if at != "cancel"] * 3 or ["expect"]
        what = data.draw(st.sampled_from([*can * 3, *ALWAYS]))
        if what == "close":
            self.cancel_the_case(data.draw(st.sampled_from(["", "bortfaldet"])))
            return
        image = f"{letter}{next(self.images)}@{self.told.name}"
        if what != "store":
            image = data.draw(st.sampled_from([newest, newest, *images]))
        fits = glass.fits(what, image) and not (what == "expect" and self.closed)
        if self.tell(self.fact(what, self.told.glass(letter), image), fits):
            glass.happened(what, image)

    def fact(self, what: str, barcode: str, image: str) -> CaseFact:
        return {
            "expect": lambda: slides.SlideExpected(barcode),
            "stain": lambda: slides.SlideStained(barcode),
            "start": lambda: slides.ScanStarted(barcode, "gt450"),
            "complete": lambda: slides.ScanCompleted(barcode),
            "fail": lambda: slides.ScanFailed(barcode, "vacuum"),
            "store": lambda: slides.ImageStored(barcode, image),
            "pass": lambda: slides.ImageAvailable(barcode, image),
            "flag": lambda: slides.QualityFlagged(barcode, image, "uskarp"),
            "release": lambda: slides.QualityReleased(barcode, image, "set"),
            "clean": lambda: slides.QualityPassed(barcode, image),
            "archive": lambda: slides.ImageArchived(barcode, image),
            "rescan": lambda: slides.RescanRequested(barcode, RescanReason.DIRT),
            "glass_only": lambda: slides.SlideGlassOnly(barcode, "for stor"),
            "cancel": lambda: slides.SlideCancelled(barcode, "tom blok"),
        }[what]()  # type: ignore[no-any-return,no-untyped-call]

    def cancel_the_case(self, reason: str) -> None:
        fits = bool(reason) and not self.closed
        if self.tell(facts.CaseCancelled(reason), fits):
            self.closed = True
            for glass in self.glasses.values():
                if glass.state == "queued":  # the scan that waited is called off
                    glass.state = "rescan"

    @invariant()
    def glasses_agree(self) -> None:
        case = self.told.case
        for letter, glass in self.glasses.items():
            if not glass.state:
                assert self.told.glass(letter) not in case.slides
                continue
            slide = case.slides[self.told.glass(letter)]
            assert (slide.state.value, slide.is_readable) == (glass.state, glass.state in READABLE)
            assert [scan.number for scan in slide.scans] == list(range(1, glass.scans + 1))
            images = {at.slide_id: at.state.value for at in slide.scans if at.slide_id}
            assert images == glass.images
            findings = {at.slide_id: at.checked.value for at in slide.scans if at.checked}
            assert findings == glass.findings
            shown = [at for at, state in images.items() if state in ("available", "archived")]
            assert (slide.shown.slide_id if slide.shown else None) == (shown or [None])[-1]

    @invariant()
    def readiness_agrees(self) -> None:
        waited = [at.state for at in self.glasses.values() if at.state not in ("", "cancelled")]
        ready = bool(waited) and set(waited) <= READABLE and not self.closed
        state = self.told.state
        assert (state is CaseState.READY) == ready
        assert (state is CaseState.CANCELLED) == self.closed
        (row,) = rows(self.told.database, self.told.name)["pathology_case"]
        assert state.value in row

    def teardown(self) -> None:
        before = rows(self.told.database, self.told.name)
        assert made_anew(self.told.database, self.told.name) == before


def run_on(url: str, machine: type[RuleBasedStateMachine], examples: int) -> None:
    """The machine on one database, a new case for each example."""
    database = Database(url)
    kind = type("OnOneDatabase", (machine,), {"story": a_story(database)})
    run_machine(kind, settings=few(examples, stateful_step_count=30))
    database.dispose()


def test_sqlite_agrees_with_the_model(tmp_path: Path) -> None:
    run_on(f"sqlite:///{tmp_path / 'svartid.sqlite'}", GlassMachine, 18)


def test_postgresql_agrees_with_the_model(postgres: str) -> None:
    with fresh_database(postgres) as url:
        run_on(url, GlassMachine, 12)
