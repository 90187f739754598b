"""TLS for DICOM by BCP 195: nothing older than 1.2, only suites with forward secrecy and AEAD.

Source: RFC 9325 (3.1, 4.2), RFC 8996, PS3.15 B.12 (non-downgrading BCP 195 profile).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from storage.errors import SettingsError

_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our certificate and key, and who vouches for those who call (all PEM)."""

    certificate: Path
    key: Path
    authority: Path | None = None


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """For the port; with an authority callers need a certificate of it. Errors: SettingsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context)
    _load(context, credentials)
    if credentials.authority is not None:
        _trust(context, credentials.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(authority: Path | None, credentials: Credentials | None) -> ssl.SSLContext:
    """For calling another node, whose certificate has to be of the authority, or of the system's.

    Errors: SettingsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _restrict(context)
    if authority is None:
        context.load_default_certs()
    else:
        _trust(context, authority)
    if credentials is not None:
        _load(context, credentials)
    return context


def _restrict(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE


def _load(context: ssl.SSLContext, credentials: Credentials) -> None:
    try:
        context.load_cert_chain(credentials.certificate, credentials.key)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{credentials.certificate} and {credentials.key} are no certificate and its key (PEM)"
        ) from error


def _trust(context: ssl.SSLContext, authority: Path) -> None:
    try:
        context.load_verify_locations(authority)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{authority} holds no certificates (PEM)") from error
