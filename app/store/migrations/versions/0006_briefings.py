"""Briefings, images, acknowledgements, calendar feed tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "briefings",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offer", sa.String(), nullable=False),
        sa.Column("recipients", sa.String(), nullable=False),
        sa.Column("questions", sa.JSON(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("acknowledge_by", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", name="pk_briefings"),
        sa.CheckConstraint("version >= 1", name="ck_briefings_version"),
        sa.ForeignKeyConstraint(["campaign"], ["campaigns.id"], name="fk_briefings_campaign", ondelete="CASCADE"),
    )
    op.create_table(
        "briefing_images",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "id", name="pk_briefing_images"),
        sa.CheckConstraint("length(content) = size", name="ck_briefing_images_size"),
        sa.CheckConstraint(
            "media_type IN ('image/png', 'image/jpeg', 'image/webp')", name="ck_briefing_images_media_type"
        ),
        sa.ForeignKeyConstraint(
            ["campaign"], ["briefings.campaign"], name="fk_briefing_images_campaign", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "briefing_acknowledgements",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "version", "acknowledged_by", name="pk_briefing_acknowledgements"),
        sa.ForeignKeyConstraint(
            ["campaign"], ["briefings.campaign"], name="fk_briefing_acknowledgements_campaign", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "calendar_tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_tokens"),
        sa.UniqueConstraint("secret_sha256", name="uq_calendar_tokens_secret_sha256"),
        sa.CheckConstraint("length(secret_sha256) = 32", name="ck_calendar_tokens_digest"),
    )


def downgrade() -> None:
    op.drop_table("calendar_tokens")
    op.drop_table("briefing_acknowledgements")
    op.drop_table("briefing_images")
    op.drop_table("briefings")
