"""Notes that people write about a day, and marks on charts."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notes",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "gate", "author_id", "author_name")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "text")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "written_at")),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("campaign", "queue")),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["gate"], ["gates.name"], name="fk_notes_gate", ondelete="CASCADE"),
        sa.CheckConstraint("text <> ''", name="ck_notes_text"),
    )
    standing = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "ix_notes_standing", "notes", ["gate", "at", "id"], sqlite_where=standing, postgresql_where=standing
    )


def downgrade() -> None:
    op.drop_table("notes")
