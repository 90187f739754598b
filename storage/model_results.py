"""What models said of slides. Who may ask for which is decided here, once: see `for_reader`.

A result is heard by those who treat only if the model may be heard now and might when it spoke:
what was silent stays silent when the model rises, and what was visible is gone when it falls.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage import events
from storage.case_tables import case_image
from storage.database import Database
from storage.events import Event
from storage.exchange.plain import from_plain, to_plain
from storage.layout import Layout
from storage.model_tables import model, model_result
from storage.records.models import VISIBLE, ModelResult
from storage.records.quality import ModelMode
from storage.tables import slide

_GONE = ("replaced", "archived")
_COLUMNS = tuple(at.name for at in model_result.c if at.name != "at")


def results_layout(layout: Layout) -> Layout:
    """Where maps of models lie: as those of quality do, below a root of their own."""
    own = Layout(layout.models / "results")
    own.quality.mkdir(parents=True, exist_ok=True, mode=0o700)
    return own


def enter(database: Database, found: ModelResult, by: str) -> ModelResult:
    """Keep a result. The event names no figure: the log is read by many."""
    document = to_plain(found)
    with database.transaction() as connection:
        events.hold(connection)
        values: dict[str, Any] = {name: document.get(name) for name in _COLUMNS}
        connection.execute(sa.insert(model_result).values(**values, at=found.at))
        told = {"version": found.version, "result": found.result_id, "mode": found.mode.value}
        happened = Event(f"model:{found.name}", "ModelRun", by, "models", told)
        events.record(connection, happened)
    return found


def of_model(database: Database, name: str, version: str, limit: int = 1000) -> list[ModelResult]:
    """All results of a model, newest first, also silent and retired: not for those who treat."""
    where = sa.and_(model_result.c.name == name, model_result.c.version == version)
    return _found(database, where, limit)


def for_reader(database: Database, slide_id: str) -> list[ModelResult]:
    """What those who may read a slide may see of models on it; never a silent or retired one."""
    words = [mode.value for mode in VISIBLE]
    heard = sa.and_(
        model.c.name == model_result.c.name,
        model.c.version == model_result.c.version,
        model.c.mode.in_(words),
    )
    where = sa.and_(
        model_result.c.slide_id == slide_id,
        model_result.c.mode.in_(words),
        sa.exists().where(heard),
    )
    return [found for found in _found(database, where, 100) if not found.retired]


def not_run(database: Database, name: str, version: str, mode: ModelMode, limit: int) -> list[str]:
    """Complete slides that a model has not seen in its mode, oldest first."""
    ran = sa.select(model_result.c.result_id).where(
        model_result.c.slide_id == slide.c.slide_id,
        model_result.c.name == name,
        model_result.c.version == version,
        model_result.c.mode == mode.value,
        model_result.c.root == slide.c.root,
    )
    query = sa.select(slide.c.slide_id).where(slide.c.root.is_not(None), ~ran.exists())
    with database.reading() as connection:
        return list(connection.execute(query.order_by(slide.c.ready_at).limit(limit)).scalars())


def _found(database: Database, where: sa.ColumnElement[bool], limit: int) -> list[ModelResult]:
    query = (
        sa.select(model_result, slide.c.root.label("now"), case_image.c.state.label("image"))
        .outerjoin(slide, slide.c.slide_id == model_result.c.slide_id)
        .outerjoin(case_image, case_image.c.slide_id == model_result.c.slide_id)
        .where(where)
        .order_by(model_result.c.at.desc(), model_result.c.result_id)
    )
    with database.reading() as connection:
        return [_result(row) for row in connection.execute(query.limit(limit))]


def _result(row: Row[Any]) -> ModelResult:
    """Retired: another image of the glass is read now, or the pyramid is not the one it saw."""
    values = {name: row._mapping[name] for name in _COLUMNS}
    plain = {name: value for name, value in values.items() if value is not None}
    plain["retired"] = row.image in _GONE or row.now != row.root
    return from_plain(ModelResult, plain | {"at": row.at.isoformat()})
