"""What several tests do with services: deliver, read in, look."""

from __future__ import annotations

from pathlib import Path

from flows.bundles import bundles_at
from flows.completion import complete
from flows.ingest import read_in
from flows.receive import receive
from flows.services import Services
from storage import intake, leases
from storage.catalogue import get_slide
from storage.records.intake import Intake, IntakeState, Source
from storage.records.slide import Slide


def deliver(services: Services, path: Path, *, move: bool = False) -> Intake:
    """Take one slide over."""
    (bundle,) = bundles_at(path)
    row, _ = receive(services, bundle, Source.COMMAND, "tester", move=move)
    return row


def claim(services: Services, row: Intake, state: IntakeState) -> Intake:
    claimed = leases.claim(services.database, "tester", 60, (state,), row.intake_id)
    assert claimed is not None
    return claimed


def finish(services: Services, path: Path) -> Slide:
    """A slide through both phases."""
    row = deliver(services, path)
    claim(services, row, IntakeState.RECEIVED)
    read_in(services, row.intake_id)
    claim(services, row, IntakeState.READY)
    complete(services, row.intake_id)
    return get_slide(services.database, row.slide_id)


def state_of(services: Services, row: Intake) -> IntakeState:
    return intake.get(services.database, row.intake_id).state


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
