"""Many at once: nothing is lost, nothing is done twice, nobody waits for ever."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from storage import cases, outbound, work_items
from storage.case_log import Said
from storage.cases import Outcome
from storage.database import Database
from storage.errors import Illegal
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_words import AssignedBy, RescanReason, WorkOrderKind
from storage.records.work import WorkKind, WorkState
from storage.tables import event
from tests.storage.histories import CODES, FINAL, Story, a_story, made_anew, raw_log, rows

_TAKE_ALL = """
import json, sys, time
from storage import work_items
from storage.database import Database
from storage.records.work import WorkKind
database, mine = Database(sys.argv[1]), []
print("ready", flush=True)
sys.stdin.readline()
while True:
    with database.transaction() as connection:
        item = work_items.claim_next(connection, WorkKind.SCAN, sys.argv[2])
    if item is None:
        break
    mine.append(item.item_id)
    time.sleep(0.003)  # the other one has its turn
print(json.dumps(mine))
"""


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What became of each, begun together; what was refused is its reason."""
    together = threading.Barrier(count)

    def one(number: int) -> object:
        together.wait()
        try:
            return work(number)
        except Illegal as error:
            return error.reason

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count), timeout=60))


def test_of_all_who_claim_a_case_one_has_it(story: Story) -> None:
    story.tell_all(story.until_ready("x"))

    def claim(number: int) -> object:
        return story.tell(reading.CaseAssigned(f"p{number}", AssignedBy.CLAIM)).outcome

    found = at_once(6, claim)
    assert Counter(map(str, found)) == {"recorded": 1, "assigned_to_another": 5}
    assert story.case.assignee == f"p{found.index(Outcome.RECORDED)}"


def test_of_all_who_accept_a_consultation_one_has_it(story: Story) -> None:
    story.tell_all(story.until_ready("x"))
    story.tell(reading.ConsultationRequested("c", reading.Distance.REGIONAL, "patologi", "?"))

    def accept(number: int) -> object:
        return story.tell(reading.ConsultationAccepted("c", f"p{number}")).outcome

    found = at_once(4, accept)
    winner = f"p{found.index(Outcome.RECORDED)}"
    assert Counter(map(str, found)) == {"recorded": 1, "accepted_by_another": 3}
    (item,) = work_items.listing(story.database, [WorkKind.CONSULTATION])
    assert (story.case.consultations["c"].consultant, item.performer) == (winner, winner)


def test_a_report_is_signed_once(story: Story) -> None:
    """By a double click, and by two windows with different texts."""
    story.tell_all([*story.until_ready("x"), *story.opened()])

    def sign(number: int) -> object:
        fact = reading.ReportSigned(FINAL, f"Fund {number // 2}", CODES)
        return story.tell(fact).outcome

    found = Counter(map(str, at_once(4, sign)))
    assert found == {"recorded": 1, "known": 1, "final_exists": 2}
    assert len(story.case.reports) == len(outbound.listing(story.database)) == 1


def test_no_fact_is_lost_and_none_is_there_twice(story: Story) -> None:
    """Eight tell of glasses: of their own, and all of the same one, with keys and without."""
    story.tell_all(story.received())

    def tell(number: int) -> object:
        done = []
        for step in range(4):
            mine, ours = story.glass(f"{number}-{step}"), story.glass(f"all-{step}")
            story.tell(slides.SlideExpected(mine))
            key = f"k{step}" if step % 2 else None
            done.append(story.tell(slides.SlideExpected(ours), key=key).outcome)
            story.tell(slides.SlideStained(mine))
        return done

    found = Counter(outcome for done in at_once(8, tell) for outcome in done)  # type: ignore[attr-defined]
    assert found == {Outcome.RECORDED: 4, Outcome.KNOWN: 28}
    case, before = story.case, rows(story.database)
    assert len(case.slides) == 8 * 4 + 4
    assert sum(at.stained_at is not None for at in case.slides.values()) == 32
    assert case.version == 3 + 36 + 32
    assert before == made_anew(story.database)
    assert before["pathology_case"][0][-1] == case.version


