"""The tables of work as DICOM tells it: steps, what is to be told of them, and to whom."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

ups_step = sa.Table(
    "ups_step",
    metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("item_id", sa.String(32), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),
    sa.Column("transaction_uid", sa.String(64), nullable=False, server_default=""),
    sa.Column("said", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("replaces", sa.String(64), nullable=False, server_default=""),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.UniqueConstraint("item_id", "number"),
)
"""One row a try of a work item, made by `storage.ups_journal` with every change of the item."""

ups_news = sa.Table(
    "ups_news",
    metadata,
    sa.Column("news_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("aet", sa.String(16), nullable=False, server_default=""),
    sa.Column("event", sa.Integer, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("born", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)
"""What is to be told of steps, in the order it happened; to one subscriber alone, if named."""

ups_subscriber = sa.Table(
    "ups_subscriber",
    metadata,
    sa.Column("aet", sa.String(16), primary_key=True),
    sa.Column("owner", sa.String(80), sa.ForeignKey("person.name"), nullable=False),
    sa.Column("way", sa.String(8), nullable=False),
    sa.Column("everything", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("wanted", sa.JSON),
    sa.Column("lock", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("suspended_at", UtcDateTime),
    sa.Column("synced", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("told", sa.BigInteger, nullable=False, server_default="0"),
)

ups_subscription = sa.Table(
    "ups_subscription",
    metadata,
    sa.Column("aet", sa.String(16), sa.ForeignKey("ups_subscriber.aet"), primary_key=True),
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("subscribed", sa.Boolean, nullable=False),
    sa.Column("lock", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""What was said of one step goes before what was said of all."""
