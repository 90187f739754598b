"""Series go to other nodes by rule: chosen, queued, sent, waited for; Orthanc is the archive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.dicom_export import opener_of
from flows.forwarder import Forwarder, choose
from flows.services import Services
from storage import dicom_peers, forward_rules, forwarding, imaging, matching
from storage.records.forwarding import ForwardOn, ForwardState, ForwardWhat
from storage.records.imaging import Peer
from storage.records.people import SVARTID
from storage.records.slide import Slide
from tests.flows.work import finish
from tests.orthanc import Orthanc, an_orthanc, pixel_hash
from tests.storage.lab import order

UNIT = "pato-n"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with an_orthanc(tmp_path_factory.mktemp("archive")) as running:
        yield running


def attach(services: Services, slide: Slide, accession: str, barcode: str) -> None:
    """The slide finds its glass."""
    with services.database.transaction() as connection:
        matching.attach(connection, slide, (accession, barcode), "tester", "test")


def pixels_here(services: Services, slide_id: str) -> dict[str, str]:
    """What the archive should hold of a slide."""
    entry = imaging.of_slide(services.database, SVARTID, slide_id)
    instances = opener_of(services).instances(entry)
    return {at.sop_uid: pixel_hash(b"".join(at.stream())) for at in instances}


def work(services: Services) -> None:
    """One look of the forwarder, and all that comes of it."""
    forwarder = Forwarder(services.settings, services.database, threading.Event())
    forwarder.look()
    for thread in forwarder.busy.values():
        thread.join()


def test_a_complete_slide_of_a_case_goes_to_the_archive(
    services: Services, tiny_svs: Path, archive: Orthanc
) -> None:
    database = services.database
    order(database, "P1", "P1-A1-1")
    dicom_peers.put(database, Peer("archive", "ARCHIVE", url=archive.web_url, unit=UNIT), "me")
    forward_rules.add(database, "archive", ForwardWhat(ForwardOn.SLIDE_COMPLETE), "me")
    slide = finish(services, tiny_svs)
    assert choose(database) == 0, "it has no case yet"
    attach(services, slide, "P1", "P1-A1-1")
    work(services)
    (sent,) = forwarding.listing(database)
    assert (sent.state, sent.reason) == (ForwardState.SENT, "")
    there = pixels_here(services, slide.slide_id)
    assert len(there) > 1
    assert {uid: archive.pixels().get(uid) for uid in there} == there
