"""The DICOM node under too many, too much and nonsense: it harms nobody, and it goes on."""

from __future__ import annotations

import random
import socket
import struct
from contextlib import suppress

import pydicom

from tests.flows.dicom_wire import association_request, connected, echoes
from tests.flows.node_process import NodeProcess, calling
from tests.journeys.running import wait_for


def test_one_node_has_a_bounded_number_of_associations(node: NodeProcess) -> None:
    held = list[socket.socket]()
    request = association_request("SENDER")
    try:
        for _ in range(24):
            held.append(connected(node.port))
            held[-1].sendall(request)
            assert held[-1].recv(1) == b"\x02"
        one_more = connected(node.port)
        held.append(one_more)
        one_more.sendall(request)
        assert one_more.recv(10)[0] == 0x03
        for _ in range(40):  # and connections from one address, whatever they do
            held.append(connected(node.port))
        assert node.threads < 100
    finally:
        for at in held:
            at.close()
    wait_for(lambda: echoes(node), 20, "there is room again")


def test_noise_on_the_port_harms_nobody(node: NodeProcess) -> None:
    dice, before = random.Random(11112), node.memory
    good = association_request("SENDER")
    for number in range(60):
        with connected(node.port) as wire:
            kind = number % 6
            noise = {
                0: dice.randbytes(dice.randrange(1, 400)),
                1: struct.pack(">BBI", 1, 0, 0xFFFFFFFF) + dice.randbytes(100),
                2: good[:6] + dice.randbytes(len(good) - 6),
                3: good[: dice.randrange(6, len(good))],
                4: b"GET / HTTP/1.1\r\n\r\n",
                5: good + struct.pack(">BBI", 4, 0, 2**31) + dice.randbytes(100),
            }[kind]
            wire.sendall(noise)
            if kind == 5:
                wire.settimeout(5)
                while wire.recv(4096):
                    pass
    with connected(node.port) as wire:  # one that begins and never goes on
        wire.sendall(good[:20])
        assert echoes(node)
    wait_for(lambda: node.threads < 20, 40, "what was said nothing sensible to is let go")
    assert node.memory - before < 32 * 1024
    assert "Traceback" not in node.said


def test_messages_beyond_all_bounds_end_the_association(node: NodeProcess) -> None:
    with connected(node.port) as wire:
        wire.sendall(association_request("SENDER"))
        wire.settimeout(20)
        assert wire.recv(4096)[0] == 0x02
        fragment = struct.pack(">IBB", 30_000 + 2, 1, 1) + bytes(30_000)  # a command, not the last
        pdu = struct.pack(">BBI", 4, 0, len(fragment)) + fragment
        before = node.memory
        with suppress(OSError):  # a broken pipe or a reset, as it comes
            wire.sendall(pdu * 2000)
        with suppress(ConnectionResetError):
            assert wire.recv(10)[:1] in (b"\x07", b"")
        assert node.memory - before < 16 * 1024
    assert "beyond all bounds" in node.said
    assert echoes(node)


def test_a_request_outside_its_context_is_not_served(node: NodeProcess) -> None:
    """A query sent in the context of a storage class."""
    with calling(node.port, "SENDER") as association:
        wanted = pydicom.Dataset()
        wanted.QueryRetrieveLevel = "STUDY"
        (context,) = association.accepted_contexts
        context._as_scu = True
        context.abstract_syntax = "1.2.840.10008.5.1.4.1.2.2.1"
        answers = list(association.send_c_find(wanted, "1.2.840.10008.5.1.4.1.2.2.1"))
        assert [status.get("Status") for status, _ in answers] == [None]
        wait_for(lambda: not association.is_established, 5, "it is aborted")
    assert "outside what was negotiated" in node.said
