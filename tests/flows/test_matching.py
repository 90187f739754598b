"""From image to glass: all that speak agree, or nothing is attached and somebody is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.matching import Identities, Outcome, Why, match_slide, verdict
from flows.services import Services
from processing.label import read_barcodes
from processing.paint import Painting, write_dicom, write_svs
from storage import cases, matching, scanning, work_items
from storage.records.case_words import SlideState
from storage.records.intake import Source
from storage.records.slide import Slide
from storage.records.slide_events import SlideExpected
from storage.records.work import WorkItem, WorkKind, WorkState
from tests.flows.work import finish
from tests.storage.lab import image, order, say

ALL = list(WorkState)
EXPECTED = {"P1-A1": "P1", "P1-A2": "P1", "P2-A1": "P2"}


@pytest.mark.parametrize(
    ("about", "barcode", "why"),
    [
        (Identities("P1-A1", ("P1-A1",), "P1-A1"), "P1-A1", None),
        (Identities("P1-A1"), "P1-A1", None),
        (Identities("", ("P1-A1",)), "P1-A1", None),
        (Identities("", ("LOT-7", "P1-A1"), "P1-A1"), "P1-A1", None),
        (Identities("P1-A1", ("LOT-7", "P1-A1")), "P1-A1", None),
        (Identities("P1-A1", ("P1-A2",)), "", Why.MISMATCH),
        (Identities("P1-A1", ("P1-A1",), "P1-A2"), "", Why.MISMATCH),
        (Identities("X", ("P1-A1",)), "", Why.MISMATCH),
        (Identities("X", (), "P1-A1"), "", Why.MISMATCH),
        (Identities("", ("P1-A1", "P1-A2")), "", Why.TWO_GLASSES),
        (Identities("", ("P1-A1", "P2-A1")), "", Why.TWO_CASES),
        (Identities("X"), "", Why.UNKNOWN),
        (Identities("", ("X", "Y")), "", Why.UNKNOWN),
        (Identities(), "", Why.NO_BARCODE),
        (Identities("", (), "P1-A1"), "", Why.NO_BARCODE),
    ],
)
def test_verdict(about: Identities, barcode: str, why: Why | None) -> None:
    assert verdict(about, EXPECTED) == (barcode, why)


CODES = st.sampled_from(["", *EXPECTED, "X", "Y"])


@given(CODES, st.lists(CODES.filter(bool), unique=True, max_size=3), CODES)
def test_nothing_is_attached_that_anybody_contradicts(
    metadata: str, label: list[str], said: str
) -> None:
    barcode, why = verdict(Identities(metadata, tuple(label), said), EXPECTED)
    assert bool(barcode) == (why is None)
    if barcode:
        assert barcode in {metadata, *label}
        assert {metadata, *label} & set(EXPECTED) == {barcode}
        assert not (metadata and label) or metadata in label
        assert not said or said == barcode or said in label


def items(services: Services, kind: WorkKind = WorkKind.UNKNOWN_SLIDE) -> list[WorkItem]:
    return work_items.listing(services.database, [kind], ALL)


def glass(services: Services, barcode: str) -> SlideState:
    return cases.get(services.database, "P1").slides[barcode].state


def scanned(services: Services, barcode: str, fingerprint: str = "") -> WorkItem:
    """A scan the scanner says it has done."""
    scanning.queue_scan(services.database, barcode, "tech")
    item = scanning.next_scan(services.database, "s1", "S1")
    assert item is not None
    return scanning.finish(services.database, item.item_id, "s1", fingerprint)


@pytest.fixture
def painted(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the label of the next image reads; the images have no files."""
    label: list[str] = []
    monkeypatch.setattr("flows.matching._label", lambda *_: b"")
    return label


def match(services: Services, slide: Slide, label: list[str]) -> Outcome:
    return match_slide(services, slide.slide_id, lambda _: tuple(label))


def test_a_painted_slide_finds_its_glass(services: Services, tmp_path: Path) -> None:
    order(services.database, "P1", "P1-A1", "P1-A2")
    write_svs(Painting(300, 200, seed=1, barcode="P1-A1"), tmp_path / "misleading-P1-A2.svs")
    write_dicom(Painting(300, 200, seed=2, barcode="P1-A2"), tmp_path / "series")
    for path in ("misleading-P1-A2.svs", "series"):
        slide = finish(services, tmp_path / path)
        assert match_slide(services, slide.slide_id, read_barcodes) is Outcome.ATTACHED
        assert match_slide(services, slide.slide_id, read_barcodes) is Outcome.KNOWN
    case = cases.get(services.database, "P1")
    assert len(case.ready_times) == 1
    assert [at.state for at in case.slides.values()] == [SlideState.AVAILABLE] * 2
    assert all(at.scans[0].root for at in case.slides.values())
    assert items(services) == []


