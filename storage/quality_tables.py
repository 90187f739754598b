"""The tables of quality: runs of checks, what people said of them, policies."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

quality_run = sa.Table(
    "quality_run",
    metadata,
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("scanner", sa.String(80), nullable=False, server_default=""),
    sa.Column("stain", sa.String(40), nullable=False, server_default=""),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("human_state", sa.String(16), nullable=False, server_default=""),
    sa.Column("human_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("human_note", sa.Text, nullable=False, server_default=""),
    sa.Column("human_at", UtcDateTime),
)
"""The newest of a slide counts; older ones stay."""

quality_attempt = sa.Table(
    "quality_attempt",
    metadata,
    sa.Column("slide_id", sa.String(32), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Runs begun and not ended: a check that takes the process along is not tried for ever."""

quality_policy = sa.Table(
    "quality_policy",
    metadata,
    sa.Column("policy_id", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("scanner", sa.String(80), nullable=False, server_default=""),
    sa.Column("stain", sa.String(40), nullable=False, server_default=""),
    sa.Column("policy", sa.JSON, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Never changed; the newest version of each counts."""
