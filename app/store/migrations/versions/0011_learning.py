"""What campaigns caused: tallies of tagged contacts, debriefs, what was learned."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("queue_mix", sa.JSON(), nullable=True))
    op.add_column("campaigns", sa.Column("holdout_ratio", sa.Float(), nullable=True))
    op.create_table(
        "tally_checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tally_checkpoint"),
        sa.CheckConstraint("id = 1", name="ck_tally_checkpoint_one_row"),
    )
    op.create_table(
        "tagged_contacts",
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("bucket_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "campaign", name="pk_tagged_contacts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tagged_contacts_seen_at", "tagged_contacts", ["seen_at"])
    op.create_table(
        "contact_tallies",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("bucket_at", sa.BigInteger(), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "queue", "channel", "reason", "bucket_at", name="pk_contact_tallies"),
        sa.CheckConstraint("contacts >= 0", name="ck_contact_tallies_contacts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "debriefs",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("lesson", sa.JSON(), nullable=True),
        sa.Column("lifts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", name="pk_debriefs"),
    )
    op.create_index("ix_debriefs_made_at", "debriefs", ["made_at"])


def downgrade() -> None:
    for table in ("debriefs", "contact_tallies", "tagged_contacts", "tally_checkpoint"):
        op.drop_table(table)
    op.drop_column("campaigns", "holdout_ratio")
    op.drop_column("campaigns", "queue_mix")
