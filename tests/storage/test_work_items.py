"""Work: the most urgent first, then the oldest; whoever takes it has it; an end stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import work_items
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records import slide_events as slides
from storage.records.case_words import RescanReason, WorkOrderKind
from storage.records.milestones import Distance, Priority
from storage.records.work import OPEN, WorkItem, WorkKind, WorkState
from tests.storage.histories import CODES, FINAL, Story, a_story, at, few

SCAN = WorkKind.SCAN
ENDS = (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)


@pytest.fixture
def story(empty_database: Database) -> Story:
    return a_story(empty_database)


def offer(database: Database, kind: WorkKind = SCAN, **about: object) -> str:
    with database.transaction() as connection:
        return work_items.offer(connection, kind, "kir", **about).item_id


def take(database: Database, who: str = "gt450", site: str = "") -> WorkItem | None:
    with database.transaction() as connection:
        return work_items.claim_next(connection, SCAN, who, site)


def claim(database: Database, item_id: str, who: str) -> WorkItem:
    with database.transaction() as connection:
        return work_items.claim(connection, item_id, who)


def end(database: Database, item_id: str, state: WorkState, reason: str = "") -> WorkItem:
    with database.transaction() as connection:
        return work_items.end(connection, item_id, state, reason)


@few(8)
@given(ranks=st.lists(st.integers(0, 2), max_size=8))
def test_the_most_urgent_first_then_the_oldest(story: Story, ranks: list[int]) -> None:
    with story.database.transaction() as connection:
        for item in work_items.open_in(connection, [SCAN]):
            work_items.end(connection, item.item_id, WorkState.CANCELLED)
    made = [offer(story.database, rank=rank) for rank in ranks]
    order = sorted(range(len(made)), key=lambda at: (-ranks[at], at))
    wanted = [made[number] for number in order]
    assert [at.item_id for at in work_items.listing(story.database, [SCAN])] == wanted
    taken = [take(story.database) for _ in made]
    assert [item and item.item_id for item in taken] == wanted
    assert take(story.database) is None


def test_a_scanner_takes_what_lies_at_its_site(story: Story) -> None:
    far, anywhere = offer(story.database, site="køge", rank=2), offer(story.database)
    offer(story.database, WorkKind.LAB_ORDER, rank=9)
    first, second = take(story.database, site="roskilde"), take(story.database, site="roskilde")
    assert first is not None
    assert (first.item_id, second) == (anywhere, None)
    item = take(story.database, site="køge")
    assert item is not None
    assert (item.item_id, item.state, item.performer) == (far, WorkState.CLAIMED, "gt450")
    assert (item.attempts, item.claimed_at is not None) == (1, True)


def test_whoever_takes_it_has_it(story: Story) -> None:
    item_id = offer(story.database)
    first = claim(story.database, item_id, "one")
    assert claim(story.database, item_id, "one") == first
    with pytest.raises(Illegal, match="claimed by another"):
        claim(story.database, item_id, "two")
    with pytest.raises(NotFound):
        claim(story.database, "nothing", "one")


@pytest.mark.parametrize("state", ENDS)
def test_an_end_stays(story: Story, state: WorkState) -> None:
    item_id = offer(story.database)
    ended = end(story.database, item_id, state, "because")
    for other in ENDS:
        assert end(story.database, item_id, other, "otherwise") == ended
    with pytest.raises(Illegal, match="work ended"):
        claim(story.database, item_id, "one")
    assert take(story.database) is None
    assert (ended.state, ended.reason, ended.ended_at is not None) == (state, "because", True)
    assert work_items.listing(story.database, [SCAN]) == []
    assert work_items.listing(story.database, [SCAN], [state]) == [ended]


def states(story: Story, kind: WorkKind) -> list[WorkState]:
    found = work_items.listing(story.database, [kind], WorkState, accession=story.name)
    return [at.state for at in sorted(found, key=lambda at: at.created_at)]


def test_a_rescan_is_work_until_its_image_is_there(story: Story) -> None:
    story.tell_all(story.until_ready("x"))
    story.tell_all([(340, slides.RescanRequested(story.glass("x"), RescanReason.DIRT))])
    (item,) = work_items.listing(story.database, [SCAN])
    assert (item.barcode, item.accession, item.site) == (story.glass("x"), story.name, "roskilde")
    assert story.case.slides[story.glass("x")].scans[-1].item_id == item.item_id
    early = slides.ImageStored(story.glass("x"), "told late")
    story.tell_all([(339, early)])  # an image from before it was asked for
    assert states(story, SCAN) == [WorkState.OFFERED]
    story.tell_all(story.scanned("x", 350, 2))
    assert states(story, SCAN) == [WorkState.DONE]


def test_a_scan_that_is_not_wanted_any_more(story: Story) -> None:
    story.tell_all(story.until_ready("x", "y", "z"))
    for letter in "xyz":
        story.tell(slides.RescanRequested(story.glass(letter), RescanReason.DIRT))
    story.tell(slides.SlideGlassOnly(story.glass("x"), "for stor"))
    scan = story.case.slides[story.glass("y")].scans[-1]
    story.tell(slides.ScanWithdrawn(story.glass("y"), scan.item_id))
    claimed = story.case.slides[story.glass("z")].scans[-1].item_id
    claim(story.database, claimed, "gt450")
    assert sorted(states(story, SCAN)) == ["cancelled", "cancelled", "claimed"]
    story.tell(facts.CaseCancelled("afbestilt"))
    assert WorkState.CLAIMED in states(story, SCAN)  # what a scanner has is let finish


def test_more_urgent_work_of_a_more_urgent_case(story: Story) -> None:
    story.tell_all(story.until_ready("x"))
    story.tell(slides.RescanRequested(story.glass("x"), RescanReason.DIRT))
    other = offer(story.database, rank=1)
    story.tell(facts.PriorityChanged(Priority.URGENT, "ringet"))
    taken = [take(story.database), take(story.database)]
    assert [item and item.rank for item in taken] == [2, 1]
    assert taken[1] is not None
    assert taken[1].item_id == other


def test_orders_and_opinions_are_work(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    story.tell(reading.WorkOrderPlaced("o", WorkOrderKind.STAIN, "A1", "PAS"))
    story.tell(reading.ConsultationRequested("c", Distance.REGIONAL, "patologi", "?"))
    (order,) = work_items.listing(story.database, [WorkKind.LAB_ORDER])
    claim(story.database, order.item_id, "lab")
    story.tell(reading.WorkOrderAccepted("o"), actor="lis")  # somebody had taken it already
    (item,) = work_items.listing(story.database, [WorkKind.CONSULTATION])
    assert item.performer == "patologi"
    story.tell(reading.ConsultationTransferred("c", "mnm", "ferie"))
    story.tell(reading.ConsultationAccepted("c", "mnm"))
    (item,) = work_items.listing(story.database, [WorkKind.CONSULTATION])
    assert (item.performer, item.state) == ("mnm", WorkState.CLAIMED)
    story.tell(reading.ConsultationAnswered("c", "mnm", "ja"))
    story.tell(reading.WorkOrderFulfilled("o"))
    assert states(story, WorkKind.CONSULTATION) == [WorkState.DONE]
    assert states(story, WorkKind.LAB_ORDER) == [WorkState.DONE]


def test_a_breach_demands_a_preliminary_answer(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    story.tell(facts.TargetBreached(at(430)))
    story.tell(facts.TargetBreached(at(430)))
    assert states(story, WorkKind.PRELIMINARY) == [WorkState.OFFERED]
    story.tell(reading.PreliminarySent("vent", "immun", at(900)))
    assert states(story, WorkKind.PRELIMINARY) == [WorkState.DONE]
    assert story.state.value == "preliminary"


def test_an_order_is_fulfilled_by_its_glasses(story: Story) -> None:
    """When the last of them can be read, whichever was told of last."""
    story.tell_all([*story.until_ready("x"), *story.opened()])
    story.tell_all([(410, reading.WorkOrderPlaced("o", WorkOrderKind.RECUT, "A1"))])
    for letter in "uv":
        story.tell_all([(411, slides.SlideExpected(story.glass(letter), order_id="o"))])
    story.tell_all(story.scanned("v", 430))
    assert states(story, WorkKind.LAB_ORDER) == [WorkState.OFFERED]
    story.tell_all(story.scanned("u", 415))
    assert states(story, WorkKind.LAB_ORDER) == [WorkState.DONE]
    assert story.case.orders["o"].fulfilled_at == at(440)


def test_what_a_closed_case_wanted_is_called_off(story: Story) -> None:
    story.tell_all([*story.until_ready("x"), *story.opened()])
    story.tell(reading.WorkOrderPlaced("o", WorkOrderKind.RECUT, "A1"))
    story.tell(reading.ConsultationRequested("c", Distance.ABROAD, "oslo", "?"))
    story.tell(slides.RescanRequested(story.glass("x"), RescanReason.DIRT))
    story.tell(facts.CaseCancelled("afbestilt"))
    assert work_items.listing(story.database, states=OPEN, accession=story.name) == []
    with pytest.raises(Illegal):
        story.tell(reading.ReportSigned(FINAL, "x", CODES))
