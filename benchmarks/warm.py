"""Seconds from taking over to ready in a process that is warm, as the dispatcher's is."""

from __future__ import annotations

import shutil
from pathlib import Path

from flows.bundles import bundles_at
from flows.ingest import read_in
from flows.receive import receive
from flows.services import prepare_services
from storage import intake, leases
from storage.records.intake import IntakeState, Source
from storage.settings import read_settings


def warm_seconds(slide: Path, folder: Path, count: int) -> list[float]:
    """One figure a run, each on an empty data folder; the first run of the process not counted."""
    figures = []
    for number in range(count + 1):
        data = folder / f"warm-{number}"
        services = prepare_services(read_settings(data))
        row, _ = receive(services, bundles_at(slide)[0], Source.COMMAND, "benchmark")
        leases.claim(services.database, "bench:1", 600, (IntakeState.RECEIVED,))
        read_in(services, row.intake_id)
        figures.append(intake.get(services.database, row.intake_id).seconds or 0.0)
        services.database.dispose()
        shutil.rmtree(data)
    return [round(figure, 4) for figure in figures[1:]]
