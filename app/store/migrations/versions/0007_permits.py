"""Permits, the sums they make, and answers kept for repeats."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('active', 'paused')")


def upgrade() -> None:
    op.create_table(
        "permits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_permits"),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'used', 'released', 'expired', 'revoked')", name="ck_permits_state"
        ),
        sa.CheckConstraint("requested >= 1 AND allowed >= 1 AND sent >= 0", name="ck_permits_numbers"),
    )
    op.create_index("ix_permits_live", "permits", ["gate", "expires_at"], sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_index(
        "ix_permits_live_campaign", "permits", ["campaign", "expires_at"], sqlite_where=_LIVE, postgresql_where=_LIVE
    )
    op.create_index("ix_permits_live_expires_at", "permits", ["expires_at"], sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_index("ix_permits_granted_at_id", "permits", ["granted_at", "id"])
    op.create_index("ix_permits_gate_granted_at_id", "permits", ["gate", "granted_at", "id"])
    op.create_index("ix_permits_campaign_granted_at_id", "permits", ["campaign", "granted_at", "id"])
    op.create_table(
        "permit_ledger",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("outstanding", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_permit_ledger"),
        sa.CheckConstraint("kind IN ('gate', 'campaign')", name="ck_permit_ledger_kind"),
        sa.CheckConstraint("outstanding >= 0", name="ck_permit_ledger_outstanding"),
        sa.CheckConstraint("sent >= 0", name="ck_permit_ledger_sent"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "permit_sent",
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("minute_at", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gate", "minute_at", name="pk_permit_sent"),
        sa.CheckConstraint("sent >= 1", name="ck_permit_sent_sent"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "permit_repeats",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key", name="pk_permit_repeats"),
        sa.CheckConstraint("length(request_sha256) = 32", name="ck_permit_repeats_digest"),
    )
    op.create_index("ix_permit_repeats_created_at", "permit_repeats", ["created_at"])
    op.create_index("ix_permit_repeats_permit_id", "permit_repeats", ["permit_id"])


def downgrade() -> None:
    for table in ("permit_repeats", "permit_sent", "permit_ledger", "permits"):
        op.drop_table(table)
