"""Which case an image's findings are about; only read here."""

from __future__ import annotations

import sqlalchemy as sa

from storage.case_tables import case_image
from storage.database import Database


def place_of(database: Database, slide_id: str) -> tuple[str, str] | None:
    """The accession and the barcode of the glass an image shows; None while nobody knows."""
    query = sa.select(case_image.c.accession, case_image.c.barcode).where(
        case_image.c.slide_id == slide_id
    )
    with database.reading() as connection:
        row = connection.execute(query).first()
    return None if row is None else (row.accession, row.barcode)


def images_of(database: Database, accession: str) -> list[str]:
    """The images of a case."""
    query = sa.select(case_image.c.slide_id).where(case_image.c.accession == accession)
    with database.reading() as connection:
        return list(connection.execute(query.order_by(case_image.c.slide_id)).scalars())