def test_the_scanners_word_agrees(services: Services, painted: list[str]) -> None:
    order(services.database, "P1", "P1-A1")
    slide = image(services.database, "a", "P1-A1", actor="s1")
    scanned(services, "P1-A1", slide.fingerprint)
    painted[:] = ["P1-A1"]
    assert match(services, slide, painted) is Outcome.ATTACHED
    assert glass(services, "P1-A1") is SlideState.AVAILABLE
    assert len(cases.get(services.database, "P1").slides["P1-A1"].scans) == 1


@pytest.mark.parametrize("by_fingerprint", [True, False])
def test_the_wrong_glass_raises_the_alarm(
    services: Services, painted: list[str], by_fingerprint: bool
) -> None:
    order(services.database, "P1", "P1-A1", "P1-A2")
    slide = image(services.database, "a", "P1-A2", actor="s1")
    scan = scanned(services, "P1-A1", slide.fingerprint if by_fingerprint else "")
    painted[:] = ["P1-A2"]
    assert match(services, slide, painted) is Outcome.MISMATCH
    (item,) = items(services)
    assert (item.state, item.rank, item.site) == (WorkState.OFFERED, 9, "naestved")
    assert item.data == {
        "why": "mismatch", "metadata": "P1-A2", "label": ["P1-A2"], "said": "P1-A1",
    }  # fmt: skip
    assert matching.unmatched(services.database) == []
    assert glass(services, "P1-A1") is SlideState.QUEUED  # it is scanned again
    assert glass(services, "P1-A2") is SlideState.STAINED
    (again,) = items(services, WorkKind.SCAN)
    assert (again.item_id, again.state) == (scan.item_id, WorkState.OFFERED)
    assert match(services, slide, painted) is Outcome.KNOWN


def test_the_label_cannot_be_read(services: Services, painted: list[str]) -> None:
    order(services.database, "P1", "P1-A1")
    slide = image(services.database, "a", actor="s1")
    scanned(services, "P1-A1")
    assert match(services, slide, painted) is Outcome.SET_ASIDE
    (item,) = items(services)
    assert (item.data["why"], item.data["said"], item.barcode) == ("no_barcode", "P1-A1", None)
    assert glass(services, "P1-A1") is SlideState.SCANNED
    (scan,) = items(services, WorkKind.SCAN)
    assert scan.data["image"] == slide.slide_id  # so it is not taken for lost


def test_an_unknown_barcode_waits_for_its_glass(services: Services, painted: list[str]) -> None:
    order(services.database, "P1")
    slide = image(services.database, "a", "P1-A1")
    assert match(services, slide, painted) is Outcome.SET_ASIDE
    assert match(services, slide, painted) is Outcome.SET_ASIDE
    (item,) = items(services)
    assert (item.state, item.data["why"], item.barcode) == (WorkState.OFFERED, "unknown", "P1-A1")
    say(services.database, "P1", SlideExpected("P1-A1"))
    assert match(services, slide, painted) is Outcome.ATTACHED
    (item,) = items(services)
    assert (item.state, item.reason) == (WorkState.DONE, "expected_later")


def test_without_a_case_slides_are_only_looked_at(services: Services, painted: list[str]) -> None:
    for number, barcode in enumerate((None, "DEMO-1")):
        slide = image(services.database, f"demo {number}", barcode)
        painted[:] = ["SOMETHING-ELSE"]
        assert match(services, slide, painted) is Outcome.LEFT_ALONE
    assert work_items.listing(services.database) == []
    assert matching.unmatched(services.database) == []
    order(services.database, "P1")  # the first case does not bring them back
    assert matching.unmatched(services.database) == []


def test_with_cases_what_comes_from_a_scanner_is_seen(
    services: Services, painted: list[str]
) -> None:
    order(services.database, "P1", "P1-A1")
    assert match(services, image(services.database, "a"), painted) is Outcome.SET_ASIDE
    by_hand = image(services.database, "b", source=Source.COMMAND)
    assert match(services, by_hand, painted) is Outcome.LEFT_ALONE  # as research slides are
    marked = image(services.database, "c", "P9-A1", source=Source.COMMAND)
    assert match(services, marked, painted) is Outcome.SET_ASIDE
    assert [at.data["why"] for at in items(services)] == ["no_barcode", "no_barcode", "unknown"]
