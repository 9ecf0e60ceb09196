"""What campaigns caused: tallies of tagged contacts, debriefs, what was learned."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("queue_mix", sa.JSON(), nullable=True))
    op.add_column("campaigns", sa.Column("holdout_ratio", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaigns", "holdout_ratio")
    op.drop_column("campaigns", "queue_mix")
