"""Steps as somebody may see them, found by UID or searched; and what others say of them.

Who may: whoever takes work (scanners, programs, laboratory staff) sees scans and analyses of their
own unit and site, or of none, by the glass, and never whose it is; whoever was asked for an opinion
sees that question, and whose case it is, for which the access log has a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage import dicom_peers, imaging, scanning, work_items
from storage.access_log import log_accesses
from storage.case_tables import pathology_case, patient, work_item
from storage.database import Database, now
from storage.dicom_uids import CASE, known_root
from storage.errors import NotFound
from storage.records.access import decide
from storage.records.imaging import PeerMay, SeriesEntry, Wanted, Whose
from storage.records.people import SVARTID, Principal, Right, Role, allowed
from storage.records.ups import FINAL, ShownStep, Step, StepsWanted
from storage.records.work import WorkItem, WorkKind
from storage.relations import concern_of_case
from storage.ups_journal import KINDS, newest, step_of_row
from storage.ups_tables import ups_step

SERIES = "series"
"""In an analysis' data: the UIDs of the series it is about."""
_LIVE = timedelta(days=7)
_WORK = tuple(kind.value for kind in KINDS if kind is not WorkKind.CONSULTATION)


def worker(database: Database, who: Principal) -> Principal:
    """A node that may ask for work does it as a device; everybody else as they are."""
    if who.role is not Role.NODE:
        return who
    try:
        peer = dicom_peers.get(database, who.name)
    except NotFound:
        return who
    if PeerMay.WORKLIST not in peer.may:
        return who
    return Principal(who.name, Role.DEVICE, who.session, who.site, who.unit)


def may_see(who: Principal) -> sa.ColumnElement[bool]:
    """The items of `work_item` that somebody is shown as steps."""
    work: sa.ColumnElement[bool] = sa.false()
    if allowed(who, Right.DO_WORK):
        near = ((work_item.c.unit, who.unit), (work_item.c.site, who.site))
        mine = [column.in_([value, ""]) for column, value in near if value]
        work = sa.and_(work_item.c.kind.in_(_WORK), *mine)
    asked: sa.ColumnElement[bool] = sa.false()
    if allowed(who, Right.ANSWER):
        of_mine = work_item.c.performer.in_([name for name in (who.name, who.unit) if name])
        asked = sa.and_(work_item.c.kind == WorkKind.CONSULTATION.value, of_mine)
    return sa.or_(work, asked)


def find(database: Database, who: Principal, uid: str) -> ShownStep:
    """One step; a line is written where it says whose case it is. Errors: NotFound."""
    found = search(database, who, StepsWanted(uids=(uid,)), 1)
    if not found:
        raise NotFound("there is no such step")
    return found[0]


def search(
    database: Database, who: Principal, wanted: StepsWanted, limit: int, offset: int = 0
) -> list[ShownStep]:
    """Steps within reach, most urgent first, then oldest."""
    query = _within_reach(who)
    if wanted.uids:
        query = query.where(ups_step.c.uid.in_(wanted.uids))
    if wanted.states:
        query = query.where(ups_step.c.state.in_([state.value for state in wanted.states]))
    if wanted.accession is not None:
        query = query.where(work_item.c.accession == wanted.accession)
    order = (work_item.c.rank.desc(), ups_step.c.created_at, ups_step.c.uid)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(*order).limit(limit).offset(offset))
        steps = [step_of_row(row) for row in rows]
        items = work_items.some_in(connection, [step.item_id for step in steps])
    return _shown(database, who, steps, items)


def within_reach(connection: Connection, who: Principal, uids: Sequence[str]) -> set[str]:
    """Which of some steps somebody may see; nothing is shown of them."""
    query = _within_reach(who).with_only_columns(ups_step.c.uid)
    return set(connection.execute(query.where(ups_step.c.uid.in_(uids))).scalars())


def live_within_reach(connection: Connection, who: Principal) -> list[str]:
    """The steps somebody may see that have not ended, or not long ago."""
    recent = ups_step.c.changed_at > now() - _LIVE
    open_still = ups_step.c.state.not_in([state.value for state in FINAL])
    query = _within_reach(who).with_only_columns(ups_step.c.uid)
    return list(connection.execute(query.where(sa.or_(recent, open_still))).scalars())


