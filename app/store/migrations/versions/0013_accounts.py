"""People who sign in, their invitations, and sessions of theirs.

Sessions begun with a key end: a person's has an owner, and keys are for programs now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROLES = "role IN ('viewer', 'marketer', 'workforce', 'admin')"


def upgrade() -> None:
    op.create_table(
        "users",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "email", "name", "role")),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("disabled_at", "signed_in_at")),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.CheckConstraint("email <> ''", name="ck_users_email"),
        sa.CheckConstraint(_ROLES, name="ck_users_role"),
        sa.CheckConstraint("revision >= 1", name="ck_users_revision"),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("purpose", "role", "made_by")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "expires_at")),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_sha256", name="uq_invitations_token_sha256"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_invitations_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("length(token_sha256) = 32", name="ck_invitations_digest"),
        sa.CheckConstraint("purpose IN ('setup', 'join', 'reset')", name="ck_invitations_purpose"),
        sa.CheckConstraint(_ROLES, name="ck_invitations_role"),
    )
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("id_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "seen_at", "expires_at")),
        sa.Column("browser", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
        sa.CheckConstraint("length(id_sha256) = 32", name="ck_sessions_digest"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def downgrade() -> None:
    for table in ("sessions", "invitations", "users"):
        op.drop_table(table)
    op.create_table(
        "sessions",
        sa.Column("id_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "expires_at")),
        sa.PrimaryKeyConstraint("id_sha256", name="pk_sessions"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_sessions_key_id", ondelete="CASCADE"),
        sa.CheckConstraint("length(id_sha256) = 32", name="ck_sessions_digest"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
