"""What drift is judged by: the newest run of every slide, by scanner and stain; only read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage.case_tables import case_image
from storage.database import Database
from storage.drift_tables import drift_baseline, drift_breach, drift_reference, drift_standing
from storage.exchange.plain import from_plain
from storage.quality_tables import quality_run
from storage.records.drift import (
    Breach,
    Channel,
    DriftState,
    MissingReference,
    Reference,
    Series,
    Standing,
)
from storage.tables import slide

_RUN = quality_run.c


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as drift sees it; `at` is when the slide was received."""

    run_id: str
    slide_id: str
    at: datetime
    accession: str
    state: str
    human: str
    """`released`, `rejected` or empty."""
    report: Mapping[str, Any]
    """As it is kept: plain JSON."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the last evaluation of a channel came to."""

    channel: Channel
    at: datetime
    standings: tuple[Standing, ...]
    missing: str = ""
    """The day on which the scanner's reference glass was not scanned."""


def channels(database: Database, since: datetime) -> list[Channel]:
    """Scanners and stains with slides received since, and scanners' references."""
    query = (
        sa.select(_RUN.scanner, _RUN.stain)
        .join(slide, slide.c.slide_id == _RUN.slide_id)
        .where(slide.c.received_at >= since, _RUN.scanner != "")
        .distinct()
    )
    with database.reading() as connection:
        found = [Channel(row.scanner, row.stain) for row in connection.execute(query)]
        named = connection.execute(sa.select(drift_reference.c.scanner).distinct()).scalars()
        found += [Channel(scanner, "", Series.REFERENCE) for scanner in named]
    return sorted(found, key=lambda at: (at.scanner, at.series.value, at.stain))


def first_runs(database: Database, channel: Channel, limit: int) -> list[RunRow]:
    """The first of a channel since its baseline begins, oldest first."""
    return _runs(database, channel, slide.c.received_at.asc(), baseline(database, channel), limit)


def latest_runs(
    database: Database, channel: Channel, since: datetime, limit: int = 5000
) -> list[RunRow]:
    """The newest of a channel, oldest first, none from before its baseline begins."""
    began = baseline(database, channel)
    begin = since if began is None else max(since, began)
    return _runs(database, channel, slide.c.received_at.desc(), begin, limit)[::-1]


def received(database: Database, channel: Channel, since: datetime) -> list[datetime]:
    """When slides of a channel came; of cases whatever their stain."""
    at = slide.c.received_at
    query = (
        sa.select(at)
        .join(quality_run, quality_run.c.slide_id == slide.c.slide_id)
        .outerjoin(case_image, case_image.c.slide_id == slide.c.slide_id)
        .where(at >= since, _RUN.scanner == channel.scanner)
        .where(_reference(database, channel.scanner, channel.series is Series.REFERENCE))
    )
    with database.reading() as connection:
        return list(connection.execute(query).scalars())


def baseline(database: Database, channel: Channel) -> datetime | None:
    """Since when slides count; None where nobody has said. Of a scanner's `*`: all its stains."""
    at = drift_baseline.c
    query = sa.select(sa.func.max(at.from_at)).where(
        at.scanner == channel.scanner, at.stain.in_([channel.stain, "*"])
    )
    with database.reading() as connection:
        found: datetime | None = connection.execute(query).scalar()
    return found


def references(database: Database) -> list[Reference]:
    """All reference glasses, by scanner."""
    at = drift_reference.c
    with database.reading() as connection:
        rows = connection.execute(sa.select(drift_reference).order_by(at.scanner, at.barcode))
        return [Reference(row.scanner, row.barcode, row.by, row.at) for row in rows]


def breaches(database: Database, ended_since: datetime | None = None) -> list[Breach]:
    """Those that last, newest first; with `ended_since` also those that ended after it."""
    at = drift_breach.c
    lasting: sa.ColumnElement[bool] = at.ended_at.is_(None)
    if ended_since is not None:
        lasting = sa.or_(lasting, at.ended_at >= ended_since)
    with database.reading() as connection:
        query = sa.select(drift_breach).where(lasting).order_by(at.began_at.desc(), at.breach_id)
        return [breach_of(row) for row in connection.execute(query)]


def kept(database: Database) -> list[Kept]:
    """What the last evaluation came to, by scanner and stain."""
    at = drift_standing.c
    query = sa.select(drift_standing).order_by(at.scanner, at.series, at.stain)
    with database.reading() as connection:
        return [_kept(row) for row in connection.execute(query)]


def missing(database: Database) -> list[MissingReference]:
    """Reference glasses that were not scanned when slides were, as last evaluated."""
    at = drift_standing.c
    query = sa.select(at.scanner, at.missing).where(at.missing != "").order_by(at.scanner)
    with database.reading() as connection:
        return [MissingReference(row.scanner, row.missing) for row in connection.execute(query)]


def breach_of(row: Row[Any]) -> Breach:
    """A row of the table as a record."""
    channel = Channel(row.scanner, row.stain, Series(row.series))
    state = DriftState(row.state)
    return Breach(row.breach_id, channel, row.figure, state, row.began_at, row.ended_at)


def _kept(row: Row[Any]) -> Kept:
    channel = Channel(row.scanner, row.stain, Series(row.series))
    standings = tuple(from_plain(Standing, at) for at in row.standings)
    return Kept(channel, row.at, standings, row.missing)


def _runs(
    database: Database,
    channel: Channel,
    order: sa.UnaryExpression[Any],
    begin: datetime | None,
    limit: int,
) -> list[RunRow]:
    newer = quality_run.alias("newer")
    again = sa.select(newer.c.run_id).where(
        newer.c.slide_id == _RUN.slide_id,
        sa.or_(newer.c.at > _RUN.at, sa.and_(newer.c.at == _RUN.at, newer.c.run_id < _RUN.run_id)),
    )
    query = (
        sa.select(quality_run, slide.c.received_at, case_image.c.accession)
        .join(slide, slide.c.slide_id == _RUN.slide_id)
        .outerjoin(case_image, case_image.c.slide_id == _RUN.slide_id)
        .where(_RUN.scanner == channel.scanner, ~again.exists(), _is_series(database, channel))
    )
    if begin is not None:
        query = query.where(slide.c.received_at >= begin)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(order, _RUN.run_id).limit(limit))
        return [_row(row) for row in rows]


def _is_series(database: Database, channel: Channel) -> sa.ColumnElement[bool]:
    """Reference glasses of the scanner, of whatever stain; or the stain's other slides."""
    if channel.series is Series.REFERENCE:
        return _reference(database, channel.scanner, wanted=True)
    return sa.and_(_RUN.stain == channel.stain, _reference(database, channel.scanner, wanted=False))


def _reference(database: Database, scanner: str, wanted: bool) -> sa.ColumnElement[bool]:
    """Whether a glass is, or is not, one of the scanner's reference glasses."""
    patterns = [at.barcode for at in references(database) if at.scanner == scanner]
    barcode = sa.func.coalesce(case_image.c.barcode, slide.c.barcode, "")
    found = sa.or_(sa.false(), *(_matches(barcode, one) for one in patterns))
    return found if wanted else ~found


def _matches(barcode: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
    if pattern.endswith("*"):
        return barcode.startswith(pattern[:-1], autoescape=True)
    return barcode == pattern


def _row(row: Row[Any]) -> RunRow:
    return RunRow(
        row.run_id, row.slide_id, row.received_at, row.accession or "", row.state,
        row.human_state, row.report,
    )  # fmt: skip
