"""How many contacts came in, and days of history packed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SUMS = (
    *("counted_seconds", "offered", "answered", "abandoned", "abandoned_short"),
    *("abandoned_at_once", "handled", "wait_seconds", "handle_seconds"),
)


def upgrade() -> None:
    op.create_table(
        "flow_minutes",
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("bucket_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("queue", "bucket_at", name="pk_flow_minutes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "minute_packs",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("queue", "metric")),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "metric", "day", name="pk_minute_packs"),
    )
    op.create_index("ix_minute_packs_day", "minute_packs", ["day"])
    op.create_index("ix_minute_packs_digest", "minute_packs", ["queue", "metric", "day", "digest"])


def downgrade() -> None:
    op.drop_table("minute_packs")
    op.drop_table("flow_minutes")
