"""Screens on the wall: what each may show, and the digest of its token."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "displays",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "name", "gate")),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("zone", sa.String(), nullable=True),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("revoked_at", "seen_at")),
        sa.PrimaryKeyConstraint("id", name="pk_displays"),
        sa.UniqueConstraint("secret_sha256", name="uq_displays_secret_sha256"),
        sa.CheckConstraint("length(secret_sha256) = 32", name="ck_displays_digest"),
    )


def downgrade() -> None:
    op.drop_table("displays")
