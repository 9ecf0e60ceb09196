"""Campaigns, their waves and what their release remembers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = "'draft', 'scheduled', 'waiting', 'releasing', 'paused', 'done', 'cancelled', 'gave_up'"


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("audience", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("traffic_class", sa.String(), nullable=False),
        sa.Column("contacts_per_1000", sa.Float(), nullable=True),
        sa.Column("earliest_start", sa.BigInteger(), nullable=True),
        sa.Column("give_up_at", sa.BigInteger(), nullable=True),
        sa.Column("release_mode", sa.String(), nullable=False),
        sa.Column("audience_per_wave", sa.BigInteger(), nullable=True),
        sa.Column("wave_gap_seconds", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("announced_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_by", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pace", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.CheckConstraint("id <> ''", name="ck_campaigns_id"),
        sa.CheckConstraint("audience >= 1", name="ck_campaigns_audience"),
        sa.CheckConstraint("revision >= 1", name="ck_campaigns_revision"),
        sa.CheckConstraint(f"state IN ({STATES})", name="ck_campaigns_state"),
    )
    op.create_index("ix_campaigns_created_at_id", "campaigns", ["created_at", "id"])
    op.create_index("ix_campaigns_gate_created_at_id", "campaigns", ["gate", "created_at", "id"])
    op.create_index("ix_campaigns_state_created_at_id", "campaigns", ["state", "created_at", "id"])
    op.create_index("ix_campaigns_earliest_start", "campaigns", ["earliest_start"])
    op.create_table(
        "waves",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("permit_id", sa.String(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("is_probe", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ending", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "number", name="pk_waves"),
        sa.CheckConstraint("number >= 1", name="ck_waves_number"),
        sa.CheckConstraint("allowed >= 1", name="ck_waves_allowed"),
        sa.CheckConstraint("sent >= 0", name="ck_waves_sent"),
        sa.ForeignKeyConstraint(["campaign"], ["campaigns.id"], name="fk_waves_campaign", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("waves")
    op.drop_table("campaigns")
