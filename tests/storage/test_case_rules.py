"""The rules of §7.3 and §7.4 one by one, where they are easily got wrong."""

from __future__ import annotations

import pytest

from storage.database import Database
from storage.errors import Illegal
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_words import AssignedBy, CaseState, ReportKind, RescanReason
from storage.records.milestones import Distance, PauseReason, Priority
from tests.storage.histories import CODES, FINAL, Story, a_story, at

SUPPLEMENT, CORRECTED = ReportKind.SUPPLEMENTARY, ReportKind.CORRECTED


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def test_what_is_refused_while_a_case_is_read(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    asked = reading.ConsultationRequested("c", Distance.REGIONAL, "patologi", "?")
    story.tell_all([(420, asked), (421, reading.ConsultationAccepted("c", "ebu"))])
    glass = story.glass("x")
    for fact, reason in (
        (reading.ConsultationAccepted("c", "mnm"), "accepted by another"),
        (reading.CaseAssigned("ebu", AssignedBy.CLAIM), "assigned to another"),
        (reading.CaseAssigned("", AssignedBy.PERSON), "pathologist missing"),
        (reading.CaseReleased(" "), "reason missing"),
        (reading.ConsultationRequested("d", Distance.INTERNAL, "kir", "?"), "asked missing"),
        (reading.ConsultationRequested("d", Distance.ABROAD, "x", "?", ("?",)), "slide unknown"),
        (reading.ConsultationAnswered("c", "ebu", " "), "opinion missing"),
        (reading.ConsultationWithdrawn("c", ""), "reason missing"),
        (reading.WorkOrderPlaced("o", reading.WorkOrderKind.IMMUNO), "stain missing"),
        (reading.WorkOrderFulfilled("o"), "order unknown"),
        (reading.ReportDrafted(SUPPLEMENT, "x"), "final not distributed"),
        (reading.PreliminarySent("x", "", at(900)), "reason missing"),
        (reading.ReportAcknowledged(1), "report unknown"),
        (facts.ClockPaused("p", PauseReason.PATIENT_CONSENT, " "), "evidence missing"),
        (facts.ClockResumed("p"), "pause unknown"),
        (facts.PriorityChanged(Priority.URGENT, " "), "reason missing"),
        (facts.CaseRejected("forkert prøve"), "case opened"),
        (slides.SlideGlassOnly(glass, " "), "reason missing"),
        (slides.ImageAvailable(glass, "other"), "image unknown"),
        (slides.ScanStarted("none", "gt450"), "slide unknown"),
        (slides.SlideExpected(glass + "2", order_id="none"), "order unknown"),
    ):
        with pytest.raises(Illegal, match=reason):
            story.tell(fact)
    assert story.case.consultations["c"].consultant == "ebu"


def test_after_the_end_there_are_supplements_only(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened(), *story.answered()])
    before = story.case
    for fact in (
        facts.SpecimenReceived("B"),
        facts.SpecimenTaken("B"),
        facts.SpecimenDispatched("B"),
        facts.CaseCancelled("x"),
        facts.CaseRejected("x"),
        facts.PriorityChanged(Priority.URGENT, "x"),
        facts.ClockPaused("p", PauseReason.PATIENT_CONSENT, "x"),
        facts.TargetWarned(at(1)),
        facts.TargetBreached(at(1)),
        slides.SlideExpected(story.glass("z")),
        reading.PreliminarySent("x", "x", at(900)),
        reading.ReportDrafted(FINAL, "x"),
        reading.ReportSigned(FINAL, "Andet", CODES),
    ):
        with pytest.raises(Illegal):
            story.tell(fact)
    assert story.case == before
    signed = [at for at in before.reports if at.kind is FINAL]
    story.tell(reading.ReportSigned(CORRECTED, "Rettet", CODES))
    assert story.state is CaseState.CORRECTING
    assert [at for at in story.case.reports if at.kind is FINAL] == signed


def test_a_closed_case_stays_closed(story: Story) -> None:
    story.tell_all([*story.received(), (70, facts.CaseRejected("tomt glas"))])
    claim = reading.CaseAssigned("kir", AssignedBy.CLAIM)
    for fact in (facts.CaseCancelled("x"), facts.SpecimenReceived("B"), claim):
        with pytest.raises(Illegal, match="case closed"):
            story.tell(fact)
    assert story.state is CaseState.REJECTED


def test_ready_once_the_glass_that_was_missing_is_cancelled(story: Story) -> None:
    """At that moment, not when the last image came."""
    missing = (211, slides.SlideExpected(story.glass("y")))
    story.tell_all(sorted([*story.until_ready("x"), missing], key=lambda told: told[0]))
    assert story.state is CaseState.SCANNING
    done = story.tell(slides.SlideCancelled(story.glass("y"), "blokken er tom"), 350)
    assert done.case.ready_times == (at(350),)
    assert story.state is CaseState.READY


def test_an_image_of_another_glass_is_withdrawn_while_its_rescan_runs(story: Story) -> None:
    glass, old = story.glass("x"), story.image("x")
    story.tell_all(story.until_ready("x"))
    story.tell_all([(340, slides.RescanRequested(glass, RescanReason.WRONG_GLASS))])
    story.tell_all([(341, slides.ScanStarted(glass, "gt450"))])
    story.tell_all([(342, slides.ImageWithdrawn(glass, old, "forkert patient"))])
    story.tell_all([(343, slides.ScanCompleted(glass)), *story.scanned("x", 345, 2)[2:]])
    slide = story.case.slides[glass]
    assert [scan.slide_id for scan in slide.scans] == [old, story.image("x", 2)]
    assert slide.shown == slide.scans[1]
    assert story.state is CaseState.READY


