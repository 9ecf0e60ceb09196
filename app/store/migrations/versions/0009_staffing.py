"""Schedules, opening hours, and how many contacts an agent of a queue handles at once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name="pk_schedules"),
        sa.CheckConstraint("revision >= 1", name="ck_schedules_revision"),
    )
    op.create_table(
        "schedule_intervals",
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("agents", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("queue", "starts_at", name="pk_schedule_intervals"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_schedule_intervals_length"),
        sa.CheckConstraint("agents >= 0", name="ck_schedule_intervals_agents"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opening_hours",
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name="pk_opening_hours"),
        sa.CheckConstraint("revision >= 1", name="ck_opening_hours_revision"),
    )
    with op.batch_alter_table("queue_targets") as targets:
        targets.add_column(sa.Column("concurrency", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("queue_targets") as targets:
        targets.drop_column("concurrency")
    op.drop_table("opening_hours")
    op.drop_table("schedule_intervals")
    op.drop_table("schedules")