def item_in(connection: Connection, who: Principal, uid: str) -> WorkItem:
    """The work item of a step within reach, held. Errors: NotFound."""
    query = _within_reach(who).with_only_columns(ups_step.c.item_id)
    item_id = connection.execute(query.where(ups_step.c.uid == uid)).scalar_one_or_none()
    if item_id is None:
        raise NotFound("there is no such step")
    return work_items.get_in(connection, item_id)


def is_newest(connection: Connection, item_id: str, uid: str) -> bool:
    """Whether the step is what its item is now; else it has ended."""
    last = newest(connection, item_id)
    return last is not None and last.uid == uid


def say(connection: Connection, uid: str, said: Mapping[str, Any]) -> None:
    """Keep what somebody says of a step beside what was said before."""
    where = ups_step.c.uid == uid
    before = connection.execute(sa.select(ups_step.c.said).where(where)).scalar_one()
    values = {"said": {**before, **said}, "changed_at": now()}
    connection.execute(sa.update(ups_step).where(where).values(**values))


def lock(connection: Connection, uid: str, transaction_uid: str) -> None:
    """Whoever has that Transaction UID performs the step."""
    values = {"transaction_uid": transaction_uid}
    connection.execute(sa.update(ups_step).where(ups_step.c.uid == uid).values(**values))


def exists(connection: Connection, uid: str) -> bool:
    """Whether a step goes by that UID, within reach or not."""
    query = sa.select(ups_step.c.uid).where(ups_step.c.uid == uid)
    return connection.execute(query).first() is not None


def _within_reach(who: Principal) -> sa.Select[Any]:
    of_item = work_item.c.item_id == ups_step.c.item_id
    return sa.select(ups_step).join(work_item, of_item).where(may_see(who))


def _shown(
    database: Database, who: Principal, steps: Sequence[Step], items: Mapping[str, WorkItem]
) -> list[ShownStep]:
    about = [items[step.item_id] for step in steps]
    stains = scanning.stains(database, [item.barcode for item in about if item.barcode])
    patients = _patients(database, who, about)
    return [
        ShownStep(
            step,
            item,
            stains.get(item.barcode or "", ""),
            patients.get(item.accession or "") if item.kind is WorkKind.CONSULTATION else None,
            known_root(database, CASE, item.accession) if item.accession else "",
            tuple(_inputs(database, who, item)),
        )
        for step, item in zip(steps, about, strict=True)
    ]


def _patients(
    database: Database, who: Principal, items: Sequence[WorkItem]
) -> dict[str, Whose]:  # fmt: skip
    """Whose case a question is about, by accession; the lines are written first."""
    asked = {at.accession for at in items if at.kind is WorkKind.CONSULTATION and at.accession}
    if not asked:
        return {}
    query = sa.select(pathology_case.c.accession, patient).join(
        patient, patient.c.patient_id == pathology_case.c.patient_id
    )
    with database.reading() as connection:
        rows = connection.execute(query.where(pathology_case.c.accession.in_(asked))).all()
    lines, found = [], {}
    for row in rows:
        relation = concern_of_case(database, who, row.accession).relation
        basis = decide(who, Right.READ_CASES, relation).basis
        if basis is not None:
            about = {"accession": row.accession, "patient_id": row.patient_id}
            lines.append({"action": "workitem", "basis": basis.value, **about})
            words = (row.identifier, row.name, row.birth_date, row.sex or "", row.patient_id)
            found[row.accession] = Whose(*words)
    if lines:
        log_accesses(database, who, lines)
    return found


def _inputs(database: Database, who: Principal, item: WorkItem) -> list[SeriesEntry]:
    """What is looked at: by a program its UIDs alone, by who answers the case's own."""
    if item.kind is WorkKind.CONSULTATION:
        return imaging.series(database, who, Wanted(accession=item.accession or ""))
    if item.kind is WorkKind.ANALYSIS and item.data.get(SERIES):
        return imaging.series(database, SVARTID, Wanted(series_uids=tuple(item.data[SERIES])))
    return []