def test_cases_told_at_once_do_not_disturb_each_other(story: Story) -> None:
    stories = [Story(story.database, story.patient) for _ in range(6)]

    def tell(number: int) -> object:
        told = stories[number]
        return told.tell_all([*told.until_ready("x"), *told.opened(), *told.answered()]).version

    versions = at_once(6, tell)
    assert len(set(map(str, versions))) == 1
    assert rows(story.database) == made_anew(story.database)
    subjects = Counter(row[1] for row in raw_log(story.database))
    assert set(subjects.values()) == set(versions)


def test_whoever_takes_work_and_whoever_ends_it_do_not_wait_for_each_other(story: Story) -> None:
    """One holds an item and then tells a fact; the other tells a fact that ends that item."""
    story.tell_all(story.until_ready(*"abcdefgh"))
    letters = "abcdefgh"
    for letter in letters:
        story.tell(slides.RescanRequested(story.glass(letter), RescanReason.DIRT))

    def work(number: int) -> object:
        if number % 2:
            for letter in letters:
                story.tell(slides.SlideGlassOnly(story.glass(letter), "for stor"), strict=False)
            return None
        for _ in letters:
            with story.database.transaction() as connection:
                item = work_items.claim_next(connection, WorkKind.SCAN, f"s{number}")
                if item is None:
                    return None
                said = Said(f"s{number}", "test")
                fact = slides.ScanStarted(item.barcode or "", f"s{number}", item.item_id)
                cases.record_in(connection, story.name, fact, said, strict=False)
        return None

    assert at_once(4, work) == [None] * 4
    states = Counter(slide.state.value for slide in story.case.slides.values())
    assert set(states) <= {"glass_only", "scanning"}
    assert rows(story.database) == made_anew(story.database)
    for item in work_items.listing(story.database, [WorkKind.SCAN], WorkState):
        scanning = story.case.slides[item.barcode or ""].state.value == "scanning"
        assert (item.state is WorkState.CLAIMED) == scanning


def test_two_processes_share_the_work(story: Story) -> None:
    with story.database.transaction() as connection:
        made = {
            work_items.offer(connection, WorkKind.SCAN, "kir", rank=number % 3).item_id
            for number in range(60)
        }
    command = [sys.executable, "-c", _TAKE_ALL, story.database.url]
    running = [
        subprocess.Popen([*command, name], stdin=-1, stdout=-1, text=True)
        for name in ("one", "two")
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert Counter(taken[0] + taken[1]) == Counter(made)
    items = work_items.listing(story.database, [WorkKind.SCAN], [WorkState.CLAIMED])
    assert {at.item_id for at in items if at.performer == "one"} == set(taken[0])


def test_who_has_seen_an_event_has_seen_all_before_it(story: Story) -> None:
    """Ids are in the order of commits: a reader that asks for what came after misses nothing."""
    stories = [Story(story.database, story.patient) for _ in range(5)]
    done = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        while True:
            over = done.is_set()
            query = sa.select(event.c.event_id).where(event.c.event_id > (seen or [0])[-1])
            with story.database.reading() as connection:
                seen.extend(connection.execute(query.order_by(event.c.event_id)).scalars())
            if over:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    at_once(5, lambda number: stories[number].tell_all(stories[number].until_ready("x")).version)
    done.set()
    reader.join(30)
    assert seen == [row[0] for row in raw_log(story.database)]
    assert len(seen) == len(set(seen)) > 60


def test_what_belongs_together_is_recorded_together_or_not_at_all(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    before = raw_log(story.database), rows(story.database)
    said = Said("kir", "test")

    def tell_all() -> None:
        with story.database.transaction() as connection:
            order = reading.WorkOrderPlaced("o", WorkOrderKind.RECUT, "A1")
            for fact in (order, reading.CaseReleased("ferie"), reading.WorkOrderFulfilled("none")):
                cases.record_in(connection, story.name, fact, said)

    with pytest.raises(Illegal, match="order unknown"):
        tell_all()
    assert (raw_log(story.database), rows(story.database)) == before
    assert work_items.listing(story.database) == []
