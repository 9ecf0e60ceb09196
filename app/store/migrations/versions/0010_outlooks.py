"""Outlooks with what they were made from, and all that gates and campaigns ever gave away."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GIVEN = """
UPDATE permit_ledger SET given = coalesce((
    SELECT sum(CASE WHEN sent > allowed THEN sent ELSE allowed END) FROM permits
    WHERE permits.{kind} = permit_ledger.name
), 0) WHERE kind = '{kind}'
"""


def upgrade() -> None:
    op.add_column("permit_ledger", sa.Column("given", sa.BigInteger(), nullable=False, server_default="0"))
    for kind in ("gate", "campaign"):
        op.execute(GIVEN.format(kind=kind))
    op.create_table(
        "outlooks",
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("gate", "at", name="pk_outlooks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outlooks_at", "outlooks", ["at"])


def downgrade() -> None:
    op.drop_table("outlooks")
    op.drop_column("permit_ledger", "given")
