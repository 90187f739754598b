"""Models of others: which there are, how far each may be heard, what each has said.

A model's file lies under its SHA-256 and is never changed. Every change here is an event.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage import events
from storage.database import Database, now
from storage.errors import Malformed, NotFound, Refused, StoreDamaged
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.layout import Layout
from storage.model_tables import model, model_approval
from storage.records.evidence import Evidence, lacking
from storage.records.models import (
    APPROVALS,
    LADDER,
    VISIBLE,
    Admission,
    Approval,
    Card,
    Manifest,
    Model,
)
from storage.records.people import Principal, Right, allowed
from storage.records.quality import ModelMode
from storage.shards import write_parts

_MOST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody says that a model may rise."""

    note: str
    evidence: Evidence | None = None
    """Needed for the visible modes."""


def add(
    database: Database, layout: Layout, manifest: Manifest, card: Card, data: bytes, by: str
) -> Model:
    """Take a model in, in mode `test`. Errors: Refused when it is there or is another's file."""
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        raise Refused("the file's SHA-256 is not that of the manifest")
    path = layout.models / manifest.sha256
    if not path.exists():
        write_parts(path, [data], sync=True)
    moment = now()
    with database.transaction() as connection:
        events.hold(connection)
        if _row(connection, manifest.name, manifest.version) is not None:
            raise Refused(f"{manifest.name} {manifest.version} is there already; give a version")
        connection.execute(
            sa.insert(model).values(
                name=manifest.name, version=manifest.version, sha256=manifest.sha256,
                manifest=to_plain(manifest), card=to_plain(card), mode=ModelMode.TEST.value,
                mode_since=moment, added_at=moment, added_by=by,
            )
        )  # fmt: skip
        told = {"version": manifest.version, "sha256": manifest.sha256}
        _tell(connection, manifest.name, "ModelAdded", by, told)
    return get(database, manifest.name, manifest.version)


def file_of(layout: Layout, manifest: Manifest) -> bytes:
    """The model's bytes, as they came. Errors: StoreDamaged."""
    try:
        data = (layout.models / manifest.sha256).read_bytes()
    except OSError as error:
        raise StoreDamaged(f"the file of model {manifest.name} is not there") from error
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        raise StoreDamaged(f"the file of model {manifest.name} has changed")
    return data


def get(database: Database, name: str, version: str = "") -> Model:
    """A version of a model, the one added last without `version`. Errors: NotFound."""
    query = sa.select(model).where(model.c.name == name).order_by(model.c.added_at.desc())
    if version:
        query = query.where(model.c.version == version)
    with database.reading() as connection:
        row = connection.execute(query.limit(1)).one_or_none()
        if row is None:
            raise NotFound(f"no model {name} {version}".rstrip())
        return _model(connection, row)


def listing(database: Database, modes: tuple[ModelMode, ...] = LADDER) -> list[Model]:
    """All models in some modes, by name and age."""
    query = sa.select(model).where(model.c.mode.in_([at.value for at in modes]))
    with database.reading() as connection:
        rows = connection.execute(query.order_by(model.c.name, model.c.added_at)).all()
        return [_model(connection, row) for row in rows]


def enter_admission(database: Database, name: str, version: str, found: Admission) -> Model:
    """Keep how the admission tests went; one that fails takes a risen model back to `test`."""
    with database.transaction() as connection:
        events.hold(connection)
        row = _known(connection, name, version)
        connection.execute(_change(name, version).values(admission=to_plain(found)))
        failed = [at.name for at in found.tests if not at.passed]
        told = {"version": version, "passed": found.passed, "failed": failed}
        _tell(connection, name, "ModelTested", found.by, told)
        if not found.passed and row.mode != ModelMode.TEST:
            _fall(connection, row, ModelMode.TEST, found.by, "the admission tests failed")
    return get(database, name, version)


