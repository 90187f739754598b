"""The arithmetic of a slow line: rate, delay, loss, and TCP's window for each connection.

Pure: time is handed in, so it can be tried in no time. `link.py` carries real bytes by it, and
`docs/remote.md` says what it leaves out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random

PACKET = 1460
"""Bytes of payload in a full packet."""
HEADERS = 40
"""Bytes of IPv4 and TCP before it; the rate counts them."""
_FIRST_WINDOW = 10
_LEAST_WINDOW = 2
_FOLLOWERS = 3
_LEAST_TIMEOUT = 0.2
_BURST = 0.01
"""Seconds of the line's rate that a paced sender hands over in one go."""


@dataclass(frozen=True)
class Link:
    """A line: `rate` in bits a second each way, `rtt` and `queue` in seconds, `loss` a packet."""

    rate: float = 20e6
    rtt: float = 0.120
    loss: float = 0.005
    queue: float = 0.120
    """What may wait before the line; a packet that finds more than that is dropped."""
    backs_off: bool = True
    """Every loss is taken for a full line, as Reno and nearly CUBIC do. BBR does not, and paces."""

    @property
    def timeout(self) -> float:
        """Seconds until a lost packet that few others follow is sent again."""
        return _LEAST_TIMEOUT + self.rtt

    @property
    def most_window(self) -> float:
        """Packets: without backing off a window stops at twice what the line holds (BBR)."""
        full = 2 * self.rate * self.rtt / 8 / (PACKET + HEADERS)
        return float("inf") if self.backs_off else max(_FIRST_WINDOW, full)


class Line:
    """One direction of the line, first come first served, shared by all connections."""

    def __init__(self, link: Link) -> None:
        self._link, self._free_at = link, 0.0

    def transmit(self, now: float, size: int) -> float | None:
        """When a packet that is handed over now has arrived; None where there is no more room."""
        starts = max(now, self._free_at)
        if starts - now > self._link.queue:
            return None
        self._free_at = starts + self.seconds(size)
        return self._free_at + self._link.rtt / 2

    def seconds(self, size: int) -> float:
        """How long a packet of so many bytes of payload occupies the line."""
        return (size + HEADERS) * 8 / self._link.rate


@dataclass(slots=True)
class Packet:
    """One packet on its way; `arrives` moves forward when three others follow a lost one."""

    sent: float
    arrives: float
    lost: bool = False
    followers: int = 0


class Flow:
    """One direction of one connection: its window in packets, and what it does about losses."""

    def __init__(self, link: Link, line: Line, random: Random, opens: float = 0.0) -> None:
        self._link, self._line, self._random, self._opens = link, line, random, opens
        self._window, self._threshold = float(_FIRST_WINDOW), float("inf")
        self._flying: list[Packet] = []
        self._missing: deque[Packet] = deque()
        self._halved, self._last, self._pace = -1.0, opens, 0.0

    def wait(self, now: float) -> float:
        """Seconds until another packet may leave, 0 for now."""
        self._settle(now)
        if now < self._opens:
            return self._opens - now
        if self._pace - now > _BURST:
            return self._pace - now - _BURST / 2
        if len(self._flying) < int(self._window):
            return 0.0
        return max(0.0, min(map(self._acknowledged, self._flying)) - now)

    def send(self, now: float, size: int) -> Packet:
        """Let a packet leave now."""
        idle = not self._flying and now - self._last > self._link.timeout
        if idle and self._link.backs_off:  # RFC 2861, Linux's default
            self._window = min(self._window, float(_FIRST_WINDOW))
        self._last = now
        if not self._link.backs_off:
            self._pace = max(now, self._pace) + self._line.seconds(size)
        arrives = self._line.transmit(now, size)
        if arrives is None or self._random.random() < self._link.loss:
            again = now + self._link.timeout + self._link.rtt / 2 + self._line.seconds(size)
            packet = Packet(now, again, lost=True)
            self._missing.append(packet)
        else:
            packet = Packet(now, arrives)
            self._noticed(arrives, size)
        self._flying.append(packet)
        return packet

    def _noticed(self, arrives: float, size: int) -> None:
        """Three that arrive after a missing one bring it again, a round trip later."""
        for packet in [*self._missing]:
            packet.followers += 1
            if packet.followers == _FOLLOWERS:
                again = arrives + self._link.rtt + self._line.seconds(size)
                if again < packet.arrives:
                    packet.arrives = again
                    self._missing.remove(packet)
                    self._shrink(packet, self._window / 2)

    def _settle(self, now: float) -> None:
        """Take note of what has been acknowledged, and of what never will be."""
        while self._missing and self._missing[0].sent + self._link.timeout <= now:
            self._shrink(self._missing.popleft(), 1.0)
        for packet in [at for at in self._flying if self._acknowledged(at) <= now]:
            self._flying.remove(packet)
            slow_start = self._window < self._threshold
            grown = self._window + (1.0 if slow_start else 1.0 / self._window)
            self._window = min(grown, self._link.most_window)

    def _shrink(self, packet: Packet, window: float) -> None:
        """Once for all losses of one window."""
        if packet.sent < self._halved or not self._link.backs_off:
            return
        self._halved = self._last
        self._threshold = max(_LEAST_WINDOW, self._window / 2)
        self._window = max(1.0, window)

    def _acknowledged(self, packet: Packet) -> float:
        return packet.arrives + self._link.rtt / 2
