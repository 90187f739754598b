"""The slides that can be read: entered when phase one is published, and asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import Database
from storage.dicom_uids import SLIDE, root_of
from storage.errors import NotFound
from storage.events import Event, record
from storage.records.geometry import Size
from storage.records.intake import Intake
from storage.records.slide import (
    Mpp,
    MppOrigin,
    Notice,
    PyramidRecord,
    Slide,
    SlideMetadata,
    Tier,
    printable,
)
from storage.tables import slide


def slides(database: Database, limit: int = 500) -> list[Slide]:
    """Readable slides, newest first."""
    query = sa.select(slide).order_by(slide.c.received_at.desc(), slide.c.slide_id).limit(limit)
    with database.reading() as connection:
        return [slide_of_row(row) for row in connection.execute(query)]


def get_slide(database: Database, slide_id: str) -> Slide:
    """One readable slide; NotFound."""
    with database.reading() as connection:
        row = connection.execute(sa.select(slide).where(slide.c.slide_id == slide_id)).one_or_none()
    if row is None:
        raise NotFound(f"no slide {slide_id}")
    return slide_of_row(row)


def enter_slide(
    connection: Connection, row: Intake, pyramid: PyramidRecord, moment: datetime
) -> None:
    """Enter a slide, readable since `moment`, inside the caller's transaction."""
    connection.execute(sa.delete(slide).where(slide.c.slide_id == row.slide_id))
    connection.execute(sa.insert(slide).values(_slide_row(row, pyramid, moment)))
    root_of(connection, SLIDE, row.slide_id)


def remove_slide(connection: Connection, slide_id: str) -> None:
    """Take a slide off every list, inside the caller's transaction."""
    connection.execute(sa.delete(slide).where(slide.c.slide_id == slide_id))


def change_tier(
    database: Database, known: Slide, tier: Tier, stored_bytes: int | None, actor: str
) -> None:
    """Enter that a slide is kept in another tier now, and in how many bytes."""
    kind = "SlideCooled" if tier is Tier.COLD else "SlideThawed"
    data = {"bytes_before": known.stored_bytes, "bytes_after": stored_bytes, "root": known.root}
    with database.transaction() as connection:
        connection.execute(
            sa.update(slide)
            .where(slide.c.slide_id == known.slide_id)
            .values(tier=tier.value, stored_bytes=stored_bytes)
        )
        record(connection, Event(f"slide:{known.slide_id}", kind, actor, "tiers", data))


def slide_of_row(row: Row[Any]) -> Slide:
    """A row of `slide` as the record."""
    mpp = Mpp(row.mpp_x, row.mpp_y, MppOrigin(row.mpp_origin)) if row.mpp_x else None
    return Slide(
        slide_id=row.slide_id,
        fingerprint=row.fingerprint,
        name=row.name,
        bytes=row.bytes,
        size=Size(row.width, row.height),
        tile_edge=row.tile_edge,
        metadata=SlideMetadata(
            vendor=row.vendor,
            mpp=mpp,
            objective_power=row.objective_power,
            scanner=row.scanner,
            barcode=row.barcode,
            notices=tuple(Notice(word) for word in row.notices),
        ),
        associated=tuple(row.associated),
        icc=row.icc,
        copied=row.copied,
        received_at=row.received_at,
        ready_at=row.ready_at,
        complete_at=row.complete_at,
        root=row.root,
        proof=row.proof,
        skeleton=row.skeleton,
        stored_bytes=row.stored_bytes,
        tier=Tier(row.tier),
    )


def _slide_row(row: Intake, pyramid: PyramidRecord, moment: datetime) -> dict[str, Any]:
    about, plan = pyramid.metadata, pyramid.plan
    return {
        "slide_id": row.slide_id,
        "fingerprint": row.fingerprint,
        "name": row.name,
        "bytes": row.bytes,
        "width": plan.size.width,
        "height": plan.size.height,
        "tile_edge": plan.tile_edge,
        "mpp_x": about.mpp.x if about.mpp else None,
        "mpp_y": about.mpp.y if about.mpp else None,
        "mpp_origin": about.mpp.origin.value if about.mpp else "unknown",
        "objective_power": about.objective_power,
        "scanner": printable(about.scanner) if about.scanner else None,
        "vendor": printable(about.vendor),
        "barcode": printable(about.barcode) if about.barcode else None,
        "notices": [notice.value for notice in about.notices],
        "associated": sorted(pyramid.associated),
        "icc": pyramid.icc_profile is not None,
        "copied": plan.levels[0].origin.value == "copied",
        "received_at": row.received_at,
        "ready_at": moment,
    }
