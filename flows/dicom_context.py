"""What the parts of the DICOM node share: the node itself, and what each offers to callers.

A part is a module with `contexts() -> list[Offer]` and `handlers(node: Node) -> list[Handler]`; the
table of parts is in `flows.dicom_node`. A handler asks `node.caller(event.assoc)` who is calling.
"""

from __future__ import annotations

import secrets
import ssl
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pynetdicom.association import Association
from pynetdicom.events import EventType

from flows.dicom_export import ours_of
from flows.services import Services
from processing.dicom.echo import Ours
from storage.dicom_objects import Objects
from storage.dicom_peers import principal_of
from storage.records.imaging import Peer, PeerMay
from storage.records.people import Principal

AE_TITLE = "SVARTID"
UNCOMPRESSED = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
"""Explicit little endian, implicit, explicit big endian: for what is no image."""

Handler = tuple[EventType, Callable[..., Any]]


class Offer(NamedTuple):
    """An abstract syntax that callers may propose, if they may do what `needs` says.

    The roles are the caller's as DICOM negotiates them; both None is the default: caller is SCU.
    """

    abstract_syntax: str
    transfer_syntaxes: Sequence[str] = UNCOMPRESSED
    scu_role: bool | None = None
    scp_role: bool | None = None
    needs: PeerMay | None = None


class Caller(NamedTuple):
    """Who is at the other end of an association, and its name in the access log."""

    peer: Peer
    association: str

    def may(self, what: PeerMay) -> bool:
        """Whether that is allowed."""
        return what in self.peer.may

    @property
    def principal(self) -> Principal:
        """The caller as whoever asks."""
        return principal_of(self.peer, self.association)


@dataclass(frozen=True, slots=True)
class Node:
    """This DICOM node, one per process."""

    services: Services
    title: str = AE_TITLE
    calling: ssl.SSLContext | None = None
    """With what nodes are called that speak TLS; None: they cannot be called."""
    ours: Ours = field(init=False)
    """What tells instances that are made here, should they come back."""
    _callers: weakref.WeakKeyDictionary[Association, Caller] = field(
        default_factory=weakref.WeakKeyDictionary
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "ours", ours_of(self.services))

    @property
    def index(self) -> Objects:
        """The index of received objects."""
        return Objects(self.services.database)

    def admit(self, association: Association, peer: Peer) -> None:
        """Note who is calling."""
        self._callers[association] = Caller(peer, secrets.token_hex(6))

    def caller(self, association: Association) -> Caller:
        """Who is calling; KeyError when nobody has been let in."""
        return self._callers[association]

    def associations_of(self, peer: Peer) -> int:
        """How many of a node's associations are alive."""
        return sum(at.peer.name == peer.name for at in list(self._callers.values()))
