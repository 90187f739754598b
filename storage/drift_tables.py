"""Tables of drift: reference glasses, baselines, breaches, standings; and validations of checks."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

drift_reference = sa.Table(
    "drift_reference",
    metadata,
    sa.Column("scanner", sa.String(80), primary_key=True),
    sa.Column("barcode", sa.String(64), primary_key=True),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Glasses that are scanned every day; `barcode` may end in `*`."""

drift_baseline = sa.Table(
    "drift_baseline",
    metadata,
    sa.Column("scanner", sa.String(80), primary_key=True),
    sa.Column("stain", sa.String(40), primary_key=True),
    sa.Column("from_at", UtcDateTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Since when slides count, where somebody has said that it began anew (a repair, a new stain)."""

drift_breach = sa.Table(
    "drift_breach",
    metadata,
    sa.Column("breach_id", sa.String(32), primary_key=True),
    sa.Column("scanner", sa.String(80), nullable=False),
    sa.Column("stain", sa.String(40), nullable=False),
    sa.Column("series", sa.String(12), nullable=False),
    sa.Column("figure", sa.String(60), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime, index=True),
)

drift_standing = sa.Table(
    "drift_standing",
    metadata,
    sa.Column("scanner", sa.String(80), primary_key=True),
    sa.Column("stain", sa.String(40), primary_key=True),
    sa.Column("series", sa.String(12), primary_key=True),
    sa.Column("standings", sa.JSON, nullable=False),
    sa.Column("missing", sa.String(10), nullable=False, server_default=""),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""What the last evaluation came to, for screens; made anew by every one from the reports."""

quality_validation = sa.Table(
    "quality_validation",
    metadata,
    sa.Column("policy_id", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("check", sa.String(60), primary_key=True),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""On what a site has let a check ask for another scan by itself, from that version on."""
