"""Facts told in any order, late, ahead of time, of the wrong case, by clocks that are wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import cases, events, work_items
from storage.case_log import SET_ASIDE, Said
from storage.cases import Outcome
from storage.database import Database, now
from storage.errors import Illegal, Malformed
from storage.events import of_kinds
from storage.exchange.plain import to_plain
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case import Case
from storage.records.case_state import milestones_of, state_of
from storage.records.case_words import CaseState, ReportKind, RescanReason
from storage.records.milestones import Distance, PauseReason
from storage.records.work import OPEN, WorkKind
from tests.databases import fresh_database
from tests.storage.histories import (
    CODES,
    FINAL,
    Story,
    Told,
    a_story,
    at,
    few,
    made_anew,
    ordered,
    raw_log,
    rows,
)


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def essence(case: Case) -> dict[str, Any]:
    """What has to come out the same, whoever told it first."""
    milestones = to_plain(milestones_of(case))
    for told in ("accession", "backdated", "slides"):
        milestones.pop(told, None)
    slides = {
        barcode.rpartition(":")[2]: (at.state, at.readable_at, at.rescans, len(at.scans))
        for barcode, at in case.slides.items()
    }
    texts = str(milestones).replace(f"{case.accession}-", "")
    texts = texts.replace(f"{case.accession}:", "")
    return {"state": state_of(case), "milestones": texts, "slides": slides}


def more_of(story: Story) -> list[Told]:
    """What can go wrong beside the usual."""
    asked = reading.ConsultationRequested(f"{story.name}-c", Distance.REGIONAL, "ebu", "?")
    return [
        (33, facts.SpecimenReceived("B")),
        (215, slides.SlideExpected(story.glass("w"))),
        (216, slides.SlideCancelled(story.glass("w"), "tom")),
        (412, asked),
        (413, facts.ClockPaused("q", PauseReason.EXTERNAL_CONSULT, asked.consultation_id)),
        (425, reading.ConsultationAnswered(asked.consultation_id, "ebu", "ja")),
        (483, facts.TargetBreached(at(482))),
        (484, facts.TargetWarned(at(482))),
        (520, facts.CaseCancelled("bortfaldet")),
    ]


def told_twice(story: Story, order: Callable[[list[Told]], list[Told]]) -> int:
    """Tell it in some order, then what was accepted in the order it happened; how much that was."""
    other = Story(story.database, story.patient)
    plan = [*zip(events_of(story), events_of(other), strict=True)]
    taken, aside = [], 0
    for index in order([(float(number), plan[number][0][1]) for number in range(len(plan))]):
        mine, same = plan[int(index[0])]
        done = story.tell(mine[1], mine[0], strict=False)
        aside += done.outcome is Outcome.SET_ASIDE
        assert bool(done.reason) == (done.outcome is not Outcome.RECORDED)
        if done.outcome is Outcome.RECORDED:
            taken.append(same)
    for minute, fact in sorted(taken, key=lambda told: told[0]):
        done = other.tell(fact, minute, strict=False)
        ours = isinstance(fact, facts.TargetWarned | facts.TargetBreached)  # may be taken back
        assert ours or done.outcome is Outcome.RECORDED, (fact, done.reason)
    if taken:
        assert essence(story.case) == essence(other.case)
    found = of_kinds(story.database, [SET_ASIDE], 1000)
    assert len([row for row in found if row.data["accession"] == story.name]) == aside
    return len(taken)


def events_of(story: Story) -> list[Told]:
    return sorted([*story.eventful(), *more_of(story)], key=lambda told: told[0])


@st.composite
def orders(draw: st.DrawFn) -> Callable[[list[Told]], list[Told]]:
    """Some are late by up to three hundred minutes, some are never told."""
    late = draw(st.lists(st.tuples(st.integers(0, 59), st.integers(1, 300)), max_size=12))
    lost = draw(st.sets(st.integers(0, 59), max_size=10))

    def order(story: list[Told]) -> list[Told]:
        delays = dict(late)
        kept = [told for told in story if int(told[0]) not in lost]
        return sorted(kept, key=lambda told: told[0] + delays.get(int(told[0]), 0) / 5)

    return order


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_order_of_telling_does_not_matter(kind: str, request: pytest.FixtureRequest) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            tell_in_orders(f"sqlite:///{Path(folder) / 'svartid.sqlite'}")
            return
        with fresh_database(request.getfixturevalue("postgres")) as url:
            tell_in_orders(url)


def tell_in_orders(url: str) -> None:
    database = Database(url)
    first, most = a_story(database), []

    @few(9)
    @given(orders())
    def tell(order: Callable[[list[Told]], list[Told]]) -> None:
        most.append(told_twice(Story(database, first.patient), order))

    tell()
    assert max(most) > 40
    assert rows(database) == made_anew(database)
    database.dispose()


def test_what_is_refused_is_set_aside_once_with_its_reason(story: Story) -> None:
    """Whether the sender numbers what it says or not; the case is as if nothing had been said."""
    story.tell_all(story.received())
    fact = slides.SlideStained(story.glass("x"))
    for key in ("lis-7", None):
        told = [story.tell(fact, 70, key=key, strict=False) for _ in range(3)]
        assert {(at.outcome, at.reason) for at in told} == {(Outcome.SET_ASIDE, "slide_unknown")}
        assert len({at.event_id for at in told}) == 1
    asides = of_kinds(story.database, [SET_ASIDE])
    assert len(asides) == 2
    assert {row.data["reason"] for row in asides} == {"slide_unknown"}
    assert {row.data["occurred_at"] for row in asides} == {at(70).isoformat()}
    with pytest.raises(Illegal, match="slide unknown"):
        story.tell(fact, 70, key="lis-7")
    assert story.case.version == 2 + 1


def test_set_aside_without_a_time_it_happened_when_it_was_told(story: Story) -> None:
    before = now()
    story.tell(facts.SpecimenReceived("A"), strict=False)
    (row,) = of_kinds(story.database, [SET_ASIDE])
    assert row.data["reason"] == "case_unknown"
    assert before <= datetime.fromisoformat(row.data["occurred_at"]) <= now()
    assert rows(story.database)["pathology_case"] == []


def test_from_the_future(story: Story) -> None:
    story.tell_all(story.received())
    said = Said("lis", "test", now() + timedelta(minutes=10))
    fact = facts.CaseAccessioned()
    with pytest.raises(Illegal, match="from the future"):
        cases.record(story.database, story.name, fact, said)
    soon = Said("lis", "test", now() + timedelta(seconds=30))
    done = cases.record(story.database, story.name, fact, soon)
    assert done.case.accessioned_at == soon.occurred_at


@pytest.mark.parametrize("text", ["2025-03-03T08:00", "0001-01-01T00:00+14:00"])
def test_what_is_no_time(story: Story, text: str) -> None:
    moment = datetime.fromisoformat(text)
    with pytest.raises(Malformed):
        cases.record(story.database, story.name, ordered(story.patient), Said("a", "b", moment))
    assert raw_log(story.database) == []


def test_entered_long_after_it_is_marked(story: Story) -> None:
    said = Said("sekretær", "test")
    cases.record(story.database, story.name, ordered(story.patient), said)
    assert not milestones_of(story.case).backdated
    come = cases.record(story.database, story.name, facts.SpecimenReceived("A"), said)
    assert not milestones_of(story.case).backdated
    assert come.case.received_at is not None
    earlier = come.case.received_at - timedelta(minutes=61)
    story.tell(facts.EventCorrected(come.event_id, "ur", earlier), strict=False)
    assert not milestones_of(story.case).backdated  # refused: before it was ordered
    late = Said("sekretær", "test", now() - timedelta(minutes=61))
    other = Story(story.database, story.patient)
    cases.record(story.database, other.name, ordered(story.patient), late)
    assert not milestones_of(other.case).backdated  # what comes before the laboratory is told later
    cases.record(story.database, other.name, facts.SpecimenTaken("A"), late)
    assert not milestones_of(other.case).backdated
    cases.record(story.database, other.name, facts.SpecimenReceived("A"), late)
    assert milestones_of(other.case).backdated


def test_the_barcode_of_another_case(story: Story) -> None:
    other, glass = Story(story.database, story.patient), story.glass("x")
    story.tell_all([*story.received(), (70, slides.SlideExpected(glass))])
    other.tell_all(other.received())
    for fact, reason in (
        (slides.SlideExpected(glass), "barcode_of_another_case"),
        (slides.ImageStored(glass, "i"), "slide_unknown"),
    ):
        assert other.tell(fact, 80, strict=False).reason == reason
    story.tell(slides.ImageStored(glass, "i"), 80)
    other.tell(slides.SlideExpected(other.glass("x")), 81)
    twice = other.tell(slides.ImageStored(other.glass("x"), "i"), 82, strict=False)
    assert twice.reason == "image_of_another_slide"
    assert [row[2] for row in rows(story.database)["case_image"]] == [story.name]


def test_cancelled_while_its_glass_is_in_the_scanner(story: Story) -> None:
    """The image is recorded as what it is, and somebody is told to look."""
    story.tell_all([*story.received(), (70, slides.SlideExpected(story.glass("x")))])
    story.tell_all([*story.scanned("x", 90)[:1], (91, facts.CaseCancelled("afbestilt"))])
    done = story.tell_all(story.scanned("x", 90)[1:])
    assert state_of(done) is CaseState.CANCELLED
    assert [scan.slide_id for scan in done.slides[story.glass("x")].scans] == [story.image("x")]
    assert "image_after_closing" in {at.code for at in done.oddities}
    assert done.ready_times == ()
    closing = next(
        at for at in cases.history(story.database, story.name)
        if isinstance(at.fact, facts.CaseCancelled)
    )  # fmt: skip
    again = story.tell(facts.EventCorrected(closing.event_id, "fejl")).case
    assert "image_after_closing" not in {at.code for at in again.oddities}
    assert state_of(again) is CaseState.READY


def test_a_scan_that_waits_is_called_off_even_when_the_cancelling_is_told_late(
    story: Story,
) -> None:
    story.tell_all(story.until_ready("x"))
    story.tell_all([(340, slides.RescanRequested(story.glass("x"), RescanReason.DIRT))])
    story.tell_all([(335, facts.CaseCancelled("afbestilt"))])
    assert story.state is CaseState.CANCELLED
    assert work_items.listing(story.database, [WorkKind.SCAN], OPEN) == []


def test_a_rescan_told_after_its_image_asks_for_no_other(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.scanned("x", 350, 2)[2:]])
    story.tell_all([(340, slides.RescanRequested(story.glass("x"), RescanReason.DIRT))])
    assert story.state is CaseState.READY
    assert work_items.listing(story.database, [WorkKind.SCAN], OPEN) == []


def test_the_clock_is_set_back(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told by it happened then, as far as anybody knows; it is marked, not mended."""
    story.tell_all(story.until_ready("x"))
    wrong = at(250)
    for module in (events, cases):
        monkeypatch.setattr(module, "now", lambda: wrong)
    refused = story.tell(facts.CaseCancelled("x"), 251, strict=False)
    assert refused.outcome is Outcome.RECORDED  # within what clocks may differ by
    ahead = story.tell(slides.SlideExpected(story.glass("z")), 260, strict=False)
    assert ahead.reason == "from_the_future"
    assert "clock_set_back" in {at.code for at in story.case.oddities}
    row = raw_log(story.database)[-1]
    assert wrong in row


def test_a_signed_report_keeps_its_version(story: Story) -> None:
    """It has been sent under that number: nothing told later comes between or takes it away."""
    story.tell_all([*story.until_ready("x"), *story.opened(), *story.answered()])
    kind = ReportKind.SUPPLEMENTARY
    second = story.tell(reading.ReportSigned(kind, "Andet", CODES), 700)
    for fact, minute in (
        (reading.ReportSigned(kind, "Imellem", CODES), 600),
        (facts.EventCorrected(second.event_id, "fortrudt"), 710),
        (facts.EventCorrected(second.event_id, "ur", at(504)), 710),
    ):
        assert story.tell(fact, minute, strict=False).reason == "signed_report_stays"
    moved = story.tell(facts.EventCorrected(second.event_id, "ur", at(690)), 711)
    assert [report.text for report in moved.case.reports] == ["Fund", "Andet"]
    assert [report.kind for report in moved.case.reports] == [FINAL, kind]
