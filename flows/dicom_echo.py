"""C-ECHO: whether another node answers."""

from __future__ import annotations

from pynetdicom.presentation import build_context

from flows.dicom_sending import associated, where_is
from flows.dicom_tls import client_context
from flows.forwarding_line import SPEAKS_FOR_US, Unreached
from storage.errors import SettingsError
from storage.records.imaging import Peer
from storage.settings import Settings

_VERIFICATION = "1.2.840.10008.1.1"


def echo(peer: Peer, settings: Settings) -> str:
    """Empty when the node answers; else why not, in words."""
    try:
        tls = client_context(settings.peer_authority, None) if peer.tls else None
        where = where_is(peer, SPEAKS_FOR_US, tls)
        with associated(where, [build_context(_VERIFICATION)]) as association:
            status = association.send_c_echo()
    except (Unreached, SettingsError) as error:
        return str(error)
    except (ValueError, RuntimeError):
        return "it lets us in, but does not speak of C-ECHO"
    return "" if status.get("Status") == 0x0000 else "it does not answer"
