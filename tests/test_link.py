"""The slow line is what it says: never faster than its rate and delay, nothing lost or mixed up."""

from __future__ import annotations

import hashlib
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.link import slow_line
from tests.link_model import HEADERS, PACKET, Flow, Line, Link, Packet

LINKS = st.builds(
    Link,
    rate=st.floats(1e6, 1e8),
    rtt=st.floats(0.005, 0.3),
    loss=st.floats(0, 0.05),
    queue=st.floats(0.02, 0.3),
)
SIZES = st.lists(st.integers(1, PACKET), min_size=1, max_size=200)


def sent(flows: list[Flow], sizes: list[int]) -> list[tuple[Packet, int]]:
    """Each flow in turn sends as soon as it may; every packet with its size."""
    clocks, packets = [0.0] * len(flows), []
    for at, size in enumerate(sizes):
        which = at % len(flows)
        while (wait := flows[which].wait(clocks[which])) > 0:
            clocks[which] += wait
        packets.append((flows[which].send(clocks[which], size), size))
    return packets


@given(link=LINKS, sizes=SIZES, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=100)
def test_no_packet_comes_before_half_a_round_trip(link: Link, sizes: list[int], seed: int) -> None:
    flow = Flow(link, Line(link), Random(seed), opens=link.rtt)
    for packet, size in sent([flow], sizes):
        assert packet.sent >= link.rtt, "the handshake comes first"
        least = link.rtt / 2 + (size + HEADERS) * 8 / link.rate
        assert packet.arrives - packet.sent >= least * (1 - 1e-9)
        if packet.lost:
            assert packet.arrives - packet.sent >= min(link.timeout, link.rtt) + link.rtt / 2


@given(
    link=LINKS,
    handed=st.lists(st.tuples(st.floats(0, 0.05), st.integers(1, PACKET)), min_size=2),
)
@settings(deadline=None, max_examples=100)
def test_the_line_never_carries_more_than_its_rate(
    link: Link, handed: list[tuple[float, int]]
) -> None:
    """Whoever sends: between any two arrivals there is time for all that came after the first."""
    line, now, arrived = Line(link), 0.0, []
    for pause, size in handed:
        now += pause
        at = line.transmit(now, size)
        if at is not None:
            arrived.append((at, size))
    for first in range(0, len(arrived), 7):
        carried = 0
        for at, size in arrived[first + 1 :]:
            carried += size + HEADERS
            assert at - arrived[first][0] >= carried * 8 / link.rate * (1 - 1e-6) - 1e-9


def test_the_window_opens_by_doubling_and_halves_after_a_loss() -> None:
    link = Link(rate=1e9, loss=0, queue=1)
    flow, rounds = Flow(link, Line(link), Random(1)), []
    for at in range(4):
        now = at * link.rtt * 1.01
        rounds.append(0)
        while flow.wait(now) == 0:
            flow.send(now, PACKET)
            rounds[-1] += 1
    assert rounds == [10, 20, 40, 80]
    now = 4 * link.rtt * 1.01
    lost = Flow(Link(rate=1e9, loss=1), Line(link), Random(1))
    lost.send(now, PACKET)
    later = now + link.timeout
    assert lost.wait(later) > 0, "after a timeout one packet at a time"


def test_losses_come_as_often_and_cost_as_much_as_stated() -> None:
    """0.5 % of many; amid a stream a round trip, at the end of what is sent the timeout."""
    link = Link(loss=0.005)
    packets = [packet for packet, _ in sent([Flow(link, Line(link), Random(3))], [PACKET] * 40_000)]
    lost = [at for at in packets if at.lost]
    assert 0.004 < len(lost) / len(packets) < 0.0065
    stalls = [packet.arrives - packet.sent for packet in lost]
    assert statistics.median(stalls) == pytest.approx(1.5 * link.rtt, rel=0.25)
    single = Flow(Link(loss=1), Line(link), Random(3)).send(0, PACKET)
    assert single.arrives == pytest.approx(0.2 + link.rtt + link.rtt / 2, abs=0.001)


def test_a_long_stream_gets_near_the_rate_and_a_short_one_does_not() -> None:
    link = Link(loss=0)
    many = sent([Flow(link, Line(link), Random(1))], [PACKET] * 20_000)
    seconds = many[-1][0].arrives
    assert 0.85 * link.rate < 20_000 * PACKET * 8 / seconds < link.rate
    tile = sent([Flow(link, Line(link), Random(1), opens=link.rtt)], [PACKET] * 12)
    assert tile[-1][0].arrives == pytest.approx(2.5 * link.rtt, abs=0.01), "12 packets, window 10"


@pytest.mark.parametrize(("backs_off", "least", "most"), [(True, 1e6, 3e6), (False, 12e6, 20e6)])
def test_losses_hold_back_one_connection_unless_it_stands_fast(
    backs_off: bool, least: float, most: float
) -> None:
    """Mathis and others 1997: 1.22 packets a round trip over the root of the loss, 2.1 Mbit/s."""
    link = Link(loss=0.005, backs_off=backs_off)
    packets = sent([Flow(link, Line(link), Random(2))], [PACKET] * 20_000)
    reached = 20_000 * PACKET * 8 / max(packet.arrives for packet, _ in packets)
    assert least < reached < most


def test_a_paced_sender_does_not_overrun_the_queue_after_a_pause() -> None:
    """Its window is open wide by then; the packets that do get lost are those of the line."""
    link = Link(loss=0, backs_off=False)
    flow = Flow(link, Line(link), Random(2))
    sent([flow], [PACKET] * 2000)
    now, packets = 60.0, []
    for _ in range(800):
        while (wait := flow.wait(now)) > 0:
            now += wait
        packets.append(flow.send(now, PACKET))
    assert not any(packet.lost for packet in packets)
    seconds = packets[-1].arrives - 60.0 - link.rtt / 2
    assert seconds == pytest.approx(800 * (PACKET + HEADERS) * 8 / link.rate, rel=0.05)


@contextmanager
def echo() -> Iterator[int]:
    """A server that gives back what it gets."""

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_bytes_come_back_whole_in_order_and_no_sooner(loss: float) -> None:
    link = Link(rate=20e6, rtt=0.05, loss=loss)
    sent_bytes = Random(5).randbytes(300_000)
    with echo() as port, slow_line(port, link) as relay:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", relay), timeout=20) as client:
            sender = threading.Thread(target=client.sendall, args=(sent_bytes,))
            sender.start()
            first = client.recv(1)
            first_after = time.monotonic() - began
            sender.join()
            client.shutdown(socket.SHUT_WR)
            rest = b"".join(iter(lambda: client.recv(65536), b""))
        seconds = time.monotonic() - began
    assert hashlib.sha256(first + rest).digest() == hashlib.sha256(sent_bytes).digest()
    assert first_after >= 2 * link.rtt, "handshake, there and back"
    assert seconds >= 2 * link.rtt + len(sent_bytes) * 8 / link.rate
