"""`svartid up`: Prefect's server, dispatcher, watch folder, casework, forwarder and web in one."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import secrets
import signal
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from flows.processes import Life, Program, keep_running, python, run_once
from storage.board import write_board
from storage.layout import Layout
from storage.settings import Settings

_LOG = logging.getLogger("svartid")
_PREFECT_LAUNCH = "flows.prefect_server"
_WEB_LAUNCH = "flows.web_server"
_NODE_LAUNCH = "flows.dicom_node"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the web app listens, and how people reach it."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False

    @property
    def url(self) -> str:
        """The address to print."""
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DicomAddress:
    """Where the DICOM node listens, and by what it is known over TLS; without port: nowhere."""

    host: str = "127.0.0.1"
    port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class PrefectAddress:
    """The Prefect server on loopback and the credential made for this run."""

    port: int
    credential: str

    @property
    def api(self) -> str:
        """Base of its API."""
        return f"http://127.0.0.1:{self.port}/api"


def free_port() -> int:
    """A loopback port nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def supervise(
    settings: Settings, address: Address, dicom: DicomAddress, *, demo: bool = False
) -> None:
    """Run everything until SIGTERM or SIGINT; returns when all process groups are gone."""
    prefect = PrefectAddress(free_port(), f"svartid:{secrets.token_urlsafe(24)}")
    lives = [Life(program) for program in _programs(settings, address, dicom, prefect)]
    board = _Board(settings.layout, address, lives)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    board.write()
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(keep_running(life, _say, board.write)) for life in lives
    ]
    tasks.append(asyncio.create_task(board.watch_prefect(prefect)))
    if demo:
        program = Program("demo", python("flows.demo"), {"SVARTID_DATA": str(settings.data)})
        tasks.append(asyncio.create_task(run_once(Life(program), _say, lambda: None)))
    await stop.wait()
    _LOG.info("stopping")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    board.write()


class _Board:
    """The state of all processes in one small file, for the ops page and the doctor."""

    def __init__(self, layout: Layout, address: Address, lives: list[Life]) -> None:
        self._layout = layout
        self._address, self._lives = address, lives
        self._prefect = "starting"
        self._started = datetime.now(UTC)

    def write(self) -> None:
        """Replace the file whole."""
        document = {
            "url": self._address.url,
            "started_at": self._started.isoformat(),
            "supervisor": os.getpid(),
            "prefect": self._prefect,
            "processes": [
                {
                    "name": life.program.name,
                    "state": life.state,
                    "pid": life.pid,
                    "restarts": life.restarts,
                    "since": life.since.isoformat(),
                }
                for life in self._lives
            ],
        }
        write_board(self._layout, document)

    async def watch_prefect(self, prefect: PrefectAddress) -> None:
        """Note whether Prefect answers, until cancelled."""
        async with httpx.AsyncClient(timeout=2) as client:
            while True:
                state = await self._ask(client, prefect)
                if state != self._prefect:
                    self._prefect = state
                    _LOG.info("prefect is %s", state)
                    self.write()
                await asyncio.sleep(1 if state == "starting" else 3)

    async def _ask(self, client: httpx.AsyncClient, prefect: PrefectAddress) -> str:
        try:
            answer = await client.get(f"{prefect.api}/health")
            if answer.status_code == httpx.codes.OK:
                return "up"
        except httpx.HTTPError:
            pass
        return "starting" if self._prefect == "starting" else "down"


def _programs(
    settings: Settings, address: Address, dicom: DicomAddress, prefect: PrefectAddress
) -> list[Program]:
    common = {
        "SVARTID_DATA": str(settings.data),
        "PYTHONUNBUFFERED": "1",
        "DO_NOT_TRACK": "1",
    }
    client = common | {
        "PREFECT_API_URL": prefect.api,
        "PREFECT_API_AUTH_STRING": prefect.credential,
        "PREFECT_HOME": str(settings.layout.prefect),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_CLIENT_MAX_RETRIES": "1",
    }
    server = common | _prefect_server(settings.layout, prefect)
    web = client if address.certificate is None else client | {"SVARTID_SECURE_COOKIES": "1"}
    return [
        *_web_programs(address, settings.web_workers, web),
        *_dicom_programs(dicom, settings.dicom_workers, common),
        Program("dispatcher", python("flows.dispatcher"), client),
        Program("watch", python("flows.watch"), common),
        Program("casework", python("flows.casework"), client),
        Program("forwarder", python("flows.forwarder"), common),
        *_quality_programs(settings, client),
        Program("prefect", python(_PREFECT_LAUNCH, str(prefect.port)), server),
    ]


def _quality_programs(settings: Settings, environment: dict[str, str]) -> list[Program]:
    if not settings.quality:
        return []
    return [Program("quality", python("flows.quality_process"), environment)]


def _prefect_server(layout: Layout, prefect: PrefectAddress) -> dict[str, str]:
    database = layout.prefect / "prefect.sqlite"
    return {
        "PREFECT_HOME": str(layout.prefect),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        "PREFECT_SERVER_API_AUTH_STRING": prefect.credential,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_SERVE_BASE": "/ops/prefect",
        "PREFECT_UI_API_URL": "/ops/prefect/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "null",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    }


def _web_programs(address: Address, count: int, environment: dict[str, str]) -> list[Program]:
    arguments = [address.host, str(address.port)]
    arguments += ["--proxy-headers"] if address.behind_proxy else []
    if address.certificate and address.key:
        arguments += ["--certificate", str(address.certificate), "--key", str(address.key)]
    names = ["web", *(f"web {number}" for number in range(2, count + 1))]
    return [Program(name, python(_WEB_LAUNCH, *arguments), environment) for name in names]


def _dicom_programs(dicom: DicomAddress, count: int, environment: dict[str, str]) -> list[Program]:
    """The node's processes; the first also calls those who wait for an answer."""
    if dicom.port is None:
        return []
    arguments = [dicom.host, str(dicom.port)]
    files = (("certificate", dicom.certificate), ("key", dicom.key), ("ca", dicom.authority))
    for name, file in files:
        arguments += [f"--{name}", str(file)] if file else []
    first = Program("dicom", python(_NODE_LAUNCH, *arguments, "--answers"), environment)
    more = python(_NODE_LAUNCH, *arguments)
    names = [f"dicom {number}" for number in range(2, count + 1)]
    return [first, *(Program(name, more, environment) for name in names)]


def start_log(layout: Layout) -> None:
    """One readable log, on the terminal and rotated below DATA/logs."""
    line = logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    file = logging.handlers.RotatingFileHandler(
        layout.logs / "svartid.log", maxBytes=20_000_000, backupCount=5
    )
    for handler in (logging.StreamHandler(), file):
        handler.setFormatter(line)
        _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)


def _say(name: str, line: str) -> None:
    if line:
        _LOG.info("%-10s %s", name, line)
