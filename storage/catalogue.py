"""Read-only queries over the slides that can be read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage.database import Database, slide
from storage.errors import NotFound
from storage.records.geometry import Size
from storage.records.slide import Mpp, MppOrigin, Notice, Slide, SlideMetadata


def slides(database: Database, limit: int = 500) -> list[Slide]:
    """Readable slides, newest first."""
    query = sa.select(slide).order_by(slide.c.received_at.desc(), slide.c.slide_id).limit(limit)
    with database.reading() as connection:
        return [_slide(row) for row in connection.execute(query)]


def get_slide(database: Database, slide_id: str) -> Slide:
    """One readable slide; NotFound."""
    with database.reading() as connection:
        row = connection.execute(sa.select(slide).where(slide.c.slide_id == slide_id)).one_or_none()
    if row is None:
        raise NotFound(f"no slide {slide_id}")
    return _slide(row)


def _slide(row: Row[Any]) -> Slide:
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
    )
