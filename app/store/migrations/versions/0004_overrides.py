"""Overrides, the override that touched an answer, and client profiles of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "overrides",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "gate", "effect")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("starts_at", "ends_at")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("created_by", "comment")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("even_without_data", sa.Boolean(), nullable=False),
        sa.Column("used_count", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("last_used_at", "reminded_at", "closed_at")),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
        sa.ForeignKeyConstraint(["gate"], ["gates.name"], name="fk_overrides_gate", ondelete="CASCADE"),
        sa.CheckConstraint("effect IN ('hold', 'allow')", name="ck_overrides_effect"),
        sa.CheckConstraint("comment <> ''", name="ck_overrides_comment"),
        sa.CheckConstraint("used_count >= 0", name="ck_overrides_used_count"),
    )
    op.create_index("ix_overrides_gate_created_at_id", "overrides", ["gate", "created_at", "id"])
    op.create_index(
        "ix_overrides_open",
        "overrides",
        ["ends_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    with op.batch_alter_table("decisions") as decisions:
        decisions.add_column(sa.Column("override_id", sa.String(), nullable=True))
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("profile", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_column("profile")
    with op.batch_alter_table("decisions") as decisions:
        decisions.drop_column("override_id")
    op.drop_table("overrides")
