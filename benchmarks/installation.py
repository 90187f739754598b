"""An installation with one complete slide, and its web app as a server to measure."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from flows.bundles import bundles_at
from flows.completion import complete
from flows.ingest import read_in
from flows.receive import receive
from flows.services import prepare_services
from storage import leases, people
from storage.records.geometry import deep_zoom_top
from storage.records.intake import IntakeState, Source
from storage.records.people import Role
from storage.settings import read_settings


@dataclass(frozen=True)
class Installation:
    """A data folder with a complete slide and somebody who may see it."""

    data: Path
    slide_id: str
    pyramid: Path
    top: int
    """Deep Zoom's number of level 0."""
    columns: int
    rows: int
    """Whole tiles of level 0."""
    header: str

    def tile(self, column: int, row: int, slide_id: str | None = None) -> str:
        """Address of a tile of level 0."""
        return f"/slides/{slide_id or self.slide_id}_files/{self.top}/{column}_{row}.jpeg"


def install(slide: Path, data: Path) -> Installation:
    """Read a slide in, both phases, and make a token."""
    services = prepare_services(read_settings(data))
    row, _ = receive(services, bundles_at(slide)[0], Source.COMMAND, "benchmark")
    for state, stage in ((IntakeState.RECEIVED, read_in), (IntakeState.READY, complete)):
        leases.claim(services.database, "bench:1", 600, (state,))
        stage(services, row.intake_id)
    people.ensure_person(services.database, "bench", Role.PATHOLOGIST)
    token = people.create_token(services.database, "bench", Role.PATHOLOGIST, 1)
    size = services.pyramids.describe(row.slide_id)[0].plan.size
    services.database.dispose()
    return Installation(
        data,
        row.slide_id,
        services.pyramids.path(row.slide_id),
        deep_zoom_top(size),
        size.width // 256,
        size.height // 256,
        f"Authorization: Bearer {token}",
    )


def uvicorn(app: str, port: int, *options: str, python: str = sys.executable) -> tuple[str, ...]:
    """Any app behind uvicorn as `svartid up` runs it."""
    quick = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error")
    return (python, "-m", "uvicorn", app, "--port", str(port), *quick, *options)


def web_app(port: int, workers: int = 1) -> tuple[str, ...]:
    """The command of svartid's web app."""
    return uvicorn("viewers.app:create_app", port, "--factory", "--workers", str(workers))
