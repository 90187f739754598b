"""A case whose glass waits to be scanned, and a node that scanners may tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.services import Services
from storage import cases, scanning, work_items
from storage.records.case_words import SlideState
from storage.records.imaging import PeerMay
from storage.records.work import WorkItem, WorkKind, WorkState
from tests.flows.dicom_nodes import NORTH, SOEREN, SOUTH, a_node, case, let_in, services_in

ACCESSION, GLASS = "P26-1", "P26-1-A1"


@dataclass
class Lab:
    services: Services
    port: int

    def glass(self, barcode: str = GLASS) -> SlideState:
        return cases.get(self.services.database, ACCESSION).slides[barcode].state

    def item(self) -> WorkItem:
        (item,) = work_items.listing(self.services.database, [WorkKind.SCAN], list(WorkState))
        return item


@contextmanager
def a_lab(folder: Path) -> Iterator[Lab]:
    """With two scanners, one of another unit, and a node that may only store."""
    services = services_in(folder)
    case(services, ACCESSION, SOEREN, GLASS, "P26-1-A2", unit=NORTH)
    scanning.queue_scan(services.database, GLASS, "tech")
    for title in ("GT450", "S360"):
        let_in(services, title)
    let_in(services, "SOUTH", SOUTH)
    let_in(services, "STORER", may=frozenset({PeerMay.STORE}))
    with a_node(services) as port:
        yield Lab(services, port)
    services.database.dispose()
