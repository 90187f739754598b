"""Who saw what, of whom, on what basis: appended, never changed; tiles folded by the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Database, now
from storage.records.access import Purpose
from storage.records.people import Principal
from storage.tables import access_log


def log_access(
    database: Database,
    principal: Principal,
    action: str,
    slide_id: str | None = None,
    accession: str | None = None,
    patient_id: str | None = None,
    basis: str = "role",
    purpose: Purpose = Purpose.TREATMENT,
) -> None:
    """Append one line; the caller folds what belongs together."""
    with database.transaction() as connection:
        connection.execute(
            sa.insert(access_log).values(
                at=now(),
                name=principal.name,
                role=principal.role.value,
                session=principal.session,
                action=action,
                slide_id=slide_id,
                accession=accession,
                patient_id=patient_id,
                basis=basis,
                purpose=purpose.value,
            )
        )


def log_accesses(
    database: Database, principal: Principal, lines: Sequence[Mapping[str, Any]]
) -> None:
    """Append several lines at once; each names what `log_access` takes but the purpose."""
    whose: dict[str, Any] = {
        "name": principal.name,
        "role": principal.role.value,
        "session": principal.session,
    }
    whose |= {"at": now(), "purpose": Purpose.TREATMENT.value}
    with database.transaction() as connection:
        connection.execute(sa.insert(access_log), [{**whose, **line} for line in lines])


def last_logged(
    database: Database,
    principal: Principal,
    action: str,
    slide_id: str | None,
    accession: str | None,
    since: datetime,
) -> datetime | None:
    """When a line for this was last written, by whichever process; None when not `since` then."""
    query = sa.select(sa.func.max(access_log.c.at)).where(
        access_log.c.slide_id == slide_id,
        access_log.c.accession == accession,
        access_log.c.at > since,
        access_log.c.name == principal.name,
        access_log.c.session == principal.session,
        access_log.c.action == action,
    )
    with database.reading() as connection:
        at: datetime | None = connection.execute(query).scalar()
    return at