def test_the_older_image_is_read_when_the_newer_one_was_of_another_glass(story: Story) -> None:
    glass, new = story.glass("x"), story.image("x", 2)
    story.tell_all([*story.until_ready("x"), (340, slides.ImageStored(glass, new))])
    assert story.state is CaseState.SCANNING
    story.tell_all([(341, slides.ImageWithdrawn(glass, new, "andet glas"))])
    shown = story.case.slides[glass].shown
    assert shown is not None
    assert shown.slide_id == story.image("x")
    assert story.state is CaseState.READY


def test_a_scan_belongs_to_the_work_it_was_taken_for(story: Story) -> None:
    story.tell_all([*story.received(), (70, slides.SlideExpected(story.glass("x")))])
    glass = story.glass("x")
    story.tell(slides.ScanQueued(glass, "one"))
    story.tell(slides.ScanStarted(glass, "gt450", "one"))
    for fact in (
        slides.ScanStarted(glass, "s360", "two"),
        slides.ScanStarted(glass, "s360", "one"),
        slides.ScanCompleted(glass, "two"),
        slides.ScanFailed(glass, "x", "two"),
        slides.ScanQueued(glass, "two"),
    ):
        with pytest.raises(Illegal, match="slide is scanning"):
            story.tell(fact)
    story.tell(slides.ScanCompleted(glass, "one"))
    assert len(story.case.slides[glass].scans) == 1


def test_what_followed_follows_no_more_when_its_cause_is_taken_back(story: Story) -> None:
    """An answer that never came does not end the pause that waits for it; nor a glass its order."""
    story.tell_all([*story.until_ready("x"), *story.opened()])
    asked = reading.ConsultationRequested("c", Distance.ABROAD, "oslo", "?")
    pause = facts.ClockPaused("p", PauseReason.EXTERNAL_CONSULT, "c")
    story.tell_all([(410, asked), (411, pause)])
    answer = story.tell(reading.ConsultationAnswered("c", "oslo", "ja"), 420)
    assert answer.case.pauses["p"].ended_at == at(420)
    moved = story.tell(facts.EventCorrected(answer.event_id, "ur", at(415))).case
    assert moved.pauses["p"].ended_at == at(415)
    undone = story.tell(facts.EventCorrected(answer.event_id, "anden sag")).case
    assert undone.pauses["p"].ended_at is None
    again = story.tell(reading.ConsultationAnswered("c", "oslo", "nej"), 430).case
    assert again.pauses["p"].ended_at == at(430)
    story.tell_all([(440, reading.WorkOrderPlaced("o", reading.WorkOrderKind.RECUT, "A1"))])
    story.tell_all([(441, slides.SlideExpected(story.glass("u"), order_id="o"))])
    story.tell_all(story.scanned("u", 450)[:-1])
    shown = story.tell(slides.ImageAvailable(story.glass("u"), story.image("u")), 460)
    assert shown.case.orders["o"].fulfilled_at == at(460)
    undone = story.tell(facts.EventCorrected(shown.event_id, "uskarp")).case
    assert undone.orders["o"].fulfilled_at is None


def test_a_pause_that_begins_after_its_matter_ended_goes_on(story: Story) -> None:
    """Until somebody says that it is over; told late, it ended when the matter did."""
    story.tell_all([*story.until_ready("x"), *story.opened()])
    asked = reading.ConsultationRequested("c", Distance.ABROAD, "oslo", "?")
    story.tell_all([(410, asked), (420, reading.ConsultationAnswered("c", "oslo", "ja"))])
    after = facts.ClockPaused("after", PauseReason.EXTERNAL_CONSULT, "c")
    before = facts.ClockPaused("before", PauseReason.EXTERNAL_CONSULT, "c")
    case = story.tell_all([(425, after), (411, before)])
    story.tell_all([(430, reading.CaseReleased("ferie"))])
    assert case.pauses["after"].ended_at is story.case.pauses["after"].ended_at is None
    assert case.pauses["before"].ended_at == at(420)


def test_a_case_is_ready_when_its_last_image_came_also_after_a_correction(story: Story) -> None:
    story.tell_all(story.until_ready("x")[:-1])
    shown = story.tell(slides.ImageAvailable(story.glass("x"), story.image("x")), 310)
    for minute in (309, 320):
        case = story.tell(facts.EventCorrected(shown.event_id, "ur", at(minute))).case
        assert case.ready_times == (at(minute),)
        assert story.state is CaseState.READY


def test_a_signature_waits_for_what_must_be_seen_and_answered(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    story.tell(reading.FlagRaised("f", reading.Severity.MUST_SEE, "mulig mitose"))
    story.tell(reading.FlagRaised("n", reading.Severity.NOTE, "fold"))
    asked = reading.ConsultationRequested("c", Distance.INTERNAL, "ebu", "?")
    story.tell(asked)
    both = ("flag:f", "consultation:c")
    for codes, names, why, reason in (
        (CODES, (), "", "something stands open"),
        (CODES, both[:1], "haster", "something stands open"),
        (CODES, both[1:], "haster", "something stands open"),
        (CODES, ("flag:n", "flag:g"), "haster", "something stands open"),
        (CODES, both, "", "reason missing"),
        (CODES, both, " ", "reason missing"),
        (CODES[:1], both, "haster", "code missing M"),
        (CODES[1:], both, "haster", "code missing T"),
        (("T28000", "m8070"), both, "haster", "code malformed"),
    ):
        with pytest.raises(Illegal, match=reason):
            story.tell(reading.ReportSigned(FINAL, "Fund", codes, names, why))
    story.tell(reading.FlagClosed("f", "set"))
    story.tell(reading.ReportSigned(FINAL, "Fund", CODES, both[1:], "haster"))
    assert story.case.reports[0].override_reason == "haster"
