"""Who asked, and for which campaign: found in a long decision log without reading all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = ("asked_by", "campaign")


def upgrade() -> None:
    for column in COLUMNS:
        given = sa.text(f"{column} IS NOT NULL")
        name = f"ix_decisions_{column}_at_id"
        op.create_index(name, "decisions", [column, "at", "id"], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_index(f"ix_decisions_{column}_at_id", "decisions")
