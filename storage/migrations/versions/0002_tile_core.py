"""proof, skeleton, release"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("slide", schema=None) as batch_op:
        batch_op.add_column(sa.Column("root", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("proof", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("skeleton", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("stored_bytes", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("intake", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("released", sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    """Back; slides whose original is a skeleton can then no longer be given back."""
    with op.batch_alter_table("intake", schema=None) as batch_op:
        batch_op.drop_column("released")
    with op.batch_alter_table("slide", schema=None) as batch_op:
        for name in ("stored_bytes", "skeleton", "proof", "root"):
            batch_op.drop_column(name)
