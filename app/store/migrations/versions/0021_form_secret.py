"""What the forms of people who are not signed in yet are told by, the same in every replica and after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
oldest_reader = "0020"


def upgrade() -> None:
    with op.batch_alter_table("installation") as table:
        table.add_column(sa.Column("form_secret", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("installation") as table:
        table.drop_column("form_secret")
