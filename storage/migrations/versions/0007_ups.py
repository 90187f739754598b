"""ups"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
_STATES = {"offered": "SCHEDULED", "claimed": "IN PROGRESS"}
_KINDS = ("scan", "consultation")


def upgrade() -> None:
    """Forward; the open work that is there gets its steps."""
    op.create_table(
        "ups_news",
        sa.Column(
            "news_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("aet", sa.String(length=16), server_default="", nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("born", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("news_id"),
    )
    op.create_index(op.f("ix_ups_news_at"), "ups_news", ["at"], unique=False)
    op.create_table(
        "ups_step",
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("transaction_uid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("replaces", sa.String(length=64), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("uid"),
        sa.UniqueConstraint("item_id", "number"),
    )
    op.create_index(op.f("ix_ups_step_created_at"), "ups_step", ["created_at"], unique=False)
    op.create_index(op.f("ix_ups_step_state"), "ups_step", ["state"], unique=False)
    op.create_table(
        "ups_subscriber",
        sa.Column("aet", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("everything", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=True),
        sa.Column("lock", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["person.name"]),
        sa.PrimaryKeyConstraint("aet"),
    )
    op.create_table(
        "ups_subscription",
        sa.Column("aet", sa.String(length=16), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("lock", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["aet"], ["ups_subscriber.aet"]),
        sa.PrimaryKeyConstraint("aet", "uid"),
    )
    _begin_steps()


def downgrade() -> None:
    """Back."""
    for table in ("ups_subscription", "ups_subscriber", "ups_step", "ups_news"):
        op.drop_table(table)


def _begin_steps() -> None:
    connection = op.get_bind()
    item = sa.table(
        "work_item",
        *(sa.column(name) for name in ("item_id", "kind", "state", "created_at", "claimed_at")),
    )
    step = sa.table(
        "ups_step",
        sa.column("uid"),
        sa.column("item_id"),
        sa.column("number"),
        sa.column("state"),
        sa.column("said", sa.JSON()),
        sa.column("created_at"),
        sa.column("changed_at"),
    )
    wanted = sa.select(item).where(item.c.state.in_(_STATES), item.c.kind.in_(_KINDS))
    for row in connection.execute(wanted).all():
        connection.execute(
            sa.insert(step).values(
                uid=f"2.25.{int(row.item_id, 16)}",
                item_id=row.item_id,
                number=1,
                state=_STATES[row.state],
                said={},
                created_at=row.created_at,
                changed_at=row.claimed_at or row.created_at,
            )
        )
