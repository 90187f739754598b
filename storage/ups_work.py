"""What is done to a step is done to the record of work: the one place where the two meet.

A scan is begun, goes on, is finished or comes to nothing as over /api/v1/work; a question is
accepted, answered or declined as on the screens, with the same rights; an analysis is claimed and
ended. Each with its step, in one transaction. Errors: NotFound (no such step within reach), Illegal
(`not_allowed`, and what the record of work refuses).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storage import cases, events, imaging, scanning, work_items
from storage.case_log import Said
from storage.case_tables import pathology_case
from storage.database import Database
from storage.errors import Illegal
from storage.received_series import concern_of_received
from storage.records.access import Relation, decide
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.people import SVARTID, Principal, Right, allowed
from storage.records.reading_events import (
    ConsultationAccepted,
    ConsultationAnswered,
    ConsultationDeclined,
)
from storage.records.slide_events import ScanWithdrawn
from storage.records.ups import NewAnalysis, ShownStep, StepEvent, StepResult
from storage.records.work import WorkItem, WorkKind, WorkState
from storage.relations import concern_of_case, concern_of_slide
from storage.ups_journal import GIVEN_UID, tell
from storage.ups_steps import SERIES, exists, find, is_newest, item_in, lock, say, worker

_SOURCE = "ups"


def create(database: Database, who: Principal, uid: str, new: NewAnalysis) -> ShownStep:
    """Ask a program to work on images. Errors: Illegal (`not_allowed`, `uid_known`)."""
    who = worker(database, who)
    if not allowed(who, Right.DO_WORK):
        raise Illegal("not_allowed")
    about = _about(database, who, new)
    try:
        with database.transaction() as connection:
            events.hold(connection)
            if exists(connection, uid):
                raise Illegal("uid_known")
            about["data"] |= {GIVEN_UID: uid, "label": new.label}
            work_items.offer(connection, WorkKind.ANALYSIS, who.name, **about)
            say(connection, uid, new.said)
    except IntegrityError:
        raise Illegal("uid_known") from None
    return find(database, who, uid)


def claim(database: Database, who: Principal, uid: str, transaction_uid: str) -> None:
    """Begin to perform a step that waits; from now on by its Transaction UID."""
    who = worker(database, who)
    with database.transaction() as connection:
        item = _held(connection, who, uid)
        if item.state is not WorkState.OFFERED:  # also its own: one key opens a step, no second
            raise Illegal("has_begun")
        match item.kind:
            case WorkKind.SCAN:
                scanning.start_in(connection, item.item_id, who.name)
            case WorkKind.CONSULTATION:
                _answering(database, who, item)
                _say_of(connection, item, ConsultationAccepted(item.about, who.name), who)
            case _:
                work_items.claim(connection, item.item_id, who.name)
        lock(connection, uid, transaction_uid)


def note(
    database: Database, who: Principal, uid: str, said: Mapping[str, Any], told: list[_News]
) -> None:
    """Keep what is said of a step; who performs it is heard of thereby."""
    who = worker(database, who)
    with database.transaction() as connection:
        item = _held(connection, who, uid)
        if item.kind is WorkKind.SCAN and item.state is WorkState.CLAIMED:
            scanning.beat_in(connection, item.item_id, who.name)
        elif item.state is WorkState.CLAIMED:
            _demand_performer(item, who)
        elif item.kind is WorkKind.CONSULTATION:
            _answering(database, who, item)
        say(connection, uid, said)
        for event, data in told:
            tell(connection, uid, event, data)


def finish(database: Database, who: Principal, uid: str, result: StepResult) -> None:
    """The step is performed. Errors also: Illegal (`conclusion_missing`)."""
    who = worker(database, who)
    with database.transaction() as connection:
        item = _held(connection, who, uid)
        _demand_performer(item, who)
        match item.kind:
            case WorkKind.SCAN:
                scanning.finish_in(connection, item.item_id, who.name)
            case WorkKind.CONSULTATION:
                _answering(database, who, item)
                if not result.conclusion.strip():
                    raise Illegal("conclusion_missing")
                words = (item.about, who.name, result.conclusion, result.agreement)
                _say_of(connection, item, ConsultationAnswered(*words), who)
            case _:
                work_items.end(connection, item.item_id, WorkState.DONE)


def give_up(database: Database, who: Principal, uid: str, reason: str) -> None:
    """The performer stops before it is done; a scan is offered again, as a step of its own."""
    who = worker(database, who)
    with database.transaction() as connection:
        item = _held(connection, who, uid)
        _demand_performer(item, who)
        match item.kind:
            case WorkKind.SCAN:
                scanning.fail_in(connection, item.item_id, who.name, reason)
            case WorkKind.CONSULTATION:
                _answering(database, who, item)
                _say_of(connection, item, ConsultationDeclined(item.about, reason), who)
            case _:
                work_items.end(connection, item.item_id, WorkState.FAILED, reason)


def call_off(database: Database, who: Principal, uid: str, reason: str) -> None:
    """Nobody needs a step that waits: by who asked for it, and for the laboratory's work, by the
    laboratory; a question is withdrawn by who asked it, on the case."""
    who = worker(database, who)
    with database.transaction() as connection:
        item = _held(connection, who, uid)
        lab = allowed(who, Right.RUN_LAB)
        if item.kind is WorkKind.SCAN and lab:
            _say_of(connection, item, ScanWithdrawn(item.barcode or "", item.item_id), who)
        elif item.kind is WorkKind.ANALYSIS and (lab or item.created_by == who.name):
            work_items.end(connection, item.item_id, WorkState.CANCELLED, reason)
        else:
            raise Illegal("not_allowed")


def ask_to_stop(database: Database, who: Principal, uid: str, told: Mapping[str, Any]) -> None:
    """Tell subscribers, the performer among them, that somebody wants a step stopped."""
    who = worker(database, who)
    with database.transaction() as connection:
        _held(connection, who, uid)
        tell(connection, uid, StepEvent.CANCEL_REQUESTED, told)


_News = tuple[StepEvent, Mapping[str, Any]]


def _held(connection: Connection, who: Principal, uid: str) -> WorkItem:
    """The item of a step that has not ended."""
    events.hold(connection)
    item = item_in(connection, who, uid)
    if not is_newest(connection, item.item_id, uid):
        raise Illegal("work_ended")
    return item


def _demand_performer(item: WorkItem, who: Principal) -> None:
    if item.performer != who.name:
        raise Illegal("claimed_by_another")


def _answering(database: Database, who: Principal, item: WorkItem) -> None:
    """Only who was asked may accept, decline and answer."""
    relation = concern_of_case(database, who, item.accession or "").relation
    if not decide(who, Right.ANSWER, relation):
        raise Illegal("not_allowed")


def _say_of(
    connection: Connection,
    item: WorkItem,
    fact: ConsultationAccepted | ConsultationAnswered | ConsultationDeclined | ScanWithdrawn,
    who: Principal,
) -> None:
    cases.record_in(connection, item.accession or "", fact, Said(who.name, _SOURCE))


def _about(database: Database, who: Principal, new: NewAnalysis) -> dict[str, Any]:
    """The case and slide that images here belong to; Illegal where they are not for `who`."""
    wanted = Wanted(study_uids=new.study_uids, series_uids=new.series_uids)
    named = bool(new.series_uids or new.study_uids)
    found = imaging.series(database, SVARTID, wanted) if named else []
    for entry in found:
        if not decide(who, Right.DO_WORK, _relation(database, who, entry)):
            raise Illegal("not_allowed")
    accessions = {at.accession for at in found if at.accession and not at.received}
    slides = {at.slide_id for at in found if at.slide_id}
    about: dict[str, Any] = {"rank": new.urgency, "due_at": new.due_at, "data": {}}
    about |= {"unit": who.unit, "site": who.site}
    if found:
        about["data"] = {SERIES: [at.series_uid for at in found]}
    if len(slides) == 1:
        about["slide_id"] = slides.pop()
    if len(accessions) == 1:
        about |= _case_of(database, accessions.pop())
    return about


def _relation(database: Database, who: Principal, entry: SeriesEntry) -> Relation | None:
    if entry.received:
        concern = concern_of_received(database, who, entry.series_uid)
    else:
        concern = concern_of_slide(database, who, entry.slide_id or "")
    return concern.relation if concern else None


def _case_of(database: Database, accession: str) -> dict[str, str]:
    query = sa.select(pathology_case.c.unit, pathology_case.c.site)
    with database.reading() as connection:
        row = connection.execute(query.where(pathology_case.c.accession == accession)).one()
    return {"accession": accession, "unit": row.unit, "site": row.site}
