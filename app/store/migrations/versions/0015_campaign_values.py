"""What campaigns were worth: customers won, lost and kept; and what each comes to on the scoreboard."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_values",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("new", "lost", "kept")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("value_micros", "net_micros")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("currency", "source", "by_id", "by_name")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "revision", name="pk_campaign_values"),
        sa.ForeignKeyConstraint(["campaign"], ["campaigns.id"], name="fk_campaign_values_campaign", ondelete="CASCADE"),
        sa.CheckConstraint("revision >= 1", name="ck_campaign_values_revision"),
        sa.CheckConstraint("new >= 0 AND lost >= 0 AND kept >= 0", name="ck_campaign_values_customers"),
    )
    op.create_table(
        "campaign_scores",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("score", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", name="pk_campaign_scores"),
    )
    op.create_index("ix_campaign_scores_began_at_campaign", "campaign_scores", ["began_at", "campaign"])


def downgrade() -> None:
    op.drop_table("campaign_scores")
    op.drop_table("campaign_values")
