"""To which email tool a campaign is handed."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("sender", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaigns", "sender")
