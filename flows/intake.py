"""The Prefect flows of a slide: reading it in, completing its pyramid.

A flow wraps work that runs without Prefect; the intake row is the truth, a run is its report.
Names and artifacts carry the slide's opaque id, never a file name or a person.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.services import Services
from storage import intake
from storage.catalogue import get_slide
from storage.errors import NotFound
from storage.records.intake import Intake, IntakeState


class Work:
    """What the calling lane hands to the flow it calls; a flow's parameters are text only."""

    def __init__(self, services: Services, run: Callable[[], None]) -> None:
        self.services, self.run = services, run


WORK: ContextVar[Work] = ContextVar("work")


@task(name="copy the scanner's levels", task_run_name="read in {slide_id}")
def read_in_slide(slide_id: str) -> str:
    """Phase one in the reading process."""
    return _run(slide_id)


@task(name="derive missing levels", task_run_name="complete {slide_id}")
def derive_levels(slide_id: str) -> str:
    """Phase two in the reading process."""
    return _run(slide_id)


@flow(name="read in slide", flow_run_name="read in {slide_id}", log_prints=False)
def intake_slide(slide_id: str, intake_id: str) -> State[str]:
    """From received file to readable slide."""
    _remember(intake_id)
    read_in_slide(slide_id)
    return _report(intake_id)


@flow(name="complete pyramid", flow_run_name="complete {slide_id}", log_prints=False)
def complete_pyramid(slide_id: str, intake_id: str) -> State[str]:
    """From readable slide to complete pyramid."""
    derive_levels(slide_id)
    return _report(intake_id)


@flow(name="report slide", flow_run_name="report {slide_id}", log_prints=False)
def report_slide(slide_id: str, intake_id: str) -> State[str]:
    """Report what was done while Prefect was away."""
    _remember(intake_id)
    return _report(intake_id)


FLOWS = {IntakeState.READING: intake_slide, IntakeState.COMPLETING: complete_pyramid}


def _run(slide_id: str) -> str:
    WORK.get().run()
    return slide_id


def _remember(intake_id: str) -> None:
    intake.set_flow_run(WORK.get().services.database, intake_id, str(flow_run.get_id()))


def _report(intake_id: str) -> State[str]:
    """Table for the operator, and a state whose name says how the slide ended."""
    services = WORK.get().services
    row = intake.get(services.database, intake_id)
    create_table_artifact(
        table=[_facts(services, row)],
        key=f"slide-{row.slide_id}",
        description=f"[Open slide {row.slide_id}](/slides/{row.slide_id})",
    )
    message = f"{row.slide_id}: {row.reason}" if row.reason else row.slide_id
    # Phase two may have begun meanwhile: what this run has to say is that the slide is ready.
    state = IntakeState.READY if row.state is IntakeState.COMPLETING else row.state
    return Completed(name=state.value.capitalize(), message=message)


def _facts(services: Services, row: Intake) -> dict[str, str]:
    seconds = row.complete_seconds or row.seconds
    facts = {
        "slide": row.slide_id,
        "state": row.state.value,
        "reason": row.reason or "",
        "MB": f"{row.bytes / 1e6:.1f}",
        "seconds": f"{seconds:.2f}" if seconds else "",
        "MB/s": f"{row.bytes / 1e6 / seconds:.1f}" if seconds else "",
    }
    try:
        slide = get_slide(services.database, row.slide_id)
    except NotFound:
        return facts
    _, present = services.pyramids.describe(row.slide_id)
    levels = " ".join(f"{at.size.width}x{at.size.height}" for at in present)
    return facts | {"levels": levels, "notices": " ".join(slide.metadata.notices)}
