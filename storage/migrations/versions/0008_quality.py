"""quality"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "quality_run",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("scanner", sa.String(length=80), server_default="", nullable=False),
        sa.Column("stain", sa.String(length=40), server_default="", nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("human_state", sa.String(length=16), server_default="", nullable=False),
        sa.Column("human_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("human_note", sa.Text(), server_default="", nullable=False),
        sa.Column("human_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index(op.f("ix_quality_run_slide_id"), "quality_run", ["slide_id"], unique=False)
    op.create_index(op.f("ix_quality_run_at"), "quality_run", ["at"], unique=False)
    op.create_table(
        "quality_attempt",
        sa.Column("slide_id", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slide_id"),
    )
    op.create_table(
        "quality_policy",
        sa.Column("policy_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scanner", sa.String(length=80), server_default="", nullable=False),
        sa.Column("stain", sa.String(length=40), server_default="", nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "version"),
    )


def downgrade() -> None:
    """Back."""
    for table in ("quality_policy", "quality_attempt", "quality_run"):
        op.drop_table(table)
