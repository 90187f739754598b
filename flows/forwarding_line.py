"""How objects get to another node: words that DIMSE and DICOMweb share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from processing.dicom.instance import Instance
from storage.errors import Transient

SPEAKS_FOR_US = "SVARTID"
"""Our AE title, where no other is given."""


_WORDS = {
    "peer_away": "nobody answers there",
    "peer_refuses": "it does not let us in",
    "peer_busy": "it takes nothing just now",
    "peer_untrusted": "its certificate is not trusted",
    "peer_silent": "it has fallen silent",
    "no_token": "the token cannot be read",
}


class Unreached(Transient):
    """The node did not take part: it is away, or lets us not in. `reason` is why, in a word."""

    code = "peer_away"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or _WORDS.get(reason) or reason.replace("_", " "))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sent:
    """What the node said of one object: nothing against it, or why it does not take it."""

    sop_uid: str
    bytes: int
    why: str = ""
    """In a word, or the status in hexadecimal digits; empty where it is stored."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What shows a node who we are, and us who it is; never written down or logged."""

    token: str = ""
    ae_title: str = SPEAKS_FOR_US
    authority: Path | None = None
    """Certificates (PEM) of those whose word we take; None: the system's."""
    certificate: Path | None = None
    key: Path | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Line(Protocol):
    """A way to one node; closed when it is not needed any more."""

    def send(self, instances: Sequence[Instance]) -> Iterator[Sent]:
        """Send objects, telling of each when the node has answered. Errors: Unreached."""

    def commit(self, instances: Sequence[Instance], transaction_uid: str) -> bool | None:
        """Ask the node to keep them; whether it has said so, None where its word comes later."""

    def close(self) -> None:
        """Hang up."""
