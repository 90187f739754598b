"""The case core on both databases: what is recorded, known already, put right, and listed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from storage import cases, work_items
from storage.cases import Outcome
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_fold import apply, fold
from storage.records.case_rules import refusal
from storage.records.case_state import milestones_of
from storage.records.case_words import (
    AssignedBy,
    CaseState,
)
from tests.storage.histories import (
    CODES,
    FINAL,
    Story,
    a_patient,
    a_story,
    at,
    made_anew,
    ordered,
    raw_log,
    rows,
)

S = CaseState
OTHER = "0202502345"


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def test_a_case_goes_through_its_states(story: Story) -> None:
    """§7.3, told as it happens."""
    seen = []
    for minute, fact in story.eventful():
        assert story.tell(fact, minute).outcome is Outcome.RECORDED
        if not seen or seen[-1] is not story.state:
            seen.append(story.state)
    before = [S.ORDERED, S.RECEIVED, S.IN_LAB, S.SCANNING, S.READY]
    read = [S.READING, S.AWAITING, S.READING, S.AWAITING, S.READING, S.DRAFT]
    assert seen == [*before, *read, S.SIGNED, S.DISTRIBUTED, S.SUPPLEMENTING]
    times = milestones_of(story.case)
    assert (times.taken_at, times.received_at) == (at(1), at(60))
    assert (times.ready_at, times.opened_at) == (at(330), at(405))
    assert (times.signed_at, times.distributed_at, times.acknowledged_at) == (
        at(505),
        at(506),
        at(507),
    )
    assert (times.stained_at, times.available_at) == (at(241), at(330))
    (supplement,) = times.supplements
    assert (supplement.ordered_at, supplement.distributed_at) == (at(600), at(701))
    (pause,) = times.pauses
    assert (pause.began_at, pause.ended_at) == (at(431), at(470))
    assert rows(story.database) == made_anew(story.database)


def test_the_rows_are_those_that_the_events_make(story: Story) -> None:
    for minute, fact in story.eventful():
        story.tell(fact, minute)
        before = rows(story.database)
        cases.rebuild(story.database, story.name)
        assert rows(story.database) == before
    assert made_anew(story.database) == before


def test_an_unknown_case(story: Story) -> None:
    for call in (cases.get, cases.rebuild):
        with pytest.raises(NotFound):
            call(story.database, "P25-0")
    assert cases.history(story.database, "P25-0") == []


@pytest.mark.parametrize("name", ["", " P1", "P1 ", "P1\n", "-1", "x" * 41, "P1;--", "P1\0", "é"])
def test_what_is_no_accession_number(story: Story, name: str) -> None:
    story.name = name
    with pytest.raises(Malformed):
        story.tell(ordered(story.patient), 0)
    assert raw_log(story.database) == []


def test_the_same_key_is_the_same_event(story: Story) -> None:
    first = story.tell(ordered(story.patient), 0, key="m1")
    log = raw_log(story.database)
    again = story.tell(ordered(story.patient), 99, key="m1")
    assert (first.outcome, again.outcome) == (Outcome.RECORDED, Outcome.KNOWN)
    assert raw_log(story.database) == log
    other = Story(story.database, story.patient)
    for fact, teller in ((facts.SpecimenTaken("A"), story), (ordered(story.patient), other)):
        with pytest.raises(Illegal, match="key used before"):
            teller.tell(fact, 5, key="m1")
    assert raw_log(story.database) == log
    aside = story.tell(facts.SpecimenTaken("A"), 5, key="m1", strict=False)
    assert (aside.outcome, aside.reason) == (Outcome.SET_ASIDE, "key_used_before")
    assert story.case.version == 1


def test_the_same_fact_at_the_same_time_is_the_same_event(story: Story) -> None:
    """Whatever has happened since, and also for facts that leave no trace in the state."""
    told = [*story.eventful(), (212.5, slides.SlideSectioned(story.glass("x")))]
    told.sort(key=lambda told: told[0])
    story.tell_all(told)
    before = raw_log(story.database), rows(story.database), work_items.listing(story.database)
    for minute, fact in told:
        assert story.tell(fact, minute).outcome is Outcome.KNOWN, fact
    after = raw_log(story.database), rows(story.database), work_items.listing(story.database)
    assert after == before


def test_the_same_fact_later_without_a_time(story: Story) -> None:
    """What a second click or a second message says: so it is already."""
    story.tell_all([*story.until_ready(), *story.opened(), *story.answered()])
    log = raw_log(story.database)
    for fact in (
        ordered(story.patient),
        facts.SpecimenReceived("A"),
        facts.CaseAccessioned(),
        slides.SlideStained(story.glass("x")),
        slides.ImageStored(story.glass("x"), story.image("x")),
        slides.ImageAvailable(story.glass("x"), story.image("x")),
        facts.CaseReady(),
        reading.CaseAssigned("kir", AssignedBy.CLAIM),
        reading.CaseOpened("kir"),
        reading.ReportSigned(FINAL, "Fund", CODES),
        reading.ReportDistributed(1, FINAL),
    ):
        assert story.tell(fact).outcome is Outcome.KNOWN, fact
    assert raw_log(story.database) == log


def test_the_same_thing_in_other_words_is_not_known(story: Story) -> None:
    story.tell_all([*story.until_ready(), *story.opened()])
    asked = reading.ConsultationRequested("c", reading.Distance.REGIONAL, "ebu", "Malignt?")
    answer = reading.ConsultationAnswered("c", "ebu", "Nej")
    story.tell_all([(420, asked), (430, answer)])
    other = a_patient(story.database, OTHER)
    for fact in (
        ordered(other),
        slides.SlideExpected(story.glass("x"), "B", "B1", "PAS"),
        reading.ConsultationAnswered("c", "ebu", "Ja, malignt"),
    ):
        with pytest.raises(Illegal, match="told otherwise"):
            story.tell(fact)
    assert story.case.patient_id == story.patient
    assert story.case.consultations["c"].opinion == "Nej"


def test_a_correction_withdraws_and_leaves_the_log_alone(story: Story) -> None:
    story.tell_all([*story.received(), (70, slides.SlideExpected(story.glass("x")))])
    wrong = story.tell(facts.SpecimenReceived("B"), 62)
    log = raw_log(story.database)
    done = story.tell(facts.EventCorrected(wrong.event_id, "anden patient"), 90)
    assert done.outcome is Outcome.RECORDED
    assert set(done.case.specimens) == {"A"}
    assert raw_log(story.database)[: len(log)] == log
    assert len(raw_log(story.database)) == len(log) + 1
    again = facts.EventCorrected(wrong.event_id, "igen")
    assert story.tell(again).outcome is Outcome.KNOWN
    assert rows(story.database) == made_anew(story.database)


def test_a_correction_gives_another_time(story: Story) -> None:
    story.tell_all([(0, ordered(story.patient))])
    came = story.tell(facts.SpecimenReceived("A"), 60)
    for minute in (30, 45):
        fixed = story.tell(facts.EventCorrected(came.event_id, "forkert ur", at(minute)))
        assert fixed.case.received_at == at(minute)
    withdrawn = story.tell(facts.EventCorrected(came.event_id, "kom aldrig"))
    assert withdrawn.case.received_at is None
    assert story.state is S.ORDERED
    assert rows(story.database) == made_anew(story.database)


def test_corrections_that_are_refused(story: Story) -> None:
    story.tell_all(story.until_ready("x"))
    received = next(
        at for at in cases.history(story.database, story.name)
        if isinstance(at.fact, facts.SpecimenReceived)
    )  # fmt: skip
    fixed = story.tell(facts.EventCorrected(received.event_id, "ur", at(59)))
    ahead = now() + timedelta(days=1)
    for fact, reason in (
        (facts.EventCorrected(10**9, "x"), "event unknown"),
        (facts.EventCorrected(fixed.event_id, "x"), "event unknown"),
        (facts.EventCorrected(received.event_id, " "), "reason missing"),
        (facts.EventCorrected(received.event_id, "x", ahead), "from the future"),
        (facts.EventCorrected(received.event_id, "x"), "contradicts"),
        (facts.EventCorrected(received.event_id, "x", at(75)), "contradicts"),
    ):
        with pytest.raises(Illegal, match=reason):
            story.tell(fact)
    assert story.case.received_at == at(59)


def test_a_withdrawn_glass_is_free_for_its_own_case(story: Story) -> None:
    """The wrong case was chosen when it was expected, and its image matched there."""
    story.tell_all(story.received())
    right, glass = Story(story.database, story.patient), story.glass("x")
    right.tell_all(right.received())
    wrong = [story.tell(slides.SlideExpected(glass), 70)]
    wrong.append(story.tell(slides.ImageStored(glass, "image"), 80))
    with pytest.raises(Illegal, match="barcode of another case"):
        right.tell(slides.SlideExpected(glass), 70)
    for told in reversed(wrong):
        story.tell(facts.EventCorrected(told.event_id, "forkert rekvisition"))
    right.tell(slides.SlideExpected(glass), 70)
    right.tell(slides.ImageStored(glass, "image"), 80)
    found = rows(story.database)
    assert [row[:2] for row in found["case_slide"]] == [(glass, right.name)]
    assert [row[:3] for row in found["case_image"]] == [("image", glass, right.name)]
    assert made_anew(story.database) == found


def test_an_order_for_the_wrong_patient_is_withdrawn_and_ordered_again(story: Story) -> None:
    wrong = story.tell(ordered(a_patient(story.database, OTHER)), 0)
    story.tell(facts.EventCorrected(wrong.event_id, "forkert patient"))
    assert story.tell(ordered(story.patient), 0).case.patient_id == story.patient
    assert rows(story.database) == made_anew(story.database)


def test_a_long_history_is_folded_quickly_and_nothing_is_changed(empty_database: Database) -> None:
    """Two hundred events and more; each step leaves the case before it as it was."""
    story = a_story(empty_database)
    told = [*story.until_ready(*[f"g{number}" for number in range(25)])]
    log = [
        facts.Happened(fact, "kir", "test", at(minute), at(minute), number)
        for number, (minute, fact) in enumerate(told, 1)
    ]
    assert len(log) > 180
    case, steps = fold("P25", []), []
    for happened in log:
        steps.append((case, repr(case)))
        case = apply(case, happened)
    assert all(repr(before) == told for before, told in steps)
    begun = time.perf_counter()
    for _ in range(5):
        folded = fold("P25", log)
        assert not refusal("P25", log, replace(log[0], fact=facts.SpecimenReceived("B")))
    assert (time.perf_counter() - begun) / 5 < 0.25
    assert (folded.slides, folded.ready_times) == (case.slides, case.ready_times)
    assert len(folded.ready_times) == 1
