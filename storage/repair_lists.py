"""The parts of the repair list, each a question to the tables, within the asker's reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import case_log
from storage.case_tables import case_slide, outbound, pathology_case, work_item
from storage.records.case_fold import fold
from storage.records.case_words import SlideState
from storage.records.people import Principal
from storage.records.repair import Repair, RepairAct, RepairKind
from storage.records.work import OPEN, WorkKind
from storage.tables import event

MOST = 200
"""Lines of one kind; whoever has more has another kind of problem."""
MOST_CASES = 100
"""Cases whose histories are looked through for oddities."""
TRIES = 3
"""A message that could not be delivered so often is told of."""
_TELLING = (
    "barcode", "part", "block", "stain", "slide_id", "order_id", "item_id", "pathologist",
    "consultation_id", "flag_id", "pause_id", "priority", "version", "reason",
)  # fmt: skip
"""Fields of a fact that tell which one it was; texts about the patient stay in the log."""
Reach = sa.Select[Any]


def set_asides(connection: Connection, principal: Principal, reach: Reach) -> Iterator[Repair]:
    """Facts that contradicted what was known, not settled yet."""
    settled = sa.select(event.c.key).where(event.c.kind == case_log.SETTLED)
    own = sa.literal("settled:event-").concat(sa.cast(event.c.event_id, sa.String))
    query = (
        sa.select(event)
        .where(event.c.kind == case_log.SET_ASIDE, own.not_in(settled))
        .order_by(event.c.event_id.desc())
    )
    rows = connection.execute(query.limit(5 * MOST)).all()
    named = {row.data["accession"] for row in rows}
    known, within = _known(connection, named), _within(connection, reach, named)
    for row in rows[:MOST]:
        accession = row.data["accession"]
        if accession in known and accession not in within:
            continue
        unit = row.data["fact"].get("unit")
        if accession not in known and unit not in (None, principal.unit):
            continue
        yield _set_aside(connection, row, has_case=accession in known)


def _set_aside(connection: Connection, row: Any, *, has_case: bool) -> Repair:  # noqa: ANN401
    data, kind = row.data, RepairKind.SET_ASIDE
    about = {name: data["fact"][name] for name in _TELLING if data["fact"].get(name)}
    if data["reason"] == "barcode_of_another_case":
        kind = RepairKind.TWO_ACCESSIONS
        owner = sa.select(case_slide.c.accession).where(
            case_slide.c.barcode == data["fact"].get("barcode")
        )
        about["other_accession"] = connection.execute(owner).scalar_one_or_none()
    told = data.get("occurred_at")
    return Repair(
        repair_id=f"event-{row.event_id}",
        kind=kind,
        accession=data["accession"],
        has_case=has_case,
        recorded_at=row.received_at,
        occurred_at=datetime.fromisoformat(told) if told else None,
        actor=row.actor,
        source=row.source,
        what=data["kind"],
        reason=data["reason"],
        about=about,
        acts=(RepairAct.RETRY, RepairAct.DISMISS),
    )


def oddities(connection: Connection, principal: Principal, reach: Reach) -> Iterator[Repair]:
    """What is recorded and odd: a line for a case and a kind, until all of it has been seen."""
    query = (
        sa.select(pathology_case.c.accession)
        .where(pathology_case.c.accession.in_(reach))
        .where(pathology_case.c.summary["oddities"].as_string() != "[]")
        .order_by(pathology_case.c.updated_at.desc())
    )
    seen = _seen(connection)
    for accession in connection.execute(query.limit(MOST_CASES)).scalars().all():
        log = {at.event_id: at for at in case_log.read_log(connection, accession)}
        found: dict[str, list[int]] = {}
        for oddity in fold(accession, log.values()).oddities:
            if oddity.event_id > seen.get((oddity.code, accession), 0):
                found.setdefault(oddity.code, []).append(oddity.event_id)
        for code, ids in found.items():
            last = log[max(ids)]
            yield Repair(
                repair_id=f"odd-{code}-{max(ids)}-{accession}",
                kind=RepairKind(code),
                accession=accession,
                has_case=True,
                recorded_at=last.received_at,
                occurred_at=last.occurred_at,
                actor=last.actor,
                source=last.source,
                what=type(last.fact).__name__,
                about={"event_ids": sorted(ids)},
                count=len(ids),
                acts=(RepairAct.DISMISS,),
            )


def failed_scans(connection: Connection, principal: Principal, reach: Reach) -> Iterator[Repair]:
    """Glasses that no scanner will try again by itself."""
    query = (
        sa.select(case_slide, pathology_case.c.updated_at)
        .join(pathology_case, pathology_case.c.accession == case_slide.c.accession)
        .where(case_slide.c.state == SlideState.FAILED.value, case_slide.c.accession.in_(reach))
        .order_by(case_slide.c.expected_at.desc())
    )
    for row in connection.execute(query.limit(MOST)):
        started = row.detail.get("started_at")
        yield Repair(
            repair_id=f"scan-{row.barcode}",
            kind=RepairKind.SCAN_FAILED,
            accession=row.accession,
            has_case=True,
            recorded_at=row.updated_at,
            occurred_at=datetime.fromisoformat(started) if started else None,
            actor=row.detail.get("scanner") or "",
            reason=row.detail.get("reason") or "",
            about={"barcode": row.barcode, "tries": row.detail.get("failures", 0)},
            acts=(RepairAct.SCAN,),
        )


def undelivered(connection: Connection, principal: Principal, reach: Reach) -> Iterator[Repair]:
    """Messages that could not be delivered again and again."""
    query = (
        sa.select(outbound)
        .where(outbound.c.state == "waiting", outbound.c.attempts >= TRIES)
        .where(outbound.c.accession.in_(reach))
        .order_by(outbound.c.created_at.desc())
    )
    for row in connection.execute(query.limit(MOST)):
        about = {"destination": row.destination, "message": row.kind, "tries": row.attempts}
        yield Repair(
            repair_id=f"message-{row.message_id}",
            kind=RepairKind.UNDELIVERED,
            accession=row.accession,
            has_case=True,
            recorded_at=row.created_at,
            reason=row.reason,
            about=about | {"next_at": row.next_at.isoformat()},
            acts=(RepairAct.RETRY,),
        )


def long_pauses(connection: Connection, principal: Principal, reach: Reach) -> Iterator[Repair]:
    """Pauses that have lasted longer than the policy lets pass in silence."""
    query = (
        sa.select(work_item)
        .where(work_item.c.kind == WorkKind.LONG_PAUSE.value)
        .where(work_item.c.state.in_([state.value for state in OPEN]))
        .where(work_item.c.accession.in_(reach))
        .order_by(work_item.c.created_at.desc())
    )
    for row in connection.execute(query.limit(MOST)):
        yield Repair(
            repair_id=f"pause-{row.item_id}",
            kind=RepairKind.LONG_PAUSE,
            accession=row.accession,
            has_case=True,
            recorded_at=row.created_at,
            actor=row.created_by,
            about={"pause_id": row.about, **row.data},
            acts=(RepairAct.DISMISS,),
        )


def _known(connection: Connection, accessions: set[str]) -> set[str]:
    query = sa.select(pathology_case.c.accession).where(pathology_case.c.accession.in_(accessions))
    return set(connection.execute(query).scalars())


def _within(connection: Connection, reach: Reach, accessions: set[str]) -> set[str]:
    return set(
        connection.execute(reach.where(pathology_case.c.accession.in_(accessions))).scalars()
    )


def _seen(connection: Connection) -> dict[tuple[str, str], int]:
    """Up to which event the oddities of a case and a kind have been looked at."""
    query = sa.select(event.c.key).where(
        event.c.kind == case_log.SETTLED, event.c.key.like("settled:odd-%")
    )
    seen: dict[tuple[str, str], int] = {}
    for key in connection.execute(query).scalars():
        code, upto, accession = key.removeprefix("settled:odd-").split("-", 2)
        seen[code, accession] = max(int(upto), seen.get((code, accession), 0))
    return seen
