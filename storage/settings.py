"""Settings are read once from the environment and handed in; only entry points call this."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import SettingsError
from storage.layout import Layout


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set, with its default; each is named in docs/settings.md."""

    data: Path
    database_url: str
    workers: int = 2
    web_workers: int = 1
    """Processes that answer the web; each keeps its own caches."""
    keep_alive: float = 15.0
    """Seconds a lease lives without being renewed."""
    settle_seconds: float = 2.0
    """A file in the watch folder is whole when size and time stood still that long."""
    dicom_settle_seconds: float = 5.0
    """A received DICOM series is whole when nothing has come for it that long."""
    dicom_workers: int = 2
    """Processes of the DICOM node on its one port."""
    phase_one_limit: float = 3600.0
    """Seconds until reading a slide is given up."""
    memory_limit_mb: int = 4096
    """Address space a reading process may add, in MiB; 0 is no limit."""
    max_upload_bytes: int = 64 * 2**30
    quality: bool = True
    """Check every slide that becomes readable."""
    secure_cookies: bool = False
    """True behind TLS: the session cookie gets the `__Host-` prefix."""
    route_at: str = "ready"
    """When the rules give a case its pathologist: ready, accessioned, or never."""
    origin: str = ""
    """The address people use when it differs from the Host header (behind a proxy)."""
    accession_prefixes: Mapping[str, str] = field(default_factory=dict)
    """By unit, how accession numbers begin that svartid makes; others begin with the unit."""
    peer_tokens: Mapping[str, str] = field(default_factory=dict)
    """By DICOM node, where its DICOMweb token is read: a file, or `env:` and a variable's name."""
    peer_authority: Path | None = None
    """Certificates (PEM) by which nodes are known that speak TLS; None: the system's."""

    @property
    def layout(self) -> Layout:
        """Paths below the data folder."""
        return Layout(self.data)


def read_settings(data: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from `env` (default: the process's); SettingsError names what is wrong."""
    env = os.environ if env is None else env
    root = (data or Path(env.get("SVARTID_DATA") or "data")).expanduser().absolute()
    return Settings(
        data=root,
        database_url=_database_url(env.get("SVARTID_DATABASE_URL"), Layout(root)),
        workers=int(_number(env, "SVARTID_WORKERS", 2, 1, 64)),
        web_workers=int(_number(env, "SVARTID_WEB_WORKERS", 1, 1, 64)),
        keep_alive=_number(env, "SVARTID_LEASE_SECONDS", 15, 1, 3600),
        settle_seconds=_number(env, "SVARTID_SETTLE_SECONDS", 2, 0.1, 3600),
        dicom_settle_seconds=_number(env, "SVARTID_DICOM_SETTLE_SECONDS", 5, 0.1, 3600),
        dicom_workers=int(_number(env, "SVARTID_DICOM_WORKERS", 2, 1, 16)),
        phase_one_limit=_number(env, "SVARTID_READ_LIMIT_SECONDS", 3600, 1, 86400),
        memory_limit_mb=int(_number(env, "SVARTID_READ_LIMIT_MB", 4096, 0, 1 << 20)),
        max_upload_bytes=int(_number(env, "SVARTID_MAX_UPLOAD_BYTES", 64 * 2**30, 1, 2**50)),
        route_at=_word(env, "SVARTID_ROUTE_AT", ("ready", "accessioned", "never")),
        quality=_word(env, "SVARTID_QUALITY", ("on", "off")) == "on",
        secure_cookies=env.get("SVARTID_SECURE_COOKIES", "") == "1",
        origin=env.get("SVARTID_ORIGIN", "").rstrip("/"),
        accession_prefixes=_pairs(env, "SVARTID_ACCESSION_PREFIXES"),
        peer_tokens=_places(env, "SVARTID_PEER_TOKENS"),
        peer_authority=Path(authority) if (authority := env.get("SVARTID_PEER_CA")) else None,
    )


def _database_url(configured: str | None, layout: Layout) -> str:
    if not configured:
        return f"sqlite:///{layout.database}"
    scheme, separator, rest = configured.partition("://")
    if not separator or scheme.split("+")[0] not in {"sqlite", "postgresql", "postgres"}:
        raise SettingsError(
            "SVARTID_DATABASE_URL must begin with sqlite:// or postgresql://, "
            "for example postgresql://user@host/svartid"
        )
    if scheme in {"postgresql", "postgres"}:
        return f"postgresql+psycopg://{rest}"
    return configured


def _pairs(env: Mapping[str, str], name: str) -> dict[str, str]:
    """`unit=PREFIX,unit=PREFIX`."""
    found = {}
    for pair in filter(None, (at.strip() for at in env.get(name, "").split(","))):
        unit, equals, prefix = (at.strip() for at in pair.partition("="))
        if not (equals and unit and prefix.isalnum() and len(prefix) <= 20):
            raise SettingsError(f"{name} must be like unit=PREFIX,unit=PREFIX, not {pair!r}")
        found[unit] = prefix
    return found


def _places(env: Mapping[str, str], name: str) -> dict[str, str]:
    """`node=FILE,node=env:VARIABLE`."""
    found = {}
    for pair in filter(None, (at.strip() for at in env.get(name, "").split(","))):
        node, equals, place = (at.strip() for at in pair.partition("="))
        if not (equals and node and place):
            raise SettingsError(f"{name} must be like node=FILE,node=env:VARIABLE")
        found[node] = place
    return found


def _word(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """One of the words; the first where nothing is said."""
    word = env.get(name) or words[0]
    if word not in words:
        raise SettingsError(f"{name} must be {', '.join(words[:-1])} or {words[-1]}, not {word!r}")
    return word


def _number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} must be a number, not {text!r}") from None
    if not low <= value <= high:
        raise SettingsError(f"{name} must lie between {low:g} and {high:g}")
    return value
