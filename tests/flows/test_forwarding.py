"""Series go to other nodes by rule: chosen, allowed, sent once, waited for, sent again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pydicom
import pytest
import sqlalchemy as sa

from flows.services import Services
from storage import dicom_peers, events, forward_rules, forwarding
from storage.case_tables import outbound
from storage.database import now
from storage.errors import Malformed, NotFound
from storage.forwarding import AWAY
from storage.records.case_words import AssignedBy, ReportKind, WorkOrderKind
from storage.records.forwarding import ForwardOn, ForwardState
from storage.records.imaging import Peer
from storage.records.reading_events import (
    CaseAssigned,
    CaseOpened,
    ReportDrafted,
    ReportSigned,
    WorkOrderPlaced,
)
from storage.records.slide_events import ImageWithdrawn, SlideExpected, SlideStained
from storage.settings import Settings
from tests.flows.forwarding import PEER, UNIT, Laboratory, Service, on
from tests.flows.work import finish
from tests.journeys.running import free_port
from tests.orthanc import Orthanc, an_orthanc
from tests.storage.lab import IDENTIFIER, say

COMPLETE, ANSWERED, RECEIVED = ForwardOn
WAITING, SENT, REFUSED = ForwardState.WAITING, ForwardState.SENT, ForwardState.REFUSED
CODES = ("T28000", "M80703")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with an_orthanc(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture
def lab(services: Services) -> Laboratory:
    return Laboratory(services)


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running


def node(url: str, unit: str = UNIT) -> Peer:
    return Peer(PEER, "ARCHIVE", url=url, unit=unit)


def tell_until_answered(lab: Laboratory, accession: str) -> None:
    final = ReportKind.FINAL
    facts = (CaseAssigned("kir", AssignedBy.RULES), CaseOpened("kir"))
    signed = (ReportDrafted(final, "Fund", CODES), ReportSigned(final, "Fund", CODES))
    say(lab.services.database, accession, *facts, *signed, actor="kir")


@pytest.mark.parametrize("by_web", [True, False])
def test_a_complete_slide_goes_to_the_archive_once_it_has_found_its_case(
    lab: Laboratory, tiny_svs: Path, archive: Orthanc, by_web: bool
) -> None:
    association = Peer(PEER, "ARCHIVE", "127.0.0.1", archive.dicom_port, unit=UNIT)
    lab.knows(node(archive.web_url) if by_web else association, on(COMPLETE))
    slide = finish(lab.services, tiny_svs)
    assert lab.chooses() == 0
    lab.attach(slide, lab.case())
    lab.works()
    (sent,) = lab.queue()
    assert (sent.state, sent.reason, sent.slide_id) == (SENT, "", slide.slide_id)
    there = lab.pixels(slide)
    assert len(there) > 2
    assert len(sent.done) == sent.objects == len(there)
    assert {uid: archive.pixels().get(uid) for uid in there} == there


def test_one_content_goes_once_until_somebody_sends_it_again(
    lab: Laboratory, tiny_svs: Path, service: Service
) -> None:
    lab.knows(node(service.url), on(COMPLETE), on(ANSWERED))
    accession = lab.case()
    lab.slide(tiny_svs, accession)
    tell_until_answered(lab, accession)
    lab.works()
    lab.works()
    assert len(lab.queue()) == 1
    before = [uid for request in service.sent for uid in request]
    assert len(before) == len(set(before)) == lab.queue()[0].objects
    forwarding.resend(lab.services.database, lab.queue()[0].forward_id, "olga")
    assert lab.queue()[0].state is WAITING
    lab.works()
    assert [uid for request in service.sent for uid in request] == before * 2
    assert lab.queue()[0].state is SENT
    (again,) = events.of_kinds(lab.services.database, ["ImagesSentAgain"])
    assert (again.actor, again.subject) == ("olga", f"node:{PEER}")


def test_what_is_older_than_the_rule_stays(lab: Laboratory, tiny_svs: Path) -> None:
    lab.slide(tiny_svs, lab.case())
    lab.knows(node("http://127.0.0.1:1"), on(COMPLETE))
    assert lab.chooses() == 0


def test_a_node_gets_nothing_its_unit_may_not_see(
    lab: Laboratory, tiny_svs: Path, service: Service
) -> None:
    lab.knows(node(service.url, "another"), on(COMPLETE))
    lab.slide(tiny_svs, lab.case())
    assert lab.chooses() == 0
    dicom_peers.put(lab.services.database, node(service.url), "tester")
    forward_rules.add(lab.services.database, PEER, on(ANSWERED), "tester")
    tell_until_answered(lab, "P26-1")
    assert lab.chooses() == 1
    dicom_peers.put(lab.services.database, node(service.url, "another"), "tester")
    lab.works()
    (refused,) = lab.queue()
    assert (refused.state, refused.reason) == (REFUSED, "not_allowed")
    assert service.sent == []
    assert lab.lines() == []


def test_a_line_of_the_access_log_goes_before(
    lab: Laboratory, tiny_svs: Path, service: Service
) -> None:
    lab.knows(node(service.url), on(COMPLETE))
    accession = lab.case()
    slide = lab.slide(tiny_svs, accession)
    service.status = 503
    lab.works()
    assert lab.lines() == [("forward", slide.slide_id, accession, "operation")]
    assert lab.queue()[0].reason == "peer_busy"


def test_a_withdrawn_image_stays_here(lab: Laboratory, tiny_svs: Path, service: Service) -> None:
    lab.knows(node(service.url), on(COMPLETE))
    accession = lab.case()
    slide = lab.slide(tiny_svs, accession)
    assert lab.chooses() == 1
    fact = ImageWithdrawn(f"{accession}-A1-1", slide.slide_id, "forkert glas")
    say(lab.services.database, accession, fact)
    lab.works()
    assert (lab.queue()[0].state, lab.queue()[0].reason) == (REFUSED, "withdrawn")
    assert service.sent == []


CONDITIONS: list[tuple[dict[str, tuple[str, ...]], bool]] = [
    ({"modalities": ("SM",)}, True),
    ({"modalities": ("CT", "SM")}, True),
    ({"modalities": ("CT",)}, False),
    ({"units": (UNIT,)}, True),
    ({"units": ("another",)}, False),
    ({"stains": ("h&e", "CK7")}, True),
    ({"stains": ("CK7",)}, False),
    ({"received_from": ("tester",)}, True),
    ({"received_from": ("somebody",)}, False),
    ({"modalities": ("SM",), "stains": ("CK7",)}, False),
]


def test_conditions_all_hold(lab: Laboratory, tiny_svs: Path) -> None:
    for number, (conditions, _) in enumerate(CONDITIONS):
        peer = Peer(f"node-{number}", f"NODE{number}", url="http://127.0.0.1:1", unit=UNIT)
        lab.knows(peer, on(COMPLETE, **conditions))
    lab.slide(tiny_svs, lab.case())
    lab.chooses()
    meant = {f"node-{number}" for number, (_, is_meant) in enumerate(CONDITIONS) if is_meant}
    assert {at.peer for at in lab.queue()} == meant


def test_an_answered_case_sends_its_slides_and_those_that_come_after(
    lab: Laboratory, tiny_svs: Path, tiny_dicom: Path, service: Service
) -> None:
    lab.knows(node(service.url), on(ANSWERED))
    accession = lab.case()
    lab.slide(tiny_svs, accession)
    assert lab.chooses() == 0
    tell_until_answered(lab, accession)
    assert lab.chooses() == 1
    more = WorkOrderPlaced("o1", WorkOrderKind.IMMUNO, "A1", "CK7")
    late = SlideExpected(f"{accession}-A1-2", "A", "A1", "CK7", "o1")
    say(lab.services.database, accession, more, late, SlideStained(late.barcode))
    slide = finish(lab.services, tiny_dicom)
    lab.attach(slide, accession, late.barcode)
    assert lab.chooses() == 1
    lab.works()
    assert [at.state for at in lab.queue()] == [SENT, SENT]


def test_rules_are_added_to_nodes_that_can_be_reached_and_removed(lab: Laboratory) -> None:
    database = lab.services.database
    with pytest.raises(NotFound):
        forward_rules.add(database, PEER, on(COMPLETE), "tester")
    dicom_peers.put(database, Peer(PEER, "ARCHIVE"), "tester")
    with pytest.raises(Malformed):
        forward_rules.add(database, PEER, on(COMPLETE), "tester")
    lab.knows(node("http://127.0.0.1:1"), on(RECEIVED, modalities=("CT",), received_from=("ct",)))
    (rule,) = forward_rules.listing(database)
    assert rule.what == on(RECEIVED, modalities=("CT",), received_from=("ct",))
    forward_rules.remove(database, rule.rule_id, "tester")
    assert forward_rules.listing(database) == []
    with pytest.raises(NotFound):
        forward_rules.remove(database, rule.rule_id, "tester")


def a_ct(slides_dir: Path, folder: Path) -> Path:
    """A real CT image of a patient who has a case here."""
    dataset = pydicom.dcmread(slides_dir / "radiology" / "pydicom-CT_small.dcm")
    dataset.PatientID, dataset.PatientName = IDENTIFIER, "Ann^Nancy"
    path = folder / "ct.dcm"
    dataset.save_as(path)
    return path


def test_what_another_node_sent_goes_on_but_never_back(
    lab: Laboratory, slides_dir: Path, tmp_path: Path, archive: Orthanc
) -> None:
    lab.knows(node(archive.web_url), on(RECEIVED, received_from=("ct-1",)))
    lab.knows(Peer("ct-1", "CT1", url=archive.web_url), on(RECEIVED))
    file = a_ct(slides_dir, tmp_path)
    lab.case()
    came = lab.receives(file, "ct-1")
    lab.works()
    (sent,) = lab.queue()
    assert (sent.peer, sent.modality, sent.state) == (PEER, "CT", SENT)
    assert archive.file(archive.instances()[came.sop_uid]) == file.read_bytes()


def test_of_a_series_with_an_object_that_is_refused_the_others_go_once(
    lab: Laboratory, tiny_svs: Path, service: Service
) -> None:
    lab.knows(node(service.url), on(COMPLETE))
    slide = lab.slide(tiny_svs, lab.case())
    uids = list(lab.pixels(slide))
    service.refused = {uids[1]: 0xA700}
    lab.works()
    (waits,) = lab.queue()
    assert (waits.state, waits.reason, waits.failed) == (WAITING, "A700", uids[1])
    assert set(waits.done) == set(uids) - {uids[1]}
    service.refused, service.silent_about = {}, {uids[1]}
    due_now(lab)
    lab.works()
    assert (lab.queue()[0].reason, lab.queue()[0].attempts) == ("peer_silent", 2)
    service.silent_about = set()
    due_now(lab)
    lab.works()
    assert service.sent[1:] == [[uids[1]], [uids[1]]]
    assert (lab.queue()[0].state, lab.queue()[0].failed) == (SENT, "")


def due_now(lab: Laboratory) -> None:
    with lab.services.database.transaction() as connection:
        connection.execute(sa.update(outbound).values(next_at=now()))


def test_a_node_that_is_away_is_asked_for_one_series_and_then_sent_all(
    lab: Laboratory, tiny_svs: Path, tiny_dicom: Path, tmp_path: Path
) -> None:
    with an_orthanc(tmp_path / "archive") as archive:
        archive.stop()
        lab.knows(node(archive.web_url), on(COMPLETE))
        slides = [lab.slide(file, lab.case()) for file in (tiny_svs, tiny_dicom)]
        lab.works()
        first, second = lab.queue()
        assert (first.reason, second.reason) == (AWAY, AWAY)
        assert (first.attempts, second.attempts) == (1, 0)
        assert first.next_at == second.next_at
        assert timedelta(seconds=10) < first.next_at - now() < timedelta(seconds=16)
        assert lab.lines() == [("forward", slides[0].slide_id, "P26-1", "operation")]
        lab.works()
        assert lab.queue()[0].attempts == 1, "it is not time yet"
        archive.start()
        forwarding.resend(lab.services.database, first.forward_id, "olga")
        lab.works()
        assert [at.state for at in lab.queue()] == [SENT, SENT]
        there = lab.pixels(slides[0]) | lab.pixels(slides[1])
        assert archive.pixels() == there


def with_settings(lab: Laboratory, settings: Settings) -> Laboratory:
    return Laboratory(replace(lab.services, settings=settings), 1)


def test_a_token_is_read_when_it_is_needed_and_kept_nowhere(
    lab: Laboratory, tiny_svs: Path, service: Service, tmp_path: Path
) -> None:
    service.token = "secret-of-the-archive"
    lab.knows(node(service.url), on(COMPLETE))
    lab.slide(tiny_svs, lab.case())
    lab.works()
    assert lab.queue()[0].reason == "peer_refuses"
    place = tmp_path / "token"
    keyed = with_settings(lab, replace(lab.services.settings, peer_tokens={PEER: str(place)}))
    due_now(lab)
    keyed.works()
    assert lab.queue()[0].reason == "no_token"
    place.write_text("secret-of-the-archive\n")
    due_now(lab)
    keyed.works()
    assert lab.queue()[0].state is SENT
    kept = lab.services.layout.database.read_bytes()
    assert b"secret-of-the-archive" not in kept


def test_a_node_that_was_removed_gets_nothing(lab: Laboratory, tiny_svs: Path) -> None:
    lab.knows(node(f"http://127.0.0.1:{free_port()}"), on(COMPLETE))
    lab.slide(tiny_svs, lab.case())
    assert lab.chooses() == 1
    dicom_peers.remove(lab.services.database, PEER, "tester")
    lab.works()
    assert (lab.queue()[0].state, lab.queue()[0].reason) == (REFUSED, "peer_unknown")


@pytest.mark.parametrize(
    ("said", "state", "reason"), [("", "kept", ""), ("2.25.7", "sent", "not_kept")]
)
def test_the_word_of_storage_commitment_names_the_series(
    lab: Laboratory, tiny_svs: Path, service: Service, said: str, state: str, reason: str
) -> None:
    lab.knows(node(service.url), on(COMPLETE))
    lab.slide(tiny_svs, lab.case())
    assert lab.chooses() == 1
    uid = forwarding.commitment_uid(lab.queue()[0].forward_id)
    database = lab.services.database
    assert not forwarding.mark_kept(database, PEER, uid, said), "it has not been sent"
    lab.works()
    assert not forwarding.mark_kept(database, "another", uid, said), "it is not asked"
    assert forwarding.mark_kept(database, PEER, uid, said)
    assert (lab.queue()[0].state.value, lab.queue()[0].reason) == (state, reason)
    for other in ("1.2.3", "2.25.1", f"2.25.{2**128}", "2.25.x", ""):
        assert not forwarding.mark_kept(database, PEER, other)