def approve(database: Database, known: Model, to: ModelMode, who: Principal, why: Reason) -> Model:
    """A person says that a model may rise; it does with the second one.

    Errors: Refused (right, step, admission, evidence, the same person twice); Malformed without
    a note.
    """
    name, version = known.manifest.name, known.manifest.version
    if not allowed(who, Right.APPROVE_MODELS):
        raise Refused(f"{who.name} may not say that a model rises (role {who.role.value})")
    if not why.note.strip() or len(why.note) > _MOST_NOTE:
        raise Malformed("a note says on what evidence")
    if to in VISIBLE:
        lacks = lacking(why.evidence) if why.evidence else "counts of slides are needed (evidence)"
        if lacks:
            raise Refused(f"not enough for {to.value}: {lacks}")
    with database.transaction() as connection:
        events.hold(connection)
        now_is = _model(connection, _known(connection, name, version))
        _may_rise(now_is, to, who)
        connection.execute(
            sa.insert(model_approval).values(
                approval_id=uuid.uuid4().hex, name=name, version=version, to_mode=to.value,
                by=who.name, role=who.role.value, note=why.note.strip(), at=now(),
                evidence=to_plain(why.evidence) if why.evidence else None,
            )
        )  # fmt: skip
        told = {"version": version, "to": to.value, "role": who.role.value}
        _tell(connection, name, "ModelApproved", who.name, told)
        said = {at.by for at in now_is.approvals if at.to is to} | {who.name}
        if len(said) >= APPROVALS:
            risen = {"mode": to.value, "mode_since": now()}
            connection.execute(_change(name, version).values(**risen))
            about = {"version": version, "mode": to.value, "by": sorted(said)}
            _tell(connection, name, "ModelPromoted", who.name, about)
    return get(database, name, version)


def demote(database: Database, known: Model, to: ModelMode, by: str, why: str) -> Model:
    """Down at once, by anybody and for any reason. Errors: Refused when that is no way down."""
    name, version = known.manifest.name, known.manifest.version
    with database.transaction() as connection:
        events.hold(connection)
        _fall(connection, _known(connection, name, version), to, by, why)
    return get(database, name, version)


def _may_rise(at: Model, to: ModelMode, who: Principal) -> None:
    step = LADDER.index(at.mode) + 1
    if step >= len(LADDER) or LADDER[step] is not to:
        above = LADDER[step].value if step < len(LADDER) else "nothing"
        raise Refused(f"from {at.mode.value} the next step is {above}, not {to.value}")
    if at.admission is None or not at.admission.passed:
        raise Refused("it has not passed its admission tests: svartid models admit")
    if any(given.by == who.name and given.to is to for given in at.approvals):
        raise Refused(f"{who.name} has said so already; another person has to")


def _fall(connection: Connection, row: Row[Any], to: ModelMode, by: str, why: str) -> None:
    if LADDER.index(to) >= LADDER.index(ModelMode(row.mode)):
        raise Refused(f"{to.value} is no way down from {row.mode}")
    fallen = {"mode": to.value, "mode_since": now()}
    connection.execute(_change(row.name, row.version).values(**fallen))
    told = {"version": row.version, "before": row.mode, "mode": to.value, "why": why[:_MOST_NOTE]}
    _tell(connection, row.name, "ModelDemoted", by, told)


def _change(name: str, version: str) -> sa.Update:
    return sa.update(model).where(model.c.name == name, model.c.version == version)


def _row(connection: Connection, name: str, version: str) -> Row[Any] | None:
    query = sa.select(model).where(model.c.name == name, model.c.version == version)
    return connection.execute(query).one_or_none()


def _known(connection: Connection, name: str, version: str) -> Row[Any]:
    row = _row(connection, name, version)
    if row is None:
        raise NotFound(f"no model {name} {version}")
    return row


def _model(connection: Connection, row: Row[Any]) -> Model:
    given = sa.select(model_approval).where(
        model_approval.c.name == row.name,
        model_approval.c.version == row.version,
        model_approval.c.at > row.mode_since,
    )
    approvals = tuple(
        Approval(
            ModelMode(at.to_mode),
            at.by,
            at.role,
            at.note,
            at.at,
            from_plain(Evidence, at.evidence) if at.evidence else None,
        )
        for at in connection.execute(given.order_by(model_approval.c.at))
    )
    return Model(
        from_plain(Manifest, row.manifest), from_plain(Card, row.card), ModelMode(row.mode),
        row.mode_since, row.added_at, row.added_by,
        from_plain(Admission, row.admission) if row.admission else None, approvals,
    )  # fmt: skip


def _tell(connection: Connection, name: str, kind: str, by: str, about: dict[str, Any]) -> None:
    events.record(connection, Event(f"model:{name}", kind, by, "models", about))
