"""The Prefect flows of casework: each the report of one piece of work that runs without Prefect.

Names and parameters are opaque ids made for images, items, messages and runs; an accession, a
barcode or a person is never among them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from prefect import flow, task
from prefect.client.schemas.objects import State
from prefect.states import Completed

OUTCOME: ContextVar[Callable[[], str]] = ContextVar("outcome")
"""What the reporter hands to the flow it calls: waits for the work, and says how it ended."""


@task(name="hear metadata, label and scanner", task_run_name="match {slide_id}")
def find_glass(slide_id: str) -> str:
    """Which glass the image shows."""
    return OUTCOME.get()()


@task(name="record the root", task_run_name="commit {slide_id}")
def record_root(slide_id: str) -> str:
    """That every tile is proven."""
    return OUTCOME.get()()


@task(name="offer the scan again", task_run_name="take back {item_id}")
def offer_again(item_id: str) -> str:
    """What a dead scanner held."""
    return OUTCOME.get()()


@task(name="compare cases with their promises", task_run_name="keep time {run_id}")
def warn_and_demand(run_id: str) -> str:
    """Warnings, demands for preliminary answers, pauses that last."""
    return OUTCOME.get()()


@task(name="choose the pathologist", task_run_name="route {run_id}")
def choose(run_id: str) -> str:
    """By rules, explained."""
    return OUTCOME.get()()


@task(name="put the report in the outbox", task_run_name="deliver {message_id}")
def put_in_outbox(message_id: str) -> str:
    """Written whole, then recorded."""
    return OUTCOME.get()()


@task(name="look at every field of tissue", task_run_name="check {slide_id}")
def look_at_fields(slide_id: str) -> str:
    """Every check, and the verdict."""
    return OUTCOME.get()()


@flow(name="match slide", flow_run_name="match {slide_id}", log_prints=False)
def match_image(slide_id: str) -> State[str]:
    """From a readable image to its glass."""
    return _told(find_glass(slide_id), slide_id)


@flow(name="commit slide", flow_run_name="commit {slide_id}", log_prints=False)
def commit_image(slide_id: str) -> State[str]:
    """From a complete pyramid to the case's record of it."""
    return _told(record_root(slide_id), slide_id)


@flow(name="take scan back", flow_run_name="take back {item_id}", log_prints=False)
def take_back(item_id: str) -> State[str]:
    """From a scanner that fell silent to the queue."""
    return _told(offer_again(item_id), item_id)


@flow(name="keep time", flow_run_name="keep time {run_id}", log_prints=False)
def keep_time(run_id: str) -> State[str]:
    """Cases against their promises."""
    return _told(warn_and_demand(run_id), run_id)


@flow(name="route case", flow_run_name="route {run_id}", log_prints=False)
def route_case(run_id: str) -> State[str]:
    """From a case that is ready to its pathologist."""
    return _told(choose(run_id), run_id)


@flow(name="deliver message", flow_run_name="deliver {message_id}", log_prints=False)
def deliver_message(message_id: str) -> State[str]:
    """From a signed report to its receiver."""
    return _told(put_in_outbox(message_id), message_id)


@flow(name="check quality", flow_run_name="check {slide_id}", log_prints=False)
def assess_quality(slide_id: str) -> State[str]:
    """From a readable slide to the report of its quality."""
    return _told(look_at_fields(slide_id), slide_id)


def _told(outcome: str, about: str) -> State[str]:
    """A state whose name says how the work ended."""
    return Completed(name=outcome.replace("_", " ").capitalize(), message=about)
