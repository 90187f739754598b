"""drift"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "drift_reference",
        sa.Column("scanner", sa.String(length=80), nullable=False),
        sa.Column("barcode", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scanner", "barcode"),
    )
    op.create_table(
        "drift_baseline",
        sa.Column("scanner", sa.String(length=80), nullable=False),
        sa.Column("stain", sa.String(length=40), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scanner", "stain"),
    )
    op.create_table(
        "drift_breach",
        sa.Column("breach_id", sa.String(length=32), nullable=False),
        sa.Column("scanner", sa.String(length=80), nullable=False),
        sa.Column("stain", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=12), nullable=False),
        sa.Column("figure", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("breach_id"),
    )
    op.create_index(op.f("ix_drift_breach_ended_at"), "drift_breach", ["ended_at"], unique=False)
    op.create_table(
        "drift_standing",
        sa.Column("scanner", sa.String(length=80), nullable=False),
        sa.Column("stain", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=12), nullable=False),
        sa.Column("standings", sa.JSON(), nullable=False),
        sa.Column("missing", sa.String(length=10), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scanner", "stain", "series"),
    )
    op.create_table(
        "quality_validation",
        sa.Column("policy_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("check", sa.String(length=60), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "version", "check"),
    )


def downgrade() -> None:
    """Back."""
    for table in (
        "quality_validation", "drift_standing", "drift_breach", "drift_baseline", "drift_reference",
    ):  # fmt: skip
        op.drop_table(table)
