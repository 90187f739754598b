"""The tables of guests: models, who approved them, what they said; research cohorts."""

from __future__ import annotations

import sqlalchemy as sa

from storage.tables import UtcDateTime, metadata

model = sa.Table(
    "model",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("version", sa.String(20), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("manifest", sa.JSON, nullable=False),
    sa.Column("card", sa.JSON, nullable=False),
    sa.Column("mode", sa.String(20), nullable=False),
    sa.Column("mode_since", UtcDateTime, nullable=False),
    sa.Column("admission", sa.JSON),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("added_by", sa.String(80), nullable=False),
)
"""A version is never changed but for its mode and its newest admission."""

model_approval = sa.Table(
    "model_approval",
    metadata,
    sa.Column("approval_id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("version", sa.String(20), nullable=False),
    sa.Column("to_mode", sa.String(20), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_model_approval_model", "name", "version"),
)
"""All that were ever given; those since the mode last changed count."""

model_result = sa.Table(
    "model_result",
    metadata,
    sa.Column("result_id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("version", sa.String(20), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("slide_id", sa.String(32), nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("root", sa.String(64)),
    sa.Column("mode", sa.String(20), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("maps", sa.JSON, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Index("ix_model_result_model", "name", "version"),
)
"""Never changed; which of them are retired is seen from the slides."""

cohort = sa.Table(
    "cohort",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("query", sa.JSON, nullable=False),
    sa.Column("members", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
)
"""Never changed. The members' own ids stand beside their pseudonyms here, and nowhere else."""
