"""cold tier"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("slide", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("tier", sa.String(length=10), nullable=False, server_default="warm")
        )


def downgrade() -> None:
    """Back; thaw cold slides first, for an older version does not find them."""
    with op.batch_alter_table("slide", schema=None) as batch_op:
        batch_op.drop_column("tier")
