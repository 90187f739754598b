"""A power cut in mid-association: what was acknowledged is there, nothing else is visible."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from dataclasses import dataclass, field

import sqlalchemy as sa
from pynetdicom import AE

from flows.services import Services
from storage import dicom_objects
from storage.dicom_files import object_path
from storage.records.imaging import PeerMay
from tests.flows.dicom_nodes import HOST, let_in
from tests.flows.node_process import NodeProcess, calling, kept_dataset, mend, store
from tests.journeys.running import wait_for
from tests.processing.dicom.objects import CT, EXPLICIT, element, identity

KILLS = 4


def an_object(number: int) -> bytes:
    """Some 40 kB, each with pixels of its own."""
    pixels = random.Random(number).randbytes(40_000)
    return b"".join([*identity(number), element(0x7FE00010, "OW", pixels)])


def uid(number: int) -> str:
    return f"1.2.826.0.1.9.{number}"


@dataclass
class Sender:
    """Stores one after the other until the node is gone; what it was told is kept."""

    port: int
    first: int
    acknowledged: list[int] = field(default_factory=list)

    def run(self) -> None:
        entity = AE("SENDER")
        entity.add_requested_context(CT, EXPLICIT)
        association = entity.associate(HOST, self.port, ae_title="SVARTID")
        mend(association)
        for number in range(self.first, self.first + 1000):
            if not association.is_established:
                return
            try:
                answer = store(association, an_object(number), uid(number))
            except (AssertionError, RuntimeError, ValueError, OSError):
                return
            if answer.get("Status") != 0x0000:
                return
            self.acknowledged.append(number)


def test_killed_in_mid_association(services: Services) -> None:
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    node, dice, acknowledged = NodeProcess(services), random.Random(7), list[int]()
    for kill in range(KILLS):
        node.start()
        assert not list(services.layout.dicom.glob("*.part"))
        senders = [Sender(node.port, 10_000 * (kill + 1) + 2000 * lane) for lane in range(3)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        wait_for(lambda: sum(len(at.acknowledged) for at in senders) > 10, 30, "some are kept")  # noqa: B023
        with socket.create_connection((HOST, node.port)):
            time.sleep(dice.uniform(0.0, 0.4))
            node.kill()
        for thread in threads:
            thread.join(60)
        acknowledged += [number for sender in senders for number in sender.acknowledged]
        check(services, acknowledged)
    node.start()
    with node, calling(node.port, "SENDER") as association:
        again = acknowledged[-1]
        assert store(association, an_object(again), uid(again)).Status == 0x0000
        assert not list(services.layout.dicom.glob("*.part"))


def check(services: Services, acknowledged: list[int]) -> None:
    """All that was acknowledged is there as it was sent; all that is visible is whole."""
    for number in acknowledged:
        assert kept_dataset(services, uid(number)) == an_object(number)
    query = sa.select(dicom_objects.dicom_object.c.sop_uid, dicom_objects.dicom_object.c.sha256)
    with services.database.reading() as connection:
        rows = connection.execute(query).all()
    assert {uid(number) for number in acknowledged} <= {row.sop_uid for row in rows}
    for row in rows:
        data = object_path(services.layout, row.sha256).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row.sha256
