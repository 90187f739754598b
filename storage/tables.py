"""The tables; times are UTC, stored with their zone.

Which of them is the truth: `event` for what happened, `intake` for files on their way. The rows
of cases and glasses are made from the events and can be made again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in and out on both databases; SQLite keeps ISO text."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:  # noqa: ANN401
        """To UTC; a time without a zone is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times carry their zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ANN401
        """UTC, aware."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = sa.MetaData()

slide = sa.Table(
    "slide",
    metadata,
    sa.Column("slide_id", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("tile_edge", sa.Integer, nullable=False),
    sa.Column("mpp_x", sa.Float),
    sa.Column("mpp_y", sa.Float),
    sa.Column("mpp_origin", sa.String(20), nullable=False),
    sa.Column("objective_power", sa.Float),
    sa.Column("scanner", sa.Text),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("barcode", sa.Text, index=True),
    sa.Column("notices", sa.JSON, nullable=False),
    sa.Column("associated", sa.JSON, nullable=False),
    sa.Column("icc", sa.Boolean, nullable=False),
    sa.Column("copied", sa.Boolean, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False, index=True),
    sa.Column("ready_at", UtcDateTime, nullable=False),
    sa.Column("complete_at", UtcDateTime),
    sa.Column("root", sa.String(64)),
    sa.Column("proof", sa.String(64)),
    sa.Column("skeleton", sa.String(64)),
    sa.Column("stored_bytes", sa.BigInteger),
    sa.Column("tier", sa.String(10), nullable=False, server_default="warm"),
)

intake = sa.Table(
    "intake",
    metadata,
    sa.Column("intake_id", sa.String(32), primary_key=True),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("reason", sa.String(40)),
    sa.Column("detail", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("done", sa.Integer, nullable=False, default=0),
    sa.Column("total", sa.Integer, nullable=False, default=0),
    sa.Column("lossless", sa.Boolean, nullable=False, default=False),
    sa.Column("released", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("received_at", UtcDateTime, nullable=False, index=True),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("complete_seconds", sa.Float),
    sa.Column("flow_run", sa.String(64)),
    sa.Column("owner", sa.String(80)),
    sa.Column("lease_until", UtcDateTime),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("kind", sa.String(60), nullable=False),
    sa.Column("occurred_at", UtcDateTime, nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("source", sa.String(40), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("key", sa.String(120), index=True, unique=True),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("password", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("full_name", sa.Text, nullable=False, server_default=""),
    sa.Column("site", sa.String(40), nullable=False, server_default=""),
    sa.Column("unit", sa.String(40), nullable=False, server_default="", index=True),
    sa.Column("subspecialties", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("languages", sa.JSON, nullable=False, server_default="[]"),
)

access_key = sa.Table(
    "access_key",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("label", sa.String(16), nullable=False),
    sa.Column("name", sa.String(80), sa.ForeignKey("person.name"), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
)

access_log = sa.Table(
    "access_log",
    metadata,
    sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("session", sa.String(16), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("slide_id", sa.String(32), index=True),
    sa.Column("accession", sa.String(40), index=True),
    sa.Column("patient_id", sa.String(32), index=True),
    sa.Column("purpose", sa.String(20), nullable=False, server_default="treatment"),
    sa.Column("basis", sa.String(20), nullable=False, server_default="role"),
)
