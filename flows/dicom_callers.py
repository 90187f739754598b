"""Who may call: a known AE title from the address that belongs to it, and asking for us."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass, field

from storage import dicom_peers
from storage.database import Database
from storage.records.imaging import Peer

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_FRESH = 2.0
"""Seconds the list is believed: a node taken off it is out that soon."""
_NAME_FRESH = 60.0
"""Seconds a name's addresses are believed."""


def address_of(text: str) -> Address:
    """An address as it is, also where IPv4 comes in the clothes of IPv6. Errors: ValueError."""
    address = ipaddress.ip_address(text.partition("%")[0])
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return plain or address


@dataclass(slots=True)
class Callers:
    """The allow-list. Thread-safe; names are looked up now and then, never in the accept loop."""

    database: Database
    _peers: list[Peer] = field(default_factory=list)
    _read_at: float = -1e9
    _names: dict[str, tuple[float, tuple[Network, ...]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def any_at(self, address: str) -> bool:
        """True when some node may call from there. Errors: Transient."""
        known = address_of(address)
        return any(self._is_at(peer, known) for peer in self._listing())

    def find(self, ae_title: str, address: str) -> Peer | None:
        """The node of that title, if it may call from there. Errors: Transient."""
        known, title = address_of(address), ae_title.strip()
        for peer in self._listing():
            if peer.ae_title == title:
                return peer if self._is_at(peer, known) else None
        return None

    def _listing(self) -> list[Peer]:
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH:
                self._peers = dicom_peers.listing(self.database)
                self._read_at = time.monotonic()
            return self._peers

    def _is_at(self, peer: Peer, address: Address) -> bool:
        """Loopback is a host like any other: let in when a node is said to be there."""
        return any(
            address in network for host in peer.host.split(",") for network in self._networks(host)
        )

    def _networks(self, host: str) -> tuple[Network, ...]:
        host = host.strip()
        if not host:
            return ()
        try:
            return (ipaddress.ip_network(host, strict=False),)
        except ValueError:
            return self._resolved(host)

    def _resolved(self, name: str) -> tuple[Network, ...]:
        at, networks = self._names.get(name, (-1e9, ()))
        if time.monotonic() - at <= _NAME_FRESH:
            return networks
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            networks = tuple(ipaddress.ip_network(address_of(str(at[4][0]))) for at in found)
        except (OSError, ValueError):
            networks = ()
        self._names[name] = time.monotonic(), networks
        return networks
