"""annotations"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "annotation",
        sa.Column("annotation_id", sa.String(length=32), nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("first_event", sa.BigInteger(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("annotation_id"),
    )
    op.create_index(op.f("ix_annotation_slide_id"), "annotation", ["slide_id"], unique=False)
    op.create_table(
        "annotation_group",
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("first_event", sa.BigInteger(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id"),
    )
    op.create_index(
        op.f("ix_annotation_group_slide_id"), "annotation_group", ["slide_id"], unique=False
    )
    op.create_table(
        "annotation_block",
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("x0", sa.Float(), nullable=False),
        sa.Column("y0", sa.Float(), nullable=False),
        sa.Column("x1", sa.Float(), nullable=False),
        sa.Column("y1", sa.Float(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["annotation_group.group_id"]),
        sa.PrimaryKeyConstraint("group_id", "number"),
    )
    op.create_table(
        "annotation_source",
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("slide_id", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=40), server_default="", nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sop_uid"),
    )
    for column in ("series_uid", "slide_id"):
        op.create_index(
            op.f(f"ix_annotation_source_{column}"), "annotation_source", [column], unique=False
        )


def downgrade() -> None:
    """Back; the events of annotations stay in the log."""
    for column in ("slide_id", "series_uid"):
        op.drop_index(op.f(f"ix_annotation_source_{column}"), table_name="annotation_source")
    op.drop_table("annotation_source")
    op.drop_table("annotation_block")
    op.drop_index(op.f("ix_annotation_group_slide_id"), table_name="annotation_group")
    op.drop_table("annotation_group")
    op.drop_index(op.f("ix_annotation_slide_id"), table_name="annotation")
    op.drop_table("annotation")
